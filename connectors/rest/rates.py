"""What a service bears: token buckets by name, and the pause it asks for. The clock is handed in."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from privacyops.connector_sdk.declarative import Bucket

LONGEST: Final = timedelta(days=1)
"""A service that asks for a longer pause is asked again after this."""


def _wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@dataclass(frozen=True)
class Clocks:
    """Time for the engine: `wall` is UTC, `steady` counts seconds and never jumps."""

    wall: Callable[[], datetime] = _wall
    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class _Filling:
    rule: Bucket
    tokens: float
    at: float
    blocked_until: float = 0.0


@dataclass
class Rates:
    """The buckets of one open store."""

    clocks: Clocks
    _buckets: dict[str, _Filling] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[Bucket], clocks: Clocks) -> "Rates":
        """One bucket a rule, full at the start."""
        now = clocks.steady()
        return cls(clocks, {rule.bucket: _Filling(rule, float(rule.burst or rule.limit), now) for rule in rules})

    def wait_time(self, bucket: str) -> float:
        """Seconds until the next call may go out; 0 takes a token for it."""
        one = self._buckets.get(bucket) or self._buckets.get("default")
        if one is None:
            return 0.0
        now = self.clocks.steady()
        if now < one.blocked_until:
            return one.blocked_until - now
        speed = one.rule.limit / one.rule.per.total_seconds()
        one.tokens = min(float(one.rule.burst or one.rule.limit), one.tokens + (now - one.at) * speed)
        one.at = now
        if one.tokens >= 1.0 - 1e-9:
            one.tokens -= 1.0
            return 0.0
        return (1.0 - one.tokens) / speed

    def hold(self, bucket: str, pause: timedelta) -> None:
        """The service asked for a pause: nothing of this bucket goes out before it is over."""
        one = self._buckets.get(bucket) or self._buckets.get("default")
        if one is not None and one.rule.retry_after:
            one.blocked_until = max(one.blocked_until, self.clocks.steady() + pause.total_seconds())


def pause_of(retry_after: str, date: str, now: datetime) -> timedelta | None:
    """The pause a Retry-After asks for, in seconds or as a date; measured from the answer's own Date if it has one.

    None: there is none, or it says nothing.
    Source: RFC 9110, 10.2.3.
    """
    text = retry_after.strip()
    if text.isdecimal() and len(text) < 10:
        return min(timedelta(seconds=int(text)), LONGEST)
    moment, sent = _instant(text), _instant(date)
    if moment is None:
        return None
    return min(max(moment - (sent or now), timedelta(0)), LONGEST)


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
