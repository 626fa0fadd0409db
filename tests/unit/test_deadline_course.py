"""The course of a clock: extension, correction, answer, failed delivery, reopening, and rules that refuse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from privacyops.domain.catalog.confidence import Confidence
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.deadline.clock import ClockView, fold, plan_on
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar
from privacyops.domain.deadline.rule import RuleNotAccepted, TermNotGiven
from privacyops.kernel.errors import Unprocessable

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


def california(events: Sequence[ClockEvent], now: datetime = LATER, kind: str = "know_specific") -> ClockView:
    return fold(events, rule_book().rule("us_ca_ccpa", kind), FEDERAL, PACIFIC, now)


def dates(view: ClockView) -> ClockView:
    return replace(view, explanation=())


def codes(view: ClockView) -> list[str]:
    return [line.code for line in view.explanation]


class TestExtension:
    RECEIVED = happened("received", "2026-01-15")

    def test_it_counts_from_the_start_date_and_not_from_the_rolled_first_due_date(self) -> None:
        view = eu([self.RECEIVED, happened("extension_notice_sent", "2026-02-10")])
        assert (view.first_due, view.due) == (date(2026, 2, 16), date(2026, 4, 15))

    def test_a_notice_on_the_last_day_is_in_time(self) -> None:
        view = eu([self.RECEIVED, happened("extension_notice_sent", "2026-02-16T23:59")])
        assert (view.extension_valid, view.due) == (True, date(2026, 4, 15))

    def test_a_late_notice_is_recorded_and_extends_nothing(self) -> None:
        view = eu([self.RECEIVED, happened("extension_notice_sent", "2026-02-17T00:01")])
        assert (view.extension_valid, view.due) == (False, date(2026, 2, 16))
        assert "extension_late" in codes(view)

    def test_it_is_offered_up_to_its_limit_and_not_after_it(self) -> None:
        assert eu([self.RECEIVED], now=datetime(2026, 2, 16, 12, tzinfo=UTC)).can_extend
        assert not eu([self.RECEIVED], now=datetime(2026, 2, 17, 12, tzinfo=UTC)).can_extend

    def test_a_second_notice_extends_nothing(self) -> None:
        notices = [happened("extension_notice_sent", day) for day in ("2026-02-10", "2026-02-12")]
        view = eu([self.RECEIVED, *notices])
        assert view.due == date(2026, 4, 15)
        assert "extension_again" in codes(view)

    def test_the_date_named_in_the_notice_is_planned_on(self) -> None:
        notice = happened("extension_notice_sent", "2026-02-10", until=date(2026, 3, 20))
        view = eu([self.RECEIVED, notice])
        assert (view.due, view.safe_due) == (date(2026, 4, 15), date(2026, 3, 20))

    def test_where_the_law_sets_no_total_the_notice_names_the_date(self) -> None:
        zurich = ZoneInfo("Europe/Zurich")
        rule = rule_book().rule("ch_fadp", "access")
        received = happened("received", "2026-03-02", zurich)
        notice = happened("extension_notice_sent", "2026-03-20", zurich, until=date(2026, 5, 4))
        before = fold([received], rule, HolidayCalendar.of("CH"), zurich, LATER)
        after = fold([received, notice], rule, HolidayCalendar.of("CH"), zurich, LATER)
        assert (before.due, before.extended_due) == (date(2026, 4, 1), None)
        assert after.due == date(2026, 5, 4)


class TestCorrections:
    RECEIVED = happened("received", "2026-05-04")
    ASKED = happened("identity_asked", "2026-05-05")
    PROVED = happened("identity_proved", "2026-05-12")

    def test_removing_a_wrong_pause_gives_the_dates_of_a_request_that_never_had_it(self) -> None:
        removal = happened("corrected", "2026-05-20", corrects=self.ASKED.id)
        view = eu([self.RECEIVED, self.ASKED, self.PROVED, removal])
        assert dates(view) == dates(eu([self.RECEIVED]))
        assert "corrected" in codes(view)

    def test_a_corrected_receipt_moves_the_whole_clock(self) -> None:
        right = datetime(2026, 4, 28, 8, tzinfo=UTC)
        fix = happened("corrected", "2026-05-20", corrects=self.RECEIVED.id, corrected_at=right)
        view = eu([self.RECEIVED, fix])
        assert (view.local_received, view.due) == (date(2026, 4, 28), date(2026, 5, 28))

    def test_a_correction_can_itself_be_corrected(self) -> None:
        removal = happened("corrected", "2026-05-20", corrects=self.ASKED.id)
        undone = happened("corrected", "2026-05-21", corrects=removal.id)
        with_pause = [self.RECEIVED, self.ASKED, self.PROVED]
        assert dates(eu([*with_pause, removal, undone])) == dates(eu(with_pause))

    def test_the_last_correction_of_an_event_counts(self) -> None:
        first = happened(
            "corrected", "2026-05-20", corrects=self.RECEIVED.id, corrected_at=datetime(2026, 4, 1, tzinfo=UTC)
        )
        second = happened(
            "corrected", "2026-05-21", corrects=self.RECEIVED.id, corrected_at=datetime(2026, 4, 20, tzinfo=UTC)
        )
        assert eu([self.RECEIVED, first, second]).local_received == date(2026, 4, 20)

    def test_a_changed_type_or_language_moves_no_date(self) -> None:
        assert dates(eu([self.RECEIVED, happened("corrected", "2026-05-20")])) == dates(eu([self.RECEIVED]))

    def test_events_typed_late_count_from_when_they_happened(self) -> None:
        assert dates(eu([self.RECEIVED, self.PROVED, self.ASKED])) == dates(
            eu([self.RECEIVED, self.ASKED, self.PROVED])
        )


class TestAnswer:
    RECEIVED = happened("received", "2026-05-04")
    ASKED = happened("identity_asked", "2026-05-05")

    def test_an_answer_on_the_last_evening_is_on_time(self) -> None:
        view = eu([self.RECEIVED, happened("answered", "2026-06-04T23:59")])
        assert (view.is_on_time, view.is_overdue(LATER)) == (True, False)

    def test_an_answer_one_minute_later_is_late(self) -> None:
        assert eu([self.RECEIVED, happened("answered", "2026-06-05T00:00")]).is_on_time is False

    def test_the_clock_of_an_answered_request_stands_still(self) -> None:
        events = [self.RECEIVED, self.ASKED, happened("answered", "2026-05-20")]
        early, late = eu(events, now=datetime(2026, 5, 21, tzinfo=UTC)), eu(events, now=LATER)
        assert early == late
        assert not late.provisional

    def test_a_failed_delivery_opens_it_again_and_keeps_the_first_hand_over(self) -> None:
        sent = happened("answered", "2026-05-20")
        view = eu([self.RECEIVED, sent, happened("delivery_failed", "2026-05-22")])
        assert (view.is_answered, view.first_answered_at) == (False, sent.at)

    def test_a_reopening_runs_a_term_of_its_own(self) -> None:
        events = [
            self.RECEIVED,
            happened("answered", "2026-05-20"),
            happened("reopened", "2026-09-01"),
        ]
        view = eu(events)
        assert (view.local_received, view.start, view.due) == (
            date(2026, 5, 4),
            date(2026, 9, 1),
            date(2026, 10, 1),
        )
        assert not view.is_answered

    def test_an_order_of_an_authority_sets_the_last_day_itself(self) -> None:
        order = happened("reopened", "2026-09-01", until=date(2026, 9, 12))
        view = eu([self.RECEIVED, happened("answered", "2026-05-20"), order])
        assert (view.due, view.safe_due, view.can_extend) == (date(2026, 9, 12), date(2026, 9, 12), False)

    def test_the_first_acknowledgement_is_kept(self) -> None:
        acks = [happened("ack_sent", day) for day in ("2026-05-05", "2026-05-06")]
        view = eu([self.RECEIVED, *acks])
        assert (view.acked_at, view.ack_due, view.ack_required) == (acks[0].at, date(2026, 5, 7), False)


class TestRules:
    def test_a_rule_of_low_confidence_refuses_until_it_is_accepted(self) -> None:
        rule = rule_book().rule("cn_pipl", "access")
        received = [happened("received", "2026-05-04")]
        china = HolidayCalendar.of("CN")
        with pytest.raises(RuleNotAccepted) as refused:
            fold(received, rule, china, BERLIN, LATER)
        assert refused.value.members["rule"] == "cn_pipl@1"
        view = fold(received, rule.accepted(), china, BERLIN, LATER)
        assert view.confidence is Confidence.LOW

    def test_a_law_without_a_number_needs_a_period_of_ones_own(self) -> None:
        rule = rule_book().rule("in_dpdp", "access")
        received = [happened("received", "2027-06-01")]
        india = HolidayCalendar.of("IN")
        with pytest.raises(TermNotGiven):
            fold(received, rule, india, BERLIN, LATER)
        assert fold(received, rule.with_period(30), india, BERLIN, LATER).due == date(2027, 7, 1)

    def test_an_objection_to_marketing_is_planned_on_the_product_target(self) -> None:
        view = eu([happened("received", "2026-05-04T12:00")], kind="objection_direct_marketing")
        assert view.target_at == datetime(2026, 5, 6, 10, tzinfo=UTC)
        assert (view.safe_due, view.due, view.can_extend) == (date(2026, 5, 6), date(2026, 6, 4), False)

    def test_of_two_clocks_the_earlier_safe_date_is_planned_on(self) -> None:
        received = [happened("received", "2026-05-04")]
        month, days = eu(received), california(received)
        assert plan_on([days, month]) is month
        assert month.safe_due < days.safe_due

    def test_every_line_of_an_explanation_can_be_read(self) -> None:
        events = [
            happened("received", "2026-05-04", recorded_at=datetime(2026, 5, 9, tzinfo=UTC)),
            happened("identity_asked", "2026-05-05"),
            happened("identity_proved", "2026-05-12"),
            happened("rules_changed", "2026-05-13"),
            happened("extension_notice_sent", "2026-06-01"),
            happened("answered", "2026-06-30"),
            happened("delivery_failed", "2026-07-01"),
        ]
        texts = [line.text for line in eu(events).explanation]
        assert "Identity: 7 day(s) do not count, asked 2026-05-05, answered 2026-05-12." in texts
        assert "Extended to 3 months from 2026-05-04, and 7 day(s) that do not count: 2026-08-11." in texts
        assert not [text for text in texts if "{" in text or "None" in text]

    def test_an_own_period_takes_the_place_of_no_legal_one(self) -> None:
        with pytest.raises(Unprocessable):
            rule_book().rule("eu_gdpr", "access").with_period(90)
        with pytest.raises(Unprocessable):
            rule_book().rule("in_dpdp", "access").with_period(0)

    def test_a_sure_date_needs_no_counsel(self) -> None:
        assert not eu([happened("received", "2026-05-04")]).needs_counsel
