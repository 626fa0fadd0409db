"""One worker: the engine, its heartbeat, the relay, the reaper of dead workers, the clock and the sequencer."""

import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

from privacyops.jobs.engine import DbosEngine
from privacyops.jobs.kind import JobKind
from privacyops.jobs.loop import Loop
from privacyops.jobs.relay import Relay
from privacyops.jobs.scheduler import Scheduler, Tick
from privacyops.services import job as jobs
from privacyops.services.context import Context

BEAT_S: Final = 3.0
_REAPER_TTL: Final = timedelta(seconds=10)
_log = logging.getLogger("privacyops.jobs")


class Worker:
    """Everything that moves work in this process.

    `sole` tells that no other process can be alive (embedded mode holds a lock file), so that the work of the
    process before is taken over at once. `on_lost` is called when others declared this worker dead.
    """

    def __init__(
        self,
        ctx: Context,
        engine_url: str,
        kinds: Mapping[str, JobKind],
        ticks: Sequence[Tick],
        *,
        sole: bool,
        on_lost: Callable[[], None],
        migrates: bool = True,
        rounds: Sequence[tuple[str, float, Callable[[Context], bool]]] = (),
    ) -> None:
        self.id = f"{socket.gethostname()[:60]}-{uuid4()}"
        self._ctx = ctx
        self._sole = sole
        self._on_lost = on_lost
        self._engine = DbosEngine(engine_url, self.id, kinds, lambda: ctx, migrates=migrates)
        self._relay = Loop("relay", 0.1, Relay(ctx, self._engine, kinds).round)
        self._heart = Loop("heart", BEAT_S, self._beat)
        self._rounds = [Loop(name, pause, lambda work=work: work(ctx)) for name, pause, work in rounds]  # type: ignore[misc]  # mypy cannot type a defaulted lambda
        self._scheduler = Scheduler(ctx, self.id, ticks)

    def start(self) -> None:
        """Take work. Work of dead workers is taken over with the first heartbeat."""
        jobs.start_executor(self._ctx, self.id)
        self._engine.launch()
        for loop in (self._relay, self._heart, *self._rounds):
            loop.start()
        self._scheduler.start()

    def stop(self) -> None:
        """Take nothing more, let running steps end, leave in order."""
        self._scheduler.stop()
        for loop in (*self._rounds, self._relay, self._heart):
            loop.stop()
        self._engine.shut_down()
        jobs.end_executor(self._ctx, self.id)

    def _beat(self) -> bool:
        if not jobs.beat(self._ctx, self.id):
            _log.error("this worker was declared dead by others", extra={"executor": self.id})
            self._on_lost()
            return False
        if jobs.take_lease(self._ctx, "reaper", self.id, _REAPER_TTL) is not None:
            for executor in jobs.claim_dead_executors(self._ctx, self.id, sole=self._sole):
                handed = self._engine.reap(executor)
                jobs.end_executor(self._ctx, executor, "reaped")
                _log.warning("took over from a dead worker", extra={"executor": executor, "drives": handed})
        return False
