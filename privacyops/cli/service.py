"""One running process of the service: the lock, the web server, the worker, and an orderly end."""

import fcntl
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import uvicorn
from starlette.types import ASGIApp

from privacyops.bootstrap import House, make_checker
from privacyops.cli.entrance import Entrance
from privacyops.cli.loading import loading
from privacyops.kernel.errors import Problem, Unavailable
from privacyops.ports.pages import Pages
from privacyops.services.consent.checking import Checker

PAUSE_S: Final = 0.02
"""Between two rounds of the sequencer, where there is something to number."""
SEES_OTHERS_S: Final = 0.25
"""How soon it sees what another process has written; of this one it is told."""
SEES_ITSELF_S: Final = 2.0
"""A command beside the only service is seen no later."""
_LONGEST_PAUSE_S: Final = 15.0
_LOOK_S: Final = 0.01

if TYPE_CHECKING:
    from privacyops.cli.lane import LaneProtocol
    from privacyops.jobs.worker import Worker


class Role(StrEnum):
    """What a process does. All but `all`, which is one process with everything, need PostgreSQL."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    REPLICA = "replica"


class FolderInUse(Unavailable):
    type = "/problems/folder-in-use"
    title = "Another process uses this data folder; stop it, or choose another with PRIVACYOPS_DATA"


def lock(folder: Path) -> IO[str]:
    """Hold the data folder for this process until it ends. Raises: FolderInUse."""
    held = (folder / "privacyops.lock").open("a+")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise FolderInUse from None
    return held


@dataclass
class Service:
    """Starts in the order: listen, open the doors, work. Ends in the other: take nothing more, end what runs, close."""

    house: House
    role: Role
    before_work: Sequence[Callable[[], None]] = ()
    _worker: "Worker | None" = None
    _server: uvicorn.Server | None = None
    _entrance: Entrance = field(default_factory=Entrance)
    _lane: "type[LaneProtocol] | None" = None
    _broken: Exception | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, doors: Callable[[], ASGIApp] | None) -> None:
        """Serve until a signal ends the process. `doors` makes the web application, once the process listens.

        Raises: whatever `doors` raised: a service without its doors is none.
        """
        self._listen_for_signals()
        self._lane = _new_lane()
        self._server = None if doors is None else self._make_server(self._entrance)
        starter = threading.Thread(target=self._start, args=(doors,), name="privacyops-start", daemon=True)
        starter.start()
        try:
            if self._server is None:
                self._stopping.wait()
            elif not self._stopping.is_set():
                self._server.run()
        finally:
            self._stopping.set()
            starter.join(10)
            in_order = self._worker is None or self._worker.stop()
            if in_order:
                self.house.close()
            else:
                # A page that hangs would hold the process; whoever comes next takes it over as from a dead worker
                os._exit(0)
        if self._broken is not None:
            raise self._broken

    def _make_server(self, app: ASGIApp) -> uvicorn.Server:
        web = self.house.settings.web
        return uvicorn.Server(
            uvicorn.Config(
                app, host=web.host, port=web.port, log_config=None, access_log=False, server_header=False,
                proxy_headers=False, timeout_graceful_shutdown=5, lifespan="off", ws="none", http=self._lane or "auto",
            )
        )  # fmt: skip

    def _start(self, doors: Callable[[], ASGIApp] | None) -> None:
        """Load what answers people, then what works: each would keep the one before it waiting."""
        while self._server is not None and not self._server.started and not self._stopping.wait(_LOOK_S):
            pass
        try:
            if doors is not None and not self._stopping.is_set():
                with loading():
                    self._open(doors())
        except Exception as error:  # told by `run`, which ends the process with it
            self._broken = error
            self._end()
            return
        self._start_worker()

    def _open(self, app: ASGIApp) -> None:
        self._entrance.open(app)
        if self._lane is not None:
            self._lane.door = getattr(app, "door", None)

    def _start_worker(self) -> None:
        for step in self.before_work:
            if self._stopping.is_set():
                return
            try:
                step()
            except Exception as error:  # without it less is there to see, but accepted work must move
                self.house.telemetry.failure("start.step_failed", error)
        pause = 1.0
        while self.role is not Role.WEB and not self._stopping.is_set():
            worker = self._make_worker()
            try:
                worker.start()
            except Exception as error:  # a database that is full or not there yet: the next try may meet a better day
                self.house.telemetry.failure("worker.not_started", error)
                worker.stop()
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                self._worker = worker
                return

    def _make_worker(self) -> "Worker":
        # The engine takes longer to load than everything else together, and a web process never needs it
        with loading():
            from privacyops.jobs.kinds import TICKS, job_kinds
            from privacyops.jobs.pace import Pace
            from privacyops.jobs.worker import Round, Worker
            from privacyops.services import ledger
            from privacyops.services.webhook import telling

        settings = self.house.settings
        context = self.house.context
        owner = f"{os.getpid()}-{secrets.token_hex(8)}"
        rest_s = SEES_OTHERS_S if settings.is_cluster else SEES_ITSELF_S
        return Worker(
            context, settings.engine, job_kinds(), TICKS, sole=not settings.is_cluster, on_lost=_end_process,
            pace=Pace() if settings.is_cluster else Pace(rest_s=rest_s),
            rounds=[
                Round("sequencer", PAUSE_S, rest_s, partial(ledger.turn, owner=owner)),
                Round("systems", PAUSE_S, rest_s, telling.fan_out),
            ],
        )  # fmt: skip

    def _listen_for_signals(self) -> None:
        """The web server raises the signal that ended it once more, for whoever listened before: without a listener
        the process would end there and leave its work to be taken over as a dead worker's.
        """
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._end)

    def _end(self, *_: object) -> None:
        self._stopping.set()
        if self._server is not None:
            self._server.should_exit = True


def _end_process() -> None:
    """Others took over: whatever this process still wants to write must not happen."""
    os.kill(os.getpid(), signal.SIGTERM)


def _new_lane() -> "type[LaneProtocol] | None":
    """The short way for checks; None without the parser that it is built on."""
    try:
        from privacyops.cli.lane import new_lane
    except ImportError:
        return None
    return new_lane()


def make_app(house: House, pages: Pages, extra: Iterable[tuple[Iterable[str], Any]] = ()) -> ASGIApp:
    """The web application of this house."""
    # The process listens before this is loaded: routes and forms take as long as everything before them
    from privacyops.main import create_app

    web = house.settings.web
    checker = make_checker(house)
    threading.Thread(target=_warmed, args=(house, checker), name="privacyops-warm", daemon=True).start()
    return create_app(
        house.context, pages, trusted_proxies=web.trusted_proxies, widget_origins=web.widget_origins,
        policy_url=web.privacy_policy_url, extra=extra,
        metrics_token=web.metrics_token.get_secret_value() if web.metrics_token else None, checker=checker,
        collects_per_minute=web.collects_per_minute,
    )  # fmt: skip


def _warmed(house: House, checker: Checker) -> None:
    """Spare the first callers the wait; where it cannot be done, they wait, and are told why."""
    try:
        checker.warm_up()
    except Problem as problem:
        house.telemetry.failure("start.step_failed", problem)


def shipped_doors(house: House) -> ASGIApp:
    """The web application with the pages that are shipped."""
    from privacyops.adapters.pages_jinja import JinjaPages

    return make_app(house, JinjaPages())
