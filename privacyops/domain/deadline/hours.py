"""Clocks that count hours: the notification of a breach. Hours never roll over a weekend or a holiday."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from privacyops.domain.deadline.arithmetic import local_date
from privacyops.kernel.clock import Instant, require_utc


@dataclass(frozen=True, slots=True)
class HourClock:
    """`strict` is what work is planned on; `legal_latest` leaves out the hour in which the event falls."""

    strict: Instant
    legal_latest: Instant


def hour_clock(aware_at: Instant, hours: int, zone: ZoneInfo) -> HourClock:
    """Both ends of a period of `hours`, UTC. Elapsed hours, so that summer time cannot change the length.

    Raises: NaiveInstant: `aware_at` has no zone. DateOutOfRange: before 1970 or after 2199.
    Source: GDPR Art. 33(1); Reg. 1182/71 Art. 3(1) and (2)(a).
    """
    aware = require_utc(aware_at)
    local_date(aware, zone)
    strict = aware + timedelta(hours=hours)
    local = strict.astimezone(zone)
    into_the_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return HourClock(strict, (strict - into_the_hour + timedelta(hours=1)).astimezone(UTC))
