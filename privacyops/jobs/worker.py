"""One worker: the engine, its heartbeat, the relay, the reaper of dead workers, the clock and the sequencer."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import uuid4

from privacyops.jobs.engine import DbosEngine
from privacyops.jobs.kind import JobKind
from privacyops.jobs.loop import Loop
from privacyops.jobs.pace import Pace
from privacyops.jobs.relay import Relay
from privacyops.jobs.scheduler import Scheduler, Tick
from privacyops.kernel.errors import Problem
from privacyops.services import job as jobs
from privacyops.services.context import Context

_NOTHING_MORE_AFTER: Final = 0.7
"""Of the time after which others hold a worker for dead: from here on it starts no further step."""
_STOP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Round:
    """Work that is done again and again: at least every `rest_s`, at most every `pause_s`, and after each commit."""

    name: str
    pause_s: float
    rest_s: float
    work: Callable[[Context], bool]


class Worker:
    """Everything that moves work in this process.

    `sole` tells that no other process can be alive (embedded mode holds a lock file), so that the work of the
    process before is taken over at once. `on_lost` is called when others declared this worker dead, or when it could
    not renew its heartbeat for so long that they may have.
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
        rounds: Sequence[Round] = (),
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        self.id = f"{socket.gethostname()[:60]}-{uuid4()}"
        self._ctx = ctx
        self._say = ctx.ports.telemetry
        self._sole = sole
        self._on_lost = on_lost
        self._pace = pace
        self._last_beat = ctx.clock.boot_seconds()
        self._engine = DbosEngine(
            engine_url, self.id, kinds, lambda: ctx, migrates=migrates, poll_seconds=pace.poll_s,
            may_work=self._may_work,
        )  # fmt: skip
        self._relay = Loop("relay", 0.1, Relay(ctx, self._engine, kinds).round, self._say, rest_s=pace.rest_s)
        self._heart = Loop("heart", pace.beat_s, self._beat, self._say)
        self._rounds = [
            Loop(one.name, one.pause_s, partial(one.work, ctx), self._say, rest_s=one.rest_s) for one in rounds
        ]
        self._scheduler = Scheduler(ctx, self.id, ticks, pace)

    def start(self) -> None:
        """Take work. Work of dead workers is taken over with the first heartbeat."""
        jobs.start_executor(self._ctx, self.id)
        self._last_beat = self._ctx.clock.boot_seconds()
        self._engine.launch()
        for loop in (self._relay, *self._rounds):
            self._ctx.database.on_commit(loop.kick)  # what was written here need not wait for the rest to end
        for loop in (self._relay, self._heart, *self._rounds):
            loop.start()
        self._scheduler.start()

    def stop(self) -> bool:
        """Take nothing more, let running pages end, leave; whether all of them ended.

        What did not end in time is left to the next worker as if this one had died. A database that is gone keeps
        nobody here.
        """
        loops = (*self._rounds, self._relay, self._heart)
        for loop in loops:
            loop.ask_to_stop()
        try:
            self._scheduler.stop()
        except Problem as problem:
            self._say.failure("worker.lease_kept", problem)
        in_order = self._engine.shut_down(_STOP_S)
        for loop in loops:
            loop.stop(1.0)
        try:
            jobs.end_executor(self._ctx, self.id, "left" if in_order else "reaping")
        except Problem as problem:
            self._say.failure("worker.not_signed_off", problem)
        return in_order

    def _may_work(self) -> bool:
        return self._sole or self._silent_for() < self._pace.ttl.total_seconds() * _NOTHING_MORE_AFTER

    def _silent_for(self) -> float:
        return self._ctx.clock.boot_seconds() - self._last_beat

    def _beat(self) -> bool:
        try:
            alive = jobs.beat(self._ctx, self.id)
        except Problem:
            if not self._sole and self._silent_for() >= self._pace.ttl.total_seconds():
                self._say.warning("worker.without_heartbeat", worker=self.id)
                self._on_lost()
            raise
        if not alive:
            self._say.warning("worker.declared_dead", worker=self.id)
            self._on_lost()
            return False
        self._last_beat = self._ctx.clock.boot_seconds()
        if jobs.take_lease(self._ctx, "reaper", self.id, self._pace.ttl) is not None:
            self._reap()
        return False

    def _reap(self) -> None:
        dead = jobs.claim_dead_executors(self._ctx, self.id, sole=self._sole, silent_for=self._pace.ttl)
        for executor in dead:
            handed = self._engine.reap(executor)
            jobs.end_executor(self._ctx, executor, "reaped")
            self._say.warning("worker.took_over", worker=executor, count=handed)
