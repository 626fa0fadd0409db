"""APScheduler as a clock, in the one process that holds the lease.

A tick enqueues or sweeps, it does not work. Slots make what it enqueues unique, so that a second holder, a restart
or a repeated tick changes nothing. A dead scheduler means late, never lost and never twice.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler

from privacyops.kernel.clock import Instant
from privacyops.services import job as jobs
from privacyops.services.context import Context

LEASE: Final = "scheduler"
LEASE_TTL: Final = timedelta(seconds=10)
LONGEST_DRIFT: Final = timedelta(seconds=60)
_log = logging.getLogger("privacyops.jobs")


@dataclass(frozen=True, slots=True)
class Tick:
    """Something to do each minute. `is_destructive` ones wait while the wall clock cannot be trusted."""

    name: str
    fire: Callable[[Context], object]
    is_destructive: bool = False


class Scheduler:
    """Each second: renew the lease and wake resting jobs. Each minute, and on taking the lease: every tick."""

    def __init__(self, ctx: Context, owner: str, ticks: Sequence[Tick]) -> None:
        self._ctx = ctx
        self._owner = owner
        self._ticks = ticks
        self._epoch: int | None = None
        self._last_minute: Instant | None = None
        self._wall, self._boot = ctx.clock.now(), ctx.clock.boot_seconds()
        self._clock = BackgroundScheduler(timezone="UTC", daemon=True)
        self._clock.add_job(
            self.beat, "interval", seconds=1, coalesce=True, max_instances=1, misfire_grace_time=3600, id="beat"
        )

    def start(self) -> None:
        self._clock.start()

    def stop(self) -> None:
        """Stop ticking and let another process take over at once."""
        self._clock.shutdown(wait=True)
        if self._epoch is not None:
            jobs.drop_lease(self._ctx, LEASE, self._owner)

    def beat(self) -> None:
        """One second of the clock. Public for tests, which move time by hand."""
        try:
            self._beat()
        except Exception as error:
            self._epoch = None
            _log.warning("scheduler failed", extra={"code": type(error).__name__})

    def _beat(self) -> None:
        epoch = jobs.take_lease(self._ctx, LEASE, self._owner, LEASE_TTL)
        if epoch is None:
            self._epoch = None
            return
        taken, self._epoch = epoch != self._epoch, epoch
        jobs.drive_again(self._ctx)
        minute = self._ctx.clock.now().replace(second=0, microsecond=0)
        if taken or minute != self._last_minute:
            self._last_minute = minute
            self._fire(self._clock_is_sane())

    def _fire(self, sane: bool) -> None:
        for tick in self._ticks:
            if tick.is_destructive and not sane:
                _log.warning("tick suspended: the wall clock jumped", extra={"tick": tick.name})
                continue
            try:
                tick.fire(self._ctx)
            except Exception as error:
                _log.warning("tick failed", extra={"tick": tick.name, "code": type(error).__name__})

    def _clock_is_sane(self) -> bool:
        """Wall and boot clock must have moved alike since the last look."""
        wall, boot = self._ctx.clock.now(), self._ctx.clock.boot_seconds()
        drift = abs((wall - self._wall) - timedelta(seconds=boot - self._boot))
        self._wall, self._boot = wall, boot
        return drift <= LONGEST_DRIFT
