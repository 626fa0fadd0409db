"""What every table may rely on: one committing place, moments that survive, guards that hold."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from privacyops.kernel.clock import ManualClock, NaiveInstant
from privacyops.kernel.errors import StaleState
from privacyops.store import guards, schema
from privacyops.store.audit import AUDIT
from privacyops.store.engine import Engines
from privacyops.store.tables.base import table_of
from privacyops.store.tables.job import LeaseRow
from privacyops.store.uow import Database, Tx

LEASE = table_of(LeaseRow)


def _lease(tx: Tx, name: str = "clock", until: datetime | None = None) -> None:
    tx.run(insert(LEASE), {"name": name, "owner": "a", "epoch": 1, "until": until or tx.now})


def _audit_row(now: datetime) -> dict[str, object]:
    return {
        "id": uuid4(), "controller": "shop", "at": now, "actor_kind": "system", "actor_id": "x", "action": "a",
        "object_kind": "dsar", "object_id": "1", "detail": {},
    }  # fmt: skip


def test_an_instant_comes_back_as_the_same_moment_in_utc(database: Database, clock: ManualClock) -> None:
    moment = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with database.transaction("shop", clock.now()) as tx:
        _lease(tx, until=moment)
    with database.reading("shop", clock.now()) as tx:
        stored = tx.run(select(LEASE.c.until)).scalar_one()
    assert stored == moment
    assert stored.tzinfo is UTC


def test_a_naive_datetime_is_refused(database: Database, clock: ManualClock) -> None:
    with pytest.raises(Exception, match="time zone") as caught, database.transaction("shop", clock.now()) as tx:
        _lease(tx, until=datetime(2026, 1, 1))  # noqa: DTZ001 - the naive value is what is tested
    assert isinstance(caught.value.__cause__, NaiveInstant)


def test_a_block_that_raises_leaves_nothing_behind(database: Database, clock: ManualClock) -> None:
    def fail_halfway() -> None:
        with database.transaction("shop", clock.now()) as tx:
            _lease(tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    with database.reading("shop", clock.now()) as tx:
        assert tx.run(select(LEASE)).all() == []


def test_a_move_that_meets_no_row_is_stale(database: Database, clock: ManualClock) -> None:
    with pytest.raises(StaleState), database.transaction("shop", clock.now()) as tx:
        tx.move(update(LEASE).where(LEASE.c.name == "absent").values(epoch=2))


def test_a_reading_transaction_cannot_leave_a_change(database: Database, clock: ManualClock) -> None:
    try:
        with database.reading("shop", clock.now()) as tx:
            _lease(tx)
    except Exception:  # noqa: S110 - SQLite refuses at once, PostgreSQL rolls back; both must leave nothing
        pass
    with database.reading("shop", clock.now()) as tx:
        assert tx.run(select(LEASE)).all() == []


@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'b'", "DELETE FROM audit"])
def test_an_append_only_table_refuses(database: Database, clock: ManualClock, statement: str) -> None:
    with database.transaction("shop", clock.now()) as tx:
        tx.run(insert(AUDIT), _audit_row(clock.now()))
    with pytest.raises(IntegrityError, match="append-only"), database.transaction("shop", clock.now()) as tx:
        tx.run(text(statement))


def test_replacing_a_row_does_not_slip_past_the_guard(database: Database, clock: ManualClock) -> None:
    row = _audit_row(clock.now())
    with database.transaction("shop", clock.now()) as tx:
        tx.run(insert(AUDIT), row)
    verb = "INSERT OR REPLACE INTO audit SELECT * FROM audit"
    if database.engines.dialect == "postgresql":
        verb = "TRUNCATE audit"
    with pytest.raises(DBAPIError, match="append-only"), database.transaction("shop", clock.now()) as tx:
        tx.run(text(verb))


def test_a_dropped_guard_is_named_at_start(engines: Engines) -> None:
    drop = "DROP TRIGGER guard_audit_no_delete"
    with engines.writer.begin() as connection:
        connection.exec_driver_sql(drop if engines.dialect == "sqlite" else f"{drop} ON audit")
    with pytest.raises(guards.WriteGuardMissing) as caught:
        schema.check(engines)
    assert caught.value.members["guards"] == ["guard_audit_no_delete"]


def test_migrating_again_puts_the_guard_back(engines: Engines) -> None:
    drop = "DROP TRIGGER guard_audit_no_delete"
    with engines.writer.begin() as connection:
        connection.exec_driver_sql(drop if engines.dialect == "sqlite" else f"{drop} ON audit")
    schema.migrate(engines)
    schema.check(engines)
