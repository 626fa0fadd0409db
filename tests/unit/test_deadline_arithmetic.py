"""Days, months, hours and holidays at the edges of the calendar."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from privacyops.domain.deadline.arithmetic import (
    DateOutOfRange,
    UnknownZone,
    add_days,
    add_months,
    end_of_day_utc,
    local_date,
    merged_days,
    zone_named,
)
from privacyops.domain.deadline.holiday_calendar import WEEKENDS_ONLY, HolidayCalendar, UnknownCalendar
from privacyops.domain.deadline.hours import hour_clock


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-02-28", 1, "2026-03-28"),
        ("2026-08-31", 1, "2026-09-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-12-31", 1, "2027-01-31"),
    ],
)
def test_a_missing_day_becomes_the_last_of_its_month(start: str, months: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(end)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../etc/passwd", "Europe", "/etc/localtime", "a\0b"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownZone):
        zone_named(name)


def test_the_end_of_a_day_whose_midnight_does_not_exist_is_the_moment_of_the_change() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # 24 April 2026: 00:00 became 01:00
    assert end_of_day_utc(date(2026, 4, 23), cairo) == datetime(2026, 4, 23, 22, tzinfo=UTC)


def test_the_end_of_a_day_whose_midnight_comes_twice_is_the_first_one() -> None:
    havana = ZoneInfo("America/Havana")  # 1 November 2026: 01:00 became 00:00
    assert end_of_day_utc(date(2026, 10, 31), havana) == datetime(2026, 11, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00+00:00", "1969-12-31T12:00+00:00", "9999-12-31T23:59+00:00"])
def test_moments_far_from_the_present_are_refused(moment: str) -> None:
    with pytest.raises(DateOutOfRange):
        local_date(datetime.fromisoformat(moment), ZoneInfo("Pacific/Kiritimati"))


def test_a_result_beyond_the_last_year_is_refused() -> None:
    with pytest.raises(DateOutOfRange):
        add_days(date(2199, 12, 31), 1)
    with pytest.raises(DateOutOfRange):
        add_days(date(2026, 1, 1), 10**9)
    with pytest.raises(DateOutOfRange):
        add_months(date(2199, 12, 1), 1)


def test_days_in_several_ranges_count_once() -> None:
    may = [date(2026, 5, day) for day in range(1, 11)]
    assert merged_days([(may[0], may[4]), (may[2], may[6]), (may[8], may[9]), (may[1], may[2])]) == 7
    assert merged_days([]) == 0


class TestHolidays:
    @pytest.mark.parametrize(("country", "part"), [("XX", None), ("DE", "ZZ"), ("UK", "XYZ"), ("", None)])
    def test_an_unknown_place_has_no_calendar(self, country: str, part: str | None) -> None:
        with pytest.raises(UnknownCalendar):
            HolidayCalendar.of(country, part)

    def test_the_reason_of_a_free_day_is_said(self) -> None:
        germany = HolidayCalendar.of("DE")
        assert germany.free_because(date(2026, 4, 3)) == "Good Friday"
        assert germany.free_because(date(2026, 4, 4)) == "Saturday"
        assert germany.free_because(date(2026, 4, 7)) is None

    def test_a_day_counts_only_in_its_part_of_the_kingdom(self) -> None:
        st_andrew = date(2026, 11, 30)
        assert not HolidayCalendar.of("GB", "SCT").is_working_day(st_andrew)
        assert HolidayCalendar.of("GB", "ENG").is_working_day(st_andrew)

    def test_the_part_of_the_kingdom_stays_for_the_safe_date(self) -> None:
        scotland = HolidayCalendar.of("GB", "SCT")
        assert scotland.national() is scotland

    def test_a_day_observed_in_the_old_year_belongs_to_the_old_year(self) -> None:
        federal = HolidayCalendar.of("US")  # 1 January 2028 is a Saturday, observed on 31 December 2027
        assert not federal.is_working_day(date(2027, 12, 31))

    def test_pinned_years_do_not_ask_the_library(self) -> None:
        invented = {2026: {date(2026, 6, 10): "Day of the pin"}}
        pinned = HolidayCalendar("DE", None, invented)
        assert not pinned.is_working_day(date(2026, 6, 10))
        assert pinned.is_working_day(date(2026, 12, 25))
        assert not pinned.is_working_day(date(2027, 1, 1))

    def test_where_only_weekends_are_free_christmas_is_a_working_day(self) -> None:
        assert WEEKENDS_ONLY.is_working_day(date(2026, 12, 25))


class TestHours:
    BERLIN = ZoneInfo("Europe/Berlin")

    def test_summer_time_does_not_change_the_length(self) -> None:
        aware = datetime.fromisoformat("2026-10-23T17:00+02:00")
        clock = hour_clock(aware, 72, self.BERLIN)
        assert clock.strict.astimezone(self.BERLIN).isoformat() == "2026-10-26T16:00:00+01:00"

    def test_the_hour_of_the_event_is_left_out_also_when_it_falls_on_the_hour(self) -> None:
        aware = datetime.fromisoformat("2026-06-12T17:00:00+02:00")
        latest = hour_clock(aware, 72, self.BERLIN).legal_latest
        assert latest == datetime.fromisoformat("2026-06-15T18:00+02:00")

    def test_full_hours_are_those_of_the_local_clock(self) -> None:
        kolkata = ZoneInfo("Asia/Kolkata")
        aware = datetime.fromisoformat("2026-06-12T17:20:59+05:30")
        latest = hour_clock(aware, 72, kolkata).legal_latest.astimezone(kolkata)
        assert latest.isoformat() == "2026-06-15T18:00:00+05:30"
