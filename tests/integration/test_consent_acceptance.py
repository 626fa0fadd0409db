"""The acceptance cases of the consent ledger that decide an answer, on both engines; one test says one case.

Each ends in `shop.is_good()`: the log verifies, and folding everybody's events gives the rows that are served. The
cases of double opt-in (29 to 35) stand in test_consent_double_opt_in.py.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import MetaData

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import api_key
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.account.rule import ReasonNeeded
from privacyops.domain.consent.gpc import ReaskBlocked
from privacyops.domain.consent.order import OccurredInFuture, OccurredTooOld
from privacyops.domain.consent.state import IndicatedBy
from privacyops.domain.consent.suppression import ContactSuppressed, SuppressionReason
from privacyops.domain.decision import Reason
from privacyops.domain.purpose import Ground, LegalBasis, OutdatedPolicy, PurposeFlag, PurposeScope, Regime
from privacyops.domain.subject import IdentifierType, IdentityConflict, SubjectUnknown
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.errors import Forbidden, NotFound, Problem
from privacyops.kernel.ids import ApiKeyId
from privacyops.services import objection, purpose
from privacyops.services.consent import (
    answering,
    basing,
    confirming,
    contacts,
    erasing,
    linking,
    signalling,
    suppressing,
    sweeping,
    terms,
)
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Circumstances, Method
from privacyops.services.consent.terms import Scope as Reach
from privacyops.store.erasure import Ring
from privacyops.store.uow import Database
from tests.ledger_shop import ASK, DAY, DEFER, GRANT, KIM, MINUTE, PHONE, REFUSE, SCOPES, LedgerShop

NEWSLETTER = Reach("newsletter", "email")
HOUR = timedelta(hours=1)
ELSE = "kim.new@example.com"


@pytest.fixture
def shop(database: Database, clock: ManualClock) -> LedgerShop:
    return LedgerShop.open(database, clock)


def device(shop: LedgerShop, name: str = "dev-1") -> Whom:
    return shop.whom(None, device_id=name)


def link(shop: LedgerShop, account: str, name: str = "dev-1") -> linking.Linked:
    return linking.link(shop.ctx, account, [shop.contact(name, IdentifierType.DEVICE_ID)])


# --- answer -----------------------------------------------------------------------------------------------------


def test_a_grant_is_answered_with_granted(shop: LedgerShop) -> None:
    """Case 1."""
    shop.choose()
    assert shop.check().is_allowed
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


def test_reject_all_after_a_grant_is_answered_with_withdrawn(shop: LedgerShop) -> None:
    """Case 2."""
    shop.choose()
    shop.clock.advance(MINUTE)
    shop.stop()
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


def test_who_only_ever_refused_is_answered_with_refused(shop: LedgerShop) -> None:
    """Case 3."""
    shop.choose(REFUSE)
    assert shop.reason() is Reason.REFUSED
    assert shop.is_good()


@pytest.mark.parametrize(
    ("place", "reason"), [("DE", Reason.NO_CONSENT), ("US-CA", Reason.NOT_OPTED_OUT), (None, Reason.NO_CONSENT)]
)
def test_who_was_never_asked_is_judged_by_the_regime(shop: LedgerShop, place: str | None, reason: Reason) -> None:
    """Case 4."""
    assert shop.reason(jurisdiction=place) is reason
    assert shop.is_good()


def test_what_is_not_known_is_a_404_and_never_an_allow(shop: LedgerShop) -> None:
    """Case 5, the single check."""
    cases: tuple[tuple[dict[str, Any], type[Problem]], ...] = (
        ({"about": "surprises"}, terms.UnknownPurpose),
        ({"channel": "fax"}, terms.UnknownChannel),
        ({"brand": "elsewhere"}, terms.UnknownBrand),
    )
    for question, refusal in cases:
        with pytest.raises(refusal) as refused:
            shop.reason(**question)
        assert refused.value.status == 404


def test_two_channels_have_two_answers(shop: LedgerShop) -> None:
    """Case 6."""
    shop.choose()
    shop.choose(REFUSE, channel="sms")
    assert (shop.reason(), shop.reason(channel="sms")) == (Reason.GRANTED, Reason.REFUSED)
    assert shop.is_good()


def test_one_brands_grant_does_not_count_for_another_and_a_controllers_does(shop: LedgerShop) -> None:
    """Case 7."""
    purpose.add_brand(shop.machine, "shop-b", "Shop B")
    shop.add_purpose("loyalty", LegalBasis.CONSENT, Regime.OPT_IN, scope=PurposeScope.CONTROLLER)
    shop.choose(brand="shop")
    shop.choose(about="loyalty", brand="shop")
    assert shop.reason(brand="shop-b") is Reason.NO_CONSENT
    assert shop.reason("loyalty", brand="shop-b") is Reason.GRANTED
    assert shop.is_good()


# --- time -------------------------------------------------------------------------------------------------------


def test_a_grant_ends_at_its_very_millisecond_with_the_sweep_switched_off(shop: LedgerShop) -> None:
    """Case 8."""
    shop.choose(about="analytics", channel="web")
    shop.clock.set(datetime(2027, 5, 22, 9, 59, 59, 999_000, tzinfo=UTC))
    assert shop.reason("analytics", "web") is Reason.GRANTED
    shop.clock.advance(timedelta(milliseconds=1))
    assert shop.reason("analytics", "web") is Reason.EXPIRED
    assert shop.is_good()


def test_the_sweep_writes_down_what_ran_out_and_changes_no_answer(shop: LedgerShop) -> None:
    """Case 8, with the sweep."""
    shop.choose(about="analytics", channel="web")
    shop.choose()
    shop.clock.advance(300 * DAY)
    assert sweeping.expire_all(shop.machine) == 1
    assert sweeping.expire_all(shop.machine) == 0
    assert shop.reason("analytics", "web") is Reason.EXPIRED
    assert shop.reason() is Reason.GRANTED
    shop.choose(about="analytics", channel="web")
    assert shop.reason("analytics", "web") is Reason.GRANTED
    assert shop.is_good()


def test_six_months_from_the_31st_of_august_end_on_the_last_day_of_february(shop: LedgerShop) -> None:
    """Case 9."""
    shop.clock.set(datetime(2027, 8, 31, 10, 0, tzinfo=UTC))
    shop.choose(about="analytics", channel="web")
    found = answering.current(shop.ctx, shop.choose(about="analytics", channel="web").subject_id)
    assert [one.row.valid_until for one in found] == [datetime(2028, 2, 29, 10, 0, tzinfo=UTC)]
    assert shop.is_good()


@pytest.mark.parametrize(("policy", "is_allowed"), [(OutdatedPolicy.DENY, False), (OutdatedPolicy.ALLOW, True)])
def test_a_material_version_is_judged_by_policy_and_another_changes_nothing(
    shop: LedgerShop, policy: OutdatedPolicy, is_allowed: bool
) -> None:
    """Case 10."""
    shop.choose()
    shop.change_purpose(on_notice_outdated=policy)
    assert shop.reason() is Reason.GRANTED
    shop.change_purpose(is_material=True, material_reason="a new recipient", on_notice_outdated=policy)
    assert (shop.reason(), shop.check().is_allowed) == (Reason.NOTICE_OUTDATED, is_allowed)
    assert shop.is_good()


def test_a_grant_of_ten_that_arrives_after_the_withdrawal_of_eleven_is_not_applied(shop: LedgerShop) -> None:
    """Case 11."""
    shop.clock.advance(HOUR)
    shop.stop(NEWSLETTER)
    shop.clock.advance(HOUR)
    assert shop.choose(occurred_at=shop.clock.now() - 2 * HOUR).events[0]["applied"] is False
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


@pytest.mark.parametrize("first", [GRANT, REFUSE])
def test_at_equal_times_the_stop_wins_in_both_orders(shop: LedgerShop, first: terms.ChoiceAnswer) -> None:
    """Case 12."""
    for answer in (first, REFUSE if first is GRANT else GRANT):
        shop.choose(answer)
    assert not shop.check().is_allowed
    assert shop.is_good()


def test_a_client_clock_ten_minutes_slow_cannot_hide_a_withdrawal(shop: LedgerShop) -> None:
    """Case 13."""
    shop.choose(occurred_at=shop.clock.now() - 10 * MINUTE)
    shop.clock.advance(MINUTE)
    shop.choose(REFUSE, occurred_at=shop.clock.now() - 10 * MINUTE)
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


def test_a_retried_grant_that_arrives_after_the_withdrawal_changes_nothing(shop: LedgerShop) -> None:
    """Case 14."""
    clicked = shop.clock.now()
    shop.choose(occurred_at=clicked)
    shop.clock.advance(3 * MINUTE)
    shop.stop(NEWSLETTER)
    shop.clock.advance(MINUTE)
    assert shop.choose(occurred_at=clicked).events[0]["applied"] is False
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


def test_a_grant_301_seconds_ahead_is_refused_and_a_stop_is_recorded(shop: LedgerShop) -> None:
    """Case 15."""
    ahead = shop.clock.now() + timedelta(seconds=301)
    with pytest.raises(OccurredInFuture):
        shop.choose(occurred_at=ahead)
    assert shop.events() == 0
    shop.choose(REFUSE, occurred_at=ahead)
    assert shop.reason() is Reason.REFUSED
    assert shop.is_good()


def test_a_grant_of_a_week_ago_needs_the_right_to_backdate(shop: LedgerShop) -> None:
    """Case 16."""
    week_ago = shop.clock.now() - 7 * DAY
    with pytest.raises(OccurredTooOld):
        shop.choose(occurred_at=week_ago)
    backdating = shop.machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", *SCOPES, Scope.CONSENT_BACKDATE))
    shop.choose(occurred_at=week_ago, as_=backdating)
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


# --- identity ---------------------------------------------------------------------------------------------------


def test_a_later_anonymous_refusal_beats_the_older_grant_of_the_account(shop: LedgerShop) -> None:
    """Case 21."""
    account = shop.choose(about="analytics", channel="web", whom=shop.whom(customer_id="4711")).subject_id
    shop.clock.advance(HOUR)
    shop.choose(REFUSE, "analytics", "web", whom=device(shop))
    link(shop, account)
    for whom in (Whom(account), device(shop)):
        assert shop.reason("analytics", "web", whom) is Reason.REFUSED
    assert shop.is_good()


def test_an_accounts_withdrawal_outlives_a_later_grant_of_the_device_until_a_new_one(shop: LedgerShop) -> None:
    """Case 22."""
    account = shop.choose(about="analytics", channel="web").subject_id
    shop.clock.advance(MINUTE)
    shop.stop(Reach("analytics", "web"))
    shop.clock.advance(HOUR)
    shop.choose(about="analytics", channel="web", whom=device(shop))
    link(shop, account)
    assert shop.reason("analytics", "web", device(shop)) is Reason.WITHDRAWN
    shop.clock.advance(MINUTE)
    shop.choose(about="analytics", channel="web", whom=Whom(account))
    assert shop.reason("analytics", "web", Whom(account)) is Reason.GRANTED
    assert shop.is_good()


def test_unsubscribe_all_of_an_account_holds_back_the_grants_of_a_device(shop: LedgerShop) -> None:
    """Case 22, the stop over everything."""
    account = shop.stop().subject_id
    shop.clock.advance(HOUR)
    shop.choose(about="analytics", channel="web", whom=device(shop))
    link(shop, account)
    assert shop.reason("analytics", "web", Whom(account)) is Reason.WITHDRAWN
    assert shop.is_good()


def test_of_two_grants_the_later_ones_end_counts(shop: LedgerShop) -> None:
    """Case 23."""
    account = shop.choose(about="analytics", channel="web").subject_id
    shop.clock.advance(10 * DAY)
    later = shop.clock.now()
    shop.choose(about="analytics", channel="web", whom=device(shop))
    link(shop, account)
    ends = shop.check("analytics", "web", Whom(account)).choice
    assert ends is not None
    assert ends.valid_until == later.replace(year=2027, month=6, day=2)
    assert shop.is_good()


def test_a_device_is_refused_to_a_second_account_until_it_is_untied(shop: LedgerShop) -> None:
    """Case 24."""
    one = shop.choose().subject_id
    two = shop.choose(whom=shop.whom(ELSE)).subject_id
    tied = link(shop, one)
    assert link(shop, one).changed is False
    with pytest.raises(IdentityConflict):
        link(shop, two)
    linking.unlink(shop.ctx, one, tied.device_id)
    assert link(shop, two).changed
    assert shop.is_good()


def test_after_untying_grants_go_home_and_stops_stay_on_both(shop: LedgerShop) -> None:
    """Case 25."""
    account = shop.choose(REFUSE, "profiling", "web").subject_id
    shop.clock.advance(MINUTE)
    shop.choose(about="analytics", channel="web", whom=device(shop))
    tied = link(shop, account)
    assert shop.reason("analytics", "web", Whom(account)) is Reason.GRANTED
    linking.unlink(shop.ctx, account, tied.device_id)
    assert shop.reason("analytics", "web", Whom(account)) is Reason.NO_CONSENT
    assert shop.reason("analytics", "web", device(shop)) is Reason.GRANTED
    assert shop.reason("profiling", "web", device(shop)) is Reason.REFUSED
    assert shop.reason("profiling", "web", Whom(account)) is Reason.REFUSED
    assert shop.is_good()


def test_a_stop_made_while_tied_stays_on_both(shop: LedgerShop) -> None:
    """Case 25."""
    account = shop.choose().subject_id
    shop.choose(about="analytics", channel="web", whom=device(shop))
    tied = link(shop, account)
    shop.clock.advance(MINUTE)
    shop.stop(whom=Whom(account))
    linking.unlink(shop.ctx, account, tied.device_id)
    assert shop.reason("analytics", "web", device(shop)) is Reason.WITHDRAWN
    assert shop.reason(whom=Whom(account)) is Reason.WITHDRAWN
    assert shop.is_good()


def test_the_version_after_a_link_is_later_than_that_of_either_side(shop: LedgerShop) -> None:
    """3.3: tokens of either side stay good."""
    account = shop.choose().subject_id
    for _ in range(4):
        last = shop.choose(about="analytics", channel="web", whom=device(shop))
    tied = link(shop, account)
    assert tied.state_version == last.state_version + 1
    answer = answering.check(shop.ctx, answering.Question(Whom(last.subject_id), "analytics", "web"))
    assert answer.state_version == tied.state_version
    back = linking.unlink(shop.ctx, account, tied.device_id)
    assert back.state_version > tied.state_version
    assert shop.choose(about="analytics", channel="web", whom=device(shop)).state_version > tied.state_version
    assert shop.is_good()


def test_two_people_are_never_made_one(shop: LedgerShop) -> None:
    """3.3: a tie is between a person and a device."""
    one, two = shop.choose().subject_id, shop.choose(about="analytics", channel="web", whom=device(shop)).subject_id
    with pytest.raises(linking.NotADevice):
        linking.link(shop.ctx, one, [shop.contact(ELSE)])
    with pytest.raises(linking.NotADevice):
        link(shop, two, "dev-2")
    with pytest.raises(SubjectUnknown):
        link(shop, "s_NOBODY")


def test_a_tie_needs_the_shops_own_credentials(shop: LedgerShop) -> None:
    """Case 26, below the door; tests/api/test_consent_person_api.py asks it over HTTP."""
    account = shop.choose().subject_id
    reader = shop.machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", Scope.CONSENT_READ))
    with pytest.raises(Forbidden):
        linking.link(reader, account, [shop.contact("dev-1", IdentifierType.DEVICE_ID)])


def change(shop: LedgerShop, account: str, to: str) -> terms.Written:
    return contacts.change_contact(
        shop.ctx, account, contacts.ContactChange(shop.contact(to)), Circumstances(Method.PREFERENCE_CENTRE)
    )


def test_a_changed_address_waits_for_its_owner_who_alone_is_written_to(shop: LedgerShop) -> None:
    """Case 27."""
    account = shop.choose().subject_id
    shop.clock.advance(MINUTE)
    change(shop, account, ELSE)
    assert shop.reason(whom=Whom(account)) is Reason.PENDING_CONFIRMATION
    assert [to for to, _ in shop.mails()] == [ELSE]
    assert shop.reason(whom=shop.whom(KIM)) is Reason.NO_CONSENT
    shop.confirm(ELSE)
    assert shop.reason(whom=shop.whom(ELSE)) is Reason.GRANTED
    assert shop.is_good()


def test_the_same_address_in_other_letters_changes_nothing(shop: LedgerShop) -> None:
    """Case 27."""
    account = shop.choose().subject_id
    assert change(shop, account, "KIM@Example.COM").events == []
    assert (shop.events(), shop.mails(), shop.reason()) == (1, [], Reason.GRANTED)
    assert shop.is_good()


def test_what_was_stopped_for_the_old_address_stays_stopped_for_whoever_has_it_next(shop: LedgerShop) -> None:
    """3.3: stops stay on the person and on the old contact."""
    account = shop.choose(REFUSE).subject_id
    change(shop, account, ELSE)
    assert shop.reason(whom=Whom(account)) is Reason.REFUSED
    assert shop.reason(whom=shop.whom(KIM), jurisdiction="US") is Reason.SUPPRESSED
    assert shop.is_good()


def test_a_request_for_the_old_address_can_no_longer_be_confirmed(shop: LedgerShop) -> None:
    """3.4: a change of contact cancels what waits."""
    shop.with_double_opt_in()
    account = shop.choose().subject_id
    token = shop.token()
    change(shop, account, ELSE)
    with pytest.raises(confirming.TokenExpired):
        confirming.confirm(shop.machine, token)
    assert not shop.check(whom=Whom(account)).is_allowed
    assert shop.is_good()


def test_the_address_of_somebody_else_is_a_conflict(shop: LedgerShop) -> None:
    """Case 27."""
    account = shop.choose().subject_id
    shop.choose(whom=shop.whom(ELSE))
    with pytest.raises(IdentityConflict):
        change(shop, account, ELSE)
    assert shop.is_good()


def test_a_new_address_that_is_suppressed_is_answered_with_suppressed(shop: LedgerShop) -> None:
    """Case 28."""
    account = shop.choose().subject_id
    suppressing.suppress(shop.ctx, shop.contact(ELSE), SuppressionReason.COMPLAINT)
    change(shop, account, ELSE)
    assert shop.reason(whom=Whom(account)) is Reason.SUPPRESSED
    assert shop.reason(whom=shop.whom(ELSE)) is Reason.SUPPRESSED
    assert shop.is_good()


# --- stops and suppressions -------------------------------------------------------------------------------------


def test_unsubscribe_all_reaches_everything_and_a_new_grant_lifts_it_for_itself_only(shop: LedgerShop) -> None:
    """Case 41."""
    shop.stop()
    shop.add_purpose("surveys", LegalBasis.LEGITIMATE_INTERESTS, Regime.NONE)
    assert shop.reason() is Reason.WITHDRAWN
    assert not shop.check("surveys").is_allowed
    assert shop.reason("service_messages") is Reason.BASIS_CONTRACT
    shop.clock.advance(MINUTE)
    shop.choose()
    assert shop.reason() is Reason.GRANTED
    assert shop.reason("profiling") is Reason.WITHDRAWN
    assert shop.is_good()


def test_a_hard_bounce_stops_everything_until_the_mailbox_answers(shop: LedgerShop) -> None:
    """3.7."""
    account = shop.choose().subject_id
    shop.clock.advance(MINUTE)
    suppressing.suppress(shop.ctx, shop.contact(), SuppressionReason.HARD_BOUNCE)
    assert shop.reason() is Reason.SUPPRESSED
    assert shop.reason("service_messages", whom=Whom(account)) is Reason.SUPPRESSED
    shop.clock.advance(MINUTE)
    shop.choose()
    assert shop.reason() is Reason.SUPPRESSED
    shop.confirm()
    assert shop.reason() is Reason.GRANTED
    assert shop.reason("service_messages") is Reason.BASIS_CONTRACT
    assert suppressing.entries(shop.ctx, shop.contact()) == []
    assert shop.is_good()


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.LEGAL])
def test_a_grant_for_a_contact_under_complaint_or_order_is_refused(shop: LedgerShop, reason: SuppressionReason) -> None:
    """3.7."""
    suppressing.suppress(shop.ctx, shop.contact(), reason)
    with pytest.raises(ContactSuppressed):
        shop.choose()
    assert shop.events() == 0
    assert shop.reason() is Reason.SUPPRESSED
    assert shop.is_good()


def test_a_marketing_suppression_never_blocks_a_service_message(shop: LedgerShop) -> None:
    """3.7."""
    suppressing.suppress(shop.ctx, shop.contact(), SuppressionReason.COMPLAINT)
    assert shop.reason("service_messages") is Reason.BASIS_CONTRACT
    assert shop.reason(jurisdiction="US") is Reason.SUPPRESSED


def test_a_stop_word_reaches_text_and_voice_and_only_the_numbers_owner_lifts_it(shop: LedgerShop) -> None:
    """3.7."""
    whom = shop.whom(phone=PHONE)
    shop.choose(channel="sms", whom=whom)
    shop.clock.advance(MINUTE)
    suppressing.suppress(shop.ctx, shop.contact(PHONE, IdentifierType.PHONE), SuppressionReason.STOP_KEYWORD)
    assert shop.reason(channel="sms", whom=whom) is Reason.SUPPRESSED
    assert shop.reason(whom=whom, jurisdiction="US") is Reason.NOT_OPTED_OUT
    shop.clock.advance(MINUTE)
    assert shop.choose(channel="sms", whom=whom).events[0]["awaiting"] == "confirmation"
    assert shop.reason(channel="sms", whom=whom) is Reason.SUPPRESSED
    assert shop.is_good()


def test_a_suppression_twice_is_one_entry(shop: LedgerShop) -> None:
    """3.7: a second click changes nothing."""
    shop.choose()
    first = suppressing.suppress(shop.ctx, shop.contact(), SuppressionReason.COMPLAINT)
    assert suppressing.suppress(shop.ctx, shop.contact(), SuppressionReason.COMPLAINT) == first
    assert shop.events() == 2
    assert shop.is_good()


def test_a_person_lifts_a_complaint_with_a_reason_and_a_key_does_not(shop: LedgerShop) -> None:
    """3.7."""
    account = shop.choose().subject_id
    suppressing.suppress(shop.ctx, shop.contact(), SuppressionReason.COMPLAINT)
    with pytest.raises(Forbidden):
        suppressing.lift(shop.ctx, shop.contact(), SuppressionReason.COMPLAINT, "she called us")
    analyst = shop.as_staff(Role.ANALYST)
    assert suppressing.lift(analyst, shop.contact(), SuppressionReason.COMPLAINT, "she called us") is None
    assert (shop.reason(), shop.reason(whom=Whom(account))) == (Reason.GRANTED, Reason.GRANTED)
    with pytest.raises(NotFound):
        suppressing.lift(analyst, shop.contact(), SuppressionReason.COMPLAINT, "again")
    assert shop.is_good()


def test_lifting_one_of_two_leaves_the_other_in_force(shop: LedgerShop) -> None:
    """3.7."""
    account = shop.choose().subject_id
    for reason in (SuppressionReason.COMPLAINT, SuppressionReason.HARD_BOUNCE):
        suppressing.suppress(shop.ctx, shop.contact(), reason)
    suppressing.lift(shop.as_staff(Role.DPO), shop.contact(), SuppressionReason.HARD_BOUNCE, "a typing error")
    assert shop.reason(whom=Whom(account)) is Reason.SUPPRESSED
    assert shop.reason("service_messages", whom=Whom(account)) is Reason.BASIS_CONTRACT
    assert shop.is_good()


def test_an_order_is_lifted_by_two_people(shop: LedgerShop) -> None:
    """3.7."""
    suppressing.suppress(shop.ctx, shop.contact(), SuppressionReason.LEGAL)
    one, two = shop.as_staff(Role.DPO), shop.as_staff(Role.DPO)
    proposal = suppressing.lift(one, shop.contact(), SuppressionReason.LEGAL, "the court lifted it")
    assert proposal is not None
    assert shop.reason(jurisdiction="US") is Reason.SUPPRESSED
    with pytest.raises(SamePerson):
        suppressing.decide_lift(one, proposal, shop.contact(), agrees=True)
    suppressing.decide_lift(two, proposal, shop.contact(), agrees=True)
    assert shop.reason(jurisdiction="US") is Reason.NOT_OPTED_OUT
    with pytest.raises(NotFound):
        suppressing.decide_lift(two, proposal, shop.contact(), agrees=True)
    assert shop.is_good()


def test_agreeing_to_lift_one_contact_lifts_no_other(shop: LedgerShop) -> None:
    """3.7: the second person says which contact is meant; a proposal about another one is not theirs to spend."""
    for address in (KIM, ELSE):
        suppressing.suppress(shop.ctx, shop.contact(address), SuppressionReason.LEGAL)
    one, two = shop.as_staff(Role.DPO), shop.as_staff(Role.DPO)
    proposal = suppressing.lift(one, shop.contact(), SuppressionReason.LEGAL, "the court lifted it")
    assert proposal is not None
    with pytest.raises(NotFound):
        suppressing.decide_lift(two, proposal, shop.contact(ELSE), agrees=True)
    for address in (KIM, ELSE):
        assert shop.reason(whom=shop.whom(address), jurisdiction="US") is Reason.SUPPRESSED
    assert [known.id for known in suppressing.proposals(two)] == [proposal]
    assert shop.is_good()


def test_an_order_about_one_brand_refuses_no_grant_of_another(shop: LedgerShop) -> None:
    """3.7."""
    purpose.add_brand(shop.machine, "shop-b", "Shop B")
    shop.choose(REFUSE, brand="shop-b")  # who holds the contact is known, so that their own rows show the entry
    reach = suppressing.Reach(brand="shop-b")
    suppressing.suppress(shop.ctx, shop.contact(), SuppressionReason.LEGAL, reach)
    shop.clock.advance(MINUTE)
    with pytest.raises(ContactSuppressed):
        shop.choose(brand="shop-b")
    shop.choose(brand="shop")
    assert (shop.reason(brand="shop"), shop.reason(brand="shop-b")) == (Reason.GRANTED, Reason.SUPPRESSED)
    assert shop.is_good()


# --- signals, objections, grounds, children ---------------------------------------------------------------------


def test_a_signal_before_login_denies_for_device_and_account_what_it_covers(shop: LedgerShop) -> None:
    """Case 44."""
    account = shop.choose(about="profiling", channel="web").subject_id
    shop.choose(about="analytics", channel="web")
    shop.clock.advance(MINUTE)
    assert len(signalling.receive(shop.ctx, device(shop), ["1"], "US-CA").events) == 1
    link(shop, account)
    for whom in (device(shop), Whom(account)):
        assert shop.reason("profiling", "web", whom) is Reason.GPC_OPT_OUT
        assert shop.reason("analytics", "web", whom) is Reason.GRANTED
    assert shop.is_good()


@pytest.mark.parametrize("values", [["true"], ["0"], [""], [" 1"], ["1,1"], []])
def test_any_other_value_of_the_signal_is_ignored(shop: LedgerShop, values: list[str]) -> None:
    """Case 44."""
    assert signalling.receive(shop.ctx, device(shop), values).events == []
    assert shop.events() == 0


def test_one_exact_value_among_several_counts_and_a_thousand_page_views_write_one_event(shop: LedgerShop) -> None:
    """Case 44."""
    for _ in range(20):
        signalling.receive(shop.ctx, device(shop), ["0", "1"])
    assert shop.events() == 1
    signalling.receive(shop.ctx, device(shop), [])
    assert shop.reason("advertising", "web", device(shop), jurisdiction="US") is Reason.GPC_OPT_OUT
    assert shop.is_good()


def test_a_signal_of_somebody_signed_in_binds_device_and_account_also_where_they_are_not_tied(
    shop: LedgerShop,
) -> None:
    """Case 44."""
    shop.choose(whom=shop.whom(customer_id="4711"))
    both = shop.whom(None, device_id="dev-1", customer_id="4711")
    assert len(signalling.receive(shop.ctx, both, ["1"]).events) == 2
    assert shop.reason("advertising", "web", device(shop), jurisdiction="US") is Reason.GPC_OPT_OUT
    assert shop.reason("advertising", "web", jurisdiction="US") is Reason.GPC_OPT_OUT
    assert shop.is_good()


def test_an_exception_to_the_signal_counts_where_the_regime_says_so_and_can_be_withdrawn(shop: LedgerShop) -> None:
    """Case 45."""
    allowed = Ground(LegalBasis.LEGITIMATE_INTERESTS, Regime.OPT_OUT, gpc_override=True)
    here = Ground(LegalBasis.CONSENT, Regime.OPT_IN)
    shop.change_purpose("advertising", grounds={"US": allowed, "*": here})
    signalling.receive(shop.ctx, device(shop), ["1"])
    shop.clock.advance(MINUTE)
    shop.choose(about="advertising", channel="web", whom=device(shop), jurisdiction="US")
    assert shop.reason("advertising", "web", device(shop), jurisdiction="US") is Reason.GRANTED
    shop.clock.advance(MINUTE)
    shop.stop(Reach("advertising", "web"), whom=device(shop))
    assert shop.reason("advertising", "web", device(shop), jurisdiction="US") is Reason.GPC_OPT_OUT
    assert shop.is_good()


def test_the_status_shows_a_signal_as_honoured(shop: LedgerShop) -> None:
    """Case 46."""
    signalling.receive(shop.ctx, device(shop), ["1"], "US-CA")
    shown = signalling.status(shop.ctx, device(shop), [], "US-CA")
    assert (shown.signal, shown.honoured, shown.duty) == (True, True, True)
    nobody = signalling.status(shop.ctx, device(shop, "dev-9"), [], "DE")
    assert (nobody.signal, nobody.honoured, nobody.duty) == (False, False, False)


def test_a_prompt_within_twelve_months_of_a_californian_opt_out_is_refused(shop: LedgerShop) -> None:
    """Case 47."""
    signalling.receive(shop.ctx, device(shop), ["1"], "US-CA")
    shop.clock.advance(364 * DAY)
    with pytest.raises(ReaskBlocked):
        shop.choose(ASK, "advertising", "web", whom=device(shop), jurisdiction="US-CA")
    assert shop.choose(ASK, "advertising", "web", whom=device(shop), jurisdiction="DE").events[0]["type"]
    own = shop.choose(about="advertising", channel="web", whom=device(shop), jurisdiction="US-CA")
    assert own.events[0]["type"] == "consent.given"
    shop.clock.advance(2 * DAY)
    shop.choose(ASK, "advertising", "web", whom=device(shop, "dev-2"), jurisdiction="US-CA")
    assert shop.is_good()


def test_a_prompt_that_was_shown_changes_no_answer(shop: LedgerShop) -> None:
    """3.2: being asked is no answer."""
    shop.choose()
    shop.choose(ASK)
    assert shop.reason() is Reason.GRANTED
    shop.choose(ASK, "profiling")
    assert shop.reason("profiling") is Reason.NO_CONSENT
    shop.choose(REFUSE, "profiling")
    shop.clock.advance(MINUTE)
    shop.choose(ASK, "profiling")
    assert shop.reason("profiling", jurisdiction="US") is Reason.REFUSED
    shop.choose(DEFER, "profiling")
    assert shop.reason("profiling", jurisdiction="US") is Reason.REFUSED
    assert shop.is_good()


def test_an_objection_to_advertising_reaches_all_of_it_and_contract_mail_goes_on(shop: LedgerShop) -> None:
    """Case 48."""
    before = shop.clock.now()
    shop.choose()
    shop.clock.advance(MINUTE)
    objection.object_to(shop.ctx, shop.whom(), None, Circumstances(Method.FORM))
    for about, channel in (("newsletter", "email"), ("newsletter", "sms"), ("profiling", "email")):
        assert shop.reason(about, channel, jurisdiction="US") is Reason.OBJECTED
    assert shop.reason("service_messages") is Reason.BASIS_CONTRACT
    shop.clock.advance(MINUTE)
    shop.choose(occurred_at=before)
    assert shop.reason() is Reason.OBJECTED
    assert shop.is_good()


def test_only_a_later_grant_that_its_owner_confirmed_lifts_an_objection_for_itself(shop: LedgerShop) -> None:
    """Case 48."""
    objection.object_to(shop.ctx, shop.whom(), None, Circumstances(Method.FORM))
    shop.clock.advance(MINUTE)
    shop.choose()
    assert shop.reason() is Reason.OBJECTED
    shop.with_double_opt_in()
    shop.clock.advance(MINUTE)
    shop.stop(NEWSLETTER)
    shop.clock.advance(MINUTE)
    shop.choose()
    shop.confirm()
    assert shop.reason() is Reason.GRANTED
    assert shop.reason("profiling") is Reason.OBJECTED
    assert shop.is_good()


def test_an_objection_ends_what_waits_for_a_confirmation(shop: LedgerShop) -> None:
    """Case 48, and 3.4."""
    shop.with_double_opt_in().choose()
    token = shop.token()
    shop.clock.advance(MINUTE)
    objection.object_to(shop.ctx, shop.whom(), None, Circumstances(Method.FORM))
    with pytest.raises(confirming.TokenExpired):
        confirming.confirm(shop.machine, token)
    assert shop.reason() is Reason.OBJECTED
    assert shop.is_good()


def test_an_objection_to_a_legitimate_interest_denies_at_once_and_a_person_weighs_it(shop: LedgerShop) -> None:
    """3.6: Art. 21(1), where no address is known."""
    shop.add_purpose("fraud", LegalBasis.LEGITIMATE_INTERESTS, Regime.NONE)
    whom = shop.whom(None, customer_id="4711")
    made = objection.object_to(shop.ctx, whom, "fraud", Circumstances(Method.PHONE))
    assert shop.reason("fraud", whom=whom) is Reason.OBJECTED
    assert made.reference is None
    subject_id = made.written.subject_id
    objection.decide(shop.as_staff(Role.DPO), subject_id, "fraud", "no compelling ground", upheld=True)
    assert shop.reason("fraud", whom=whom) is Reason.OBJECTED
    with pytest.raises(Forbidden):
        objection.decide(shop.as_staff(Role.ANALYST), subject_id, "fraud", "fraud outweighs", upheld=False)
    objection.decide(shop.as_staff(Role.DPO), subject_id, "fraud", "fraud outweighs", upheld=False)
    assert shop.reason("fraud", whom=whom) is Reason.BASIS_LEGITIMATE_INTERESTS
    assert shop.is_good()


def test_what_rests_on_consent_or_contract_is_withdrawn_and_not_objected_to(shop: LedgerShop) -> None:
    """3.6."""
    for about in ("service_messages", "strictly_necessary"):
        with pytest.raises(objection.NothingToObjectTo):
            objection.object_to(shop.ctx, shop.whom(), about, Circumstances(Method.FORM))
    with pytest.raises(terms.UnknownPurpose):
        objection.object_to(shop.ctx, shop.whom(), "surprises", Circumstances(Method.FORM))


SALE = {"sale": "order A-77", "similar_products": "soap", "opt_out_offered": "checkout, footer of each mail"}


def test_a_soft_opt_in_without_its_event_is_no_consent(shop: LedgerShop) -> None:
    """Case 49."""
    shop.add_purpose("similar", LegalBasis.SOFT_OPT_IN, Regime.NONE, PurposeFlag.DIRECT_MARKETING)
    assert shop.reason("similar") is Reason.NO_CONSENT
    with pytest.raises(basing.SoftOptInUnproved):
        basing.establish(shop.ctx, shop.whom(), "similar", "email", Circumstances(Method.API))
    with pytest.raises(basing.BasisNotOffered):
        basing.establish(shop.ctx, shop.whom(), "newsletter", "email", Circumstances(Method.API, evidence=SALE))
    basing.establish(shop.ctx, shop.whom(), "similar", "email", Circumstances(Method.API, evidence=SALE))
    assert shop.reason("similar") is Reason.BASIS_SOFT_OPT_IN
    assert shop.is_good()


def test_a_stop_ends_a_soft_opt_in_and_a_further_sale_does_not_bring_it_back(shop: LedgerShop) -> None:
    """Case 49."""
    shop.add_purpose("similar", LegalBasis.SOFT_OPT_IN, Regime.NONE, PurposeFlag.DIRECT_MARKETING)
    basing.establish(shop.ctx, shop.whom(), "similar", "email", Circumstances(Method.API, evidence=SALE))
    shop.clock.advance(MINUTE)
    shop.stop(Reach("similar", "email"))
    assert shop.reason("similar") is Reason.OBJECTED
    shop.clock.advance(MINUTE)
    basing.establish(shop.ctx, shop.whom(), "similar", "email", Circumstances(Method.API, evidence=SALE))
    assert shop.reason("similar") is Reason.OBJECTED
    assert shop.is_good()


def test_a_childs_grant_needs_a_guardian_and_its_stop_does_not(shop: LedgerShop) -> None:
    """Case 50."""
    with pytest.raises(terms.GuardianRequired):
        shop.choose(age=15, jurisdiction="DE")
    with pytest.raises(terms.GuardianRequired):
        shop.choose(age=15, indicated_by=IndicatedBy.GUARDIAN, jurisdiction="DE")
    assert shop.events() == 0
    shop.choose(age=15, jurisdiction="AT")
    assert shop.reason() is Reason.GRANTED
    shop.clock.advance(MINUTE)
    shop.choose(REFUSE, age=9, jurisdiction="DE")
    assert shop.reason() is Reason.WITHDRAWN
    shop.clock.advance(MINUTE)
    shop.choose(age=9, indicated_by=IndicatedBy.GUARDIAN, evidence={"mandate": "form 12"}, jurisdiction="DE")
    assert shop.reason() is Reason.GRANTED
    assert shop.is_good()


def test_an_agents_grant_waits_for_the_person_and_an_agents_stop_does_not(shop: LedgerShop) -> None:
    """3.9."""
    told: dict[str, Any] = {
        "indicated_by": IndicatedBy.AGENT,
        "method": Method.AGENT,
        "evidence": {"mandate": "letter of 3 May"},
    }
    shop.choose(**told)
    assert shop.reason() is Reason.PENDING_CONFIRMATION
    shop.confirm()
    assert shop.reason() is Reason.GRANTED
    shop.clock.advance(MINUTE)
    shop.choose(REFUSE, **told)
    assert shop.reason() is Reason.WITHDRAWN
    assert shop.is_good()


# --- erasure ----------------------------------------------------------------------------------------------------


def test_an_erased_opt_out_stops_whoever_brings_the_address_back(shop: LedgerShop) -> None:
    """Case 53, by a grant of the shop; imports have their own tests."""
    gone = shop.choose(REFUSE).subject_id
    erasing.erase(shop.machine, gone)
    assert shop.reason(jurisdiction="US") is Reason.SUPPRESSED
    shop.clock.advance(DAY)
    again = shop.choose()
    assert again.subject_id != gone
    assert (shop.reason(), shop.reason(whom=Whom(again.subject_id))) == (Reason.SUPPRESSED, Reason.SUPPRESSED)
    shop.confirm()
    assert (shop.reason(), shop.reason(whom=Whom(again.subject_id))) == (Reason.GRANTED, Reason.GRANTED)
    assert shop.is_good()


def test_after_an_erasure_nothing_is_shown_and_the_whole_log_is_good(shop: LedgerShop) -> None:
    """Case 56."""
    shop.with_double_opt_in()
    whom = shop.whom(KIM, phone=PHONE, customer_id="4711-0815")
    gone = shop.choose(whom=whom, evidence={"url": "https://shop.example/checkout"}).subject_id
    shop.confirm()
    shop.choose(channel="sms", whom=whom, client_event_id="till-1")
    link(shop, gone, "device-of-kim")
    shop.clock.advance(MINUTE)
    shop.stop(Reach("newsletter", "sms"), whom=whom)
    before = shop.leaves()
    assert shop.is_good()
    erased = erasing.erase(shop.machine, gone)
    assert erased.suppressed == 1
    assert shop.reason(whom=shop.whom(KIM)) is Reason.NO_CONSENT
    for ask in (answering.current, answering.history):
        with pytest.raises(SubjectUnknown):
            ask(shop.ctx, gone)
    assert before == shop.leaves()[: len(before)]
    assert shop.is_good()
    assert shop.choose(whom=whom, client_event_id="till-1").subject_id == ""


def test_no_identifier_is_left_in_any_table(shop: LedgerShop) -> None:
    """Case 56."""
    words = (KIM, "4711-0815", PHONE, "device-of-kim", "shop.example/checkout")
    whom = shop.whom(KIM, phone=PHONE, customer_id="4711-0815")
    gone = shop.choose(
        whom=whom, evidence={"url": "https://shop.example/checkout"}, client_event_id="till-1"
    ).subject_id
    link(shop, gone, "device-of-kim")
    shop.clock.advance(MINUTE)
    shop.stop(whom=whom)
    assert shop.is_good()
    erasing.erase(shop.machine, gone)
    kept = {"audit", "idempotency"}  # the random id of somebody who is gone leads nowhere and ages out
    every = MetaData()
    with shop.machine.database.engines.reader.connect() as connection:
        every.reflect(connection)
        for table in every.sorted_tables:
            for row in connection.execute(table.select()):
                text = repr(tuple(row))
                assert not any(word in text for word in words), table.name
                assert table.name in kept or gone not in text, table.name
    names = {"subject", "subject_key", "subject_identifier", "event_private", "consent_state", "identity_link"}
    with shop.machine.database.engines.reader.connect() as connection:
        left = {name: len(connection.execute(every.tables[name].select()).all()) for name in names}
    assert left == dict.fromkeys(names, 0)


def test_an_erasure_of_one_leaves_everybody_else_as_they_were(shop: LedgerShop) -> None:
    """Case 56."""
    gone, stays = shop.choose().subject_id, shop.choose(whom=shop.whom(ELSE)).subject_id
    erasing.erase(shop.machine, gone)
    assert shop.reason(whom=Whom(stays)) is Reason.GRANTED
    with pytest.raises(SubjectUnknown):
        erasing.erase(shop.machine, gone)
    assert shop.is_good()


def test_who_was_once_tied_to_an_erased_person_keeps_the_stops_that_crossed(shop: LedgerShop) -> None:
    """Case 56."""
    account = shop.choose(REFUSE, "analytics", "web").subject_id
    shop.choose(about="profiling", channel="web", whom=device(shop))
    tied = link(shop, account)
    linking.unlink(shop.ctx, account, tied.device_id)
    shop.clock.advance(MINUTE)
    erasing.erase(shop.machine, account)
    assert shop.reason("analytics", "web", device(shop), jurisdiction="US") is Reason.REFUSED
    assert shop.reason("profiling", "web", device(shop)) is Reason.GRANTED
    assert shop.is_good()


def test_kept_proof_opens_with_role_and_reason_and_never_after_its_term(database: Database, clock: ManualClock) -> None:
    """Case 57."""
    shop = LedgerShop.open(database, clock, consent_proof="P5Y")
    given = shop.choose(evidence={"url": "https://shop.example/checkout"})
    from_event = given.events[0]["event_id"]
    erasing.erase(shop.machine, given.subject_id)
    dpo = shop.as_staff(Role.DPO)
    event_id = type(uuid4())(str(from_event))
    with pytest.raises(ReasonNeeded):
        erasing.open_kept(dpo, event_id, " ")
    with pytest.raises(Forbidden):
        erasing.open_kept(shop.as_staff(Role.ANALYST), event_id, "a claim")
    assert erasing.open_kept(dpo, event_id, "claim 7 C 12/28").evidence == {"url": "https://shop.example/checkout"}
    assert (erasing.ring(dpo).events, erasing.ring(dpo).people) == (1, 1)
    shop.clock.advance(5 * 366 * DAY)
    assert erasing.ring(shop.as_staff(Role.DPO)) == Ring(0, 0, None)
    with pytest.raises(NotFound):
        erasing.open_kept(shop.as_staff(Role.DPO), event_id, "claim 7 C 12/28")
    assert erasing.sweep_ring(shop.machine) == 1
    assert shop.is_good()


def test_who_never_confirmed_is_erased_thirty_days_after_the_lapse(shop: LedgerShop) -> None:
    """3.4."""
    shop.with_double_opt_in()
    asked = shop.choose().subject_id
    stays = shop.choose(whom=shop.whom(ELSE)).subject_id
    shop.choose(about="analytics", channel="web", whom=shop.whom(ELSE))
    shop.clock.advance(8 * DAY)
    sweeping.lapse(shop.machine)
    assert sweeping.erase_never_confirmed(shop.machine) == 0
    shop.clock.advance(30 * DAY)
    assert sweeping.erase_never_confirmed(shop.machine) == 1
    with pytest.raises(SubjectUnknown):
        answering.current(shop.ctx, asked)
    assert answering.current(shop.ctx, stays)
    assert shop.is_good()


def test_consents_that_end_soon_are_offered_for_renewal_once(shop: LedgerShop) -> None:
    """3.5."""
    person = shop.choose(about="analytics", channel="web").subject_id
    assert sweeping.offer_renewals(shop.machine) == 0
    shop.clock.advance(160 * DAY)
    assert sweeping.offer_renewals(shop.machine) == 1
    assert sweeping.offer_renewals(shop.machine) == 0
    found = sweeping.ending_soon(shop.ctx, "analytics")
    assert [(one.subject_id, one.channel) for one in found] == [(person, "web")]
