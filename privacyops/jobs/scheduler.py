"""APScheduler as a clock, in the one process that holds the lease.

A tick enqueues or sweeps, it does not work. Slots make what it enqueues unique, so that a second holder, a restart
or a repeated tick changes nothing. A dead scheduler means late, never lost and never twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

from privacyops.jobs.pace import Pace
from privacyops.kernel.clock import Instant
from privacyops.services import job as jobs
from privacyops.services.context import Context

LEASE: Final = "scheduler"
LONGEST_DRIFT: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Tick:
    """Something to do each minute. `is_destructive` ones wait while the wall clock cannot be trusted."""

    name: str
    fire: Callable[[Context], object]
    is_destructive: bool = False


class Scheduler:
    """Every other second: renew the lease and wake resting jobs. Each minute, and on taking the lease: every tick."""

    def __init__(self, ctx: Context, owner: str, ticks: Sequence[Tick], pace: Pace = Pace()) -> None:  # noqa: B008 - frozen
        self._ctx = ctx
        self._pace = pace
        self._owner = owner
        self._ticks = ticks
        self._epoch: int | None = None
        self._last_minute: Instant | None = None
        self._wall, self._boot = ctx.clock.now(), ctx.clock.boot_seconds()
        self._clock = BackgroundScheduler(timezone="UTC", daemon=True)
        self._clock.add_job(
            self.beat,
            "interval",
            seconds=self._pace.tick_s,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=3600,
            id="beat",
        )

    def start(self) -> None:
        self._clock.start()

    def stop(self) -> None:
        """Stop ticking and let another process take over at once."""
        if self._clock.running:
            self._clock.shutdown(wait=True)
        if self._epoch is not None:
            jobs.drop_lease(self._ctx, LEASE, self._owner)

    def beat(self) -> None:
        """One tick of the clock. Public for tests, which move time by hand."""
        try:
            self._beat()
        except Exception as error:
            self._epoch = None
            self._ctx.ports.telemetry.failure("scheduler.failed", error)

    def _beat(self) -> None:
        epoch = jobs.take_lease(self._ctx, LEASE, self._owner, self._pace.ttl)
        if epoch is None:
            self._epoch = None
            return
        taken, self._epoch = epoch != self._epoch, epoch
        jobs.drive_again(self._ctx, self._pace.stuck_after)
        minute = self._ctx.clock.now().replace(second=0, microsecond=0)
        if taken or minute != self._last_minute:
            self._last_minute = minute
            self._fire(self._clock_is_sane())

    def _fire(self, sane: bool) -> None:
        for tick in self._ticks:
            if tick.is_destructive and not sane:
                self._ctx.ports.telemetry.warning("tick.suspended", step=tick.name, reason="clock_jumped")
                continue
            try:
                tick.fire(self._ctx)
            except Exception as error:
                self._ctx.ports.telemetry.failure("tick.failed", error, step=tick.name)

    def _clock_is_sane(self) -> bool:
        """Wall and boot clock must have moved alike since the last look."""
        wall, boot = self._ctx.clock.now(), self._ctx.clock.boot_seconds()
        drift = abs((wall - self._wall) - timedelta(seconds=boot - self._boot))
        self._wall, self._boot = wall, boot
        return drift <= LONGEST_DRIFT
