"""Leases, heartbeats and used slots: who alone may act, who is alive, what has been enqueued."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, case, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import table_of
from privacyops.store.tables.job import ExecutorRow, LeaseRow, SlotRow
from privacyops.store.uow import Tx

_LEASE = table_of(LeaseRow)
_EXECUTOR = table_of(ExecutorRow)
_SLOT = table_of(SlotRow)


def shared_now(tx: Tx) -> Instant:
    """The moment on the clock that every process sharing this database agrees on.

    PostgreSQL: the server's own, so that machines with different clocks cannot both hold a lease. SQLite has one
    process, whose clock this transaction was given.
    """
    if tx.dialect == "postgresql":
        now: Instant = tx.run(select(func.clock_timestamp())).scalar_one()
        return now
    return tx.now


def take_lease(tx: Tx, name: str, owner: str, ttl: timedelta) -> int | None:
    """Take or renew the lease `name`; its epoch, or None while somebody else holds it.

    The epoch grows when the lease changes hands and when it had run out, even for its old owner: whatever an old
    epoch still wants to write is refused.
    """
    now = shared_now(tx)
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    fresh = dialect.insert(_LEASE).values(name=name, owner=owner, epoch=1, until=now + ttl)
    lost: ColumnElement[bool] = or_(_LEASE.c.owner != owner, _LEASE.c.until <= now)
    statement = fresh.on_conflict_do_update(
        index_elements=[_LEASE.c.name],
        set_={
            "owner": owner,
            "epoch": _LEASE.c.epoch + case((lost, 1), else_=0),
            "until": now + ttl,
        },
        where=or_(_LEASE.c.owner == owner, _LEASE.c.until <= now),
    ).returning(_LEASE.c.epoch)
    return tx.run(statement).scalar_one_or_none()


def holds_lease(tx: Tx, name: str, owner: str, epoch: int) -> bool:
    """Whether this epoch still stands; locks the row on PostgreSQL, so that it stands until the commit."""
    query = select(_LEASE.c.epoch).where(
        and_(_LEASE.c.name == name, _LEASE.c.owner == owner, _LEASE.c.epoch == epoch, _LEASE.c.until > shared_now(tx))
    )
    return tx.run(query.with_for_update() if tx.dialect == "postgresql" else query).first() is not None


def drop_lease(tx: Tx, name: str, owner: str) -> None:
    """Let the next one in at once, on an orderly stop."""
    tx.run(update(_LEASE).where(_LEASE.c.name == name, _LEASE.c.owner == owner).values(until=shared_now(tx)))


def add_executor(tx: Tx, executor: str) -> None:
    """Record one start of one worker."""
    now = shared_now(tx)
    tx.run(insert(_EXECUTOR), {"id": executor, "state": "live", "started_at": now, "seen_at": now})


def beat(tx: Tx, executor: str) -> bool:
    """Renew the heartbeat; False: this executor was declared dead and must start nothing more."""
    statement = update(_EXECUTOR).where(_EXECUTOR.c.id == executor, _EXECUTOR.c.state == "live")
    return tx.run(statement.values(seen_at=shared_now(tx))).rowcount == 1


def claim_dead_executors(tx: Tx, ttl: timedelta, but: str, *, sole: bool) -> Sequence[str]:
    """Executors without a heartbeat for `ttl`, now marked as being reaped, and those somebody left half reaped.

    `sole`: this process is the only one (embedded mode holds a lock file), so every other executor is dead.
    """
    silent = _EXECUTOR.c.seen_at <= shared_now(tx) - ttl
    dead = _EXECUTOR.c.state == "live" if sole else and_(_EXECUTOR.c.state == "live", silent)
    tx.run(update(_EXECUTOR).where(dead, _EXECUTOR.c.id != but).values(state="reaping"))
    return tx.run(select(_EXECUTOR.c.id).where(_EXECUTOR.c.state == "reaping")).scalars().all()


def end_executor(tx: Tx, executor: str, state: str) -> None:
    """`reaped`: its work was handed on; `left`: it stopped in order; `reaping`: it stopped, and left work behind.

    One that others are reaping stays with them, whatever it says of itself.
    """
    statement = update(_EXECUTOR).where(_EXECUTOR.c.id == executor)
    if state != "reaped":
        statement = statement.where(_EXECUTOR.c.state == "live")
    tx.run(statement.values(state=state))


def count_live_executors(tx: Tx, ttl: timedelta) -> int:
    """Workers with a heartbeat within `ttl`; 0 means that nothing moves."""
    fresh = and_(_EXECUTOR.c.state == "live", _EXECUTOR.c.seen_at > shared_now(tx) - ttl)
    return int(tx.run(select(func.count()).select_from(_EXECUTOR).where(fresh)).scalar_one())


def use_slot(tx: Tx, kind: str, slot: str) -> bool:
    """True for the first caller of this slot, False for every later one."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(_SLOT).values(kind=kind, slot=slot, at=tx.now).on_conflict_do_nothing()
    return tx.run(statement.returning(_SLOT.c.slot)).first() is not None
