"""The rules of consent, case by case: what is answered, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from privacyops.domain.consent.event import ConsentEvent, PurposeRef, event_of, leaf_members
from privacyops.domain.consent.order import OccurredInFuture, OccurredTooOld, admit_grant
from privacyops.domain.consent.projection import (
    BETWEEN_PEOPLE,
    EventNotFolded,
    StateRow,
    apply,
    fold,
    key_of,
    no_recorded_as,
)
from privacyops.domain.consent.state import (
    STATE_AFTER,
    ClockTrust,
    ConsentState,
    EventType,
    Grade,
    Method,
    RowKind,
    state_named,
)
from privacyops.domain.decision import Answer, Asked, Decision, Reason, decide
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import (
    Ground,
    LegalBasis,
    OutdatedPolicy,
    PurposeFlag,
    PurposeScope,
    PurposeVersion,
    Regime,
)
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import EventId
from privacyops.ledger.leaf import LeafNotCanonical, canonical, parse

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OPT_IN = Ground(LegalBasis.CONSENT, Regime.OPT_IN)
OPT_OUT = Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.OPT_OUT)
NEWSLETTER = PurposeVersion(
    "newsletter", 1, {"en": "Newsletter"}, frozenset({"email", "sms"}), {"*": OPT_IN, "US": OPT_OUT},
    flags=frozenset({PurposeFlag.DIRECT_MARKETING}),
)  # fmt: skip
ORDERS = replace(
    NEWSLETTER, key="orders", grounds={"*": Ground(LegalBasis.CONTRACT, Regime.NONE)},
    flags=frozenset({PurposeFlag.SERVICE_MESSAGE}),
)  # fmt: skip
ADS = replace(NEWSLETTER, key="ads", channels=frozenset({"web"}), flags=frozenset({PurposeFlag.GPC_COVERED}))
SIMILAR = replace(NEWSLETTER, key="similar", grounds={"*": Ground(LegalBasis.SOFT_OPT_IN, Regime.NONE)})
STUDY = replace(
    NEWSLETTER, key="study", grounds={"*": Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.NONE)}, flags=frozenset()
)


def event(kind: EventType, at: Instant = TEN, **facts: Any) -> ConsentEvent:
    given: dict[str, Any] = {
        "brand": "shop-a", "purpose": PurposeRef("newsletter", 1), "channel": "email",
        "state": STATE_AFTER.get(kind), "recorded_at": at,
    }  # fmt: skip
    return ConsentEvent(
        id=EventId(uuid4()), type=kind, controller="shop", occurred_at=at, method=Method.FORM, actor_kind="api_key",
        **(given | facts),
    )  # fmt: skip


def stop_all(at: Instant = TEN, **facts: Any) -> ConsentEvent:
    return event(EventType.STOP_ALL, at, **({"purpose": None, "channel": None, "brand": None} | facts))


def check(
    *events: ConsentEvent,
    now: Instant = TEN + HOUR,
    purpose: PurposeVersion = NEWSLETTER,
    channel: str = "email",
    brand: str | None = "shop-a",
    place: str | None = None,
    **asked: Any,
) -> Decision:
    ground, _ = purpose.ground_in(place)
    return decide(fold(events).values(), Asked(purpose, channel, brand, ground, **asked), now)


GIVEN, REFUSED, WITHDRAWN = EventType.GIVEN, EventType.REFUSED, EventType.WITHDRAWN


# --- the answer -------------------------------------------------------------------------------------------------


def test_a_grant_is_answered_with_granted() -> None:
    assert check(event(GIVEN)).reason is Reason.GRANTED
    assert check(event(GIVEN)).is_allowed


def test_a_withdrawn_consent_is_never_answered_with_allow() -> None:
    decision = check(event(GIVEN), event(WITHDRAWN, TEN + MINUTE))
    assert (decision.answer, decision.reason, decision.state) == (
        Answer.DENY,
        Reason.WITHDRAWN,
        ConsentState.WITHDRAWN,
    )


def test_somebody_who_only_ever_refused_is_not_taken_for_a_yes() -> None:
    assert check(event(REFUSED)).reason is Reason.REFUSED


@pytest.mark.parametrize(
    ("place", "reason"), [("DE", Reason.NO_CONSENT), ("US-TX", Reason.NOT_OPTED_OUT), (None, Reason.NO_CONSENT),
                          ("XX", Reason.NO_CONSENT)],
)  # fmt: skip
def test_silence_is_judged_by_the_regime_and_an_unknown_place_as_opt_in(place: str | None, reason: Reason) -> None:
    assert check(place=place).reason is reason


def test_two_channels_have_two_answers() -> None:
    events = [event(GIVEN), event(REFUSED, channel="sms")]
    assert check(*events).reason is Reason.GRANTED
    assert check(*events, channel="sms").reason is Reason.REFUSED


def test_one_brands_grant_does_not_count_for_another() -> None:
    assert check(event(GIVEN), brand="shop-b").reason is Reason.NO_CONSENT


def test_a_controllers_grant_counts_for_all_brands() -> None:
    everywhere = replace(NEWSLETTER, scope=PurposeScope.CONTROLLER)
    assert check(event(GIVEN, brand=None), purpose=everywhere, brand="shop-b").reason is Reason.GRANTED


def test_a_refusal_outlives_an_opt_out_regime() -> None:
    assert check(event(REFUSED), place="US").reason is Reason.REFUSED


# --- time -------------------------------------------------------------------------------------------------------


def test_a_grant_ends_at_its_very_millisecond() -> None:
    grant = event(GIVEN, valid_for="P6M")
    ends = grant.valid_until
    assert ends == datetime(2027, 5, 22, 10, 0, tzinfo=UTC)
    assert check(grant, now=ends - timedelta(milliseconds=1)).reason is Reason.GRANTED
    assert check(grant, now=ends).reason is Reason.EXPIRED
    assert check(grant, now=ends, place="US").reason is Reason.EXPIRED


def test_six_months_from_the_31st_of_august_end_on_the_last_of_february() -> None:
    grant = event(GIVEN, datetime(2026, 8, 31, 9, 0, tzinfo=UTC), valid_for="P6M")
    assert grant.valid_until == datetime(2027, 2, 28, 9, 0, tzinfo=UTC)


def test_a_material_purpose_version_is_judged_by_policy_and_another_changes_nothing() -> None:
    assert check(event(GIVEN), material_purpose=2).reason is Reason.NOTICE_OUTDATED
    assert not check(event(GIVEN), material_purpose=2).is_allowed
    lenient = replace(NEWSLETTER, on_notice_outdated=OutdatedPolicy.ALLOW)
    assert check(event(GIVEN), purpose=lenient, material_purpose=2).is_allowed
    assert check(event(GIVEN), material_purpose=1).reason is Reason.GRANTED


def test_a_material_notice_version_outdates_the_grants_under_older_ones() -> None:
    grant = event(GIVEN, notice=NoticeRef("news", 7, "de-DE", "0" * 64))
    assert check(grant, material_notices={"news": 8}).reason is Reason.NOTICE_OUTDATED
    assert check(grant, material_notices={"news": 7, "other": 9}).reason is Reason.GRANTED


def test_a_late_grant_does_not_resurrect() -> None:
    rows = fold([event(WITHDRAWN, TEN + HOUR)])
    late = event(GIVEN, TEN, recorded_at=TEN + 2 * HOUR)
    assert apply(rows, late) == ()
    assert check(event(WITHDRAWN, TEN + HOUR), late).reason is Reason.WITHDRAWN


@pytest.mark.parametrize("turned", [False, True])
def test_at_equal_times_the_stop_wins_in_both_orders(turned: bool) -> None:
    events = [event(GIVEN), event(WITHDRAWN)]
    assert not check(*(reversed(events) if turned else events)).is_allowed


def test_a_slow_client_clock_cannot_hide_a_withdrawal() -> None:
    slow = 10 * MINUTE
    grant = event(GIVEN, TEN - slow, recorded_at=TEN, clock=ClockTrust.CLIENT)
    stop = event(WITHDRAWN, TEN + MINUTE - slow, recorded_at=TEN + MINUTE, clock=ClockTrust.CLIENT)
    assert check(grant, stop).reason is Reason.WITHDRAWN
    assert check(stop, grant).reason is Reason.WITHDRAWN


def test_a_retried_grant_that_arrives_after_the_withdrawal_does_not_count() -> None:
    stop = event(WITHDRAWN, TEN + 3 * MINUTE)
    retried = event(GIVEN, TEN, recorded_at=TEN + 4 * MINUTE, clock=ClockTrust.CLIENT)
    assert check(stop, retried).reason is Reason.WITHDRAWN


def test_a_grant_on_a_client_clock_that_arrives_late_counts_five_minutes_earlier() -> None:
    late = event(GIVEN, TEN, recorded_at=TEN + timedelta(seconds=301), clock=ClockTrust.CLIENT)
    prompt = event(GIVEN, TEN, recorded_at=TEN + timedelta(seconds=300), clock=ClockTrust.CLIENT)
    assert late.t == TEN - timedelta(seconds=300)
    assert prompt.t == TEN


def test_a_stop_on_a_client_clock_counts_from_when_it_was_recorded() -> None:
    assert event(WITHDRAWN, TEN - HOUR, recorded_at=TEN, clock=ClockTrust.CLIENT).t == TEN


def test_a_grant_in_the_future_is_refused_beyond_the_slack() -> None:
    admit_grant(TEN + timedelta(seconds=300), TEN, may_backdate=False)
    with pytest.raises(OccurredInFuture):
        admit_grant(TEN + timedelta(seconds=301), TEN, may_backdate=True)


def test_an_old_grant_needs_the_right_to_backdate() -> None:
    with pytest.raises(OccurredTooOld):
        admit_grant(TEN - timedelta(days=7), TEN, may_backdate=False)
    admit_grant(TEN - timedelta(days=7), TEN, may_backdate=True)
    admit_grant(TEN - timedelta(days=7), TEN, may_backdate=False, is_offline=True)
    with pytest.raises(OccurredTooOld):
        admit_grant(TEN - timedelta(days=31), TEN, may_backdate=False, is_offline=True)


def test_an_expiry_swept_after_a_renewal_changes_nothing() -> None:
    grant = event(GIVEN, valid_for="P1M")
    renewed = event(EventType.RENEWED, TEN + HOUR, valid_for="P24M")
    swept = event(EventType.EXPIRED, grant.valid_until or TEN, recorded_at=TEN + timedelta(days=40))
    assert check(grant, renewed, swept, now=TEN + timedelta(days=50)).reason is Reason.GRANTED
    assert check(grant, swept, now=TEN + timedelta(days=50)).reason is Reason.EXPIRED


# --- stopping ---------------------------------------------------------------------------------------------------


def test_a_no_to_a_valid_grant_is_a_withdrawal_and_else_a_refusal() -> None:
    row = fold([event(GIVEN, valid_for="P1M")])[key_of(event(GIVEN))]
    assert no_recorded_as(row, TEN) is WITHDRAWN
    assert no_recorded_as(row, TEN + timedelta(days=60)) is REFUSED
    assert no_recorded_as(None, TEN) is REFUSED


def test_unsubscribe_all_stops_what_has_no_row_and_a_later_grant_lifts_it_for_itself_only() -> None:
    events = [event(GIVEN), stop_all(TEN + MINUTE)]
    assert check(*events).reason is Reason.WITHDRAWN
    assert check(*events, channel="sms", place="US").reason is Reason.WITHDRAWN
    events.append(event(GIVEN, TEN + 2 * MINUTE))
    assert check(*events).reason is Reason.GRANTED
    assert check(*events, channel="sms", place="US").reason is Reason.WITHDRAWN


def test_unsubscribe_all_leaves_service_messages_alone() -> None:
    assert check(stop_all(), purpose=ORDERS).reason is Reason.BASIS_CONTRACT
    own = event(WITHDRAWN, purpose=PurposeRef("orders", 1))
    assert check(own, purpose=ORDERS).reason is Reason.BASIS_CONTRACT


def test_unsubscribe_all_of_one_channel_or_brand_reaches_no_further() -> None:
    grants = [event(GIVEN), event(GIVEN, channel="sms"), event(GIVEN, brand="shop-b")]
    by_mail = [*grants, stop_all(TEN + MINUTE, channel="email")]
    assert [check(*by_mail).is_allowed, check(*by_mail, channel="sms").is_allowed] == [False, True]
    of_a = [*grants, stop_all(TEN + MINUTE, brand="shop-a")]
    assert [check(*of_a).is_allowed, check(*of_a, brand="shop-b").is_allowed] == [False, True]


def test_a_banner_closed_without_choosing_lifts_no_stop() -> None:
    deferred = event(EventType.DEFERRED, TEN + 2 * MINUTE)
    assert check(stop_all(), deferred, place="US").reason is Reason.WITHDRAWN
    assert check(event(WITHDRAWN), deferred, place="US").reason is Reason.WITHDRAWN
    assert check(deferred, place="US").reason is Reason.NOT_OPTED_OUT


def test_a_stop_against_processing_without_consent_is_an_objection() -> None:
    stop = event(WITHDRAWN, purpose=PurposeRef("study", 1))
    assert check(stop, purpose=STUDY).reason is Reason.OBJECTED
    assert check(stop_all(), purpose=STUDY).reason is Reason.OBJECTED
    assert check(purpose=STUDY).reason is Reason.BASIS_LEGITIMATE_INTERESTS


def test_what_the_controller_or_a_court_ended_is_named_as_such() -> None:
    assert check(event(GIVEN), event(EventType.TERMINATED, TEN + MINUTE)).reason is Reason.TERMINATED
    assert check(event(GIVEN), event(EventType.INVALIDATED, TEN + MINUTE)).reason is Reason.INVALIDATED


def test_after_an_invalidation_only_a_later_notice_carries_a_grant() -> None:
    ended = event(EventType.INVALIDATED)
    old = event(GIVEN, TEN + HOUR, notice_published_at=TEN - HOUR)
    new = event(GIVEN, TEN + HOUR, notice_published_at=TEN + MINUTE)
    assert check(ended, old, now=TEN + 2 * HOUR).reason is Reason.INVALIDATED
    assert check(ended, new, now=TEN + 2 * HOUR).reason is Reason.GRANTED


# --- double opt-in ----------------------------------------------------------------------------------------------


def asked(at: Instant = TEN, **facts: Any) -> ConsentEvent:
    return event(EventType.REQUESTED, at, **({"confirm_until": at + timedelta(days=7)} | facts))


def test_a_request_waits_and_a_confirmation_grants() -> None:
    request = asked()
    confirmed = event(EventType.CONFIRMED, TEN + MINUTE, causes=request.id)
    assert check(request).reason is Reason.PENDING_CONFIRMATION
    assert check(request, confirmed).reason is Reason.GRANTED


def test_a_confirmation_of_another_request_grants_nothing() -> None:
    assert check(asked(), event(EventType.CONFIRMED, TEN + MINUTE, causes=UUID(int=1))).reason is (
        Reason.PENDING_CONFIRMATION
    )


@pytest.mark.parametrize("stop", [event(WITHDRAWN, TEN + MINUTE), stop_all(TEN + MINUTE)])
def test_a_confirmation_after_a_stop_grants_nothing(stop: ConsentEvent) -> None:
    request = asked()
    confirmed = event(EventType.CONFIRMED, TEN + 2 * MINUTE, causes=request.id)
    for order in ([request, stop, confirmed], [stop, request, confirmed]):
        assert not check(*order).is_allowed


@pytest.mark.parametrize("place", [None, "US"])
@pytest.mark.parametrize("before", [[event(WITHDRAWN)], [event(GIVEN, TEN - HOUR), stop_all(TEN)]])
def test_a_lapsed_resubscription_stays_withdrawn(before: list[ConsentEvent], place: str | None) -> None:
    request = asked(TEN + MINUTE)
    late = TEN + timedelta(days=8)
    assert check(*before, request, place=place).reason is Reason.PENDING_CONFIRMATION
    assert check(*before, request, now=late, place=place).reason is Reason.WITHDRAWN


def test_a_lapsed_first_request_is_as_if_nobody_had_asked() -> None:
    late = TEN + timedelta(days=8)
    assert check(asked(), now=late).reason is Reason.NO_CONSENT
    assert check(asked(), now=late, place="US").reason is Reason.NOT_OPTED_OUT


def test_a_renewal_by_confirmation_leaves_the_valid_grant_valid() -> None:
    grant = event(GIVEN, valid_for="P1M")
    request = asked(TEN + MINUTE)
    assert check(grant, request).reason is Reason.GRANTED
    renewed = event(EventType.CONFIRMED, TEN + HOUR, causes=request.id, valid_for="P24M")
    assert check(grant, request, renewed, now=TEN + timedelta(days=90)).reason is Reason.GRANTED


def test_a_stop_between_request_and_confirmation_wins_even_when_it_arrives_last() -> None:
    request = asked()
    confirmed = event(EventType.CONFIRMED, TEN + 20 * MINUTE, causes=request.id)
    for stop in (event(WITHDRAWN, TEN + MINUTE), stop_all(TEN + MINUTE)):
        late = replace(stop, recorded_at=TEN + 30 * MINUTE)
        assert check(request, confirmed, late).reason is Reason.WITHDRAWN
    objection = event(EventType.OBJECTION_MADE, TEN + MINUTE, purpose=None, channel=None, brand=None)
    assert check(request, objection, confirmed).reason is Reason.OBJECTED


def test_a_renewal_confirmed_after_unsubscribe_all_grants_nothing() -> None:
    request = asked(TEN + MINUTE)
    confirmed = event(EventType.CONFIRMED, TEN + 3 * MINUTE, causes=request.id)
    events = [event(GIVEN), request, stop_all(TEN + 2 * MINUTE), confirmed]
    assert check(*events).reason is Reason.WITHDRAWN


def test_a_stop_in_front_of_a_pending_request_becomes_what_returns() -> None:
    request = asked(TEN + HOUR)
    stop = event(WITHDRAWN, TEN, recorded_at=TEN + 2 * HOUR)
    assert check(request, stop, now=TEN + timedelta(days=9), place="US").reason is Reason.WITHDRAWN


# --- signals, objection, basis, suppression -----------------------------------------------------------------------


def test_an_opt_out_signal_denies_covered_purposes_only() -> None:
    signal = event(EventType.GPC, TEN + MINUTE, purpose=None, channel=None, brand=None)
    grant = event(GIVEN, purpose=PurposeRef("ads", 1), channel="web")
    assert check(grant, signal, purpose=ADS, channel="web").reason is Reason.GPC_OPT_OUT
    assert check(event(GIVEN), signal).reason is Reason.GRANTED


def test_an_opt_in_after_the_signal_counts_only_where_the_regime_says_so() -> None:
    signal = event(EventType.GPC, purpose=None, channel=None, brand=None)
    later = event(GIVEN, TEN + MINUTE, purpose=PurposeRef("ads", 1), channel="web")
    gone = event(WITHDRAWN, TEN + 2 * MINUTE, purpose=PurposeRef("ads", 1), channel="web")
    permits = replace(ADS, grounds={"*": replace(OPT_IN, gpc_override=True)})
    assert check(signal, later, purpose=ADS, channel="web").reason is Reason.GPC_OPT_OUT
    assert check(signal, later, purpose=permits, channel="web").reason is Reason.GRANTED
    assert check(signal, later, gone, purpose=permits, channel="web").reason is Reason.GPC_OPT_OUT


def test_an_objection_to_advertising_reaches_all_of_it_and_nothing_else() -> None:
    objection = event(EventType.OBJECTION_MADE, TEN + MINUTE, purpose=None, channel=None, brand=None)
    assert check(event(GIVEN), objection).reason is Reason.OBJECTED
    assert check(objection, channel="sms", place="US").reason is Reason.OBJECTED
    assert check(objection, purpose=ORDERS).reason is Reason.BASIS_CONTRACT


def test_only_a_later_confirmed_grant_lifts_an_objection_to_advertising() -> None:
    objection = event(EventType.OBJECTION_MADE, purpose=None, channel=None, brand=None)
    request = asked(TEN + MINUTE)
    confirmed = event(EventType.CONFIRMED, TEN + 2 * MINUTE, causes=request.id)
    imported = event(EventType.IMPORT, TEN + MINUTE, state=ConsentState.GIVEN, grade=Grade.A)
    assert check(objection, event(GIVEN, TEN + MINUTE)).reason is Reason.OBJECTED
    assert check(objection, imported).reason is Reason.OBJECTED
    assert check(objection, request, confirmed).reason is Reason.GRANTED
    assert check(objection, request, confirmed, channel="sms").reason is Reason.OBJECTED


def test_an_objection_to_one_purpose_denies_until_it_is_lifted() -> None:
    purpose = PurposeRef("study", 1)
    made = event(EventType.OBJECTION_MADE, purpose=purpose, channel=None, brand=None)
    lifted = event(EventType.OBJECTION_LIFTED, TEN + MINUTE, purpose=purpose, channel=None, brand=None)
    assert check(made, purpose=STUDY).reason is Reason.OBJECTED
    assert check(made, lifted, purpose=STUDY).reason is Reason.BASIS_LEGITIMATE_INTERESTS


def test_a_soft_opt_in_needs_its_sale_on_record() -> None:
    sale = event(EventType.BASIS_ESTABLISHED, purpose=PurposeRef("similar", 1), basis=LegalBasis.SOFT_OPT_IN)
    assert check(purpose=SIMILAR).reason is Reason.NO_CONSENT
    assert check(sale, purpose=SIMILAR).reason is Reason.BASIS_SOFT_OPT_IN
    stop = event(WITHDRAWN, TEN + MINUTE, purpose=PurposeRef("similar", 1))
    assert check(sale, stop, purpose=SIMILAR).reason is Reason.OBJECTED
    again = replace(sale, occurred_at=TEN + HOUR, recorded_at=TEN + HOUR)
    assert check(sale, stop, again, purpose=SIMILAR, now=TEN + 2 * HOUR).reason is Reason.OBJECTED


@pytest.mark.parametrize(
    ("why", "newsletter", "orders"),
    [("complaint", Reason.SUPPRESSED, Reason.BASIS_CONTRACT), ("hard_bounce", Reason.SUPPRESSED, Reason.SUPPRESSED),
     ("erased_opt_out", Reason.SUPPRESSED, Reason.BASIS_CONTRACT), ("legal", Reason.SUPPRESSED, Reason.SUPPRESSED)],
)  # fmt: skip
def test_a_suppression_reaches_as_far_as_its_reason(why: str, newsletter: Reason, orders: Reason) -> None:
    added = event(EventType.SUPPRESSION_ADDED, purpose=None, brand=None, scope=why)
    assert check(event(GIVEN, TEN + MINUTE), added).reason is newsletter
    assert check(added, purpose=ORDERS).reason is orders
    assert check(event(GIVEN, channel="sms"), added, channel="sms").reason is Reason.GRANTED


@pytest.mark.parametrize(("channel", "reason"), [("sms", Reason.SUPPRESSED), ("messenger", Reason.NO_CONSENT)])
def test_a_text_that_said_stop_reaches_text_messages_and_calls(channel: str, reason: Reason) -> None:
    listed = StateRow(RowKind.SUPPRESSION, None, None, None, "stop_keyword", TEN, TEN, uuid4())
    asked = Asked(NEWSLETTER, channel, None, Ground(LegalBasis.CONSENT, Regime.OPT_IN))
    assert decide([listed], asked, TEN + MINUTE).reason is reason


@pytest.mark.parametrize("order", [("complaint", "erased_opt_out"), ("erased_opt_out", "complaint")])
def test_a_complaint_hides_no_opt_out_that_reaches_further(order: tuple[str, str]) -> None:
    rows: dict[Any, StateRow] = {}
    for at, why in enumerate(order):
        added = event(EventType.SUPPRESSION_ADDED, TEN + at * MINUTE, purpose=None, brand=None, scope=why)
        rows |= {row.key: row for row in apply(rows, added)}
    plain = replace(NEWSLETTER, flags=frozenset())
    asked = Asked(plain, "email", None, Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.OPT_OUT))
    assert [row.state for row in rows.values()] == ["complaint"]
    assert decide(rows.values(), asked, TEN + HOUR).reason is Reason.SUPPRESSED


def test_a_lifted_suppression_is_gone() -> None:
    added = event(EventType.SUPPRESSION_ADDED, purpose=None, brand=None, scope="complaint")
    lifted = event(EventType.SUPPRESSION_LIFTED, TEN + MINUTE, purpose=None, brand=None, scope="complaint")
    assert check(event(GIVEN), added, lifted).reason is Reason.GRANTED


# --- import and change of contact ---------------------------------------------------------------------------------


def imported(state: ConsentState, grade: Grade, at: Instant = TEN) -> ConsentEvent:
    return event(EventType.IMPORT, at, state=state, grade=grade)


def test_imported_records_count_as_far_as_they_prove() -> None:
    unknown = ConsentState.UNKNOWN
    assert check(imported(ConsentState.GIVEN, Grade.A)).reason is Reason.GRANTED
    assert check(imported(unknown, Grade.C)).reason is Reason.NO_CONSENT
    assert check(imported(unknown, Grade.C), place="US").reason is Reason.NOT_OPTED_OUT
    assert check(imported(unknown, Grade.D), place="US").reason is Reason.NO_CONSENT


def test_closing_a_banner_does_not_make_a_bare_flag_good() -> None:
    flag = imported(ConsentState.UNKNOWN, Grade.D)
    assert check(flag, event(EventType.DEFERRED, TEN + MINUTE), place="US").reason is Reason.NO_CONSENT


def test_an_import_never_lifts_a_stop() -> None:
    later = imported(ConsentState.GIVEN, Grade.A, TEN + HOUR)
    assert check(event(WITHDRAWN), later, now=TEN + 2 * HOUR).reason is Reason.WITHDRAWN


def test_an_import_does_not_override_a_later_live_choice() -> None:
    live = event(GIVEN, TEN, valid_for="P24M")
    older = replace(imported(ConsentState.GIVEN, Grade.A, TEN - HOUR), valid_for="P1M", recorded_at=TEN + HOUR)
    assert check(live, older, now=TEN + timedelta(days=60)).reason is Reason.GRANTED
    stopped = imported(ConsentState.WITHDRAWN, Grade.D, TEN + HOUR)
    assert check(live, stopped, now=TEN + 2 * HOUR).reason is Reason.WITHDRAWN


def test_a_changed_address_does_not_inherit_the_old_ones_grant() -> None:
    changed = event(
        EventType.CONTACT_CHANGED, TEN + MINUTE, purpose=None, channel=None, brand=None, contact="new",
        former_contact="old", confirm_until=TEN + timedelta(days=7),
    )  # fmt: skip
    grant, other = event(GIVEN, contact="old"), event(GIVEN, channel="sms", contact="number")
    assert check(grant, other, changed).reason is Reason.PENDING_CONFIRMATION
    assert check(grant, other, changed, channel="sms").reason is Reason.GRANTED
    assert check(grant, changed, now=TEN + timedelta(days=8)).reason is Reason.NO_CONSENT
    assert check(grant, event(WITHDRAWN, TEN + timedelta(seconds=1)), changed).reason is Reason.WITHDRAWN


# --- events and their leaves --------------------------------------------------------------------------------------


def test_an_event_is_read_back_from_its_leaf() -> None:
    full = event(
        GIVEN, basis=LegalBasis.CONSENT, regime=Regime.OPT_IN, jurisdiction="DE", valid_for="P24M", grade=Grade.A,
        notice=NoticeRef("news", 7, "de-DE", "9f" * 32), causes=UUID(int=7), scope="all", confirm_until=TEN + HOUR,
    )  # fmt: skip
    leaf = canonical(leaf_members(full, {"subject": "hmac-sha256:00"}))
    assert event_of(parse(leaf)) == full
    assert event_of(parse(canonical(leaf_members(stop_all(), {})))).type is EventType.STOP_ALL


def test_the_leaf_names_no_contact() -> None:
    assert b"secret" not in canonical(leaf_members(event(GIVEN, contact="secret"), {}))


@pytest.mark.parametrize("members", [{}, {"v": 2}, {"v": 1}, {"v": 1, "id": 7}])
def test_the_leaf_of_something_else_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(LeafNotCanonical):
        event_of(members)


def test_the_guides_older_name_of_a_state_is_read() -> None:
    assert state_named("ConsentTerminated") is ConsentState.REVOKED
    with pytest.raises(ValueError, match="ConsentMaybe"):
        state_named("ConsentMaybe")


@pytest.mark.parametrize("kind", EventType)
def test_every_event_is_folded_or_said_not_to_be(kind: EventType) -> None:
    if kind in BETWEEN_PEOPLE:
        with pytest.raises(EventNotFolded):
            fold([event(kind)])
    else:
        assert isinstance(fold([event(kind, state=STATE_AFTER.get(kind) or ConsentState.GIVEN)]), dict)


@pytest.mark.parametrize("stop", [event(REFUSED), event(EventType.STOP_ALL, purpose=None, channel=None, brand=None)])
def test_a_request_that_nobody_confirmed_lifts_no_stop_where_the_basis_is_not_consent(stop: ConsentEvent) -> None:
    soft = replace(NEWSLETTER, grounds={"*": Ground(LegalBasis.SOFT_OPT_IN, Regime.NONE)})
    sale = event(EventType.BASIS_ESTABLISHED, basis=LegalBasis.SOFT_OPT_IN)
    asked = event(EventType.REQUESTED, TEN + MINUTE, confirm_until=TEN + timedelta(days=7))
    assert check(sale, purpose=soft).reason is Reason.BASIS_SOFT_OPT_IN
    for now in (TEN + 2 * MINUTE, TEN + timedelta(days=8)):
        assert check(sale, stop, asked, purpose=soft, now=now).reason is Reason.OBJECTED
