"""A check by a person's id is never laxer than one by any contact they hold, however the contact came. Both engines."""

import io
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacyops.domain.account.action import Role
from privacyops.domain.account.action import Scope as KeyScope
from privacyops.domain.account.actor import api_key, staff
from privacyops.domain.consent.state import Method
from privacyops.domain.consent.suppression import ContactSuppressed, SuppressionReason
from privacyops.domain.decision import Decision, Reason
from privacyops.domain.subject import IdentifierType, IdentityConflict, SubjectIdentifier
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, ApiKeyId
from privacyops.services import ledger, objection, purpose
from privacyops.services.consent import (
    answering,
    contacts,
    erasing,
    feeding,
    importing,
    judging,
    linking,
    replaying,
    subjects,
    suppressing,
    unsubscribing,
    writing,
)
from privacyops.services.consent.answering import Question
from privacyops.services.consent.contacts import ContactChange
from privacyops.services.consent.import_lines import Defaults
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Scope
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.small_service import small_service

EMAIL, PHONE, PUSH = IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.PUSH_TOKEN
HOW = Circumstances(Method.API)


@pytest.fixture
def ctx(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


def officer(ctx: Context) -> Context:
    return ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.DPO, step_up_at=ctx.clock.now()))


def whom(*named: tuple[IdentifierType, str]) -> Whom:
    return Whom(None, tuple(SubjectIdentifier(type_, value) for type_, value in named))


def id_of(ctx: Context, who: Whom) -> str:
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        found = subjects.find(ctx, tx, who)
    assert found is not None
    return found.public_id


def decided(ctx: Context, who: Whom, key: str = "newsletter", channel: str = "email") -> Decision:
    """The single check's answer, which the batch's has to be too."""
    single = answering.check(ctx, Question(who, key, channel)).decision
    (batch,) = judging.check_many(ctx, [judging.Item("1", who, key, channel)])[1]
    assert isinstance(batch.result, Decision)
    assert batch.result.reason is single.reason
    return single


def imported(ctx: Context, line: str) -> None:
    header = "email,choice,occurred_at,source,wording,method,confirmed_at\n"
    source, defaults = io.BytesIO((header + line + "\n").encode()), Defaults("newsletter", "email", jurisdiction="DE")
    tried = importing.dry_run(officer(ctx), source, defaults)
    importing.run(officer(ctx), source, defaults, tried.digest)


def by_stop(ctx: Context, who: Whom) -> None:
    writing.withdraw(ctx, who, Scope("profiling", None), HOW)


def by_objection(ctx: Context, who: Whom) -> None:
    objection.object_to(ctx, who, None, HOW)


def by_mail_headers(ctx: Context, who: Whom) -> None:
    unsubscribing.mail_headers(ctx, who, "newsletter")


def by_import(ctx: Context, who: Whom) -> None:
    imported(
        ctx, f"{who.identifiers[0].value},granted,2026-11-01T10:00:00Z,shop,newsletter v3,form,2026-11-01T10:05:00Z"
    )


def by_contact_change(ctx: Context, who: Whom) -> None:
    writing.withdraw(ctx, whom((IdentifierType.CUSTOMER_ID, "4711")), Scope("profiling", None), HOW)
    known = id_of(ctx, whom((IdentifierType.CUSTOMER_ID, "4711")))
    contacts.change_contact(ctx, known, ContactChange(who.identifiers[0]), HOW)


WAYS = [by_stop, by_objection, by_mail_headers, by_import, by_contact_change]
KIM = whom((EMAIL, "kim@example.com"))


@pytest.mark.parametrize("attach", WAYS)
@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.ERASED_OPT_OUT])
def test_who_is_given_a_suppressed_address_is_suppressed_by_id(
    ctx: Context, clock: ManualClock, attach: Callable[[Context, Whom], None], reason: SuppressionReason
) -> None:
    suppressing.suppress(ctx, KIM.identifiers[0], reason)
    clock.advance(timedelta(minutes=1))
    attach(ctx, KIM)
    assert decided(ctx, KIM).reason is Reason.SUPPRESSED
    assert decided(ctx, Whom(id_of(ctx, KIM))).reason is Reason.SUPPRESSED
    assert replaying.replay(ctx).is_good


@pytest.mark.parametrize("attach", WAYS)
def test_a_later_grant_for_a_suppressed_address_is_refused_or_denied(
    ctx: Context, clock: ManualClock, attach: Callable[[Context, Whom], None]
) -> None:
    suppressing.suppress(ctx, KIM.identifiers[0], SuppressionReason.HARD_BOUNCE)
    attach(ctx, KIM)
    clock.advance(timedelta(minutes=1))
    writing.record_choices(ctx, KIM, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], HOW)
    assert decided(ctx, Whom(id_of(ctx, KIM))).reason is Reason.SUPPRESSED


def test_a_device_that_is_tied_brings_what_stands_against_it(ctx: Context) -> None:
    token = SubjectIdentifier(PUSH, "push-1")
    suppressing.suppress(ctx, token, SuppressionReason.COMPLAINT)
    by_stop(ctx, KIM)
    linking.link(ctx, id_of(ctx, KIM), [token])
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        from_the_list = subjects.contacts_of(ctx, tx, subjects.find(ctx, tx, KIM).no)  # type: ignore[union-attr]  # known
    assert token in from_the_list
    served = answering.current(officer(ctx), id_of(ctx, KIM))
    assert ("push", "complaint") in {(one.row.channel, str(one.row.state)) for one in served}
    assert replaying.replay(ctx).is_good


def test_who_comes_back_by_an_import_after_an_erasure_is_suppressed_by_id(ctx: Context, clock: ManualClock) -> None:
    writing.record_choices(ctx, KIM, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], HOW)
    clock.advance(timedelta(minutes=1))
    writing.withdraw(ctx, KIM, Scope("newsletter", "email"), HOW)
    clock.advance(timedelta(minutes=1))
    erasing.erase(ctx, id_of(ctx, KIM))
    by_import(ctx, KIM)
    assert decided(ctx, Whom(id_of(ctx, KIM))).reason is Reason.SUPPRESSED
    assert replaying.replay(ctx).is_good


def test_lifting_what_stood_against_one_address_leaves_what_stands_against_the_other(
    ctx: Context, clock: ManualClock
) -> None:
    other = SubjectIdentifier(EMAIL, "kim@example.org")
    by_stop(ctx, Whom(None, (*KIM.identifiers, other)))
    for one in (KIM.identifiers[0], other):
        suppressing.suppress(ctx, one, SuppressionReason.COMPLAINT)
    clock.advance(timedelta(minutes=1))
    suppressing.lift(officer(ctx), KIM.identifiers[0], SuppressionReason.COMPLAINT, "they wrote to us")
    assert decided(ctx, KIM).reason is not Reason.SUPPRESSED
    assert decided(ctx, Whom(id_of(ctx, KIM))).reason is Reason.SUPPRESSED
    assert replaying.replay(ctx).is_good


def test_the_feed_names_whoever_is_given_a_suppressed_address(ctx: Context) -> None:
    suppressing.suppress(ctx, KIM.identifiers[0], SuppressionReason.COMPLAINT)
    ledger.drain(ctx, "test")
    reader = ctx.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", KeyScope.FEED_READ))
    before = feeding.changes_after(reader, 0, 1_000, 0).high_water
    by_mail_headers(ctx, KIM)
    ledger.drain(ctx, "test")
    told = feeding.changes_after(reader, before, 1_000, 0).items
    mine = feeding.subject_ref(feeding.hash_key(reader), id_of(ctx, KIM))
    assert {(one["type"], one.get("subject_ref")) for one in told} == {("suppression.added", mine)}


def test_the_answer_names_the_choices_and_not_what_came_with_the_address(ctx: Context) -> None:
    suppressing.suppress(ctx, KIM.identifiers[0], SuppressionReason.HARD_BOUNCE)
    written = writing.record_choices(ctx, KIM, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], HOW)
    assert [one["purpose"] for one in written.events] == ["newsletter"]


def test_an_id_that_leads_to_nobody_any_more_is_denied_under_every_regime(ctx: Context) -> None:
    writing.withdraw(ctx, KIM, Scope(), HOW)
    gone = id_of(ctx, KIM)
    erasing.erase(ctx, gone)
    for key, channel in (("analytics", "web"), ("newsletter", "email"), ("profiling", "email")):
        answer = answering.check(ctx, Question(Whom(gone), key, channel, jurisdiction="US-CA")).decision
        (batch,) = judging.check_many(ctx, [judging.Item("1", Whom(gone), key, channel, None, "US-CA")])[1]
        assert (answer.is_allowed, answer.reason) == (False, Reason.NO_CONSENT)
        assert batch.result == answer


# --- whatever happens, in whatever order ---------------------------------------------------------------------------

_LIVES = count()
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["suppress", "lift", "stop", "headers", "object", "grant", "import", "change"]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.sampled_from([one for one in SuppressionReason if one is not SuppressionReason.LEGAL]),
    ),
    min_size=2, max_size=9,
)  # fmt: skip


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_check_by_id_is_never_laxer_than_by_any_contact_held(
    ctx: Context, clock: ManualClock, steps: list[tuple[str, int, int, SuppressionReason]]
) -> None:
    life = next(_LIVES)
    kept = [
        SubjectIdentifier(EMAIL, f"a{life}@example.com"), SubjectIdentifier(EMAIL, f"b{life}@example.com"),
        SubjectIdentifier(PHONE, f"+4930{5_550_000 + life}"),
    ]  # fmt: skip
    account = SubjectIdentifier(IdentifierType.CUSTOMER_ID, f"c{life}")
    for act, at, other, reason in steps:
        clock.advance(timedelta(minutes=1))
        take(ctx, act, kept[at], Whom(None, (account, kept[at], kept[other])), reason)
        hold_by_id_against_each_contact(ctx, kept)
    assert replaying.replay(ctx).is_good


def take(ctx: Context, act: str, contact: SubjectIdentifier, who: Whom, reason: SuppressionReason) -> None:
    if reason is SuppressionReason.STOP_KEYWORD and contact.type is not PHONE:
        reason = SuppressionReason.COMPLAINT
    try:
        match act:
            case "suppress":
                suppressing.suppress(ctx, contact, reason)
            case "lift":
                suppressing.lift(officer(ctx), contact, reason, "they wrote to us")
            case "stop":
                by_stop(ctx, who)
            case "headers":
                by_mail_headers(ctx, who)
            case "object":
                by_objection(ctx, who)
            case "grant":
                channel = "sms" if contact.type is PHONE else "email"
                writing.record_choices(ctx, who, [Choice("newsletter", channel, ChoiceAnswer.GRANT)], HOW)
            case "import" if contact.type is EMAIL:
                by_import(ctx, Whom(None, (contact,)))
            case "change" if contact.type is EMAIL:
                by_stop(ctx, Whom(None, who.identifiers[:1]))
                known = id_of(ctx, Whom(None, who.identifiers[:1]))
                contacts.change_contact(ctx, known, ContactChange(contact, None), HOW)
    except (ContactSuppressed, NotFound, contacts.FormerContactNotNamed, IdentityConflict):
        return  # refused, and nothing was written


def hold_by_id_against_each_contact(ctx: Context, kept: list[SubjectIdentifier]) -> None:
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        people = {found for one in kept if (found := subjects.find(ctx, tx, Whom(None, (one,)))) is not None}
        held = {one.public_id: subjects.contacts_of(ctx, tx, one.no) for one in people}
        channels = {key: one.current.channels for key, one in purpose.catalogue(ctx, tx).purposes.items()}
    for public_id, mine in held.items():
        for key, used in channels.items():
            for channel in sorted({"email", "sms", "phone"} & used):
                by_id = decided(ctx, Whom(public_id), key, channel)
                by_contact = [decided(ctx, Whom(None, (one,)), key, channel) for one in mine]
                if any(one.reason is Reason.SUPPRESSED for one in by_contact):
                    assert not by_id.is_allowed, (key, channel)
