"""Two hosts over one PostgreSQL, as a pytest plug-in by import: `cluster`.

Host A has a web process that answers checks from the host's own copy, and the replica process that keeps this copy;
both reach the database through a cable that can be cut. Host B has a process with everything in it and no copy.
"""

import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from tests.fault.cable import Cable
from tests.fault.playing import Play, Stand, shop, staged
from tests.servers import free_port
from tests.serving import until
from tests.world import clone


@dataclass
class Cluster:
    """The processes, and whoever plays with them."""

    play: Play
    near: Stand
    """Host A's web process, which reads the copy."""
    copier: Stand
    far: Stand
    """Host B: web, worker and sequencer in one process."""
    cable: Cable
    link: Path

    def start(self) -> None:
        for stand in (self.near, self.copier, self.far):
            stand.start()
        for stand in (self.near, self.far):
            stand.wait()
        self.follows()
        self.play.meet_everybody()

    def follows(self) -> None:
        """Wait until the copy holds what a poll has brought that was sent from now on."""
        began = self.play.house.context.clock.boot_seconds()
        until(lambda: self.sent() > began, 90)

    def sent(self) -> float:
        """When the poll was sent that brought what the copy holds; 0 where there is none."""
        try:
            with closing(sqlite3.connect(f"file:{self.link}?mode=ro", uri=True)) as connection:
                return float(connection.execute("SELECT sent FROM copy").fetchone()[0])
        except sqlite3.Error:
            return 0.0

    def freeze_copier(self, seconds: float) -> None:
        """It is there and hears nothing: the copy stays as it is."""
        assert self.copier.served is not None
        self.copier.served.process.send_signal(signal.SIGSTOP)
        self.rest(seconds)
        self.copier.served.process.send_signal(signal.SIGCONT)

    def cut_off(self, seconds: float) -> None:
        """Host A loses the database: every connection breaks, and there are no new ones."""
        self.cable.cut()
        self.rest(seconds)
        self.cable.plug()

    def hold_up(self, seconds: float) -> None:
        """Host A's connections to the database stay, and nothing arrives."""
        self.cable.hold()
        self.rest(seconds)
        self.cable.release()

    def kill(self, stand: Stand, seconds: float) -> None:
        """SIGKILL, and start again after a while; never one before those killed earlier are back."""
        self.recovers()
        stand.kill()
        self.rest(seconds)
        stand.start()

    def recovers(self) -> None:
        """Wait until both web processes answer, or the play is over."""
        stands = [stand for stand in (self.near, self.far) if stand.served is not None]
        until(lambda: self.play.over.is_set() or all(stand.served.answers() for stand in stands if stand.served), 300)

    def rest(self, seconds: float) -> None:
        """As long as this, or until the play is over."""
        self.play.over.wait(seconds)


def torments(cluster: Cluster) -> list[Callable[[], None]]:
    """What is done to the processes, each once."""
    return [
        lambda: cluster.kill(cluster.far, 0.0),
        lambda: cluster.freeze_copier(1.6),
        lambda: cluster.cut_off(1.8),
        lambda: cluster.hold_up(1.6),
        lambda: cluster.kill(cluster.copier, 1.2),
        lambda: cluster.kill(cluster.near, 0.0),
    ]


@contextmanager
def clustered(template: str, folder: Path) -> Iterator[Cluster]:
    """Both hosts, running, over a copy of this migrated database."""
    url = make_url(clone(template, f"k{uuid4().hex}"))
    assert url.port is not None
    cable = Cable(free_port(), url.port)
    direct, over_cable = (one.render_as_string(hide_password=False) for one in (url, url.set(port=cable.port)))
    common: Mapping[str, Any] = {
        "data": folder / "data", "engine_url": f"sqlite:///{folder / 'engine.db'}", "controller": shop(),
    }  # fmt: skip
    link = folder / "copy" / "check.db"
    on_a = {**common, "database_url": over_cable, "check_replica": link}
    on_b = {**common, "database_url": direct}
    cable.plug()
    try:
        with staged(on_b) as play:
            near = Stand(on_a, "web", folder / "a.log")
            copier, far = Stand(on_a, "replica", folder / "copier.log"), Stand(on_b, "all", folder / "b.log")
            play.writers_use += [near, far]
            made = Cluster(play, near, copier, far, cable, link)
            try:
                made.start()
                yield made
            finally:
                play.over.set()
                copier.stop()
    finally:
        cable.cut()


@pytest.fixture
def cluster(migrated_postgres: str, tmp_path: Path) -> Iterator[Cluster]:
    with clustered(migrated_postgres, tmp_path) as made:
        yield made
