"""Older lists taken over: by what each line proves, never over what was chosen here since. On both engines."""

import io
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.state import Method
from privacyops.domain.decision import Reason
from privacyops.domain.log import Log
from privacyops.domain.purpose import Ground, LegalBasis, PurposeFlag, PurposeVersion, Regime
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.errors import Forbidden
from privacyops.kernel.ids import AccountId
from privacyops.services import ledger, purpose
from privacyops.services.consent import answering, erasing, importing, replaying, writing
from privacyops.services.consent.answering import Question
from privacyops.services.consent.import_lines import Defaults, ImportMalformed, digest_of
from privacyops.services.consent.importing import ImportDigestMismatch, ImportReport, ImportTooLong
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Scope
from privacyops.services.context import Context
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentEventRow, EventPrivateRow, SubjectRow
from privacyops.store.uow import Database
from tests.small_service import small_service

HEADER = "email,choice,occurred_at,source,wording,method,confirmed_at\n"
A = "a@example.com,granted,2025-11-01T10:00:00Z,shop,newsletter v3,form,2025-11-01T10:05:00Z\n"
B = "b@example.com,granted,2025-11-01T10:00:00Z,shop,newsletter v3,form,\n"
C = "c@example.com,granted,2025-11-01,,,,\n"
D = "d@example.com,granted,,,,,\n"
STOP = "stop@example.com,unsubscribed,,,,,\n"
OF_NEWSLETTER = Defaults("newsletter", "email", jurisdiction="US-CA")
GERMAN = Defaults("newsletter", "email", jurisdiction="DE")


@pytest.fixture
def machine(database: Database, clock: ManualClock) -> Context:
    """A controller that asks people in Germany to confirm by mail."""
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    with database.reading("shop-group", clock.now()) as tx:
        current = purpose.catalogue(ctx, tx).purposes["newsletter"].current
    confirmed = replace(current, version=2, confirmed_in={"email": frozenset({"DE"})}, is_material=False)
    purpose.publish_purpose(ctx, replace(confirmed, material_reason="confirmation only", judged_by="dpo"))
    return ctx


@pytest.fixture
def ctx(machine: Context) -> Context:
    """Somebody who may import."""
    return machine.acting_as(staff(AccountId(uuid4()), "shop-group", Role.DPO, step_up_at=machine.clock.now()))


def take(ctx: Context, text: str, defaults: Defaults = GERMAN) -> ImportReport:
    source = io.BytesIO(text.encode())
    tried = importing.dry_run(ctx, source, defaults)
    return importing.run(ctx, source, defaults, tried.digest)


def reason(ctx: Context, email: str, place: str = "DE") -> Reason:
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, email)])
    return answering.check(ctx, Question(whom, "newsletter", "email", jurisdiction=place)).decision.reason


def events(ctx: Context) -> int:
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        return int(tx.run(select(func.count()).select_from(table_of(EventPrivateRow))).scalar_one())


def kim(ctx: Context) -> Whom:
    return Whom.of(ctx, None, [(IdentifierType.EMAIL, "kim@example.com")])


def test_what_a_line_proves_decides_what_it_is_worth(ctx: Context, machine: Context) -> None:
    """Case 51."""
    report = take(ctx, HEADER + A + B + C + D)
    assert report.tally["grades"] == {"A": 1, "B": 1, "C": 1, "D": 1}
    assert [reason(ctx, f"{who}@example.com") for who in "abcd"] == [
        Reason.GRANTED, Reason.PENDING_CONFIRMATION, Reason.NO_CONSENT, Reason.NO_CONSENT,
    ]  # fmt: skip
    ledger.drain(machine, "test")
    assert ledger.examine(machine, Log.CONSENT).is_good
    assert replaying.replay(machine).is_good


def test_a_mark_in_a_list_allows_nothing_even_where_silence_would(ctx: Context) -> None:
    take(ctx, HEADER + C + D, OF_NEWSLETTER)
    assert reason(ctx, "c@example.com", "US-CA") is Reason.NOT_OPTED_OUT
    assert reason(ctx, "d@example.com", "US-CA") is Reason.NO_CONSENT


def test_where_no_confirmation_is_needed_grade_b_is_a_grant(ctx: Context) -> None:
    take(ctx, HEADER + B, OF_NEWSLETTER)
    assert reason(ctx, "b@example.com", "US-CA") is Reason.GRANTED


def test_a_stop_counts_whatever_it_proves(ctx: Context) -> None:
    assert take(ctx, HEADER + STOP).tally["stops"] == 1
    assert reason(ctx, "stop@example.com") is Reason.WITHDRAWN


def test_an_import_never_lifts_a_withdrawal(ctx: Context, clock: ManualClock) -> None:
    """Case 52."""
    writing.withdraw(ctx, kim(ctx), Scope("newsletter", "email"), Circumstances(Method.PREFERENCE_CENTRE))
    clock.advance(timedelta(days=1))
    report = take(ctx, HEADER + A.replace("a@", "kim@"))
    assert report.tally["overruled"] == 1
    assert reason(ctx, "kim@example.com") is Reason.WITHDRAWN


def test_an_import_does_not_undo_a_later_choice(ctx: Context) -> None:
    choice = [Choice("newsletter", "email", ChoiceAnswer.GRANT)]
    writing.record_choices(ctx, kim(ctx), choice, Circumstances(Method.FORM, jurisdiction="US-CA"))
    take(ctx, HEADER + "kim@example.com,withdrawn,2024-01-01,old list,,,\n", OF_NEWSLETTER)
    assert reason(ctx, "kim@example.com", "US-CA") is Reason.GRANTED


def test_who_was_stopped_and_erased_stays_suppressed(ctx: Context, machine: Context, clock: ManualClock) -> None:
    """Case 53: the stop outlives the person; an import brings them back and changes nothing of it."""
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, "a@example.com")])
    gone = writing.withdraw(ctx, whom, Scope("newsletter", "email"), Circumstances(Method.PREFERENCE_CENTRE)).subject_id
    clock.advance(timedelta(days=1))
    assert erasing.erase(machine, gone).suppressed == 1
    clock.advance(timedelta(days=1))
    line = A.replace("2025-11-01", clock.now().date().isoformat()).replace("T10", "T00")  # after the stop, even
    source = io.BytesIO((HEADER + line).encode())
    tried = importing.dry_run(ctx, source, GERMAN)
    assert tried.tally["answers"] == {"SUPPRESSED": 1}
    assert tried.tally["new_people"] == 1
    importing.run(ctx, source, GERMAN, tried.digest)
    assert reason(ctx, "a@example.com") is Reason.SUPPRESSED
    again = subjects_of(ctx)
    assert len(again) == 1
    assert again != [gone]
    found = answering.check(ctx, Question(Whom(again[0]), "newsletter", "email", jurisdiction="DE"))
    assert found.decision.reason is Reason.SUPPRESSED, "the person's own answer is the contact's"
    ledger.drain(machine, "test")
    assert ledger.examine(machine, Log.CONSENT).is_good
    assert replaying.replay(machine).is_good


def subjects_of(ctx: Context) -> list[str]:
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        return list(tx.run(select(table_of(SubjectRow).c.public_id)).scalars())


def test_another_file_than_that_of_the_dry_run_is_refused(ctx: Context) -> None:
    """Case 54."""
    tried = importing.dry_run(ctx, io.BytesIO((HEADER + A).encode()), GERMAN)
    with pytest.raises(ImportDigestMismatch):
        importing.run(ctx, io.BytesIO((HEADER + B).encode()), GERMAN, tried.digest)
    with pytest.raises(ImportDigestMismatch):
        importing.run(ctx, io.BytesIO((HEADER + A).encode()), OF_NEWSLETTER, tried.digest)
    assert events(ctx) == 0


def test_a_file_without_a_dry_run_is_refused(ctx: Context) -> None:
    source = io.BytesIO((HEADER + A).encode())
    with pytest.raises(ImportDigestMismatch):
        importing.run(ctx, source, GERMAN, digest_of(source, GERMAN))


def test_the_same_file_twice_makes_no_new_events(ctx: Context) -> None:
    """Case 55."""
    take(ctx, HEADER + A + B + STOP)
    before = events(ctx)
    assert take(ctx, HEADER + A + B + STOP).state == "done"
    assert events(ctx) == before == 3


def test_a_line_that_another_list_repeats_is_stored_once(ctx: Context) -> None:
    take(ctx, HEADER + A)
    report = take(ctx, HEADER + B + A + A)
    assert report.tally["duplicates"] == 2
    assert events(ctx) == 2


def test_a_dry_run_stores_nothing_and_says_what_would_be_answered(ctx: Context) -> None:
    tried = importing.dry_run(ctx, io.BytesIO((HEADER + A + B + C + STOP).encode()), GERMAN)
    assert tried.tally["answers"] == {"GRANTED": 1, "NO_CONSENT": 1, "PENDING_CONFIRMATION": 1, "WITHDRAWN": 1}
    assert tried.tally["new_people"] == 4
    assert events(ctx) == 0
    assert reason(ctx, "a@example.com") is Reason.NO_CONSENT


def test_lines_that_cannot_be_read_are_counted_and_named_by_number(ctx: Context) -> None:
    text = HEADER + A + "nonsense,granted,,,,,\n" + "x@example.com,perhaps,,,,,\n" + "y@example.com,granted,soon,,,,\n"
    report = take(ctx, text + "z@example.com,granted,2031-01-01,,,,\n")
    assert report.tally["refused"] == {
        "choice-unknown": 1, "identifier-malformed": 1, "occurred-in-future": 1, "time-unreadable": 1,
    }  # fmt: skip
    assert [line for line, _ in report.tally["first_refused"]] == [2, 3, 4, 5]
    assert "nonsense" not in str(report.tally)
    assert report.tally["stored"] == 1


def test_two_lines_of_one_person_are_applied_in_their_order(ctx: Context, machine: Context) -> None:
    take(ctx, HEADER + A + "a@example.com,withdrawn,2025-12-01,shop,,,\n")
    assert reason(ctx, "a@example.com") is Reason.WITHDRAWN
    assert replaying.replay(machine).is_good


def test_a_line_whose_identifiers_belong_to_two_people_is_refused(ctx: Context) -> None:
    text = "customer_id,email,choice\n4711,,granted\n,kim@example.com,granted\n4711,kim@example.com,granted\n"
    assert take(ctx, text).tally["refused"] == {"identity-conflict": 1}


def test_a_file_that_is_no_list_is_refused(ctx: Context) -> None:
    for text in ("", "name,choice\nKim,yes\n", HEADER + "too,few\n", "email,email\nx,y\n", 'email\n"unclosed\n'):
        with pytest.raises(ImportMalformed):
            importing.dry_run(ctx, io.BytesIO(text.encode()), GERMAN)
    with pytest.raises(ImportMalformed):
        importing.dry_run(ctx, io.BytesIO(b"email,choice\n\xff\xfe,granted\n"), GERMAN)


def test_an_import_that_broke_off_goes_on_where_it_ended(ctx: Context, machine: Context) -> None:
    text = HEADER + "".join(f"p{number}@example.com,withdrawn,2025-01-01,shop,,,\n" for number in range(1_200))
    source = io.BytesIO(text.encode())
    tried = importing.dry_run(ctx, source, GERMAN)

    class Enough(Exception):
        """The machine stops."""

    def stop(rows: int) -> None:
        if rows >= 500:
            raise Enough

    with pytest.raises(Enough):
        importing.run(ctx, source, GERMAN, tried.digest, stop)
    assert events(ctx) == 500
    assert importing.status(ctx, tried.id).line == 500
    report = importing.run(ctx, source, GERMAN, tried.digest)
    assert (report.tally["stored"], report.tally["duplicates"], events(ctx)) == (1_200, 0, 1_200)
    ledger.drain(machine, "test")
    assert ledger.examine(machine, Log.CONSENT).is_good


def test_evidence_of_a_line_is_sealed_and_stands_in_no_leaf(ctx: Context) -> None:
    take(ctx, HEADER + A)
    event, private = table_of(ConsentEventRow), table_of(EventPrivateRow)
    with ctx.database.reading("shop-group", ctx.clock.now()) as tx:
        query = select(event.c.leaf, private.c.sealed).join(private, private.c.event_id == event.c.id)
        leaf, sealed = tx.run(query).one()
    assert b"newsletter v3" not in leaf + sealed
    assert b"a@example.com" not in leaf + sealed


def test_over_http_a_list_has_an_end(ctx: Context) -> None:
    text = HEADER + "".join(f"p{number}@example.com,withdrawn,,,,,\n" for number in range(30))
    with pytest.raises(ImportTooLong):
        importing.dry_run(ctx, io.BytesIO(text.encode()), GERMAN, most=20)


def test_who_may_not_import_is_refused(machine: Context) -> None:
    analyst = machine.acting_as(staff(AccountId(uuid4()), "shop-group", Role.ANALYST))
    with pytest.raises(Forbidden):
        importing.dry_run(analyst, io.BytesIO((HEADER + A).encode()), GERMAN)


@pytest.mark.parametrize(("method", "expected"), [("banner", Reason.NO_CONSENT), ("form", Reason.GRANTED)])
def test_a_list_proves_explicit_consent_only_where_it_tells_of_a_statement(
    ctx: Context, machine: Context, method: str, expected: Reason
) -> None:
    health = PurposeVersion(
        "allergies", 1, {"en": "Allergies"}, frozenset({"email"}),
        {"*": Ground(LegalBasis.EXPLICIT_CONSENT, Regime.OPT_IN)}, flags=frozenset({PurposeFlag.SPECIAL_CATEGORY}),
    )  # fmt: skip
    purpose.publish_purpose(machine, health)
    line = f"kim@example.com,granted,2026-01-02T03:04:05Z,crm,the text,{method},2026-01-02T04:00:00Z\n"
    take(ctx, HEADER + line, Defaults(purpose="allergies", channel="email", jurisdiction="DE"))
    found = answering.check(ctx, Question(kim(ctx), "allergies", "email", jurisdiction="DE"))
    assert found.decision.reason is expected
