"""One running process of the service: the lock, the web server, the worker, and an orderly end."""

import fcntl
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

import uvicorn
from starlette.types import ASGIApp

from privacyops.bootstrap import House
from privacyops.jobs.kinds import TICKS, job_kinds
from privacyops.jobs.worker import Worker
from privacyops.kernel.errors import Unavailable
from privacyops.ports.pages import Pages
from privacyops.services import ledger
from privacyops.services.context import Context

SEQUENCER_PAUSE_S: Final = 0.25


class Role(StrEnum):
    """What a process does. `web` and `worker` need PostgreSQL; `all` is one process with everything."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


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
    """Starts in the order: listen, then work. Ends in the other: take nothing more, end what runs, close."""

    house: House
    role: Role
    before_work: Sequence[Callable[[], None]] = ()
    _worker: Worker | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, app: ASGIApp | None) -> None:
        """Serve until a signal ends the process."""
        starter = threading.Thread(target=self._start_worker, name="privacyops-start", daemon=True)
        starter.start()
        try:
            if app is None:
                self._wait_for_signal()
            else:
                self._serve(app)
        finally:
            self._stopping.set()
            starter.join(10)
            in_order = self._worker is None or self._worker.stop()
            if in_order:
                self.house.close()
            else:
                # A page that hangs would hold the process; whoever comes next takes it over as from a dead worker
                os._exit(0)

    def _serve(self, app: ASGIApp) -> None:
        web = self.house.settings.web
        uvicorn.Server(
            uvicorn.Config(
                app, host=web.host, port=web.port, log_config=None, access_log=False, server_header=False,
                proxy_headers=False, timeout_graceful_shutdown=5, lifespan="off",
            )
        ).run()  # fmt: skip

    def _start_worker(self) -> None:
        for step in self.before_work:
            if self._stopping.is_set():
                return
            step()
        if self.role is Role.WEB or self._stopping.is_set():
            return
        settings = self.house.settings
        context = self.house.context
        worker = Worker(
            context, settings.engine, job_kinds(), TICKS, sole=not settings.is_cluster, on_lost=_end_process,
            rounds=[("sequencer", SEQUENCER_PAUSE_S, _number(f"{os.getpid()}-{secrets.token_hex(8)}"))],
        )  # fmt: skip
        worker.start()
        self._worker = worker

    def _wait_for_signal(self) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._stopping.set())
        self._stopping.wait()


def _number(owner: str) -> Callable[[Context], bool]:
    """A round of the sequencer for the logs of this controller."""

    def work(ctx: Context) -> bool:
        return ledger.turn(ctx, owner)

    return work


def _end_process() -> None:
    """Others took over: whatever this process still wants to write must not happen."""
    os.kill(os.getpid(), signal.SIGTERM)


def make_app(house: House, pages: Pages, extra: Iterable[tuple[Iterable[str], Any]] = ()) -> ASGIApp:
    """The web application of this house."""
    from privacyops.main import create_app

    web = house.settings.web
    return create_app(
        house.context, pages, trusted_proxies=web.trusted_proxies, widget_origins=web.widget_origins,
        policy_url=web.privacy_policy_url, extra=extra,
    )  # fmt: skip
