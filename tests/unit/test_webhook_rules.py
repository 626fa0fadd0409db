"""When a system is told again, by when a stop has to have arrived, and what a message looks like."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.domain.consent.state import EventType
from privacyops.domain.webhook.delivery import LIFE, clock_of, envelope, limit_at, next_try
from privacyops.domain.webhook.subscriber import (
    Scheme,
    Subscriber,
    SubscriberMalformed,
    SubscriberState,
    require_address,
)
from privacyops.kernel.ids import uuid7

FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "channel", "place", "rule", "hours"),
    [
        (EventType.WITHDRAWN, "email", "DE", "gdpr_7_3", 24),
        (EventType.STOP_ALL, None, None, "gdpr_7_3", 24),
        (EventType.OBJECTION_MADE, None, "DE", "gdpr_21_3", 48),
        (EventType.WITHDRAWN, "email", "US-TX", "can_spam", 24),
        (EventType.WITHDRAWN, "sms", "US-TX", "tcpa", 24),
        (EventType.GPC, "web", "US-CA", "ccpa_7026", 24),
        (EventType.REFUSED, "email", "CA", "casl", 24),
        (EventType.SUPPRESSION_ADDED, None, "AU", "au_spam_act", 24),
    ],
)
def test_every_stop_has_the_clock_of_its_place(
    type_: EventType, channel: str | None, place: str | None, rule: str, hours: int
) -> None:
    clock = clock_of(type_, channel, place)
    assert clock is not None
    assert (clock.rule, clock.target) == (rule, timedelta(hours=hours))


@pytest.mark.parametrize("type_", [EventType.GIVEN, EventType.CONFIRMED, EventType.EXPIRED, EventType.NOTICE_PUBLISHED])
def test_what_stops_nothing_has_no_clock(type_: EventType) -> None:
    assert clock_of(type_, "email", "DE") is None


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("gdpr_7_3", None),
        ("can_spam", datetime(2026, 12, 4, 12, tzinfo=UTC)),
        ("ccpa_7026", datetime(2026, 12, 11, 12, tzinfo=UTC)),
        ("au_spam_act", datetime(2026, 11, 27, 12, tzinfo=UTC)),
    ],
)
def test_the_laws_own_limit_counts_business_days(rule: str, limit: datetime | None) -> None:
    assert limit_at(rule, FRIDAY) == limit


@pytest.mark.parametrize("type_", list(EventType))
def test_our_target_is_never_later_than_the_laws_limit(type_: EventType) -> None:
    for place in (None, "DE", "US", "US-CA", "CA", "AU"):
        for channel in (None, "email", "sms"):
            clock = clock_of(type_, channel, place)
            limit = limit_at(clock.rule, FRIDAY) if clock else None
            assert clock is None or limit is None or FRIDAY + clock.target <= limit


@given(st.integers(1, 40), st.floats(0, 1), st.integers(0, 3 * 86_400))
def test_waits_grow_to_eight_hours_and_end_after_three_days(tries: int, jitter: float, after_s: int) -> None:
    now = FRIDAY + timedelta(seconds=after_s)
    again = next_try(FRIDAY, now, tries, jitter)
    if again is None:
        return
    assert timedelta(seconds=5) <= again - now <= timedelta(hours=12)
    assert again <= FRIDAY + LIFE
    later = next_try(FRIDAY, now, tries + 1, jitter)
    assert later is None or later >= again


def test_a_message_is_tried_about_twenty_times() -> None:
    at, tries = FRIDAY, 0
    while (again := next_try(FRIDAY, at, tries + 1, 0.5)) is not None:
        at, tries = again, tries + 1
    assert 15 <= tries <= 25
    assert at - FRIDAY > timedelta(days=2, hours=12)


def test_the_envelope_is_the_same_bytes_each_time_and_leaves_out_what_is_not_there() -> None:
    made = [
        envelope("shop", "id-1", "consent.withdrawn", "r_1", "2026-11-20T12:00:00.000Z", {"seq": 7, "brand": None})
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert json.loads(made[0])["data"] == {"seq": 7}
    assert "subject" not in json.loads(envelope("shop", "id", "notice.published", None, "t", {}))


@pytest.mark.parametrize(
    ("types", "type_", "wants"),
    [((), "consent.given", True), (("consent.*",), "consent.given", True), (("consent.*",), "consented.x", False),
     (("stop.all",), "stop.all", True), (("stop.all",), "consent.given", False)],
)  # fmt: skip
def test_a_system_gets_what_it_names(types: tuple[str, ...], type_: str, wants: bool) -> None:
    one = Subscriber(
        uuid7(FRIDAY), "x", None, types, Scheme.V1, None, SubscriberState.ACTIVE, None, 0, FRIDAY
    )  # fmt: skip
    assert one.wants(type_) is wants


@pytest.mark.parametrize(
    ("name", "url"), [("", None), (" ", None), ("x" * 64, None), ("x", "ftp://a.example"), ("x", "https://u@a.example"),
                      ("x", "https://a.example/" + "x" * 500)],
)  # fmt: skip
def test_a_system_without_a_name_or_with_a_strange_address_is_refused(name: str, url: str | None) -> None:
    with pytest.raises(SubscriberMalformed):
        require_address(name, url)
