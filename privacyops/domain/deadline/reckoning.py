"""From a start date and what happened to the last day in time. Dates only: no instants, no rules of a country."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from privacyops.domain.deadline.arithmetic import add_days, add_months, merged_days
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar


class Unit(StrEnum):
    MONTH = "month"
    CALENDAR_DAY = "calendar_day"
    BUSINESS_DAY = "business_day"


@dataclass(frozen=True, slots=True)
class Term:
    """A length of time. `rolls`: a last day that is not a working day moves to the next one."""

    value: int
    unit: Unit
    rolls: bool = False

    def from_start(self, start: date, calendar: HolidayCalendar) -> date:
        """Last day of the term before any roll; the start day is not counted."""
        if self.unit is Unit.MONTH:
            return add_months(start, self.value)
        if self.unit is Unit.CALENDAR_DAY:
            return add_days(start, self.value)
        return calendar.after_working_days(start, self.value)


@dataclass(frozen=True, slots=True)
class Suspension:
    """Days that do not count, `first` up to and without `after_last`."""

    first: date
    after_last: date


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Every date of one reading. `due` honours a valid extension, `first_due` never does.

    `extended_due` is the date that an extension gives or would give; None where there is none, or where the
    notice itself has to name the date. `extension_valid` is None as long as no notice was sent.
    """

    start: date
    paused_days: int
    unrolled: date
    first_due: date
    due: date
    extended_due: date | None
    extension_valid: bool | None


def reckon(
    start: date,
    term: Term,
    calendar: HolidayCalendar,
    *,
    suspensions: Sequence[Suspension] = (),
    extended: Term | None = None,
    notice: date | None = None,
) -> Reckoning:
    """Start date, then the total units once, then the paused days, then the roll.

    `start` is the start date after restarts. `notice` is the local date on which the first extension notice left;
    it is in time up to and including `first_due`, and a late one extends nothing. An extension counts from the
    start date, never from the first due date.

    Raises: DateOutOfRange: a date would lie after 2199.
    Source: GDPR Art. 12(3); Reg. 1182/71 Art. 3; UK GDPR Art. 12A.
    """
    paused_days = merged_days([(each.first, each.after_last) for each in suspensions])
    first_unrolled, first_due = _last_day(start, term, paused_days, calendar)
    extended_unrolled: date | None = None
    extended_due: date | None = None
    if extended is not None:
        extended_unrolled, extended_due = _last_day(start, extended, paused_days, calendar)
    valid = None if notice is None else notice <= first_due
    is_extended = bool(valid) and extended_due is not None
    return Reckoning(
        start=start,
        paused_days=paused_days,
        unrolled=extended_unrolled if is_extended and extended_unrolled else first_unrolled,
        first_due=first_due,
        due=extended_due if is_extended and extended_due else first_due,
        extended_due=extended_due,
        extension_valid=valid,
    )


def _last_day(start: date, term: Term, paused_days: int, calendar: HolidayCalendar) -> tuple[date, date]:
    unrolled = add_days(term.from_start(start, calendar), paused_days)
    return unrolled, calendar.working_day_from(unrolled) if term.rolls else unrolled
