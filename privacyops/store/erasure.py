"""Taking a person out of every table of the private side, and the restricted ring that may stay behind.

Leaves, hashes, numbers and checkpoints are not touched: they name nobody.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from privacyops.domain.consent.confirmation import ConfirmationState
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.store.tables.account import LinkTokenRow
from privacyops.store.tables.base import table_of
from privacyops.store.tables.confirmation import ConfirmationLinkRow, ConfirmationRow
from privacyops.store.tables.consent import (
    ClientEventRow,
    ConsentEventRow,
    ConsentStateRow,
    EventPrivateRow,
    SubjectIdentifierRow,
    SubjectKeyRow,
    SubjectRow,
)
from privacyops.store.tables.dsar import IdempotencyRow
from privacyops.store.tables.identity_link import IdentityLinkRow
from privacyops.store.tables.kept_proof import KeptEvidenceRow, KeptKeyRow
from privacyops.store.uow import Tx

_CALL = table_of(IdempotencyRow)
_CLIENT = table_of(ClientEventRow)
_CONFIRMATION = table_of(ConfirmationRow)
_EVENT = table_of(ConsentEventRow)
_EVIDENCE = table_of(KeptEvidenceRow)
_IDENTIFIER = table_of(SubjectIdentifierRow)
_KEPT = table_of(KeptKeyRow)
_KEY = table_of(SubjectKeyRow)
_LINK = table_of(IdentityLinkRow)
_MAILED = table_of(ConfirmationLinkRow)
_PRIVATE = table_of(EventPrivateRow)
_STATE = table_of(ConsentStateRow)
_SUBJECT = table_of(SubjectRow)
_TOKEN = table_of(LinkTokenRow)


@dataclass(frozen=True, slots=True)
class HeldIdentifier:
    """One identifier as it stands; `lent_by` is the device whose key sealed it, where it is not the person's own."""

    ref: bytes
    type: str
    sealed: bytes | None
    lent_by: int | None


@dataclass(frozen=True, slots=True)
class KeptProof:
    """One event's sealed evidence in the ring, its leaf, and the wrapped key of whoever it was about."""

    subject_no: int
    wrapped: bytes
    sealed: bytes
    leaf: bytes
    until: Instant


@dataclass(frozen=True, slots=True)
class Ring:
    """How much is kept of erased people: events, people, and when the next of their keys is destroyed."""

    events: int
    people: int
    next_end: Instant | None


def list_identifiers(tx: Tx, subject_no: int) -> Sequence[HeldIdentifier]:
    """Everything that leads to a person."""
    query = select(_IDENTIFIER).where(_IDENTIFIER.c.subject_no == subject_no)
    return [HeldIdentifier(row.ref, row.type, row.sealed, row.lent_by) for row in tx.run(query)]


def remove_identifiers(tx: Tx, subject_no: int) -> None:
    """From here on nothing leads to the person, a link that was mailed to one of their addresses neither."""
    refs = tx.run(select(_IDENTIFIER.c.ref).where(_IDENTIFIER.c.subject_no == subject_no)).scalars()
    tx.run(delete(_TOKEN).where(_TOKEN.c.object_id.in_([ref.hex() for ref in refs])))
    tx.run(delete(_IDENTIFIER).where(_IDENTIFIER.c.subject_no == subject_no))


def empty_person(tx: Tx, subject_no: int, public_id: str) -> None:
    """Delete what is private about a person: events' private half, state, ties, confirmations, links, the person."""
    mine = select(_CONFIRMATION.c.id).where(_CONFIRMATION.c.subject_no == subject_no)
    tx.run(delete(_MAILED).where(_MAILED.c.confirmation_id.in_(mine)))
    tx.run(delete(_CONFIRMATION).where(_CONFIRMATION.c.subject_no == subject_no))
    tx.run(delete(_LINK).where((_LINK.c.account_no == subject_no) | (_LINK.c.device_no == subject_no)))
    tx.run(delete(_PRIVATE).where(_PRIVATE.c.subject_no == subject_no))
    tx.run(delete(_STATE).where(_STATE.c.subject_no == subject_no))
    tx.run(update(_CLIENT).where(_CLIENT.c.subject_no == subject_no).values(answer=_NOBODY, subject_no=None))
    empty = json.dumps(_NOBODY).encode()
    tx.run(update(_CALL).where(_CALL.c.subject_id == public_id).values(answer=empty, subject_id=None))
    opens = _TOKEN.c.object_id
    tx.run(delete(_TOKEN).where(opens >= f"{public_id}/", opens < f"{public_id}0"))  # "0" comes right after "/"
    tx.run(delete(_KEY).where(_KEY.c.subject_no == subject_no))
    tx.run(delete(_SUBJECT).where(_SUBJECT.c.no == subject_no))


_NOBODY = {"events": [], "subject_id": "", "state_version": 0, "recorded_at": "", "linked_id": "", "changed": "no"}
"""What a repeated call, or a repeated event id of the caller's, is answered once its person is gone."""


def keep_proof(tx: Tx, subject_no: int, until: Instant) -> int:
    """Move the key and the sealed evidence into the ring; how many events are kept. Call it before `empty_person`."""
    wrapped = tx.run(select(_KEY.c.wrapped).where(_KEY.c.subject_no == subject_no)).scalar()
    if wrapped is None:
        return 0
    sealed = select(_PRIVATE.c.event_id, _PRIVATE.c.subject_no, _PRIVATE.c.sealed).where(
        _PRIVATE.c.subject_no == subject_no, _PRIVATE.c.sealed.is_not(None)
    )
    row = {"subject_no": subject_no, "controller": tx.controller, "wrapped": wrapped, "until": until}
    tx.run(insert(_KEPT), row)
    return tx.run(insert(_EVIDENCE).from_select(["event_id", "subject_no", "sealed"], sealed)).rowcount


def load_kept(tx: Tx, event_id: UUID) -> KeptProof:
    """What the ring holds of one event. Raises: NotFound: nothing, or its term is over."""
    query = (
        select(_KEPT, _EVIDENCE.c.sealed, _EVENT.c.leaf)
        .join(_EVIDENCE, _EVIDENCE.c.subject_no == _KEPT.c.subject_no)
        .join(_EVENT, _EVENT.c.id == _EVIDENCE.c.event_id)
        .where(_EVIDENCE.c.event_id == event_id, _KEPT.c.controller == tx.controller, _KEPT.c.until > tx.now)
    )
    row = tx.run(query).one_or_none()
    if row is None:
        raise NotFound
    return KeptProof(row.subject_no, row.wrapped, row.sealed, row.leaf, row.until)


def measure_ring(tx: Tx) -> Ring:
    """How much is kept whose term is not over."""
    live = (_KEPT.c.controller == tx.controller, _KEPT.c.until > tx.now)
    keys = tx.run(select(func.count().label("people"), func.min(_KEPT.c.until).label("end")).where(*live)).one()
    joined = select(func.count()).select_from(_EVIDENCE.join(_KEPT, _EVIDENCE.c.subject_no == _KEPT.c.subject_no))
    return Ring(int(tx.run(joined.where(*live)).scalar_one()), keys.people, keys.end)


def drop_overdue_proof(tx: Tx) -> int:
    """Destroy the keys whose term is over, and what they open; how many people."""
    over = select(_KEPT.c.subject_no).where(_KEPT.c.controller == tx.controller, _KEPT.c.until <= tx.now)
    numbers = tx.run(over.limit(500)).scalars().all()
    tx.run(delete(_EVIDENCE).where(_EVIDENCE.c.subject_no.in_(numbers)))
    tx.run(delete(_KEPT).where(_KEPT.c.subject_no.in_(numbers)))
    return len(numbers)


def list_never_confirmed(tx: Tx, before: Instant, after: int, limit: int) -> Sequence[int]:
    """People behind the number `after` whose confirmation lapsed before a moment; whether they have other records is
    for the caller to see.
    """
    query = select(_CONFIRMATION.c.subject_no).where(
        _CONFIRMATION.c.state == ConfirmationState.LAPSED,
        _CONFIRMATION.c.expires_at <= before,
        _CONFIRMATION.c.controller == tx.controller,
        _CONFIRMATION.c.subject_no > after,
    )
    return tx.run(query.distinct().order_by(_CONFIRMATION.c.subject_no).limit(limit)).scalars().all()
