"""The feed of changes: what the sequencer numbered, whom it concerns, and what is committed but not numbered yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, insert, literal, select, update

from privacyops.domain.log import Log
from privacyops.store.tables.base import table_of
from privacyops.store.tables.change import ConsentChangeRow, ErasedSubjectRow
from privacyops.store.tables.consent import ConsentEventRow, EventPrivateRow, SubjectRow
from privacyops.store.tables.ledger import LedgerLeafRow, LedgerPendingRow
from privacyops.store.types import UtcDateTime
from privacyops.store.uow import Tx

KEPT: Final = timedelta(days=7)
_CHANGE = table_of(ConsentChangeRow)
_ERASED = table_of(ErasedSubjectRow)
_EVENT = table_of(ConsentEventRow)
_LEAF = table_of(LedgerLeafRow)
_PENDING = table_of(LedgerPendingRow)
_PRIVATE = table_of(EventPrivateRow)
_SUBJECT = table_of(SubjectRow)


@dataclass(frozen=True, slots=True)
class Change:
    """One number of the log. `subject_id` None: about nobody, or about somebody who is gone.

    `erased` is the sealed id of the person whose erasure this is.
    """

    seq: int
    leaf: bytes
    event_id: UUID
    subject_id: str | None
    state_version: int | None
    erased: bytes | None


@dataclass(frozen=True, slots=True)
class Extent:
    """The numbers that the feed holds, first and last; both 0 while it is empty."""

    first: int
    last: int


def note_changes(tx: Tx, first: int, count: int) -> None:
    """Enter `count` numbers from `first` on, in the transaction that gave them out."""
    told = (
        select(
            _LEAF.c.controller, _LEAF.c.seq, _LEAF.c.entry_id, _PRIVATE.c.subject_no, _PRIVATE.c.state_version,
            literal(tx.now, UtcDateTime),
        )
        .select_from(_LEAF.outerjoin(_PRIVATE, _PRIVATE.c.event_id == _LEAF.c.entry_id))
        .where(
            _LEAF.c.controller == tx.controller, _LEAF.c.log == str(Log.CONSENT),
            _LEAF.c.seq.between(first, first + count - 1),
        )
    )  # fmt: skip
    tx.run(insert(_CHANGE).from_select(["controller", "seq", "entry_id", "subject_no", "state_version", "at"], told))


def extent(tx: Tx) -> Extent:
    """What the feed holds."""
    found = select(func.min(_CHANGE.c.seq).label("first"), func.max(_CHANGE.c.seq).label("last"))
    row = tx.run(found.where(_CHANGE.c.controller == tx.controller)).one()
    return Extent(row.first or 0, row.last or 0)


def list_changes(tx: Tx, after: int, limit: int) -> Sequence[Change]:
    """The next numbers behind `after`, in order."""
    query = (
        select(
            _CHANGE.c.seq, _EVENT.c.leaf, _CHANGE.c.entry_id, _SUBJECT.c.public_id, _CHANGE.c.state_version,
            _ERASED.c.sealed,
        )
        .select_from(
            _CHANGE.join(_EVENT, _EVENT.c.id == _CHANGE.c.entry_id)
            .outerjoin(_SUBJECT, _SUBJECT.c.no == _CHANGE.c.subject_no)
            .outerjoin(_ERASED, _ERASED.c.event_id == _CHANGE.c.entry_id)
        )
        .where(_CHANGE.c.controller == tx.controller, _CHANGE.c.seq > after)
        .order_by(_CHANGE.c.seq)
        .limit(limit)
    )  # fmt: skip
    return [
        Change(row.seq, row.leaf, row.entry_id, row.public_id, row.state_version, row.sealed) for row in tx.run(query)
    ]


def oldest_pending(tx: Tx) -> UUID | None:
    """The id of the oldest event that is committed and has no number yet; ids begin with their time."""
    query = select(_PENDING.c.entry_id).where(
        _PENDING.c.controller == tx.controller, _PENDING.c.log == str(Log.CONSENT)
    )
    return tx.run(query.order_by(_PENDING.c.id).limit(1)).scalar_one_or_none()


def void_changes(tx: Tx, subject_no: int) -> int:
    """Take a person out of the feed; their numbers stay, so that it has no hole. How many there were."""
    gone = update(_CHANGE).where(_CHANGE.c.subject_no == subject_no).values(subject_no=None, state_version=None)
    return tx.run(gone).rowcount


def add_tombstone(tx: Tx, event_id: UUID, sealed: bytes) -> None:
    """Say who was erased by the event, to copies only: `sealed` is the person's id under the ring's key."""
    row = {"event_id": event_id, "controller": tx.controller, "sealed": sealed, "erased_at": tx.now}
    tx.run(insert(_ERASED), row)


def sweep_changes(tx: Tx) -> int:
    """Drop what is older than a week, tombstones with it. The newest number stays: it tells where the feed is."""
    border = tx.now - KEPT
    last = extent(tx).last
    old = delete(_CHANGE).where(_CHANGE.c.controller == tx.controller, _CHANGE.c.at < border, _CHANGE.c.seq < last)
    gone = tx.run(old).rowcount
    erased = delete(_ERASED).where(_ERASED.c.controller == tx.controller, _ERASED.c.erased_at < border)
    return gone + tx.run(erased).rowcount
