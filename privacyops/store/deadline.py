"""Dates on which something has to happen. A new date is a new row; the old one is superseded."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.deadline import DeadlineRow
from privacyops.store.uow import Tx

_DEADLINE = table_of(DeadlineRow)


@dataclass(frozen=True, slots=True)
class DueDeadline:
    """An armed deadline whose moment has come. `slot` tells which reminder of its kind it is, such as `-5d`."""

    id: object
    dsar_id: DsarId
    kind: str
    slot: str
    due_at: Instant


def arm(tx: Tx, dsar_id: DsarId, kind: str, slots: Sequence[tuple[str, Instant]]) -> None:
    """Replace the armed rows of this kind. A slot whose moment has passed already is not armed: it would nag."""
    disarm(tx, dsar_id, kind, "superseded")
    rows = [
        {"id": uuid7(tx.now), "controller": tx.controller, "dsar_id": dsar_id, "kind": kind, "slot": slot,
         "due_at": due_at, "state": "armed", "created_at": tx.now}
        for slot, due_at in slots
        if due_at > tx.now
    ]  # fmt: skip
    if rows:
        tx.run(insert(_DEADLINE), rows)


def disarm(tx: Tx, dsar_id: DsarId, kind: str | None, state: str) -> None:
    """End the armed rows of a kind, or all of a request: `superseded` by new dates, or `met`."""
    statement = update(_DEADLINE).where(_DEADLINE.c.dsar_id == dsar_id, _DEADLINE.c.state == "armed")
    if kind is not None:
        statement = statement.where(_DEADLINE.c.kind == kind)
    tx.run(statement.values(state=state, ended_at=tx.now))


def list_due(tx: Tx, limit: int = 500) -> Sequence[DueDeadline]:
    """Armed rows whose moment has come, oldest first."""
    query = (
        select(_DEADLINE)
        .where(_DEADLINE.c.state == "armed", _DEADLINE.c.due_at <= tx.now, _DEADLINE.c.controller == tx.controller)
        .order_by(_DEADLINE.c.due_at)
        .limit(limit)
    )
    return [DueDeadline(row.id, DsarId(row.dsar_id), row.kind, row.slot, row.due_at) for row in tx.run(query)]


def fire(tx: Tx, deadline: DueDeadline) -> bool:
    """Mark it as fired if it is still armed for the same moment; False: somebody else did, or the date moved."""
    statement = (
        update(_DEADLINE)
        .where(_DEADLINE.c.id == deadline.id, _DEADLINE.c.state == "armed", _DEADLINE.c.due_at == deadline.due_at)
        .values(state="fired", ended_at=tx.now)
    )
    return tx.run(statement).rowcount == 1
