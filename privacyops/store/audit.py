"""The audit log: rows that only grow, each a leaf of a Merkle log (ledger/), and the lists people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, or_, select

from privacyops.domain.audit import AuditEntry
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AuditId
from privacyops.kernel.pagination import Page, bounded
from privacyops.ledger.leaf import canonical
from privacyops.ledger.merkle import leaf_hash
from privacyops.store.tables.account import ApiKeyRow
from privacyops.store.tables.audit import AuditRow
from privacyops.store.tables.base import table_of
from privacyops.store.tables.ledger import LedgerLeafRow, LedgerPendingRow
from privacyops.store.uow import Tx

AUDIT = table_of(AuditRow)
_KEY = table_of(ApiKeyRow)
_LEAF = table_of(LedgerLeafRow)
PREPARING: Final = (
    "dsar.decide", "dsar.finish_review", "dsar.submit_for_approval", "dsar.start_execution", "dsar.identity_accepted",
    "run.done_by_hand", "run.answered_without", "run.retry", "dsar.search_again", "dsar.plan_erasure", "dsar.redact",
    "dsar.plan_rectification", "dsar.corrections", "dsar.texts_seen", "dsar.texts_vouched",
)  # fmt: skip
"""Acts that shape an answer."""
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


def list_hands(tx: Tx, dsar_id: UUID) -> frozenset[UUID]:
    """Every member of staff who ever changed what the answer to a request says; none of them may approve it.

    What a key did is the act of whoever made the key and saw its secret.
    """
    query = select(AUDIT.c.actor_kind, AUDIT.c.actor_id).where(
        AUDIT.c.controller == tx.controller, AUDIT.c.object_kind == "dsar", AUDIT.c.object_id == str(dsar_id),
        AUDIT.c.actor_kind.in_(["staff", "api_key"]), AUDIT.c.action.in_(PREPARING),
    )  # fmt: skip
    return _people(tx, [(row.actor_kind, UUID(row.actor_id)) for row in tx.run(query.distinct())])


def list_link_hands(tx: Tx, store: UUID, since: Instant) -> Mapping[str, frozenset[UUID]]:
    """Who answered about which link of a store since an instant, also answers that were changed later."""
    query = select(AUDIT.c.actor_kind, AUDIT.c.actor_id, AUDIT.c.detail).where(
        AUDIT.c.controller == tx.controller, AUDIT.c.object_kind == "store", AUDIT.c.object_id == str(store),
        AUDIT.c.action == "store.link", AUDIT.c.at >= since,
    )  # fmt: skip
    acted: dict[str, list[tuple[str, UUID]]] = {}
    for row in tx.run(query):
        acted.setdefault(str(row.detail["link"]), []).append((row.actor_kind, UUID(row.actor_id)))
    return {link: _people(tx, mine) for link, mine in acted.items()}


def _people(tx: Tx, acted: Sequence[tuple[str, UUID]]) -> frozenset[UUID]:
    keys = [one for kind, one in acted if kind == "api_key"]
    makers = select(_KEY.c.created_by).where(_KEY.c.controller == tx.controller, _KEY.c.id.in_(keys))
    made_by = [maker for maker in tx.run(makers).scalars() if maker is not None] if keys else []
    return frozenset([*(one for kind, one in acted if kind == "staff"), *made_by])


def list_audit(tx: Tx, before: str | None = None, limit: int = 100) -> Page[AuditEntry]:
    """The controller's rows, newest first. `before` is the cursor of the page before."""
    query = select(AUDIT).where(AUDIT.c.controller == tx.controller).order_by(AUDIT.c.id.desc())
    if before:
        query = query.where(AUDIT.c.id < UUID(before))
    rows = [as_entry(row) for row in tx.run(query.limit(bounded(limit) + 1))]
    more = len(rows) > limit
    return Page(rows[:limit], str(rows[limit - 1].id) if more else None)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows are wanted; None: any. `action` is one action, or a noun for all of its actions."""

    actor: UUID | None = None
    action: str | None = None
    since: Instant | None = None
    until: Instant | None = None


def list_filtered(tx: Tx, wanted: AuditFilter, before: str | None = None, limit: int = 100) -> Page[AuditEntry]:
    """The rows that fit, newest first. Raises: ValueError: `before` is no cursor of this list."""
    query = select(AUDIT).where(AUDIT.c.controller == tx.controller).order_by(AUDIT.c.id.desc())
    if before:
        query = query.where(AUDIT.c.id < UUID(before))
    if wanted.actor is not None:
        query = query.where(AUDIT.c.actor_id == str(wanted.actor))
    if wanted.action is not None:
        one = wanted.action.replace("%", "").replace("_", r"\_")
        query = query.where(or_(AUDIT.c.action == wanted.action, AUDIT.c.action.like(f"{one}.%", escape="\\")))
    if wanted.since is not None:
        query = query.where(AUDIT.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AUDIT.c.at < wanted.until)
    rows = [as_entry(row) for row in tx.run(query.limit(bounded(limit) + 1))]
    more = len(rows) > limit
    return Page(rows[:limit], str(rows[limit - 1].id) if more else None)


def places_of(tx: Tx, entries: Sequence[AuditId]) -> Mapping[AuditId, tuple[int, str]]:
    """Number in the log and hash of the leaf, in hex, of those entries that are numbered."""
    query = select(_LEAF.c.entry_id, _LEAF.c.seq, _LEAF.c.leaf_hash).where(
        _LEAF.c.controller == tx.controller, _LEAF.c.log == "audit", _LEAF.c.entry_id.in_(list(entries))
    )
    return {AuditId(row.entry_id): (row.seq, row.leaf_hash.hex()) for row in tx.run(query)}


def as_entry(row: Row[Any]) -> AuditEntry:
    """The record of one row."""
    return AuditEntry(
        id=AuditId(row.id), controller=row.controller, at=row.at, actor_kind=row.actor_kind,
        actor_id=UUID(row.actor_id), action=row.action, object_kind=row.object_kind, object_id=row.object_id,
        detail=row.detail, request_id=row.request_id,
    )  # fmt: skip
