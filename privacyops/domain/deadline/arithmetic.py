"""Counting of days, months and hours. Pure; every date is local to the establishment, every instant UTC."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199


class UnknownZone(Unprocessable):
    type = "/problems/unknown-zone"
    title = "This is not a time zone of the IANA list"


class DateOutOfRange(Unprocessable):
    type = "/problems/date-out-of-range"
    title = "This date is too far from the present to reckon with"


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name, for example `Europe/Berlin`.

    Raises: UnknownZone: no such zone; a path or a folder of zones is no zone either.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(f"no time zone is called {name!r}") from None


def require_reckonable(day: date) -> date:
    """The same day, if holidays and zones are known for it.

    Raises: DateOutOfRange: before 1970 or after 2199.
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise DateOutOfRange(f"the year {day.year} lies outside {FIRST_YEAR} to {LAST_YEAR}")
    return day


def local_date(moment: Instant, zone: ZoneInfo) -> date:
    """Calendar date of `moment` in `zone`.

    Raises: DateOutOfRange: before 1970 or after 2199.
    """
    try:
        return require_reckonable(moment.astimezone(zone).date())
    except OverflowError:
        raise DateOutOfRange("the moment has no local date") from None


def add_days(day: date, count: int) -> date:
    """`day` plus `count` calendar days; the first day itself is not counted.

    Raises: DateOutOfRange: the result lies before 1970 or after 2199.
    """
    try:
        return require_reckonable(day + timedelta(days=count))
    except OverflowError:
        raise DateOutOfRange(f"{count} days from {day.isoformat()} is no date") from None


def add_months(day: date, count: int) -> date:
    """The same day number `count` months later, or the last day of that month where the number is missing.

    Raises: DateOutOfRange: the result lies before 1970 or after 2199.
    Source: Reg. 1182/71 Art. 3(2)(c).
    """
    month_index = day.year * 12 + day.month - 1 + count
    year, month = divmod(month_index, 12)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise DateOutOfRange(f"{count} months from {day.isoformat()} is out of range")
    last_day = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last_day))


def end_of_day_utc(day: date, zone: ZoneInfo) -> Instant:
    """The exclusive end of the local `day`: 00:00 of the day after it, as an instant.

    Where a change of the clock removes or doubles that midnight, the earlier moment is meant: it is the one
    at which the day is over.
    """
    midnight = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)
    return midnight.astimezone(UTC)


def noon_utc(day: date, zone: ZoneInfo) -> Instant:
    """Midday of the local `day`: stands for the day where only a date is known, and exists in every zone."""
    return datetime.combine(day, time(12), tzinfo=zone).astimezone(UTC)


def merged_days(ranges: list[tuple[date, date]]) -> int:
    """Number of days in half-open `(first, after_last)` ranges; a day in several of them counts once."""
    total = 0
    reached: date | None = None
    for first, after_last in sorted(ranges):
        begin = first if reached is None else max(first, reached)
        if after_last > begin:
            total += (after_last - begin).days
            reached = after_last
    return total
