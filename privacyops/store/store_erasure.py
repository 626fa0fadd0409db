"""Erasures in the shop's stores: one row a request and store, receipts, and the ledger of what was erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.dsar.erasing import ENDED, ErasingState, StoreErasure, advance_erasing
from privacyops.domain.dsar.kind import RequestType
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import DsarId, uuid7
from privacyops.store.dsar import DSAR
from privacyops.store.tables.base import table_of
from privacyops.store.tables.store_erasure import ErasedRecordRow, ErasureReceiptRow, StoreErasureRow, StoreEventRow
from privacyops.store.uow import Tx

_ERASURE = table_of(StoreErasureRow)
_RECEIPT = table_of(ErasureReceiptRow)
_ERASED = table_of(ErasedRecordRow)
_EVENT = table_of(StoreEventRow)
_ASKED = ENDED | {ErasingState.ERASING, ErasingState.PENDING, ErasingState.BY_HAND}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedRecord:
    """One entry of the ledger of erased records."""

    collection: str
    row_mac: bytes
    person_mac: bytes
    key_version: int
    act: str
    columns: tuple[str, ...]
    policy: str
    erased_at: Instant


def add_erasure(tx: Tx, dsar_id: DsarId, store: str, state: ErasingState) -> UUID:
    """The erasure of a request in a store."""
    erasure = uuid7(tx.now)
    tx.run(
        insert(_ERASURE),
        {"id": erasure, "dsar_id": dsar_id, "controller": tx.controller, "store": store, "state": state, "version": 1,
         "plan": {}, "report": {}, "sweeps": 0},
    )  # fmt: skip
    return erasure


def load_erasure(tx: Tx, erasure: UUID) -> StoreErasure:
    """Raises: NotFound."""
    row = tx.run(select(_ERASURE).where(_ERASURE.c.id == erasure, _ERASURE.c.controller == tx.controller)).one_or_none()
    if row is None:
        raise NotFound
    return _erasure(row)


def list_erasures(tx: Tx, dsar_id: DsarId) -> Sequence[StoreErasure]:
    """The erasures of one request, by store."""
    query = select(_ERASURE).where(_ERASURE.c.dsar_id == dsar_id, _ERASURE.c.controller == tx.controller)
    return [_erasure(row) for row in tx.run(query.order_by(_ERASURE.c.store))]


def move_erasure(tx: Tx, seen: StoreErasure, to: ErasingState, **changed: Any) -> None:
    """Compare-and-set. Raises: TransitionRefused, StaleState."""
    advance_erasing(seen.state, to)
    _save(tx, seen, state=to, **changed)


def save_erasure(tx: Tx, seen: StoreErasure, **changed: Any) -> None:
    """Change an erasure without moving it. Raises: StaleState."""
    _save(tx, seen, **changed)


def drop_erasure(tx: Tx, seen: StoreErasure) -> None:
    """Take back an erasure that was planned and not begun. Raises: StaleState."""
    tx.move(
        delete(_ERASURE).where(
            _ERASURE.c.id == seen.id, _ERASURE.c.state == seen.state, _ERASURE.c.version == seen.version
        )
    )


def _save(tx: Tx, seen: StoreErasure, **changed: Any) -> None:
    same = update(_ERASURE).where(
        _ERASURE.c.id == seen.id, _ERASURE.c.state == seen.state, _ERASURE.c.version == seen.version
    )
    tx.move(same.values(version=seen.version + 1, **changed))


def list_due_sweeps(tx: Tx, limit: int = 100) -> Sequence[StoreErasure]:
    """Erasures whose store is to be searched again by now."""
    query = select(_ERASURE).where(_ERASURE.c.controller == tx.controller, _ERASURE.c.sweep_at <= tx.now)
    return [_erasure(row) for row in tx.run(query.order_by(_ERASURE.c.sweep_at).limit(limit))]


def list_due_polls(tx: Tx, limit: int = 100) -> Sequence[StoreErasure]:
    """Erasures whose store is to be asked by now how its jobs stand."""
    query = select(_ERASURE).where(_ERASURE.c.controller == tx.controller, _ERASURE.c.poll_at <= tx.now)
    return [_erasure(row) for row in tx.run(query.order_by(_ERASURE.c.poll_at).limit(limit))]


def list_pending(tx: Tx, store: str, limit: int = 500) -> Sequence[StoreErasure]:
    """Erasures of which a store still has jobs that run, those that began first come first."""
    query = select(_ERASURE).where(
        _ERASURE.c.controller == tx.controller, _ERASURE.c.store == store, _ERASURE.c.poll_at.is_not(None)
    )
    return [_erasure(row) for row in tx.run(query.order_by(_ERASURE.c.id).limit(limit))]


def add_event(tx: Tx, event: bytes) -> bool:
    """Note what a store's service told, by its keyed hash; False: it told it before."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    row = {"controller": tx.controller, "event": event, "heard_at": tx.now}
    fresh = dialect.insert(_EVENT).values(**row).on_conflict_do_nothing()
    return tx.run(fresh.returning(_EVENT.c.event)).first() is not None


def find_asked_of(tx: Tx, contact_index: bytes, store: str, since: Instant) -> DsarId | None:
    """The newest erasure of this contact that a store was asked for, by machine or by hand; None: none since then."""
    query = (
        select(_ERASURE.c.dsar_id)
        .join(DSAR, DSAR.c.id == _ERASURE.c.dsar_id)
        .where(DSAR.c.controller == tx.controller, DSAR.c.contact_index == contact_index)
        .where(DSAR.c.type == RequestType.ERASURE, DSAR.c.received_at >= since)
        .where(_ERASURE.c.store == store, _ERASURE.c.state.in_(_ASKED))
        .order_by(DSAR.c.received_at.desc())
        .limit(1)
    )
    found = tx.run(query).scalar_one_or_none()
    return DsarId(found) if found else None


def drop_events(tx: Tx, before: Instant) -> int:
    """Forget what was told before an instant; how many."""
    return int(tx.run(delete(_EVENT).where(_EVENT.c.controller == tx.controller, _EVENT.c.heard_at < before)).rowcount)


def add_receipt(tx: Tx, dsar_id: DsarId, sha256: str, jws: str) -> None:
    """A receipt of what was done; a later one supplements it."""
    tx.run(
        insert(_RECEIPT),
        {"id": uuid7(tx.now), "dsar_id": dsar_id, "controller": tx.controller, "sha256": sha256, "jws": jws,
         "made_at": tx.now},
    )  # fmt: skip


def list_receipts(tx: Tx, dsar_id: DsarId) -> Sequence[tuple[str, str, Instant]]:
    """(sha256, jws, made at) of each receipt, oldest first."""
    query = select(_RECEIPT).where(_RECEIPT.c.dsar_id == dsar_id, _RECEIPT.c.controller == tx.controller)
    return [(row.sha256, row.jws, row.made_at) for row in tx.run(query.order_by(_RECEIPT.c.id))]


def add_erased(tx: Tx, erasure: UUID, store: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Note records that were erased; one that is noted at this moment already, with the same columns, is not again."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(_ERASED).on_conflict_do_nothing()
    rows = [
        {"id": uuid7(tx.now), "erasure_id": erasure, "controller": tx.controller, "store": store,
         "erased_at": tx.now, "columns_hash": sha256("\0".join(one["columns"]).encode()).digest(), **one}
        for one in records
    ]  # fmt: skip
    if rows:
        tx.run(statement, rows)


def page_of_erased(
    tx: Tx, store: str, since: Instant, after: UUID | None, limit: int
) -> tuple[Sequence[ErasedRecord], UUID | None]:
    """Records of a store that were erased since an instant, and where the next page begins (None: the last)."""
    query = select(_ERASED).where(
        _ERASED.c.controller == tx.controller, _ERASED.c.store == store, _ERASED.c.erased_at >= since
    )
    if after is not None:
        query = query.where(_ERASED.c.id > after)
    rows = tx.run(query.order_by(_ERASED.c.id).limit(limit)).all()
    found = [
        ErasedRecord(
            collection=row.collection, row_mac=row.row_mac, person_mac=row.person_mac, key_version=row.key_version,
            act=row.act, columns=tuple(row.columns), policy=row.policy, erased_at=row.erased_at,
        )
        for row in rows
    ]  # fmt: skip
    return found, rows[-1].id if len(rows) == limit else None


def _erasure(row: Row[Any]) -> StoreErasure:
    return StoreErasure(
        id=row.id, dsar_id=DsarId(row.dsar_id), store=row.store, state=ErasingState(row.state), version=row.version,
        plan_hash=row.plan_hash, decided_hash=row.decided_hash, plan=row.plan, plan_sealed=row.plan_sealed,
        results_sealed=row.results_sealed, report=row.report, code=row.code, planned_at=row.planned_at,
        ended_at=row.ended_at, sweeps=row.sweeps, sweep_at=row.sweep_at, poll_at=row.poll_at,
    )  # fmt: skip
