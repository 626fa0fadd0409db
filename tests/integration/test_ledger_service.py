"""The audit log as a Merkle log: numbered, signed, proved, and what tampering looks like. On both engines."""

import json
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text, update

from privacyops.domain.account.action import Role
from privacyops.domain.account.actor import staff
from privacyops.domain.audit import AuditEntry
from privacyops.domain.log import Log
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.errors import Forbidden
from privacyops.kernel.ids import AccountId, AuditId, uuid7
from privacyops.ledger.checkpoint import VerifierKey, open_checkpoint
from privacyops.ledger.fsck import BundleSource, Flaw, fsck
from privacyops.services import ledger
from privacyops.services.context import Context
from privacyops.store import audit, sequencer
from privacyops.store.engine import Engines
from privacyops.store.lease import take_lease
from privacyops.store.tables.base import table_of
from privacyops.store.tables.job import LeaseRow
from privacyops.store.tables.ledger import LedgerCheckpointRow, LedgerLeafRow
from privacyops.store.uow import Database
from tests.small_service import small_service

LEAF, CHECKPOINT = table_of(LedgerLeafRow), table_of(LedgerCheckpointRow)


@pytest.fixture
def ctx(database: Database, clock: ManualClock) -> Context:
    return small_service(database, clock)


def happen(ctx: Context, times: int = 1) -> list[UUID]:
    """`times` use cases, each with its audit row."""
    ids = []
    for _ in range(times):
        now = ctx.clock.now()
        entry = AuditEntry(
            AuditId(uuid7(now)), ctx.controller.key, now, "system", UUID(int=0), "dsar.received", "dsar", str(uuid4()),
            {"channel": "web", "count": 3},
        )  # fmt: skip
        with ctx.database.transaction(ctx.controller.key, now) as tx:
            audit.add_audit(tx, entry)
        ids.append(UUID(str(entry.id)))
    return ids


def numbers(ctx: Context) -> list[int]:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return list(tx.run(select(LEAF.c.seq).where(LEAF.c.log == "audit").order_by(LEAF.c.seq)).scalars())


def tamper(engines: Engines, *statements: str, **values: object) -> None:
    """What an owner of the database can do: take the guards off, change rows, put the guards back."""
    from privacyops.store import guards

    with engines.writer.begin() as connection:
        for name in guards._wanted(engines.dialect):
            table = name.rsplit("_no_", 1)[0].removeprefix("guard_")
            connection.execute(
                text(f"DROP TRIGGER {name}" if engines.dialect == "sqlite" else f"DROP TRIGGER {name} ON {table}")
            )
        for statement in statements:
            connection.execute(text(statement), values)
        guards.install(connection)


def flaws(ctx: Context, **options: object) -> list[tuple[Flaw, int | None, str | None]]:
    found = ledger.verify(ctx, Log.AUDIT, **options)  # type: ignore[arg-type]  # options of verify
    inside = [mismatch for tree in found.trees for mismatch in tree.report.mismatches]
    return [(mismatch.flaw, mismatch.index, mismatch.record) for mismatch in [*found.unlogged, *inside]]


def test_leaves_are_numbered_densely_in_the_order_of_their_commits(ctx: Context) -> None:
    ids = happen(ctx, 7)
    assert ledger.number(ctx, Log.AUDIT, "a") == 7
    ids += happen(ctx, 3)
    assert ledger.number(ctx, Log.AUDIT, "a") == 3
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        rows = tx.run(select(LEAF.c.seq, LEAF.c.entry_id).order_by(LEAF.c.seq)).all()
    assert [(row.seq, row.entry_id) for row in rows] == list(enumerate(ids, 1))


def test_a_turn_without_work_writes_nothing(ctx: Context) -> None:
    assert ledger.turn(ctx, "a") is False
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        assert tx.run(select(table_of(LeaseRow))).all() == []


def test_a_second_sequencer_waits_for_the_lease(ctx: Context) -> None:
    happen(ctx)
    assert ledger.number(ctx, Log.AUDIT, "a") == 1
    happen(ctx)
    assert ledger.number(ctx, Log.AUDIT, "b") == 0
    assert numbers(ctx) == [1]


def test_a_deposed_sequencer_cannot_sign(ctx: Context, database: Database, clock: ManualClock) -> None:
    happen(ctx)
    ledger.number(ctx, Log.AUDIT, "a")
    if database.engines.dialect == "sqlite":
        clock.advance(timedelta(seconds=11))
    else:
        with database.transaction("shop-group", clock.now()) as tx:
            tx.run(update(table_of(LeaseRow)).values(until=datetime(2020, 1, 1, tzinfo=UTC)))
    with database.transaction("shop-group", clock.now()) as tx:
        assert take_lease(tx, sequencer.lease_name("shop-group"), "b", sequencer.LEASE_TTL) == 2
    assert ledger.checkpoint(ctx, Log.AUDIT, "a") is None
    with database.reading("shop-group", clock.now()) as tx:
        assert tx.run(select(CHECKPOINT)).all() == []
    assert ledger.checkpoint(ctx, Log.AUDIT, "b") is not None


@pytest.mark.slow
def test_two_sequencers_and_many_writers_leave_no_gap_and_no_repeat(ctx: Context) -> None:
    done = threading.Event()

    def follow(owner: str) -> None:
        while not done.is_set():
            ledger.turn(ctx, owner)

    followers = [threading.Thread(target=follow, args=(owner,)) for owner in ("a", "b")]
    writers = [threading.Thread(target=happen, args=(ctx, 40)) for _ in range(4)]
    for thread in followers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in followers:
        thread.join()
    for owner in ("a", "b"):
        ledger.drain(ctx, owner)
    assert numbers(ctx) == list(range(1, 161))
    assert flaws(ctx) == []


def test_a_signed_checkpoint_opens_with_the_published_key(ctx: Context) -> None:
    happen(ctx, 300)
    ledger.drain(ctx, "a")
    (key,) = ledger.verifier_keys(ctx, Log.AUDIT)
    assert key.startswith("privacy.shop.example/audit/shop-group/2026+")
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        note = tx.run(select(CHECKPOINT.c.note)).scalar_one()
    assert open_checkpoint(note, [VerifierKey.parse(key)]).size == 300


def test_checkpoints_come_once_a_second_and_after_256_leaves(ctx: Context, clock: ManualClock) -> None:
    def signed() -> list[int]:
        with ctx.database.reading(ctx.controller.key, clock.now()) as tx:
            return list(tx.run(select(CHECKPOINT.c.size).order_by(CHECKPOINT.c.size)).scalars())

    happen(ctx)
    ledger.turn(ctx, "a")
    happen(ctx)
    ledger.turn(ctx, "a")
    assert signed() == [1]
    clock.advance(timedelta(seconds=1))
    ledger.turn(ctx, "a")
    assert signed() == [1, 2]
    happen(ctx, 256)
    ledger.turn(ctx, "a")
    assert signed() == [1, 2, 258]


def test_a_record_is_proved_with_the_public_key_alone(ctx: Context) -> None:
    ids = happen(ctx, 600)
    ledger.drain(ctx, "a")
    key = VerifierKey.parse(ledger.verifier_keys(ctx, Log.AUDIT)[0])
    for at in (0, 255, 256, 599):
        proof, leaf = ledger.prove(ctx, Log.AUDIT, ids[at]), ledger.leaf_of(ctx, Log.AUDIT, ids[at])
        assert proof.index == at
        assert json.loads(leaf)["id"] == str(ids[at])
        assert proof.proves(leaf, [key])
        assert not proof.proves(leaf.replace(b"web", b"app"), [key])


def test_a_record_that_is_not_signed_yet_is_told_apart_from_an_unknown_one(ctx: Context) -> None:
    (first,) = happen(ctx)
    with pytest.raises(ledger.NotYetNumbered):
        ledger.prove(ctx, Log.AUDIT, first)
    ledger.number(ctx, Log.AUDIT, "a")
    with pytest.raises(ledger.NotYetNumbered):
        ledger.prove(ctx, Log.AUDIT, first)
    with pytest.raises(ledger.RecordNotInLog):
        ledger.prove(ctx, Log.AUDIT, uuid4())


def test_a_new_year_opens_a_new_tree_and_numbers_go_on(ctx: Context, clock: ManualClock) -> None:
    happen(ctx, 3)
    ledger.drain(ctx, "a")
    clock.set(datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC))
    (last,) = happen(ctx)
    ledger.drain(ctx, "a")
    assert numbers(ctx) == [1, 2, 3, 4]
    found = ledger.verify(ctx, Log.AUDIT)
    assert [(tree.name, tree.report.size, tree.report.is_good) for tree in found.trees] == [
        ("2026", 3, True), ("2027", 1, True),
    ]  # fmt: skip
    assert ledger.prove(ctx, Log.AUDIT, last).index == 0


def test_a_tree_is_not_left_before_its_last_leaf_is_signed(ctx: Context, clock: ManualClock) -> None:
    happen(ctx, 3)
    ledger.number(ctx, Log.AUDIT, "a")
    clock.set(datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC))
    happen(ctx)
    ledger.turn(ctx, "a")
    happen(ctx)
    ledger.drain(ctx, "a")
    assert [tree.name for tree in ledger.verify(ctx, Log.AUDIT).trees] == ["2026", "2027"]
    assert flaws(ctx) == []


# --- tampering ----------------------------------------------------------------------------------------------------


@pytest.fixture
def signed(ctx: Context) -> list[UUID]:
    ids = happen(ctx, 20)
    ledger.drain(ctx, "a")
    ids += happen(ctx, 20)
    ledger.drain(ctx, "a")
    return ids


def test_an_untouched_log_is_good(ctx: Context, signed: list[UUID]) -> None:
    found = ledger.verify(ctx, Log.AUDIT)
    assert found.is_good
    assert found.trees[0].report.covered == 40


@pytest.mark.parametrize(
    "change",
    ["action = 'dsar.closed'", "actor_id = '11111111-1111-1111-1111-111111111111'", "controller = 'other'",
     "object_id = 'x'", "request_id = 'r'", """detail = '{"channel": "web", "count": 4}'""",
     """detail = '{"channel": 1.5}'""", "actor_id = 'nobody'"],
)  # fmt: skip
def test_a_changed_audit_row_is_named(ctx: Context, engines: Engines, signed: list[UUID], change: str) -> None:
    statement = "UPDATE audit SET " + change + " WHERE id = :id"  # noqa: S608 - the test is the tamperer
    tamper(engines, statement, id=_sql(engines, signed[13]))
    assert flaws(ctx) == [(Flaw.CHANGED, 13, str(signed[13]))]


def test_a_deleted_audit_row_is_named(ctx: Context, engines: Engines, signed: list[UUID]) -> None:
    tamper(engines, "DELETE FROM audit WHERE id = :id", id=_sql(engines, signed[25]))
    assert flaws(ctx) == [(Flaw.MISSING, 25, str(signed[25]))]


def test_a_changed_leaf_hash_is_named(ctx: Context, engines: Engines, signed: list[UUID]) -> None:
    tamper(engines, "UPDATE ledger_leaf SET leaf_hash = :hash WHERE seq = 31", hash=bytes(32))
    assert flaws(ctx) == [(Flaw.HASH_CHANGED, 30, str(signed[30]))]


def test_two_exchanged_leaves_are_named(ctx: Context, engines: Engines, signed: list[UUID]) -> None:
    tamper(
        engines,
        "UPDATE ledger_leaf SET seq = 1000 WHERE seq = 5",
        "UPDATE ledger_leaf SET seq = 5 WHERE seq = 9",
        "UPDATE ledger_leaf SET seq = 9 WHERE seq = 1000",
    )
    assert flaws(ctx) == [(Flaw.SWAPPED, 4, str(signed[8])), (Flaw.SWAPPED, 8, str(signed[4]))]


def test_a_leaf_cut_out_with_its_row_is_named(ctx: Context, engines: Engines, signed: list[UUID]) -> None:
    identity = _sql(engines, signed[21])
    tamper(engines, "DELETE FROM ledger_leaf WHERE seq = 22", "DELETE FROM audit WHERE id = :id", id=identity)
    assert (Flaw.MISSING, 21, None) in flaws(ctx)


def test_a_cut_tail_is_found_by_its_checkpoint(ctx: Context, engines: Engines, signed: list[UUID]) -> None:
    tamper(engines, "DELETE FROM ledger_leaf WHERE seq > 30", "DELETE FROM audit WHERE id >= :id",
           id=_sql(engines, signed[30]))  # fmt: skip
    assert flaws(ctx) == [(Flaw.TRUNCATED, 30, None)]


def test_a_tail_cut_with_its_checkpoints_and_head_is_found_by_a_note_kept_outside(
    ctx: Context, engines: Engines, signed: list[UUID]
) -> None:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        kept = tx.run(select(CHECKPOINT.c.note).where(CHECKPOINT.c.size == 40)).scalar_one()
    tamper(
        engines, "DELETE FROM ledger_leaf WHERE seq > 20", "DELETE FROM ledger_checkpoint WHERE size > 20",
        "DELETE FROM ledger_head", "DELETE FROM audit WHERE id >= :id", id=_sql(engines, signed[20]),
    )  # fmt: skip
    assert flaws(ctx) == []
    assert (Flaw.TRUNCATED, 20, None) in flaws(ctx, anchored=[kept])


def test_a_row_written_around_the_application_is_named(ctx: Context, signed: list[UUID]) -> None:
    stranger = uuid4()
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        tx.run(
            insert(audit.AUDIT),
            {
                "id": stranger, "controller": "shop-group", "at": tx.now, "actor_kind": "system", "actor_id": "x",
                "action": "a", "object_kind": "dsar", "object_id": "1", "detail": {},
            },
        )  # fmt: skip
    assert flaws(ctx) == [(Flaw.UNLOGGED, None, str(stranger))]


def test_nothing_is_signed_over_a_rewritten_past(ctx: Context, engines: Engines, signed: list[UUID]) -> None:
    tamper(engines, "UPDATE ledger_leaf SET leaf_hash = :hash WHERE seq = 3", hash=bytes(32))
    happen(ctx)
    ledger.number(ctx, Log.AUDIT, "a")
    with pytest.raises(ledger.LogForked):
        ledger.checkpoint(ctx, Log.AUDIT, "a")


def test_a_log_signed_by_another_key_is_refused_by_whoever_knows_the_true_one(
    ctx: Context, database: Database, clock: ManualClock, signed: list[UUID]
) -> None:
    true_key = ctx.ports.signer.public_key
    forger = small_service(database, clock, private=bytes(32))
    happen(forger)
    ledger.drain(forger, "a")
    assert flaws(ctx, keys=[true_key]) == [(Flaw.CHECKPOINT, None, None)]


def test_only_who_may_see_the_log_verifies_it(ctx: Context) -> None:
    analyst = ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.ANALYST))
    with pytest.raises(Forbidden):
        ledger.verify(analyst, Log.AUDIT)
    auditor = ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.AUDITOR))
    assert ledger.verify(auditor, Log.AUDIT).is_good


def test_published_files_verify_without_the_database(ctx: Context) -> None:
    happen(ctx, 520)
    ledger.drain(ctx, "a")
    files: dict[str, bytes] = {}
    assert ledger.publish(ctx, Log.AUDIT, files.__setitem__) == ["2026"]
    key = VerifierKey.parse(files["2026/vkeys"].decode())
    source = BundleSource(lambda path: files.get(f"2026/{path}"), 520)
    notes = [files[path].decode() for path in sorted(files) if "/checkpoints/" in path]
    assert fsck(source, notes, [key], origin=key.name).is_good
    path = "2026/tile/entries/001"
    files[path] = files[path].replace(b"dsar.received", b"dsar.refused!", 1)
    report = fsck(source, notes, [key], origin=key.name)
    assert [(mismatch.flaw, mismatch.index) for mismatch in report.mismatches] == [(Flaw.CHANGED, 256)]


def _sql(engines: Engines, value: UUID) -> object:
    return value.hex if engines.dialect == "sqlite" else value
