"""The list of suppressed contacts against the log: an entry written or taken away by hand is named. On both engines."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, update

from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.state import Method
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.services import purpose
from privacyops.services.consent import replaying, suppressing, writing
from privacyops.services.consent.replaying import Difference
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.context import Context
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import SuppressionRow
from privacyops.store.uow import Database
from tests.small_service import small_service

LIST = table_of(SuppressionRow)
KIM, NOBODY = (SubjectIdentifier(IdentifierType.EMAIL, f"{name}@example.com") for name in ("kim", "nobody"))


@pytest.fixture
def ctx(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, KIM.value)])
    writing.record_choices(ctx, whom, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], Circumstances(Method.FORM))
    for contact in (KIM, NOBODY):
        suppressing.suppress(ctx, contact, SuppressionReason.COMPLAINT)
    return ctx


def found(ctx: Context) -> list[tuple[Difference, str]]:
    return [(one.difference, one.at) for one in replaying.replay(ctx).findings]


def by_hand(ctx: Context, statement: object) -> None:
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        tx.run(statement)  # type: ignore[arg-type]  # any statement on the list


def refs(ctx: Context, contact: SubjectIdentifier) -> list[bytes]:
    return suppressing.refs_of_contact(ctx, contact)


def test_an_untouched_list_agrees_with_the_events(ctx: Context) -> None:
    assert found(ctx) == []


def test_an_entry_taken_off_by_hand_is_named_through_the_person(ctx: Context) -> None:
    by_hand(ctx, delete(LIST).where(LIST.c.ref.in_(refs(ctx, KIM))))
    assert (Difference.SUPPRESSION, "email/complaint is not on the list") in found(ctx)


def test_an_entry_of_nobody_taken_off_by_hand_is_named_by_its_event(ctx: Context) -> None:
    event = event_of(ctx)
    by_hand(ctx, delete(LIST).where(LIST.c.ref.in_(refs(ctx, NOBODY))))
    assert found(ctx) == [(Difference.SUPPRESSION, f"event {event} has no entry on the list")]


def event_of(ctx: Context) -> object:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return tx.run(LIST.select().where(LIST.c.ref.in_(refs(ctx, NOBODY)))).one().event_id


def test_an_entry_whose_reason_was_changed_by_hand_is_named(ctx: Context) -> None:
    by_hand(ctx, update(LIST).where(LIST.c.ref.in_(refs(ctx, NOBODY))).values(reason="legal"))
    assert [difference for difference, _ in found(ctx)] == [Difference.SUPPRESSION]


def test_an_entry_written_by_hand_is_named(ctx: Context) -> None:
    row = {
        "ref": b"x" * 32, "reason": "complaint", "purpose_no": 0, "brand_no": 0, "controller": ctx.controller.key,
        "event_id": UUID("019c3b2e-7d10-7c44-9a51-2f6f0c1d8e90"), "order_t": 0,
    }  # fmt: skip
    by_hand(ctx, insert(LIST).values(row))
    assert found(ctx)[0][1].startswith("the entry of event 019c3b2e")


def test_an_entry_that_a_person_lifted_leaves_no_finding(ctx: Context) -> None:
    dora = staff(AccountId(uuid4()), ctx.controller.key, Role.DPO, step_up_at=ctx.clock.now())
    for contact in (KIM, NOBODY):
        suppressing.lift(ctx.acting_as(dora), contact, SuppressionReason.COMPLAINT, "they wrote to us again")
    assert found(ctx) == []
