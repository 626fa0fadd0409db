"""Public holidays of a place, and the counting of working days. The only home of the `holidays` library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final, Self

from privacyops.domain.deadline.arithmetic import add_days, require_reckonable
from privacyops.kernel.errors import Unprocessable

SATURDAY: Final = 5
# Bank holidays of the United Kingdom exist per part of the country; there is no national list to fall back on.
KEEPS_SUBDIVISION: Final = frozenset({"GB"})


class UnknownCalendar(Unprocessable):
    type = "/problems/unknown-calendar"
    title = "There is no holiday calendar for this place"


def library_version() -> str:
    """Version of the installed holiday library, as stored in a snapshot."""
    from holidays.version import __version__  # noqa: PLC0415 - see _installed_year

    return __version__


@lru_cache(maxsize=4096)
def _installed_year(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    import holidays  # noqa: PLC0415 - 300 modules and 0.6 s, paid by the first date that needs a calendar

    try:
        days = holidays.country_holidays(
            country, subdiv=subdivision, years=year, categories=("public",), language="en_US"
        )
    except NotImplementedError:
        place = country if subdivision is None else f"{country}-{subdivision}"
        raise UnknownCalendar(f"no holidays are known for {place!r}") from None
    # A list for one year may hold observed days of its neighbours.
    return {day: name for day, name in days.items() if day.year == year}


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """Working days of one place. Saturdays and Sundays are never working days.

    Without `country` only weekends are free: for acts outside every state whose holidays count. `pinned` holds
    holidays by year as they were known when a request arrived; other years come from the installed library.
    """

    country: str | None
    subdivision: str | None = None
    pinned: Mapping[int, Mapping[date, str]] = field(default_factory=dict)
    pinned_national: Mapping[int, Mapping[date, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, country: str, subdivision: str | None = None) -> Self:
        """The installed calendar of a place.

        Raises: UnknownCalendar: the library knows no such country or subdivision.
        """
        _installed_year(country, subdivision, 2026)
        return cls(country, subdivision)

    @property
    def id(self) -> str:
        """`DE`, `GB-ENG`, or `weekends`."""
        if self.country is None:
            return "weekends"
        return self.country if self.subdivision is None else f"{self.country}-{self.subdivision}"

    def holidays_of(self, year: int) -> Mapping[date, str]:
        """Public holidays of that year by date, with their English names."""
        if self.country is None:
            return {}
        pinned = self.pinned.get(year)
        return _installed_year(self.country, self.subdivision, year) if pinned is None else pinned

    def national(self) -> "HolidayCalendar":
        """The calendar without regional holidays: it never helps a date to move later than another reading."""
        if self.subdivision is None or self.country in KEEPS_SUBDIVISION:
            return self
        return HolidayCalendar(self.country, None, self.pinned_national)

    def pin(self, first_year: int, last_year: int) -> "HolidayCalendar":
        """This calendar with the holidays of these years fixed, so that another library changes nothing."""
        years = range(first_year, last_year + 1)
        fixed = {year: dict(self.holidays_of(year)) for year in years}
        national = self.national()
        fixed_national = {} if national is self else {year: dict(national.holidays_of(year)) for year in years}
        return HolidayCalendar(self.country, self.subdivision, fixed, fixed_national)

    def free_because(self, day: date) -> str | None:
        """Why `day` is not a working day (name of the holiday or of the weekday), or None if it is one."""
        name = self.holidays_of(day.year).get(day)
        if name is not None:
            return name
        return day.strftime("%A") if day.weekday() >= SATURDAY else None

    def is_working_day(self, day: date) -> bool:
        return day.weekday() < SATURDAY and day not in self.holidays_of(day.year)

    def working_day_from(self, day: date) -> date:
        """`day` itself, or the next working day after it. Source: Reg. 1182/71 Art. 3(4)."""
        while not self.is_working_day(day):
            day = add_days(day, 1)
        return day

    def after_working_days(self, start: date, count: int) -> date:
        """The `count`-th working day after `start`; `start` itself is not counted.

        Raises: DateOutOfRange: the result lies after 2199.
        """
        day = require_reckonable(start)
        while count > 0:
            day = add_days(day, 1)
            if self.is_working_day(day):
                count -= 1
        return day


WEEKENDS_ONLY: Final = HolidayCalendar(None)
