"""Consent through the services, on both engines: what is written, what is answered, what the log then holds."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from privacyops.domain.account.action import Scope as KeyScope
from privacyops.domain.account.actor import api_key
from privacyops.domain.consent.event import ConsentEvent, event_of
from privacyops.domain.consent.order import OccurredInFuture, OccurredTooOld
from privacyops.domain.consent.projection import StateRow, fold
from privacyops.domain.consent.state import ConsentState, EventType, IndicatedBy, Method, RowKind
from privacyops.domain.decision import Reason
from privacyops.domain.log import Log
from privacyops.domain.notice import NoticeRef, NoticeVersion, Part
from privacyops.domain.purpose import PurposeScope
from privacyops.domain.subject import IdentifierMalformed, IdentifierType, IdentityConflict, SubjectUnknown
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.errors import Forbidden
from privacyops.kernel.ids import ApiKeyId
from privacyops.ledger.checkpoint import VerifierKey
from privacyops.ledger.fsck import Flaw
from privacyops.ledger.leaf import parse
from privacyops.ledger.merkle import leaf_hash
from privacyops.services import ledger, purpose
from privacyops.services.consent import answering, replaying, subjects, terms, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Scope, Written
from privacyops.services.context import Context
from privacyops.services.idempotency import Call, IdempotencyKeyReused
from privacyops.store import consent as consents
from privacyops.store import guards
from privacyops.store import purpose as purposes
from privacyops.store.engine import Engines
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentEventRow, EventPrivateRow, SubjectIdentifierRow, SubjectRow
from privacyops.store.uow import Database
from tests.small_service import small_service

GRANT, REFUSE, DEFER = ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE, ChoiceAnswer.DEFER
EVENT, PRIVATE = table_of(ConsentEventRow), table_of(EventPrivateRow)
SHOP = (KeyScope.CONSENT_WRITE, KeyScope.CONSENT_CHECK, KeyScope.CONSENT_READ)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def machine(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    assert purpose.install_shipped(ctx)
    return ctx


@pytest.fixture
def ctx(machine: Context) -> Context:
    """A shop's back end."""
    return machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", *SHOP))


def kim(ctx: Context, email: str = "kim@example.com", **more: str) -> Whom:
    found = [(IdentifierType.EMAIL, email), *((IdentifierType(kind), value) for kind, value in more.items())]
    return Whom.of(ctx, None, found)


def choose(
    ctx: Context,
    answer: ChoiceAnswer = GRANT,
    about: str = "newsletter",
    channel: str = "email",
    *,
    whom: Whom | None = None,
    call: Call | None = None,
    **how: Any,
) -> Written:
    circumstances = Circumstances(method=Method.CHECKOUT_CHECKBOX, **how)
    return writing.record_choices(ctx, whom or kim(ctx), [Choice(about, channel, answer)], circumstances, call)


def stop(ctx: Context, scope: Scope | None = None, *, whom: Whom | None = None, **how: Any) -> Written:
    return writing.withdraw(ctx, whom or kim(ctx), scope or Scope(), Circumstances(Method.PREFERENCE_CENTRE, **how))


NEWSLETTER_BY_MAIL = Scope("newsletter", "email")


def reason(
    ctx: Context, about: str = "newsletter", channel: str = "email", whom: Whom | None = None, **question: Any
) -> Reason:
    return answering.check(ctx, Question(whom or kim(ctx), about, channel, **question)).decision.reason


def events_of(ctx: Context) -> int:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return int(tx.run(select(func.count()).select_from(PRIVATE)).scalar_one())


# --- the answer -------------------------------------------------------------------------------------------------


def test_a_grant_is_answered_with_granted(ctx: Context) -> None:
    written = choose(ctx)
    answer = answering.check(ctx, Question(kim(ctx), "newsletter", "email"))
    assert answer.decision.reason is Reason.GRANTED
    assert answer.state_version == written.state_version == 1
    assert answer.granted_at == ctx.clock.now()
    assert reason(ctx, whom=Whom(written.subject_id)) is Reason.GRANTED


def test_a_withdrawn_consent_is_never_answered_with_allow(ctx: Context, clock: ManualClock) -> None:
    choose(ctx)
    clock.advance(MINUTE)
    assert choose(ctx, REFUSE).events[0]["state"] == "ConsentWithdrawn"
    assert reason(ctx) is Reason.WITHDRAWN


def test_who_only_ever_refused_is_not_taken_for_a_yes(ctx: Context) -> None:
    assert choose(ctx, REFUSE).events[0]["state"] == "ConsentRefused"
    assert reason(ctx) is Reason.REFUSED


@pytest.mark.parametrize(
    ("place", "expected"), [(None, Reason.NO_CONSENT), ("DE", Reason.NO_CONSENT), ("XX", Reason.NO_CONSENT),
                            ("US-CA", Reason.NOT_OPTED_OUT)],
)  # fmt: skip
def test_who_was_never_asked_is_judged_by_the_regime(ctx: Context, place: str | None, expected: Reason) -> None:
    assert reason(ctx, jurisdiction=place) is expected


def test_what_is_not_known_is_never_allowed(ctx: Context) -> None:
    with pytest.raises(terms.UnknownPurpose):
        reason(ctx, "surprises")
    with pytest.raises(terms.UnknownChannel):
        reason(ctx, channel="fax")
    with pytest.raises(terms.UnknownChannel):
        reason(ctx, "analytics", "email")
    with pytest.raises(terms.UnknownBrand):
        reason(ctx, brand="elsewhere")


def test_two_channels_have_two_answers(ctx: Context) -> None:
    both = [Choice("newsletter", "email", GRANT), Choice("newsletter", "sms", REFUSE)]
    writing.record_choices(ctx, kim(ctx), both, Circumstances(Method.FORM))
    assert reason(ctx) is Reason.GRANTED
    assert reason(ctx, channel="sms") is Reason.REFUSED


def test_one_brands_grant_does_not_count_for_another_and_a_controllers_does(machine: Context, ctx: Context) -> None:
    purpose.add_brand(machine, "shop-b", "Shop B")
    with machine.database.reading("shop-group", machine.clock.now()) as tx:
        current = purpose.catalogue(machine, tx).purposes["analytics"].current
    purpose.publish_purpose(machine, replace(current, key="loyalty", version=1, scope=PurposeScope.CONTROLLER))
    choose(ctx, brand="shop")
    choose(ctx, about="loyalty", channel="web", brand="shop")
    assert reason(ctx, brand="shop") is Reason.GRANTED
    assert reason(ctx, brand="shop-b") is Reason.NO_CONSENT
    assert reason(ctx, "loyalty", "web", brand="shop-b") is Reason.GRANTED
    with pytest.raises(terms.UnknownBrand):
        reason(ctx)


def test_a_grant_given_for_one_address_does_not_count_for_another_of_the_same_person(ctx: Context) -> None:
    choose(ctx, whom=kim(ctx, customer_id="4711"))
    choose(ctx, REFUSE, "profiling", whom=kim(ctx, "kim.new@example.com", customer_id="4711"))
    assert reason(ctx, whom=kim(ctx, "kim.new@example.com")) is Reason.NO_CONSENT
    assert reason(ctx, whom=kim(ctx, "KIM@EXAMPLE.COM")) is Reason.GRANTED


# --- time -------------------------------------------------------------------------------------------------------


def test_a_grant_ends_at_its_very_millisecond_without_any_sweep(ctx: Context, clock: ManualClock) -> None:
    choose(ctx, about="analytics", channel="web")
    clock.set(datetime(2027, 5, 22, 9, 59, 59, 999_000, tzinfo=UTC))
    assert reason(ctx, "analytics", "web") is Reason.GRANTED
    clock.set(datetime(2027, 5, 22, 10, 0, tzinfo=UTC))
    assert reason(ctx, "analytics", "web") is Reason.EXPIRED


def test_a_material_version_outdates_older_grants_and_another_does_not(machine: Context, ctx: Context) -> None:
    choose(ctx)
    with machine.database.reading("shop-group", machine.clock.now()) as tx:
        current = purpose.catalogue(machine, tx).purposes["newsletter"].current
    purpose.publish_purpose(machine, replace(current, version=2, is_material=False, material_reason="a typing error"))
    assert reason(ctx) is Reason.GRANTED
    purpose.publish_purpose(machine, replace(current, version=3, is_material=True, material_reason="a new recipient"))
    assert reason(ctx) is Reason.NOTICE_OUTDATED
    choose(ctx)
    assert reason(ctx) is Reason.GRANTED


def test_a_late_grant_is_recorded_and_not_applied(machine: Context, clock: ManualClock) -> None:
    backdating = machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", *SHOP, KeyScope.CONSENT_BACKDATE))
    stop(backdating, NEWSLETTER_BY_MAIL)
    clock.advance(60 * MINUTE)
    late = choose(backdating, occurred_at=clock.now() - 120 * MINUTE)
    assert late.events[0]["applied"] is False
    assert events_of(backdating) == 2
    assert reason(backdating) is Reason.WITHDRAWN


@pytest.mark.parametrize("first", [GRANT, REFUSE])
def test_at_equal_times_the_stop_wins_in_both_orders(ctx: Context, first: ChoiceAnswer) -> None:
    for answer in (first, REFUSE if first is GRANT else GRANT):
        choose(ctx, answer)
    assert reason(ctx) in (Reason.WITHDRAWN, Reason.REFUSED)


def test_a_slow_client_clock_cannot_hide_a_withdrawal(ctx: Context, clock: ManualClock) -> None:
    slow = 10 * MINUTE
    choose(ctx, occurred_at=clock.now() - slow)
    clock.advance(MINUTE)
    choose(ctx, REFUSE, occurred_at=clock.now() - slow)
    assert reason(ctx) is Reason.WITHDRAWN


def test_a_retried_grant_that_arrives_after_the_withdrawal_changes_nothing(ctx: Context, clock: ManualClock) -> None:
    clicked = clock.now()
    choose(ctx, occurred_at=clicked)
    clock.advance(3 * MINUTE)
    stop(ctx, NEWSLETTER_BY_MAIL)
    clock.advance(MINUTE)
    assert choose(ctx, occurred_at=clicked).events[0]["applied"] is False
    assert reason(ctx) is Reason.WITHDRAWN


def test_a_grant_in_the_future_is_refused_and_a_stop_is_recorded(ctx: Context, clock: ManualClock) -> None:
    ahead = clock.now() + timedelta(seconds=301)
    with pytest.raises(OccurredInFuture):
        choose(ctx, occurred_at=ahead)
    assert events_of(ctx) == 0
    assert choose(ctx, REFUSE, occurred_at=ahead).events[0]["applied"] is True


def test_a_grant_of_last_week_needs_the_right_to_backdate(machine: Context, ctx: Context, clock: ManualClock) -> None:
    with pytest.raises(OccurredTooOld):
        choose(ctx, occurred_at=clock.now() - timedelta(days=7))
    entitled = machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", *SHOP, KeyScope.CONSENT_BACKDATE))
    choose(entitled, occurred_at=clock.now() - timedelta(days=7))
    assert answering.check(ctx, Question(kim(ctx), "newsletter", "email")).granted_at == clock.now() - timedelta(days=7)


# --- idempotency --------------------------------------------------------------------------------------------------


def test_the_same_choice_twice_in_one_call_writes_nothing(ctx: Context) -> None:
    twice = [Choice("newsletter", "email", GRANT), Choice("newsletter", "email", REFUSE)]
    with pytest.raises(terms.DuplicateChoice):
        writing.record_choices(ctx, kim(ctx), twice, Circumstances(Method.FORM))
    assert events_of(ctx) == 0


def test_the_same_key_twenty_times_in_parallel_is_one_event_with_equal_answers(ctx: Context) -> None:
    answers: list[Written] = []
    call = Call.of("key-1", b"body")
    threads = [threading.Thread(target=lambda: answers.append(choose(ctx, call=call))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert len({json.dumps(answer.to_json(), sort_keys=True) for answer in answers}) == 1
    assert sum(not answer.is_replayed for answer in answers) == 1
    assert events_of(ctx) == 1


def test_the_same_key_with_another_body_is_refused(ctx: Context) -> None:
    choose(ctx, call=Call.of("key-1", b"body"))
    with pytest.raises(IdempotencyKeyReused):
        choose(ctx, REFUSE, call=Call.of("key-1", b"other"))
    assert events_of(ctx) == 1


def test_the_callers_own_event_id_is_unique_for_ever(ctx: Context, clock: ManualClock) -> None:
    first = choose(ctx, client_event_id="order-1", call=Call.of("key-1", b"body"))
    clock.advance(timedelta(days=8))
    again = choose(ctx, client_event_id="order-1", call=Call.of("key-2", b"body"))
    assert again.is_replayed
    assert again.to_json() == first.to_json()
    assert events_of(ctx) == 1


def test_two_first_writes_for_one_address_make_one_person(ctx: Context) -> None:
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            choose(ctx, GRANT if number % 2 else REFUSE, "profiling" if number % 3 else "newsletter")
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        assert tx.run(select(func.count()).select_from(table_of(SubjectRow))).scalar_one() == 1
        versions = tx.run(select(PRIVATE.c.state_version).order_by(PRIVATE.c.state_version)).scalars().all()
    assert versions == list(range(1, 13))


# --- stopping -----------------------------------------------------------------------------------------------------


def test_unsubscribe_all_reaches_what_has_no_row_and_leaves_service_messages(ctx: Context, clock: ManualClock) -> None:
    choose(ctx)
    clock.advance(MINUTE)
    written = stop(ctx)
    assert [event["type"] for event in written.events] == ["stop.all"]
    assert reason(ctx) is Reason.WITHDRAWN
    assert reason(ctx, "profiling", "web", jurisdiction="US-CA", whom=Whom(written.subject_id)) is Reason.WITHDRAWN
    assert reason(ctx, "service_messages") is Reason.BASIS_CONTRACT
    clock.advance(MINUTE)
    choose(ctx)
    assert reason(ctx) is Reason.GRANTED
    assert reason(ctx, "profiling") is Reason.WITHDRAWN


def test_unsubscribe_all_reaches_purposes_that_are_published_later(machine: Context, ctx: Context) -> None:
    stop(ctx)
    with machine.database.reading("shop-group", machine.clock.now()) as tx:
        current = purpose.catalogue(machine, tx).purposes["newsletter"].current
    purpose.publish_purpose(machine, replace(current, key="surveys", version=1))
    assert reason(ctx, "surveys", jurisdiction="US-CA") is Reason.WITHDRAWN


def test_a_stop_of_one_channel_reaches_no_further(ctx: Context, clock: ManualClock) -> None:
    both = [Choice("newsletter", "email", GRANT), Choice("newsletter", "sms", GRANT)]
    writing.record_choices(ctx, kim(ctx), both, Circumstances(Method.FORM))
    clock.advance(MINUTE)
    stop(ctx, Scope(channel="email"))
    assert reason(ctx) is Reason.WITHDRAWN
    assert reason(ctx, channel="sms") is Reason.GRANTED


def test_a_purpose_is_stopped_over_all_its_channels(ctx: Context, clock: ManualClock) -> None:
    choose(ctx, channel="sms")
    clock.advance(MINUTE)
    written = stop(ctx, Scope("newsletter"))
    assert [event["channel"] for event in written.events] == ["email", "sms"]
    assert reason(ctx, channel="sms") is Reason.WITHDRAWN


def test_somebody_never_seen_may_stop_at_once(ctx: Context) -> None:
    stop(ctx, whom=kim(ctx, "stranger@example.org"))
    assert reason(ctx, whom=kim(ctx, "stranger@example.org"), jurisdiction="US") is Reason.WITHDRAWN


def test_an_id_that_nobody_has_is_told_so(ctx: Context) -> None:
    with pytest.raises(SubjectUnknown):
        stop(ctx, whom=Whom("s_NOBODY"))
    assert reason(ctx, whom=Whom("s_NOBODY")) is Reason.NO_CONSENT


def test_a_suppressed_address_is_denied_whoever_it_belongs_to(machine: Context, ctx: Context) -> None:
    choose(ctx)
    with machine.database.transaction("shop-group", machine.clock.now()) as tx:
        names = purpose.catalogue(machine, tx)
        row = StateRow(RowKind.SUPPRESSION, None, "email", None, "complaint", tx.now, tx.now, uuid4())
        consents.add_suppression(tx, subjects.suppression_refs(machine, kim(machine), "email")[0], row, names)
    assert reason(ctx) is Reason.SUPPRESSED
    assert reason(ctx, "service_messages") is Reason.BASIS_CONTRACT
    assert reason(ctx, whom=kim(ctx, "other@example.com")) is Reason.NO_CONSENT


# --- who, what and by which right -----------------------------------------------------------------------------------


def test_identifiers_of_two_people_are_a_conflict(ctx: Context) -> None:
    choose(ctx)
    choose(ctx, whom=Whom.of(ctx, None, [(IdentifierType.CUSTOMER_ID, "4711")]))
    with pytest.raises(IdentityConflict):
        choose(ctx, whom=kim(ctx, customer_id="4711"))


@pytest.mark.parametrize(
    ("kind", "value"), [("email", "kim"), ("phone", "12"), ("customer_id", " "), ("customer_id", "x" * 255)]
)
def test_what_is_not_an_identifier_is_refused_without_repeating_it(ctx: Context, kind: str, value: str) -> None:
    with pytest.raises(IdentifierMalformed) as refusal:
        Whom.of(ctx, None, [(IdentifierType(kind), value)])
    assert refusal.value.members == {"type": kind}
    assert value.strip() not in refusal.value.detail or not value.strip()


def test_a_number_without_country_code_is_read_in_the_controllers_region(ctx: Context) -> None:
    one = Whom.of(ctx, None, [(IdentifierType.PHONE, "030 1234567")])
    other = Whom.of(ctx, None, [(IdentifierType.PHONE, "+49 30 1234567")])
    assert one == other


def test_a_guardian_without_a_mandate_grants_nothing(ctx: Context) -> None:
    with pytest.raises(terms.GuardianRequired):
        choose(ctx, indicated_by=IndicatedBy.GUARDIAN)
    choose(ctx, indicated_by=IndicatedBy.GUARDIAN, evidence={"mandate": "declared at the till"})


def test_evidence_of_another_kind_than_text_and_numbers_is_refused(ctx: Context) -> None:
    with pytest.raises(terms.EvidenceMalformed):
        choose(ctx, evidence={"share": 0.5})
    assert events_of(ctx) == 0


def test_a_notice_counts_only_as_it_was_published(machine: Context, ctx: Context) -> None:
    words = {part: f"What is said about {part}" for part in Part}
    notice = NoticeVersion("news", 1, {"en": words}, ("newsletter",))
    with pytest.raises(terms.NoticeNotPublished):
        choose(ctx, notice=notice.ref("en"))
    purpose.publish_notice(machine, notice)
    for false in (replace(notice.ref("en"), sha256="0" * 64), NoticeRef("news", 1, "fr", notice.digest("en"))):
        with pytest.raises(terms.NoticeMismatch):
            choose(ctx, notice=false)
    with pytest.raises(terms.NoticeMismatch):
        choose(ctx, about="profiling", notice=notice.ref("en"))
    choose(ctx, notice=notice.ref("en"))
    assert choose(ctx, notice=notice.ref("en")).events[0]["state"] == "RenewedConsentGiven"


def test_a_published_version_is_followed_by_the_next_one_only(machine: Context) -> None:
    with machine.database.reading("shop-group", machine.clock.now()) as tx:
        current = purpose.catalogue(machine, tx).purposes["newsletter"].current
    for version in (1, 3):
        with pytest.raises(purpose.VersionOutOfTurn):
            purpose.publish_purpose(machine, replace(current, version=version))


def test_the_shipped_purposes_are_installed_once(machine: Context) -> None:
    assert purpose.install_shipped(machine) is False


def test_a_key_without_the_scope_may_not_write_or_read(machine: Context) -> None:
    checker = machine.acting_as(api_key(ApiKeyId(uuid4()), "shop-group", KeyScope.CONSENT_CHECK))
    with pytest.raises(Forbidden):
        choose(checker)
    with pytest.raises(Forbidden):
        answering.history(checker, "s_X")
    assert reason(checker) is Reason.NO_CONSENT


def test_a_purpose_with_double_opt_in_waits_for_its_confirmation(machine: Context, ctx: Context) -> None:
    with machine.database.reading("shop-group", machine.clock.now()) as tx:
        current = purpose.catalogue(machine, tx).purposes["newsletter"].current
    purpose.publish_purpose(machine, replace(current, version=2, confirmed_in={"email": frozenset({"DE"})}))
    written = choose(ctx, jurisdiction="DE")
    assert (written.events[0]["state"], written.events[0]["awaiting"]) == ("ConsentRequested", "confirmation")
    assert reason(ctx) is Reason.PENDING_CONFIRMATION


# --- what is kept -------------------------------------------------------------------------------------------------


def test_history_is_told_newest_first_in_pages(ctx: Context, clock: ManualClock) -> None:
    for answer in (GRANT, REFUSE, DEFER, GRANT):
        written = choose(ctx, answer)
        clock.advance(MINUTE)
    first = answering.history(ctx, written.subject_id, limit=3)
    assert [item.event.type for item in first.items] == [EventType.GIVEN, EventType.DEFERRED, EventType.WITHDRAWN]
    assert [item.applied for item in first.items] == [True, False, True]
    rest = answering.history(ctx, written.subject_id, first.next, limit=3)
    assert [item.event.type for item in rest.items] == [EventType.GIVEN]
    assert rest.next is None
    with pytest.raises(answering.BadCursor):
        answering.history(ctx, written.subject_id, "x")


def test_the_state_of_a_past_moment_is_folded_from_the_events(ctx: Context, clock: ManualClock) -> None:
    written = choose(ctx)
    then = clock.now()
    clock.advance(MINUTE)
    stop(ctx, NEWSLETTER_BY_MAIL)
    states = {
        moment: [(one.row.state, one.decision and one.decision.reason) for one in rows]
        for moment, rows in [
            ("then", answering.current(ctx, written.subject_id, then)),
            ("now", answering.current(ctx, written.subject_id)),
            ("before", answering.current(ctx, written.subject_id, then - MINUTE)),
        ]
    }
    assert states == {
        "then": [(ConsentState.GIVEN, Reason.GRANTED)],
        "now": [(ConsentState.WITHDRAWN, Reason.WITHDRAWN)],
        "before": [],
    }


def test_no_address_stands_in_clear_in_any_table(ctx: Context, engines: Engines) -> None:
    choose(ctx, whom=kim(ctx, "canary@example.com", phone="+49301234567"), evidence={"ip": "192.0.2.77"})
    ledger.drain(ctx.acting_as(small_service(ctx.database, ctx.clock).actor), "a")
    assert reason(ctx, whom=kim(ctx, "canary@example.com")) is Reason.GRANTED
    needles = [b"canary", b"1234567", b"192.0.2.77"]
    with engines.reader.connect() as connection:
        names = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
            if engines.dialect == "sqlite"
            else connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        )
        for name in names:
            for row in connection.execute(text(f'SELECT * FROM "{name}"')):  # noqa: S608 - names from the catalogue
                flat = b"\x1f".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
                assert not [needle for needle in needles if needle in flat], name


def test_the_log_of_events_verifies_and_one_is_proved(machine: Context, ctx: Context) -> None:
    written = choose(ctx)
    stop(ctx)
    ledger.drain(machine, "a")
    found = ledger.verify(machine, Log.CONSENT)
    assert found.is_good
    assert found.trees[0].report.covered == 6 + 2
    event = UUID(written.events[0]["event_id"])
    proof, leaf = ledger.prove(machine, Log.CONSENT, event), ledger.leaf_of(machine, Log.CONSENT, event)
    assert parse(leaf)["type"] == "consent.given"
    assert proof.proves(leaf, [VerifierKey.parse(ledger.verifier_keys(machine, Log.CONSENT)[0])])
    assert answering.history(ctx, written.subject_id).items[-1].seq == 7


def test_a_changed_event_is_named(machine: Context, ctx: Context, engines: Engines) -> None:
    written = choose(ctx)
    ledger.drain(machine, "a")
    with engines.writer.begin() as connection:
        for name in ("guard_consent_event_no_update",):
            on = "" if engines.dialect == "sqlite" else " ON consent_event"
            connection.execute(text(f"DROP TRIGGER {name}{on}"))
        leaf = connection.execute(text("SELECT leaf FROM consent_event WHERE id = :id"), _id(engines, written)).scalar()
        forged = bytes(leaf or b"").replace(b"consent.given", b"consent.renew")
        statement = text("UPDATE consent_event SET leaf = :leaf WHERE id = :id")
        connection.execute(statement, {**_id(engines, written), "leaf": forged})
    with pytest.raises(guards.WriteGuardMissing), engines.reader.connect() as connection:
        guards.check(connection)
    report = ledger.verify(machine, Log.CONSENT).trees[0].report
    assert [(one.flaw, one.record) for one in report.mismatches] == [(Flaw.CHANGED, written.events[0]["event_id"])]


def _id(engines: Engines, written: Written) -> dict[str, object]:
    event = UUID(written.events[0]["event_id"])
    return {"id": event.hex if engines.dialect == "sqlite" else event}


APPEND_ONLY = ["consent_event", "purpose_version", "notice_version", "ledger_leaf", "ledger_checkpoint", "ledger_node",
               "ledger_tree", "ledger_key", "audit"]  # fmt: skip


@pytest.fixture
def full(machine: Context, ctx: Context) -> Context:
    """A row in each append-only table."""
    words = {part: f"What is said about {part}" for part in Part}
    purpose.publish_notice(machine, NoticeVersion("news", 1, {"en": words}, ("newsletter",)))
    for number in range(260):
        choose(ctx, whom=kim(ctx, f"p{number}@example.com"))
    ledger.drain(machine, "a")
    return machine


def test_nothing_append_only_is_changed_deleted_emptied_or_replaced(full: Context, engines: Engines) -> None:
    for table in APPEND_ONLY:
        attempts = [f"UPDATE {table} SET controller = 'x'", f"DELETE FROM {table}"]  # noqa: S608 - fixed names
        if engines.dialect == "sqlite":
            attempts.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")  # noqa: S608 - fixed names
        else:
            attempts.append(f"TRUNCATE {table} CASCADE")
        for attempt in attempts:
            with pytest.raises(DBAPIError, match="append-only"), engines.writer.begin() as connection:
                connection.execute(text(attempt))


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_dropped_guard_stops_the_start(engines: Engines, table: str) -> None:
    on = "" if engines.dialect == "sqlite" else f" ON {table}"
    with engines.writer.begin() as connection:
        connection.execute(text(f"DROP TRIGGER guard_{table}_no_delete{on}"))
    with pytest.raises(guards.WriteGuardMissing) as refusal, engines.reader.connect() as connection:
        guards.check(connection)
    assert refusal.value.members["guards"] == [f"guard_{table}_no_delete"]


def test_the_chain_links_one_persons_leaves_and_a_gap_shows(ctx: Context) -> None:
    written = [choose(ctx, answer) for answer in (GRANT, REFUSE, GRANT)][-1]
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        subject = subjects.find(ctx, tx, Whom(written.subject_id))
        assert subject is not None
        key = subjects.opened(ctx, tx, subject).commit
        past = list(reversed(consents.list_events(tx, subject.no, None, None)))
    hashes: Sequence[bytes | None] = [None, *(leaf_hash(one.leaf) for one in past)]
    chain = [parse(one.leaf)["chain"] for one in past]
    ids = [str(parse(one.leaf)["id"]) for one in past]
    assert chain == [key.chain(record_id=ids[at], state_version=at + 1, previous=hashes[at]) for at in range(len(past))]
    assert key.chain(record_id=ids[2], state_version=3, previous=hashes[1]) != chain[2]


def test_a_row_changed_by_hand_is_named_by_replaying(machine: Context, ctx: Context, engines: Engines) -> None:
    written = choose(ctx, REFUSE)
    choose(ctx, about="profiling")
    assert replaying.replay(machine) == replaying.ReplayReport(1, [])
    with engines.writer.begin() as connection:
        connection.execute(text("UPDATE consent_state SET state = 'ConsentGiven' WHERE state = 'ConsentRefused'"))
    assert reason(ctx) is Reason.GRANTED
    assert ledger.verify(machine, Log.CONSENT).is_good
    assert list(replaying.replay(machine).findings) == [
        replaying.Finding(replaying.Difference.ROW, written.subject_id, "choice/newsletter/email/shop")
    ]


def test_a_row_added_or_taken_away_by_hand_is_named(machine: Context, ctx: Context, engines: Engines) -> None:
    choose(ctx)
    with engines.writer.begin() as connection:
        connection.execute(text("DELETE FROM consent_state WHERE kind = 'choice'"))
    assert [one.at for one in replaying.replay(machine).findings] == ["choice/newsletter/email/shop"]


@pytest.mark.parametrize(("gone", "named"), [(1, 1), (2, 2), (3, None)])
def test_an_event_taken_away_shows_as_a_gap_in_the_chain(
    machine: Context, ctx: Context, engines: Engines, gone: int, named: int | None
) -> None:
    events = [choose(ctx, answer).events[0]["event_id"] for answer in (GRANT, REFUSE, GRANT)]
    with engines.writer.begin() as connection:
        connection.execute(text("DELETE FROM event_private WHERE state_version = :version"), {"version": gone})
        if named is not None:
            connection.execute(text("UPDATE event_private SET state_version = -state_version"))
            shift = text("UPDATE event_private SET state_version = -state_version - (-state_version > :gone)")
            if engines.dialect == "postgresql":
                shift = text("UPDATE event_private SET state_version = -state_version - (-state_version > :gone)::int")
            connection.execute(shift, {"gone": gone})
            connection.execute(text("UPDATE consent_state SET state_version = 2 WHERE kind = 'head'"))
    gaps = [one.at for one in replaying.replay(machine).findings if one.difference is replaying.Difference.CHAIN]
    assert gaps == ["the newest event" if named is None else events[named]]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "refuse", "defer", "withdraw", "stop_all", "stop_email"]),
        st.sampled_from([("newsletter", "email"), ("newsletter", "sms"), ("profiling", "web")]),
        st.integers(0, 30),
        st.none() | st.integers(0, 600),
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(steps=STEPS)
def test_the_rows_are_always_the_fold_of_the_log(
    ctx: Context, clock: ManualClock, steps: list[tuple[str, tuple[str, str], int, int | None]]
) -> None:
    whom = kim(ctx, f"{uuid4().hex}@example.com")
    subject_id = ""
    for verb, (about, channel), minutes, late in steps:
        clock.advance(timedelta(minutes=minutes, microseconds=1_234))
        at = clock.now() - timedelta(seconds=late) if late is not None else None
        if verb in ("grant", "refuse", "defer"):
            subject_id = choose(ctx, ChoiceAnswer(verb), about, channel, whom=whom, occurred_at=at).subject_id
        else:
            reach = {"withdraw": Scope(about, channel), "stop_all": Scope(), "stop_email": Scope(channel="email")}
            subject_id = stop(ctx, reach[verb], whom=whom, occurred_at=at).subject_id
    with ctx.database.reading(ctx.controller.key, clock.now()) as tx:
        names = purposes.load_catalogue(tx, 0)
        subject = subjects.find(ctx, tx, Whom(subject_id))
        assert subject is not None
        rows = consents.load_rows(tx, subject.no, names)
        past = consents.list_events(tx, subject.no, None, None)
        refs = tx.run(select(table_of(SubjectIdentifierRow).c.ref)).scalars().all()
    assert refs
    told: list[ConsentEvent] = [
        replace(event_of(parse(one.leaf)), contact=one.contact.hex() if one.contact else None) for one in reversed(past)
    ]
    assert fold(told) == rows
