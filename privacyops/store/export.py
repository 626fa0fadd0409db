"""Exports: their rows, the pages of the log they are made from, and the pieces they lie in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, delete, func, insert, select, update

from privacyops.domain.export import Export, ExportFilter, ExportFormat, ExportState, Identifiers
from privacyops.domain.log import Log
from privacyops.store.erasure import HeldIdentifier
from privacyops.store.subject import OWN_ID
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import (
    ConsentEventRow,
    EventPrivateRow,
    SubjectIdentifierRow,
    SubjectKeyRow,
    SubjectRow,
)
from privacyops.store.tables.export import ConsentExportPartRow, ConsentExportRow
from privacyops.store.tables.ledger import LedgerLeafRow
from privacyops.store.types import as_bytes
from privacyops.store.uow import Tx

_EXPORT = table_of(ConsentExportRow)
_PART = table_of(ConsentExportPartRow)
_EVENT = table_of(ConsentEventRow)
_PRIVATE = table_of(EventPrivateRow)
_SUBJECT = table_of(SubjectRow)
_IDENTIFIER = table_of(SubjectIdentifierRow)
_KEY = table_of(SubjectKeyRow)
_LEAF = table_of(LedgerLeafRow)
_LIVE: Final = (ExportState.BUILDING, ExportState.READY)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece in the vault, and the numbers it was made from."""

    first_seq: int
    last_seq: int
    blob: UUID
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """An event that still belongs to somebody."""

    seq: int
    event_id: UUID
    leaf: bytes
    applied: bool
    subject_no: int
    subject_id: str


def add_export(tx: Tx, export: UUID, format_: ExportFormat, identifiers: Identifiers, filter_: ExportFilter) -> None:
    """An export that is to be built."""
    tx.run(
        insert(_EXPORT),
        {"id": export, "controller": tx.controller, "state": ExportState.BUILDING, "format": format_,
         "identifiers": identifiers, "filter": filter_.to_json(), "after_seq": 0, "rows": 0, "created_at": tx.now},
    )  # fmt: skip


def find_export(tx: Tx, export: UUID, *, locks: bool = False) -> Export | None:
    """The export. `locks`: nobody else changes it before the commit."""
    query = select(_EXPORT).where(_EXPORT.c.id == export, _EXPORT.c.controller == tx.controller)
    if locks and tx.dialect == "postgresql":
        query = query.with_for_update()
    row = tx.run(query).first()
    return None if row is None else _export(row)


def move_export(tx: Tx, export: UUID, seen: ExportState, to: ExportState, **changed: Any) -> None:
    """Compare-and-set on the state. Raises: StaleState."""
    here = update(_EXPORT).where(_EXPORT.c.id == export, _EXPORT.c.state == seen)
    tx.move(here.values(state=to, **changed))


def add_part(tx: Tx, export: UUID, part: Part) -> None:
    """A piece that lies in the vault now."""
    tx.run(
        insert(_PART),
        {"export_id": export, "first_seq": part.first_seq, "last_seq": part.last_seq, "blob": part.blob,
         "size": part.size, "sha256": part.sha256},
    )  # fmt: skip


def list_parts(tx: Tx, export: UUID) -> Sequence[Part]:
    """The pieces in their order."""
    query = select(_PART).where(_PART.c.export_id == export).order_by(_PART.c.first_seq)
    return [Part(row.first_seq, row.last_seq, row.blob, row.size, row.sha256) for row in tx.run(query)]


def list_numbered(tx: Tx, after: int, through: int, limit: int) -> Sequence[NumberedEvent]:
    """Events of living people with numbers from `after` (excluded) to `through`, in order."""
    query = (
        select(
            _LEAF.c.seq,
            _LEAF.c.entry_id,
            _EVENT.c.leaf,
            _PRIVATE.c.applied,
            _PRIVATE.c.subject_no,
            _SUBJECT.c.public_id,
        )
        .join(_EVENT, _EVENT.c.id == _LEAF.c.entry_id)
        .join(_PRIVATE, _PRIVATE.c.event_id == _LEAF.c.entry_id)
        .join(_SUBJECT, _SUBJECT.c.no == _PRIVATE.c.subject_no)
        .where(
            _LEAF.c.controller == tx.controller,
            _LEAF.c.log == str(Log.CONSENT),
            _LEAF.c.seq > after,
            _LEAF.c.seq <= through,
        )
        .order_by(_LEAF.c.seq)
        .limit(limit)
    )
    return [
        NumberedEvent(row.seq, row.entry_id, as_bytes(row.leaf), row.applied, row.subject_no, row.public_id)
        for row in tx.run(query)
    ]


def count_owned(tx: Tx, events: Collection[UUID]) -> int:
    """How many of the events still belong to somebody."""
    query = select(func.count()).select_from(_PRIVATE).where(_PRIVATE.c.event_id.in_(list(events)))
    return int(tx.run(query).scalar_one())


def identifiers_of(tx: Tx, people: Collection[int]) -> Mapping[int, Sequence[HeldIdentifier]]:
    """What leads to each of these people, sealed; without their own ids."""
    query = select(_IDENTIFIER).where(_IDENTIFIER.c.subject_no.in_(list(people)), _IDENTIFIER.c.type != OWN_ID)
    found: dict[int, list[HeldIdentifier]] = {}
    for row in tx.run(query.order_by(_IDENTIFIER.c.type, _IDENTIFIER.c.created_at)):
        found.setdefault(row.subject_no, []).append(HeldIdentifier(row.ref, row.type, row.sealed, row.lent_by))
    return found


def keys_of(tx: Tx, people: Collection[int]) -> Mapping[int, bytes]:
    """The wrapped keys of these people."""
    rows = tx.run(select(_KEY.c.subject_no, _KEY.c.wrapped).where(_KEY.c.subject_no.in_(list(people))))
    return {row.subject_no: as_bytes(row.wrapped) for row in rows}


def numbers_of(tx: Tx, subject_no: int) -> Sequence[int]:
    """The numbers of the person's events, in order. Ask before an erasure."""
    query = select(_LEAF.c.seq).join(_PRIVATE, _PRIVATE.c.event_id == _LEAF.c.entry_id)
    return tx.run(query.where(_PRIVATE.c.subject_no == subject_no).order_by(_LEAF.c.seq)).scalars().all()


def void_exports(tx: Tx, numbers: Collection[int]) -> int:
    """End the exports that may hold one of these events; how many. Ask after the events have lost their owner.

    Each export is locked before its pieces are read: a page that is stored at the same time is either seen here, or
    sees there that its events belong to nobody any more.
    """
    if not numbers:
        return 0
    query = select(_EXPORT.c.id).where(_EXPORT.c.controller == tx.controller, _EXPORT.c.state.in_(_LIVE))
    query = query.order_by(_EXPORT.c.id)
    ended = 0
    for export in tx.run(query.with_for_update() if tx.dialect == "postgresql" else query).scalars().all():
        spans = [(part.first_seq, part.last_seq) for part in list_parts(tx, export)]
        if any(first <= number <= last for first, last in spans for number in numbers):
            gone = update(_EXPORT).where(_EXPORT.c.id == export)
            tx.run(gone.values(state=ExportState.VOID, code="person_erased"))
            ended += 1
    return ended


def list_expired(tx: Tx, limit: int = 100) -> Sequence[UUID]:
    """Ready exports whose time is over."""
    due = and_(_EXPORT.c.state == ExportState.READY, _EXPORT.c.expires_at <= tx.now)
    return tx.run(select(_EXPORT.c.id).where(_EXPORT.c.controller == tx.controller, due).limit(limit)).scalars().all()


def list_to_destroy(tx: Tx, limit: int = 100) -> Sequence[UUID]:
    """Ended exports with pieces in the vault."""
    has_parts = select(_PART.c.export_id).where(_PART.c.export_id == _EXPORT.c.id).exists()
    ended = and_(_EXPORT.c.controller == tx.controller, _EXPORT.c.state.not_in(_LIVE), has_parts)
    return tx.run(select(_EXPORT.c.id).where(ended).limit(limit)).scalars().all()


def forget_parts(tx: Tx, export: UUID) -> None:
    """The vault has destroyed them."""
    tx.run(delete(_PART).where(_PART.c.export_id == export))


def known_blobs(tx: Tx) -> frozenset[UUID]:
    """The blobs that some export refers to."""
    return frozenset(tx.run(select(_PART.c.blob)).scalars())


def _export(row: Row[Any]) -> Export:
    return Export(
        id=row.id, state=ExportState(row.state), format=ExportFormat(row.format),
        identifiers=Identifiers(row.identifiers), filter=ExportFilter.of_json(row.filter),
        through_seq=row.through_seq, after_seq=row.after_seq, checkpoint=row.checkpoint, rows=row.rows, size=row.size,
        sha256=row.sha256, code=row.code, created_at=row.created_at, expires_at=row.expires_at,
    )  # fmt: skip
