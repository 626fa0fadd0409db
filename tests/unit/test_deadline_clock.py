"""The acceptance cases of the legal clock: what moves a date, what does not, and what is said about it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from privacyops.domain.catalog.confidence import Confidence
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.deadline.clock import ClockView, fold
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind, EventOutOfPlace, PauseReason
from privacyops.domain.deadline.holiday_calendar import WEEKENDS_ONLY, HolidayCalendar
from privacyops.domain.deadline.rule import Duty, RuleNotInForce
from privacyops.kernel.clock import NaiveInstant

BERLIN, LONDON, PACIFIC = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London"), ZoneInfo("America/Los_Angeles")
GERMANY, ENGLAND, FEDERAL = HolidayCalendar.of("DE"), HolidayCalendar.of("GB", "ENG"), HolidayCalendar.of("US")
LATER = datetime(2026, 11, 22, 10, tzinfo=UTC)


def happened(kind: str, at: str, zone: ZoneInfo = BERLIN, **more: object) -> ClockEvent:
    """An event named after its kind; `at` is local time, noon where it is only a date."""
    local = datetime.fromisoformat(at if "T" in at else f"{at}T12:00").replace(tzinfo=zone)
    values = {"id": f"{kind} {at}", "kind": ClockEventKind(kind), "at": local, **more}
    return ClockEvent(**values)


def eu(events: Sequence[ClockEvent], now: datetime = LATER, kind: str = "access") -> ClockView:
    return fold(events, rule_book().rule("eu_gdpr", kind), GERMANY, BERLIN, now)


def uk(events: Sequence[ClockEvent], now: datetime = LATER, kind: str = "access") -> ClockView:
    return fold(events, rule_book().rule("uk_gdpr", kind), ENGLAND, LONDON, now)


def california(events: Sequence[ClockEvent], now: datetime = LATER, kind: str = "know_specific") -> ClockView:
    return fold(events, rule_book().rule("us_ca_ccpa", kind), FEDERAL, PACIFIC, now)


def dates(view: ClockView) -> ClockView:
    return replace(view, explanation=())


def codes(view: ClockView) -> list[str]:
    return [line.code for line in view.explanation]


class TestStart:
    def test_a_receipt_after_midnight_local_time_starts_on_the_local_date(self) -> None:
        view = eu([happened("received", "2026-06-16T00:30")])
        assert view.received_at == datetime(2026, 6, 15, 22, 30, tzinfo=UTC)
        assert (view.local_received, view.due) == (date(2026, 6, 16), date(2026, 7, 16))

    def test_a_letter_typed_six_days_later_counts_from_its_arrival_and_both_dates_are_said(self) -> None:
        typed = datetime(2026, 6, 21, 9, tzinfo=UTC)
        view = eu([happened("received", "2026-06-15", recorded_at=typed)])
        assert view.start == date(2026, 6, 15)
        assert "Recorded 2026-06-21; the period counts from the receipt on 2026-06-15." in [
            line.text for line in view.explanation
        ]

    def test_due_ends_with_the_local_day_as_an_exclusive_utc_bound(self) -> None:
        view = eu([happened("received", "2026-03-10")])
        assert view.due_excl_utc == datetime(2026, 4, 10, 22, tzinfo=UTC)

    def test_a_request_is_overdue_from_the_first_moment_after_its_last_day(self) -> None:
        view = eu([happened("received", "2026-03-10")])
        assert not view.is_overdue(view.due_excl_utc - timedelta(microseconds=1))
        assert view.is_overdue(view.due_excl_utc)

    def test_without_a_receipt_there_is_no_clock(self) -> None:
        with pytest.raises(EventOutOfPlace):
            eu([happened("identity_asked", "2026-05-05")])

    def test_a_present_moment_without_a_zone_is_refused(self) -> None:
        with pytest.raises(NaiveInstant):
            eu([happened("received", "2026-05-05")], now=datetime(2026, 5, 6))  # noqa: DTZ001 - that is the point

    def test_a_rule_does_not_reach_back_before_it_was_in_force(self) -> None:
        with pytest.raises(RuleNotInForce):
            uk([happened("received", "2026-06-18", LONDON)], kind="complaint")


class TestPausesInTheEu:
    RECEIVED = happened("received", "2026-05-04")
    ASKED = happened("identity_asked", "2026-05-05")
    PROVED = happened("identity_proved", "2026-05-12")

    def test_an_identity_pause_moves_due_and_not_safe_due(self) -> None:
        view = eu([self.RECEIVED, self.ASKED, self.PROVED])
        assert (view.due, view.safe_due) == (date(2026, 6, 11), date(2026, 6, 4))

    def test_a_pause_on_guidance_lowers_the_confidence(self) -> None:
        assert eu([self.RECEIVED]).confidence is Confidence.HIGH
        assert eu([self.RECEIVED, self.ASKED, self.PROVED]).confidence is Confidence.MEDIUM

    def test_an_open_pause_counts_up_to_today_and_marks_due_provisional(self) -> None:
        view = eu([self.RECEIVED, self.ASKED], now=datetime(2026, 5, 15, 10, tzinfo=UTC))
        assert (view.provisional, view.paused_days, view.paused_since) == (True, 10, date(2026, 5, 5))
        assert view.waiting_for == (PauseReason.IDENTITY,)
        assert view.due == date(2026, 6, 15)  # 4 June and 10 days are Sunday 14 June

    def test_an_open_pause_leaves_the_planning_date_alone(self) -> None:
        first = eu([self.RECEIVED, self.ASKED], now=datetime(2026, 5, 6, tzinfo=UTC))
        later = eu([self.RECEIVED, self.ASKED], now=datetime(2026, 5, 30, tzinfo=UTC))
        assert first.safe_due == later.safe_due == date(2026, 6, 4)

    def test_overlapping_pauses_count_once(self) -> None:
        events = [
            self.RECEIVED,
            self.ASKED,
            happened("clarification_asked", "2026-05-07"),
            self.PROVED,
            happened("clarification_received", "2026-05-14"),
        ]
        assert eu(events).paused_days == 9

    def test_a_second_ask_while_one_is_open_changes_nothing(self) -> None:
        again = happened("identity_asked", "2026-05-08")
        assert dates(eu([self.RECEIVED, self.ASKED, again, self.PROVED])) == dates(
            eu([self.RECEIVED, self.ASKED, self.PROVED])
        )

    def test_an_ask_that_was_not_made_at_once_does_not_stop_the_clock(self) -> None:
        late = happened("identity_asked", "2026-05-08")  # the third business day was 7 May
        view = eu([self.RECEIVED, late, happened("identity_proved", "2026-05-20")])
        assert view.due == date(2026, 6, 4)
        assert "pause_asked_late" in codes(view)

    def test_a_fee_does_not_stop_the_european_clock(self) -> None:
        view = eu([self.RECEIVED, happened("fee_demanded", "2026-05-05")])
        assert (view.due, view.provisional) == (date(2026, 6, 4), False)

    def test_a_regional_holiday_moves_due_and_not_safe_due(self) -> None:
        bavaria = HolidayCalendar.of("DE", "BY")
        view = fold([self.RECEIVED], rule_book().rule("eu_gdpr", "access"), bavaria, BERLIN, LATER)
        assert (view.due, view.safe_due) == (date(2026, 6, 5), date(2026, 6, 4))

    def test_outside_every_member_state_only_weekends_move_the_last_day(self) -> None:
        easter = [happened("received", "2026-03-06")]
        view = fold(easter, rule_book().rule("eu_gdpr", "access"), WEEKENDS_ONLY, BERLIN, LATER)
        assert view.due == date(2026, 4, 6)


class TestUnitedKingdom:
    RECEIVED = happened("received", "2026-03-02", LONDON)

    def test_proof_of_identity_restarts_the_month_for_both_dates(self) -> None:
        view = uk(
            [
                self.RECEIVED,
                happened("identity_asked", "2026-03-03", LONDON),
                happened("identity_proved", "2026-03-19", LONDON),
            ]
        )
        assert (view.start, view.unrolled, view.due) == (
            date(2026, 3, 19),
            date(2026, 4, 19),
            date(2026, 4, 20),
        )
        assert view.safe_due == view.due

    def test_a_clarification_leaves_out_both_end_days(self) -> None:
        view = uk(
            [
                happened("received", "2026-03-10", LONDON),
                happened("clarification_asked", "2026-03-12", LONDON),
                happened("clarification_received", "2026-03-19", LONDON),
            ]
        )
        assert (view.paused_days, view.unrolled, view.due) == (8, date(2026, 4, 18), date(2026, 4, 20))

    def test_restart_then_days_then_roll(self) -> None:
        view = uk(
            [
                self.RECEIVED,
                happened("identity_asked", "2026-03-03", LONDON),
                happened("identity_proved", "2026-03-10", LONDON),
                happened("clarification_asked", "2026-03-12", LONDON),
                happened("clarification_received", "2026-03-13", LONDON),
            ]
        )
        assert (view.start, view.unrolled, view.due) == (
            date(2026, 3, 10),
            date(2026, 4, 12),
            date(2026, 4, 13),
        )

    def test_days_before_the_restart_are_not_left_out_a_second_time(self) -> None:
        view = uk(
            [
                self.RECEIVED,
                happened("identity_asked", "2026-03-03", LONDON),
                happened("clarification_asked", "2026-03-04", LONDON),
                happened("clarification_received", "2026-03-09", LONDON),
                happened("identity_proved", "2026-03-19", LONDON),
            ]
        )
        assert (view.paused_days, view.due) == (0, date(2026, 4, 20))

    def test_an_open_question_of_identity_is_reckoned_as_if_answered_today(self) -> None:
        events = [self.RECEIVED, happened("identity_asked", "2026-03-03", LONDON)]
        view = uk(events, now=datetime(2026, 3, 25, 12, tzinfo=UTC))
        assert (view.start, view.provisional, view.due) == (date(2026, 3, 25), True, date(2026, 4, 27))

    def test_only_access_is_stopped_by_a_clarification(self) -> None:
        events = [
            self.RECEIVED,
            happened("clarification_asked", "2026-03-03", LONDON),
            happened("clarification_received", "2026-03-20", LONDON),
        ]
        view = uk(events, kind="erasure")
        assert (view.due, view.paused_days) == (date(2026, 4, 2), 0)

    def test_before_the_statute_the_same_arithmetic_is_less_sure(self) -> None:
        events = [
            happened("received", "2026-01-12", LONDON),
            happened("identity_asked", "2026-01-13", LONDON),
            happened("identity_proved", "2026-01-15", LONDON),
        ]
        assert uk(events).confidence is Confidence.MEDIUM

    def test_a_complaint_is_acknowledged_within_thirty_days_and_planned_a_day_earlier(self) -> None:
        view = uk([happened("received", "2026-07-01", LONDON)], kind="complaint")
        assert (view.duty, view.due, view.safe_due) == (
            Duty.ACKNOWLEDGE,
            date(2026, 7, 31),
            date(2026, 7, 30),
        )
        assert view.ack_required


class TestCalifornia:
    RECEIVED = happened("received", "2026-02-02", PACIFIC)

    @pytest.mark.parametrize("proved", ["2026-02-04", "2026-03-19", "2026-06-30"])
    def test_an_identity_check_of_any_length_leaves_due_unchanged(self, proved: str) -> None:
        events = [
            self.RECEIVED,
            happened("identity_asked", "2026-02-03", PACIFIC),
            happened("identity_proved", proved, PACIFIC),
        ]
        view = california(events)
        assert (view.due, view.safe_due, view.provisional) == (date(2026, 3, 19), date(2026, 3, 18), False)

    def test_the_acknowledgement_has_a_legal_date_of_ten_business_days(self) -> None:
        view = california([self.RECEIVED])
        assert (view.ack_due, view.ack_required) == (date(2026, 2, 17), True)

    def test_an_opt_out_has_fifteen_business_days_and_no_extension(self) -> None:
        view = california([happened("received", "2026-11-20", PACIFIC)], kind="opt_out_sale_share")
        assert (view.due, view.extended_due, view.can_extend) == (date(2026, 12, 14), None, False)
        assert view.extension_notice_due is None

    def test_a_valid_extension_gives_ninety_days_without_roll(self) -> None:
        notice = happened("extension_notice_sent", "2026-03-19", PACIFIC)
        assert california([self.RECEIVED, notice]).due == date(2026, 5, 3)  # a Sunday

    def test_a_notice_in_time_on_one_reading_only_does_not_move_the_planning_date(self) -> None:
        notice = happened("extension_notice_sent", "2026-03-19", PACIFIC)
        assert california([self.RECEIVED, notice]).safe_due == date(2026, 3, 18)

    def test_review_of_automated_decisions_begins_with_2027(self) -> None:
        with pytest.raises(RuleNotInForce):
            california([self.RECEIVED], kind="adm_review")
