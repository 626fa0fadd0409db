"""Time as an argument. Rules take `now: Instant`; services ask `ctx.clock` once a use case."""

from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeAlias

Instant: TypeAlias = datetime
"""An aware datetime in UTC. `require_utc` guards the places where one enters."""


class NaiveInstant(ValueError):
    """A datetime without a zone was offered where an instant is needed."""


def require_utc(value: datetime) -> Instant:
    """The same moment in UTC.

    Raises: NaiveInstant: `value` has no zone, so it names no moment.
    """
    if value.tzinfo is None:
        raise NaiveInstant("an instant needs a time zone")
    return value.astimezone(UTC)


class Clock(Protocol):
    """Where services learn the time. The real one is adapters/system_clock.py."""

    def now(self) -> Instant:
        """The present moment, UTC."""
        ...

    def boot_seconds(self) -> float:
        """Seconds on a clock that never jumps and counts suspend where the system can."""
        ...


class ManualClock:
    """A clock that moves only when told: for tests, and for seeding facts that lie in the past."""

    def __init__(self, start: Instant) -> None:
        self._now = require_utc(start)
        self._boot = 0.0

    def now(self) -> Instant:
        return self._now

    def boot_seconds(self) -> float:
        return self._boot

    def advance(self, by: timedelta) -> Instant:
        """Move on by `by` and return the new moment."""
        self._now += by
        self._boot += by.total_seconds()
        return self._now

    def set(self, to: Instant) -> None:
        """Jump to `to`; the boot clock does not move, as on a machine whose wall clock is corrected."""
        self._now = require_utc(to)
