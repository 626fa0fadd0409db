"""Requests, their clock events, proofs, codes and messages. Every move is compare-and-set on state and version."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from privacyops.domain.deadline.event import ClockEvent
from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.record import Dsar, Proof
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, DsarId, uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.dsar import DsarClockEventRow, DsarMessageRow, DsarProofRow, DsarRow, RequestKeyRow
from privacyops.store.uow import Tx

DSAR = table_of(DsarRow)
_EVENT = table_of(DsarClockEventRow)
_PROOF = table_of(DsarProofRow)
_MESSAGE = table_of(DsarMessageRow)
_KEY = table_of(RequestKeyRow)


def add_dsar(tx: Tx, dsar: Dsar) -> None:
    """A new request."""
    tx.run(insert(DSAR), {"controller": tx.controller, **_values(dsar)})


def load_dsar(tx: Tx, dsar_id: DsarId, *, is_locked: bool = False) -> Dsar:
    """`is_locked`: nobody else changes it, or gets it locked, before this transaction has ended.

    Raises: NotFound: no such request of this controller.
    """
    query = select(DSAR).where(DSAR.c.id == dsar_id, DSAR.c.controller == tx.controller)
    row = tx.run(query.with_for_update() if is_locked else query).one_or_none()
    if row is None:
        raise NotFound
    return as_dsar(row)


def load_by_reference(tx: Tx, reference: str) -> Dsar:
    """Raises: NotFound: no such request of this controller."""
    if not reference.isprintable():  # PostgreSQL takes no NUL, and no reference has a control character
        raise NotFound
    query = select(DSAR).where(DSAR.c.reference == reference.strip().upper(), DSAR.c.controller == tx.controller)
    row = tx.run(query).one_or_none()
    if row is None:
        raise NotFound
    return as_dsar(row)


def references_of(tx: Tx, ids: Sequence[DsarId]) -> Mapping[DsarId, str]:
    """The numbers of those requests that exist."""
    query = select(DSAR.c.id, DSAR.c.reference).where(DSAR.c.controller == tx.controller, DSAR.c.id.in_(list(ids)))
    return {DsarId(row.id): row.reference for row in tx.run(query)}


def find_recent(tx: Tx, contact_index: bytes, type_: RequestType, since: Instant) -> Dsar | None:
    """The newest open request of the same contact and right that was received at or after `since`."""
    query = (
        select(DSAR)
        .where(DSAR.c.controller == tx.controller, DSAR.c.contact_index == contact_index, DSAR.c.type == type_)
        .where(DSAR.c.received_at >= since, DSAR.c.state != DsarState.CLOSED)
        .order_by(DSAR.c.received_at.desc())
        .limit(1)
    )
    row = tx.run(query).first()
    return None if row is None else as_dsar(row)


def list_related(tx: Tx, dsar: Dsar, limit: int = 10) -> Sequence[Dsar]:
    """Other requests from the same contact, newest first: candidates for a duplicate."""
    query = (
        select(DSAR)
        .where(DSAR.c.controller == tx.controller, DSAR.c.contact_index == dsar.contact_index, DSAR.c.id != dsar.id)
        .order_by(DSAR.c.received_at.desc())
        .limit(limit)
    )
    return [as_dsar(row) for row in tx.run(query)]


def save_dsar(tx: Tx, seen: Dsar, **changed: Any) -> Dsar:
    """Write `changed` fields if nobody changed the request since it was `seen`; the request as it is now.

    Raises: StaleState: state or version are not those that were seen.
    """
    after = replace(seen, **changed, version=seen.version + 1)
    written = {name: value for name, value in _values(after).items() if name in changed or name == "version"}
    tx.move(
        update(DSAR)
        .where(DSAR.c.id == seen.id, DSAR.c.controller == tx.controller)
        .where(DSAR.c.state == seen.state, DSAR.c.version == seen.version)
        .values(**written)
    )
    return after


def add_clock_event(tx: Tx, dsar_id: DsarId, event: ClockEvent) -> None:
    """Append one event; nothing ever edits it."""
    detail = {name: value for name, value in event.to_json().items() if name not in {"id", "kind", "at"}}
    tx.run(
        insert(_EVENT),
        {
            "id": UUID(event.id), "dsar_id": dsar_id, "kind": event.kind, "at": event.at, "recorded_at": tx.now,
            "detail": detail,
        },
    )  # fmt: skip


def list_clock_events(tx: Tx, dsar_id: DsarId) -> Sequence[ClockEvent]:
    """The events in the order in which they were recorded."""
    query = select(_EVENT).where(_EVENT.c.dsar_id == dsar_id).order_by(_EVENT.c.id)
    return [
        ClockEvent.from_json({"id": str(row.id), "kind": row.kind, "at": row.at.isoformat(), **row.detail})
        for row in tx.run(query)
    ]


def add_proof(tx: Tx, dsar_id: DsarId, proof: Proof) -> None:
    """One more rung on the identity ladder."""
    tx.run(
        insert(_PROOF),
        {
            "id": uuid7(tx.now), "dsar_id": dsar_id, "level": proof.level, "method": proof.method, "at": proof.at,
            "identifier_kind": proof.identifier_kind, "sealed": proof.sealed,
        },
    )  # fmt: skip


def list_proofs(tx: Tx, dsar_id: DsarId) -> Sequence[Proof]:
    """The proofs of one request, oldest first."""
    query = select(_PROOF).where(_PROOF.c.dsar_id == dsar_id).order_by(_PROOF.c.id)
    return [Proof(row.level, row.method, row.at, row.identifier_kind, row.sealed) for row in tx.run(query)]


def add_message(tx: Tx, dsar_id: DsarId, author: str, sealed: bytes) -> None:
    """A message of the `subject` or the `team`, or a `note` that the customer never sees."""
    tx.run(
        insert(_MESSAGE), {"id": uuid7(tx.now), "dsar_id": dsar_id, "author": author, "at": tx.now, "sealed": sealed}
    )


def list_messages(tx: Tx, dsar_id: DsarId, limit: int = 200) -> Sequence[tuple[str, Instant, bytes | None]]:
    """(author, at, sealed text), oldest first."""
    query = select(_MESSAGE).where(_MESSAGE.c.dsar_id == dsar_id).order_by(_MESSAGE.c.id).limit(limit)
    return [(row.author, row.at, row.sealed) for row in tx.run(query)]


def count_dsars(tx: Tx) -> int:
    """How many requests the controller has."""
    query = select(func.count()).select_from(DSAR).where(DSAR.c.controller == tx.controller)
    return int(tx.run(query).scalar_one())


def as_dsar(row: Row[Any]) -> Dsar:
    """A row of the request table as its record."""
    return Dsar(
        id=DsarId(row.id), reference=row.reference, type=RequestType(row.type), state=DsarState(row.state),
        resume_to=DsarState(row.resume_to) if row.resume_to else None, version=row.version,
        channel=Channel(row.channel), language=row.language, residence=row.residence, received_at=row.received_at,
        recorded_at=row.recorded_at, contact_index=row.contact_index, sealed=row.sealed,
        is_verified=row.is_verified, proven_level=row.proven_level, required_level=row.required_level,
        assignee_id=AccountId(row.assignee_id) if row.assignee_id else None, regime=row.regime, clock=row.clock,
        due_on=row.due_on, safe_due_on=row.safe_due_on, paused_since=row.paused_since,
        prepared_by=AccountId(row.prepared_by) if row.prepared_by else None, plan_hash=row.plan_hash,
        outcome=Outcome(row.outcome) if row.outcome else None, answered_at=row.answered_at, closed_at=row.closed_at,
    )  # fmt: skip


def _values(dsar: Dsar) -> dict[str, Any]:
    return {
        "id": dsar.id, "reference": dsar.reference, "type": dsar.type, "state": dsar.state,
        "resume_to": dsar.resume_to, "version": dsar.version, "channel": dsar.channel, "language": dsar.language,
        "residence": dsar.residence, "received_at": dsar.received_at, "recorded_at": dsar.recorded_at,
        "contact_index": dsar.contact_index, "sealed": dsar.sealed, "is_verified": dsar.is_verified,
        "proven_level": dsar.proven_level, "required_level": dsar.required_level, "assignee_id": dsar.assignee_id,
        "regime": dsar.regime, "clock": dict(dsar.clock), "due_on": dsar.due_on, "safe_due_on": dsar.safe_due_on,
        "paused_since": dsar.paused_since, "prepared_by": dsar.prepared_by, "plan_hash": dsar.plan_hash,
        "outcome": dsar.outcome, "answered_at": dsar.answered_at, "closed_at": dsar.closed_at,
    }  # fmt: skip


def add_request_key(tx: Tx, dsar_id: DsarId, wrapped: bytes) -> None:
    """The wrapped key under which everything of this request is sealed."""
    tx.run(insert(_KEY), {"dsar_id": dsar_id, "wrapped": wrapped})


def load_request_key(tx: Tx, dsar_id: DsarId) -> bytes | None:
    """None: it was destroyed."""
    return tx.run(select(_KEY.c.wrapped).where(_KEY.c.dsar_id == dsar_id)).scalar_one_or_none()


def destroy_request_key(tx: Tx, dsar_id: DsarId) -> bool:
    """Delete the key; what it sealed cannot be read again. False: it was gone already."""
    return tx.run(delete(_KEY).where(_KEY.c.dsar_id == dsar_id)).rowcount == 1
