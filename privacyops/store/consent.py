"""Events and the state that follows from them: leaves in, never changed; rows of the projection in and out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.consent.projection import RowKey, StateRow
from privacyops.domain.consent.state import ConsentState, Grade, RowKind, Strength
from privacyops.domain.log import Log
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import LegalBasis, Regime
from privacyops.domain.subject import IdentityConflict
from privacyops.kernel.clock import Instant
from privacyops.ledger.merkle import leaf_hash
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import Subject
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import (
    HEAD,
    ConsentEventRow,
    ConsentStateRow,
    EventPrivateRow,
    SubjectIdentifierRow,
    SubjectRow,
    SuppressionRow,
)
from privacyops.store.tables.ledger import LedgerLeafRow, LedgerPendingRow
from privacyops.store.types import as_bytes
from privacyops.store.uow import Tx

_EVENT = table_of(ConsentEventRow)
_IDENTIFIER = table_of(SubjectIdentifierRow)
_LEAF = table_of(LedgerLeafRow)
_PENDING = table_of(LedgerPendingRow)
_PRIVATE = table_of(EventPrivateRow)
_STATE = table_of(ConsentStateRow)
_SUBJECT = table_of(SubjectRow)
_SUPPRESSION = table_of(SuppressionRow)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """What one read of a person gives: the rows, and the version they stand at."""

    subject: Subject | None
    state_version: int
    rows: Mapping[RowKey, StateRow]


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """An event as it is stored: the leaf for the log, the rest for the private side."""

    id: UUID
    leaf: bytes
    state_version: int
    applied: bool
    contact: bytes | None
    sealed: bytes | None
    former_contact: bytes | None = None


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event as it is read back; `seq` is None until it was numbered."""

    leaf: bytes
    state_version: int
    applied: bool
    contact: bytes | None
    seq: int | None
    former_contact: bytes | None = None


def lock_subject(tx: Tx, subject_no: int) -> int:
    """Lock the person's row at all zeroes until the commit; the version of their state.

    Events of one person wait for one another here; those of different people never do.
    """
    query = select(_STATE.c.state_version).where(*_head_of(subject_no))
    version: int = tx.run(query.with_for_update() if tx.dialect == "postgresql" else query).scalar_one()
    return version


def load_version(tx: Tx, subject_no: int) -> int:
    """The version of the person's state: how many events they have had."""
    version: int = tx.run(select(_STATE.c.state_version).where(*_head_of(subject_no))).scalar_one()
    return version


def load_rows(tx: Tx, subject_no: int, names: Catalogue) -> dict[RowKey, StateRow]:
    """All rows of the person."""
    query = select(_STATE).where(_STATE.c.subject_no == subject_no, _STATE.c.kind != HEAD)
    return {row.key: row for row in (_state_row(found, names) for found in tx.run(query)) if row is not None}


def load_known(tx: Tx, refs: Iterable[bytes], purpose_no: int, names: Catalogue) -> Known:
    """What is known of the person behind `refs` for one purpose, in one statement."""
    query = (
        select(_SUBJECT.c.no, _SUBJECT.c.public_id, _SUBJECT.c.jurisdiction.label("home"), _STATE)
        .join(_IDENTIFIER, _IDENTIFIER.c.subject_no == _SUBJECT.c.no)
        .join(_STATE, and_(_STATE.c.subject_no == _SUBJECT.c.no, _STATE.c.purpose_no.in_([0, purpose_no])))
        .where(_IDENTIFIER.c.ref.in_(list(refs)), _SUBJECT.c.controller == tx.controller)
    )
    found = tx.run(query).all()
    if not found:
        return Known(None, 0, {})
    if len({row.no for row in found}) > 1:
        raise IdentityConflict
    rows = (_state_row(row, names) for row in found if row.kind != HEAD)
    return Known(
        Subject(found[0].no, found[0].public_id, found[0].home),
        max(row.state_version for row in found if row.kind == HEAD),
        {row.key: row for row in rows if row is not None},
    )


def add_leaves(tx: Tx, leaves: Sequence[tuple[UUID, bytes]]) -> None:
    """Append events that concern nobody in particular, or the public half of those that do."""
    tx.run(insert(_EVENT), [{"id": id_, "controller": tx.controller, "leaf": leaf} for id_, leaf in leaves])
    pending = [
        {"log": str(Log.CONSENT), "controller": tx.controller, "entry_id": id_, "leaf_hash": leaf_hash(leaf)}
        for id_, leaf in leaves
    ]
    tx.run(insert(_PENDING), pending)


def last_leaf_hash(tx: Tx, subject_no: int, state_version: int) -> bytes | None:
    """The hash of the person's newest leaf, for the chain; None before the first."""
    if state_version == 0:
        return None
    query = select(_EVENT.c.leaf).join(_PRIVATE, _PRIVATE.c.event_id == _EVENT.c.id)
    return leaf_hash(
        tx.run(query.where(_PRIVATE.c.subject_no == subject_no, _PRIVATE.c.state_version == state_version)).scalar_one()
    )


def list_events(tx: Tx, subject_no: int, before: int | None, limit: int | None) -> Sequence[PastEvent]:
    """The person's events, newest first; those older than state version `before`. `limit` None: all of them."""
    query = (
        select(
            _EVENT.c.leaf,
            _PRIVATE.c.state_version,
            _PRIVATE.c.applied,
            _PRIVATE.c.contact,
            _PRIVATE.c.former_contact,
            _LEAF.c.seq,
        )
        .join(_PRIVATE, _PRIVATE.c.event_id == _EVENT.c.id)
        .outerjoin(_LEAF, _LEAF.c.entry_id == _EVENT.c.id)
        .where(_PRIVATE.c.subject_no == subject_no)
        .order_by(_PRIVATE.c.state_version.desc())
    )
    if before is not None:
        query = query.where(_PRIVATE.c.state_version < before)
    if limit is not None:
        query = query.limit(limit)
    return [
        PastEvent(as_bytes(row.leaf), row.state_version, row.applied, row.contact, row.seq, row.former_contact)
        for row in tx.run(query)
    ]


def delete_rows(tx: Tx, subject_no: int, keys: Iterable[RowKey], names: Catalogue) -> None:
    """Take away rows that no event of this person's leads to any more."""
    for kind, purpose, channel, brand in keys:
        tx.run(
            delete(_STATE).where(
                _STATE.c.subject_no == subject_no,
                _STATE.c.purpose_no == (names.purposes[purpose].no if purpose else 0),
                _STATE.c.channel_no == (names.channels[channel] if channel else 0),
                _STATE.c.brand_no == (names.brands[brand].no if brand else 0),
                _STATE.c.kind == str(kind),
            )
        )


def load_leaf(tx: Tx, event_id: UUID) -> bytes:
    """The leaf of an event that another row names."""
    leaf: bytes = tx.run(select(_EVENT.c.leaf).where(_EVENT.c.id == event_id)).scalar_one()
    return leaf


def has_owner(tx: Tx, event_id: UUID) -> bool:
    """Whether the event still belongs to somebody: an erasure leaves the leaf and takes the owner."""
    return owner_of(tx, event_id) is not None


def owner_of(tx: Tx, event_id: UUID) -> int | None:
    """The number of the person an event is about; None after an erasure, or where it is about nobody."""
    query = select(_SUBJECT.c.no).join(_PRIVATE, _PRIVATE.c.subject_no == _SUBJECT.c.no)
    of_ours = (_PRIVATE.c.event_id == event_id, _SUBJECT.c.controller == tx.controller)
    found: int | None = tx.run(query.where(*of_ours)).scalar()
    return found


def load_evidence(tx: Tx, event_id: UUID) -> bytes | None:
    """The sealed circumstances of an event; None where there were none, or they were erased."""
    sealed: bytes | None = tx.run(select(_PRIVATE.c.sealed).where(_PRIVATE.c.event_id == event_id)).scalar()
    return sealed


def add_suppression(tx: Tx, ref: bytes, row: StateRow, names: Catalogue) -> None:
    """Keep an address from being written to; `row.state` is the reason."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    values = {
        "ref": ref, "reason": row.state, "controller": tx.controller, "event_id": row.event_id,
        "order_t": milliseconds(row.t),
        "purpose_no": names.purposes[row.purpose].no if row.purpose else 0,
        "brand_no": names.brands[row.brand].no if row.brand else 0,
    }  # fmt: skip
    tx.run(dialect.insert(_SUPPRESSION).values(**values).on_conflict_do_nothing())


def list_suppressions(tx: Tx, refs: Iterable[bytes], names: Catalogue) -> Sequence[StateRow]:
    """What keeps the addresses behind `refs` from being written to, over whatever channel they were looked up for."""
    query = select(_SUPPRESSION).where(_SUPPRESSION.c.ref.in_(list(refs)), _SUPPRESSION.c.controller == tx.controller)
    return [
        suppression_row(row.reason, row.purpose_no, row.brand_no, row.order_t, row.event_id, names)
        for row in tx.run(query)
    ]


def suppression_row(
    reason: str, purpose_no: int, brand_no: int, order_t: int, event_id: UUID | str, names: Catalogue
) -> StateRow:
    """A suppression as a row that the decision can read."""
    at = instant_at(order_t)
    return StateRow(
        kind=RowKind.SUPPRESSION, purpose=names.purpose_of(purpose_no), channel=None, brand=names.brand_of(brand_no),
        state=reason, t=at, since=at, event_id=UUID(event_id) if isinstance(event_id, str) else event_id,
    )  # fmt: skip


def _head_of(subject_no: int) -> tuple[Any, ...]:
    return (
        _STATE.c.subject_no == subject_no,
        _STATE.c.purpose_no == 0,
        _STATE.c.channel_no == 0,
        _STATE.c.brand_no == 0,
        _STATE.c.kind == HEAD,
    )


def state_values(subject_no: int, row: StateRow, state_version: int, names: Catalogue) -> tuple[Any, ...]:
    """A row of `consent_state`, its columns in the order of the table; the event's id as it is."""
    notice, prior_t, valid_until, confirm_until = row.notice, row.prior_t, row.valid_until, row.confirm_until
    return (
        subject_no,
        names.purposes[row.purpose].no if row.purpose else 0,
        names.channels[row.channel] if row.channel else 0,
        names.brands[row.brand].no if row.brand else 0,
        str(row.kind),
        state_version,
        str(row.state),
        milliseconds(row.t),
        milliseconds(row.since),
        row.event_id,
        str(row.prior_state) if row.prior_state else None,
        None if prior_t is None else milliseconds(prior_t),
        None if valid_until is None else milliseconds(valid_until),
        None if confirm_until is None else milliseconds(confirm_until),
        *((notice.id, notice.version, notice.locale, notice.sha256) if notice else _NO_NOTICE),
        row.purpose_version,
        str(row.regime) if row.regime else None,
        row.jurisdiction,
        bytes.fromhex(row.contact) if row.contact else None,
        str(row.strength) if row.strength else None,
        str(row.grade) if row.grade else None,
        str(row.basis) if row.basis else None,
    )


_NO_NOTICE: Final = (None, None, None, None)
EVENT_AT: Final = 9
"""Where the event's id stands in `state_values`."""


def head_values(subject_no: int, state_version: int) -> tuple[Any, ...]:
    """The row at all zeroes, as `state_values`."""
    return (subject_no, 0, 0, 0, HEAD, state_version, HEAD, 0, 0, *_NOTHING)


_NOTHING: Final = (None,) * (len(_STATE.columns) - EVENT_AT)


def _state_row(row: Any, names: Catalogue) -> StateRow | None:
    """The domain's row; None where it is about something that is no longer published here."""
    purpose, channel = names.purpose_of(row.purpose_no), names.channel_of(row.channel_no)
    brand = names.brand_of(row.brand_no)
    if (row.purpose_no and not purpose) or (row.channel_no and not channel) or (row.brand_no and not brand):
        return None
    kind = RowKind(row.kind)
    return StateRow(
        kind=kind,
        purpose=purpose,
        channel=channel,
        brand=brand,
        state=ConsentState(row.state) if kind is RowKind.CHOICE else row.state,
        t=instant_at(row.order_t),
        since=instant_at(row.since),
        event_id=row.event_id,
        prior_state=ConsentState(row.prior_state) if row.prior_state else None,
        prior_t=_maybe(row.prior_t),
        valid_until=_maybe(row.valid_until),
        confirm_until=_maybe(row.confirm_until),
        notice=_notice(row),
        purpose_version=row.purpose_version,
        regime=Regime(row.regime) if row.regime else None,
        jurisdiction=row.jurisdiction,
        contact=row.contact.hex() if row.contact else None,
        strength=Strength(row.strength) if row.strength else None,
        grade=Grade(row.grade) if row.grade else None,
        basis=LegalBasis(row.basis) if row.basis else None,
    )


class _Columns:
    """A row by column name, as the driver gave it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def state_row_of(values: Mapping[str, Any], names: Catalogue) -> StateRow | None:
    """The domain's row out of a plain row by column name; None as in `load_rows`."""
    event = values["event_id"]
    return _state_row(_Columns({**values, "event_id": UUID(event) if isinstance(event, str) else event}), names)


def _notice(row: Any) -> NoticeRef | None:
    if row.notice_id is None:
        return None
    return NoticeRef(row.notice_id, row.notice_version, row.notice_locale, row.notice_sha256)


def milliseconds(at: Instant) -> int:
    """Milliseconds since 1970, exactly: a float of seconds would round."""
    since = at - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def instant_at(ms: int) -> Instant:
    """The instant that a column of milliseconds means."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def _maybe(ms: int | None) -> Instant | None:
    return None if ms is None else instant_at(ms)
