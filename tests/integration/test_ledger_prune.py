"""A year's records go when their term is over, and only then; the last checkpoint stays. On both engines."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError

from privacyops.domain.consent.state import Method
from privacyops.domain.log import Log
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import ManualClock
from privacyops.ledger.fsck import Flaw
from privacyops.services import ledger, proof, prune, purpose
from privacyops.services.consent import replaying, writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.context import Context
from privacyops.store import guards
from privacyops.store.engine import Engines
from privacyops.store.tables.audit import AuditRow
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import EventPrivateRow
from privacyops.store.uow import Database
from tests.small_service import small_service

AUDIT = table_of(AuditRow)


def year(clock: ManualClock, number: int) -> None:
    clock.set(datetime(number, 6, 1, 10, tzinfo=UTC))


@pytest.fixture
def ctx(database: Database, clock: ManualClock) -> Context:
    """Records of 2026, and of 2033."""
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    purpose.add_brand(ctx, "second", "Second", None)
    ledger.drain(ctx, "a")
    year(clock, 2033)
    purpose.add_brand(ctx, "third", "Third", None)
    ledger.drain(ctx, "a")
    return ctx


def rows(ctx: Context) -> int:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return int(tx.run(select(func.count()).select_from(AUDIT)).scalar_one())


def test_an_old_year_of_the_audit_log_goes_and_its_last_checkpoint_stays(ctx: Context) -> None:
    before, kept = rows(ctx), proof.newest_checkpoint(ctx, Log.AUDIT, "shop-group", "2026")
    assert prune.look(ctx, Log.AUDIT, "2026") == 2
    assert prune.prune(ctx, Log.AUDIT, "2026") == 2
    assert rows(ctx) == before - 2 + 1  # and the row that says so
    ledger.drain(ctx, "a")
    assert proof.newest_checkpoint(ctx, Log.AUDIT, "shop-group", "2026") == kept
    report = ledger.examine(ctx, Log.AUDIT, anchored=[kept])
    assert report.is_good
    assert report.trees[0].report.warnings[0].startswith("pruned")


def test_the_guards_are_back_afterwards(ctx: Context, engines: Engines) -> None:
    prune.prune(ctx, Log.AUDIT, "2026")
    with engines.writer.begin() as connection:
        guards.check(connection)
    with pytest.raises(DBAPIError), engines.writer.begin() as connection:
        connection.execute(delete(AUDIT))


def test_a_pruned_tree_that_was_forked_is_still_found_by_a_kept_checkpoint(ctx: Context) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from privacyops.ledger.checkpoint import Checkpoint, SignedNote, VerifierKey, sign_checkpoint
    from tests.small_service import PRIVATE

    note = proof.newest_checkpoint(ctx, Log.AUDIT, "shop-group", "2026")
    signed = Checkpoint.parse(SignedNote.parse(note).text)
    key = Ed25519PrivateKey.from_private_bytes(PRIVATE)
    named = VerifierKey(signed.origin, key.public_key().public_bytes_raw())
    other = str(sign_checkpoint(Checkpoint(signed.origin, signed.size, bytes(32)), [(named, key.sign)]))
    prune.prune(ctx, Log.AUDIT, "2026")
    ledger.drain(ctx, "a")
    found = ledger.examine(ctx, Log.AUDIT, anchored=[other]).trees[0].report.mismatches
    assert [one.flaw for one in found] == [Flaw.FORKED]


def test_a_year_whose_term_runs_and_the_tree_in_use_stay(ctx: Context, clock: ManualClock) -> None:
    year(clock, 2032)
    with pytest.raises(prune.TreeInUse):
        prune.prune(ctx, Log.AUDIT, "2026")
    with pytest.raises(prune.TreeInUse):
        prune.prune(ctx, Log.AUDIT, "2033")
    with pytest.raises(proof.TreeUnknown):
        prune.prune(ctx, Log.AUDIT, "1999")


def test_a_year_is_pruned_once(ctx: Context) -> None:
    prune.prune(ctx, Log.AUDIT, "2026")
    with pytest.raises(proof.TreeUnknown):
        prune.prune(ctx, Log.AUDIT, "2026")


def test_a_consent_year_stays_while_a_record_of_somebody_stands_in_it(database: Database, clock: ManualClock) -> None:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, "kim@example.com")])
    writing.record_choices(ctx, whom, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], Circumstances(Method.FORM))
    ledger.drain(ctx, "a")
    year(clock, 2033)
    lee = Whom.of(ctx, None, [(IdentifierType.EMAIL, "lee@example.com")])
    writing.record_choices(ctx, lee, [Choice("newsletter", "email", ChoiceAnswer.GRANT)], Circumstances(Method.FORM))
    ledger.drain(ctx, "a")
    with pytest.raises(prune.TreeInUse, match="1 of its records"):
        prune.prune(ctx, Log.CONSENT, "2026")
    assert replaying.replay(ctx).is_good
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        first = tx.run(select(table_of(EventPrivateRow).c.event_id).order_by(table_of(EventPrivateRow).c.event_id))
        tx.run(delete(table_of(EventPrivateRow)).where(table_of(EventPrivateRow).c.event_id == first.scalars().first()))
    assert prune.prune(ctx, Log.CONSENT, "2026") == 7
    assert ledger.examine(ctx, Log.CONSENT).is_good
