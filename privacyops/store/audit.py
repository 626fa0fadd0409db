"""The audit log: rows that only grow, each a leaf of a Merkle log (ledger/), and the lists people read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from privacyops.domain.audit import AuditEntry
from privacyops.kernel.ids import AuditId
from privacyops.kernel.pagination import Page, bounded
from privacyops.ledger.leaf import canonical
from privacyops.ledger.merkle import leaf_hash
from privacyops.store.tables.audit import AuditRow
from privacyops.store.tables.base import table_of
from privacyops.store.tables.ledger import LedgerPendingRow
from privacyops.store.uow import Tx

AUDIT = table_of(AuditRow)
_PENDING = table_of(LedgerPendingRow)


def add_audit(tx: Tx, entry: AuditEntry) -> None:
    """Append one row and its leaf, in the transaction of the use case it records.

    Raises: LeafNotCanonical: `detail` holds something a leaf may not (a float, a boolean, null).
    """
    leaf = canonical(entry.leaf())
    tx.run(
        insert(AUDIT),
        {
            "id": entry.id, "controller": entry.controller, "at": entry.at, "actor_kind": entry.actor_kind,
            "actor_id": str(entry.actor_id), "action": entry.action, "object_kind": entry.object_kind,
            "object_id": entry.object_id, "detail": dict(entry.detail), "request_id": entry.request_id,
        },
    )  # fmt: skip
    tx.run(
        insert(_PENDING),
        {"log": "audit", "controller": entry.controller, "entry_id": entry.id, "leaf_hash": leaf_hash(leaf)},
    )


def list_audit_of(tx: Tx, object_kind: str, object_id: str, limit: int = 100) -> Sequence[AuditEntry]:
    """The rows of one object, newest first."""
    query = (
        select(AUDIT)
        .where(AUDIT.c.controller == tx.controller, AUDIT.c.object_kind == object_kind, AUDIT.c.object_id == object_id)
        .order_by(AUDIT.c.id.desc())
        .limit(bounded(limit))
    )
    return [as_entry(row) for row in tx.run(query)]


def list_audit(tx: Tx, before: str | None = None, limit: int = 100) -> Page[AuditEntry]:
    """The controller's rows, newest first. `before` is the cursor of the page before."""
    query = select(AUDIT).where(AUDIT.c.controller == tx.controller).order_by(AUDIT.c.id.desc())
    if before:
        query = query.where(AUDIT.c.id < UUID(before))
    rows = [as_entry(row) for row in tx.run(query.limit(bounded(limit) + 1))]
    more = len(rows) > limit
    return Page(rows[:limit], str(rows[limit - 1].id) if more else None)


def as_entry(row: Row[Any]) -> AuditEntry:
    """The record of one row."""
    return AuditEntry(
        id=AuditId(row.id), controller=row.controller, at=row.at, actor_kind=row.actor_kind,
        actor_id=UUID(row.actor_id), action=row.action, object_kind=row.object_kind, object_id=row.object_id,
        detail=row.detail, request_id=row.request_id,
    )  # fmt: skip
