"""What holds for every clock, whatever happened and whenever."""

import calendar
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from privacyops.domain.deadline.arithmetic import add_months, end_of_day_utc, local_date
from privacyops.domain.deadline.book import rule_book
from privacyops.domain.deadline.clock import ClockView, fold
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar
from privacyops.domain.deadline.rule import DeadlineRule

# Zones whose midnights vanish or come twice, whose offsets are odd, or which lie at the ends of the day.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Berlin",
        "Europe/London",
        "America/Los_Angeles",
        "America/Havana",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "UTC",
    )
]
RULES = [
    ("eu_gdpr", "access", HolidayCalendar.of("DE", "BY")),
    ("eu_gdpr", "access", HolidayCalendar.of("PL")),
    ("uk_gdpr", "access", HolidayCalendar.of("GB", "NIR")),
    ("uk_gdpr", "erasure", HolidayCalendar.of("GB", "SCT")),
    ("us_ca_ccpa", "know_specific", HolidayCalendar.of("US")),
    ("us_ca_ccpa", "opt_out_sale_share", HolidayCalendar.of("US")),
    ("us_co", "appeal", HolidayCalendar.of("US")),
    ("ca_bc", "access", HolidayCalendar.of("CA", "BC")),
]
PAUSES = [
    ("identity_asked", "identity_proved"),
    ("authority_asked", "authority_proved"),
    ("clarification_asked", "clarification_received"),
    ("fee_demanded", "fee_settled"),
]

zones = st.sampled_from(ZONES)
receipts = st.datetimes(datetime(2024, 1, 2), datetime(2034, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of a strategy are naive
rules = st.sampled_from([(rule_book().rule(rule_id, kind), place) for rule_id, kind, place in RULES])
hours = st.integers(0, 24 * 40)
pauses = st.tuples(st.sampled_from(PAUSES), hours, hours)
Law = tuple[DeadlineRule, HolidayCalendar]


def event(name: str, kind: str, at: datetime, **more: object) -> ClockEvent:
    values = {"id": name, "kind": ClockEventKind(kind), "at": at, **more}
    return ClockEvent(**values)


def history(
    received: datetime, waits: Sequence[tuple[tuple[str, str], int, int]], notice: int | None
) -> list[ClockEvent]:
    """A receipt, questions each with an answer, and perhaps an extension notice; in the order of happening."""
    events = [event("received", "received", received)]
    for number, ((ask, answer), first, length) in enumerate(waits):
        asked = received + timedelta(hours=first)
        events.append(event(f"ask{number}", ask, asked))
        events.append(event(f"answer{number}", answer, asked + timedelta(hours=length, seconds=number + 1)))
    if notice is not None:
        events.append(event("notice", "extension_notice_sent", received + timedelta(hours=notice, seconds=30)))
    return sorted(events, key=lambda each: each.at)


def dates(view: ClockView) -> ClockView:
    return replace(view, explanation=())


def seen(events: Sequence[ClockEvent], law: Law, zone: ZoneInfo, now: datetime | None = None) -> ClockView:
    rule, place = law
    return fold(events, rule, place, zone, now or datetime(2036, 1, 1, tzinfo=UTC))


histories = st.builds(history, receipts, st.lists(pauses, max_size=4), st.one_of(st.none(), st.integers(0, 24 * 60)))


@given(histories, receipts, hours, st.sampled_from(PAUSES), rules, zones)
def test_removing_a_pause_equals_never_having_had_it(
    events: list[ClockEvent], fixed: datetime, length: int, pause: tuple[str, str], law: Law, zone: ZoneInfo
) -> None:
    free = [each for each in events if each.kind not in {ClockEventKind(name) for name in pause}]
    asked = event("wrong", pause[0], events[0].at + timedelta(hours=length))
    proved = event("wrong answer", pause[1], asked.at + timedelta(hours=length))
    removed = event("removal", "corrected", fixed, corrects="wrong")
    assert dates(seen([*free, asked, proved, removed], law, zone)) == dates(seen(free, law, zone))


@given(receipts, st.integers(0, 10**6), rules, zones)
@example(datetime(2026, 1, 28, 12, tzinfo=UTC), 86_400, (rule_book().rule("eu_gdpr", "access"), RULES[0][2]), ZONES[0])
def test_a_later_receipt_is_never_due_earlier(received: datetime, seconds: int, law: Law, zone: ZoneInfo) -> None:
    first = seen(history(received, [], None), law, zone)
    later = seen(history(received + timedelta(seconds=seconds), [], None), law, zone)
    assert first.due <= later.due
    assert first.safe_due <= later.safe_due
    assert first.due_excl_utc <= later.due_excl_utc
    assert (first.extended_due or date.min) <= (later.extended_due or date.max)


@given(receipts, st.integers(0, 24 * 60), zones)
def test_an_extension_counts_from_the_start_date(received: datetime, notice: int, zone: ZoneInfo) -> None:
    law = (rule_book().rule("eu_gdpr", "access"), HolidayCalendar.of("DE"))
    view = seen(history(received, [], notice), law, zone)
    expected = law[1].working_day_from(add_months(view.start, 3))
    assert view.extended_due == expected
    assert view.due == (expected if view.extension_valid else view.first_due)
    assert view.extension_valid == (local_date(received + timedelta(hours=notice, seconds=30), zone) <= view.first_due)


@given(histories, rules, zones)
def test_the_dates_of_a_clock_stand_in_their_order(events: list[ClockEvent], law: Law, zone: ZoneInfo) -> None:
    view = seen(events, law, zone)
    assert view.local_received <= view.start <= view.first_due <= view.due
    assert view.safe_due <= view.due
    assert view.local_received < view.safe_due
    assert view.due_excl_utc == end_of_day_utc(view.due, zone)
    assert view.unrolled <= view.due
    if law[0].respond is not None and law[0].respond.rolls:
        assert law[1].is_working_day(view.due)
        assert (view.due - view.unrolled).days < 10


@given(receipts, zones)
def test_the_last_second_of_due_is_still_that_day_and_the_next_one_is_not(received: datetime, zone: ZoneInfo) -> None:
    law = (rule_book().rule("us_co", "access"), HolidayCalendar.of("US"))
    view = seen(history(received, [], None), law, zone)
    assert local_date(view.due_excl_utc - timedelta(seconds=1), zone) == view.due
    assert local_date(view.due_excl_utc, zone) > view.due
    assert view.due - view.local_received == timedelta(days=45)


@given(receipts, st.integers(1, 12))
def test_months_keep_the_day_or_end_with_the_month(received: datetime, months: int) -> None:
    start = received.date()
    end = add_months(start, months)
    length = calendar.monthrange(end.year, end.month)[1]
    assert end.day == min(start.day, length)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months


@given(histories, pauses, rules, zones)
def test_a_further_pause_never_brings_a_date_forward(
    events: list[ClockEvent], pause: tuple[tuple[str, str], int, int], law: Law, zone: ZoneInfo
) -> None:
    kinds = {ClockEventKind(name) for name in pause[0]} | {ClockEventKind.EXTENSION_NOTICE_SENT}
    free = [each for each in events if each.kind not in kinds]
    more = [each for each in history(events[0].at, [pause], None) if each.kind is not ClockEventKind.RECEIVED]
    with_pause = [*free, *(replace(each, id=f"more {each.id}") for each in more)]
    # A restart can only swallow days that were paused before it, so it is the first due date that is compared.
    if all(policy.method != "restart" for policy in law[0].pauses.values()):
        assert seen(with_pause, law, zone).first_due >= seen(free, law, zone).first_due
    assert seen(with_pause, law, zone).start >= seen(free, law, zone).start


@given(histories, rules, zones, st.randoms(use_true_random=False))
def test_the_order_of_recording_changes_nothing(
    events: list[ClockEvent], law: Law, zone: ZoneInfo, chance: random.Random
) -> None:
    distinct = list(
        {each.at: each for each in reversed(events)}.values()
    )  # the receipt goes before what follows at once
    shuffled = chance.sample(distinct, len(distinct))
    assert dates(seen(shuffled, law, zone)) == dates(seen(distinct, law, zone))


@given(histories, st.integers(0, 24 * 90), receipts, receipts, rules, zones)
def test_an_answered_clock_does_not_look_at_the_time(
    events: list[ClockEvent], answered: int, one: datetime, other: datetime, law: Law, zone: ZoneInfo
) -> None:
    done = event("answered", "answered", events[-1].at + timedelta(hours=answered, minutes=1))
    assert seen([*events, done], law, zone, one) == seen([*events, done], law, zone, other)


@given(histories)
def test_events_survive_being_written_down(events: list[ClockEvent]) -> None:
    assert [ClockEvent.from_json(each.to_json()) for each in events] == events


@given(histories, rules, zones)
def test_guidance_never_helps_the_safe_date(events: list[ClockEvent], law: Law, zone: ZoneInfo) -> None:
    rule = law[0]
    guided = {reason for reason, policy in rule.pauses.items() if policy.safe_due_ignores}
    bare = replace(rule, pauses={reason: p for reason, p in rule.pauses.items() if reason not in guided})
    assert seen(events, law, zone).safe_due == seen(events, (bare, law[1]), zone).safe_due
