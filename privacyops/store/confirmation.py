"""What waits for a contact's owner: confirmations and the links that were mailed for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from privacyops.domain.consent.confirmation import ConfirmationEvent, ConfirmationState, advance
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import uuid7
from privacyops.store.tables.base import table_of
from privacyops.store.tables.confirmation import ConfirmationLinkRow, ConfirmationRow
from privacyops.store.uow import Tx

_CONFIRMATION = table_of(ConfirmationRow)
_LINK = table_of(ConfirmationLinkRow)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One choice that was asked for, by the numbers of its purpose, channel and brand."""

    id: UUID
    subject_no: int
    purpose_no: int
    channel_no: int
    brand_no: int
    event_id: UUID
    state: ConfirmationState
    contact: bytes
    asked_at: Instant
    expires_at: Instant
    confirmed_by: UUID | None


def add_confirmation(
    tx: Tx, subject_no: int, about: tuple[int, int, int], event_id: UUID, contact: bytes, expires_at: Instant
) -> UUID:
    """Let a choice wait; `about` are its purpose, channel and brand. One waits already: IntegrityError, a bug."""
    key = uuid7(tx.now)
    purpose, channel, brand = about
    tx.run(
        insert(_CONFIRMATION),
        {
            "id": key, "controller": tx.controller, "subject_no": subject_no, "purpose_no": purpose,
            "channel_no": channel, "brand_no": brand, "event_id": event_id, "state": ConfirmationState.REQUESTED,
            "contact": contact, "asked_at": tx.now, "expires_at": expires_at,
        },
    )  # fmt: skip
    return key


def ask_again(tx: Tx, seen: Confirmation, event_id: UUID, contact: bytes, expires_at: Instant) -> None:
    """The same choice was asked for anew; links that were mailed before stay good until their end.

    Raises: StaleState.
    """
    advance(seen.state, ConfirmationEvent.RESEND)
    changed = {"event_id": event_id, "contact": contact, "expires_at": expires_at}
    tx.move(update(_CONFIRMATION).where(*_as_seen(seen)).values(changed))


def end_confirmation(tx: Tx, seen: Confirmation, event: ConfirmationEvent, confirmed_by: UUID | None = None) -> None:
    """Compare-and-set to what `event` leads to. Raises: StaleState, TransitionRefused."""
    changed = {"state": advance(seen.state, event), "ended_at": tx.now, "confirmed_by": confirmed_by}
    tx.move(update(_CONFIRMATION).where(*_as_seen(seen)).values(changed))


def list_waiting(tx: Tx, subject_no: int) -> Sequence[Confirmation]:
    """What waits for one person's contacts."""
    query = select(_CONFIRMATION).where(
        _CONFIRMATION.c.subject_no == subject_no, _CONFIRMATION.c.state == ConfirmationState.REQUESTED
    )
    return [_confirmation(row) for row in tx.run(query)]


def list_lapsed(tx: Tx, limit: int) -> Sequence[Confirmation]:
    """Confirmations that wait in vain: their time is over."""
    query = select(_CONFIRMATION).where(
        _CONFIRMATION.c.state == ConfirmationState.REQUESTED,
        _CONFIRMATION.c.expires_at <= tx.now,
        _CONFIRMATION.c.controller == tx.controller,
    )
    return [_confirmation(row) for row in tx.run(query.order_by(_CONFIRMATION.c.expires_at).limit(limit))]


def list_behind(tx: Tx, token_hash: bytes) -> Sequence[tuple[Confirmation, Instant]]:
    """What a mailed link confirms, each with the end of the link; empty for a link of nobody's or elsewhere."""
    query = (
        select(_CONFIRMATION, _LINK.c.expires_at.label("link_ends"))
        .join(_LINK, _LINK.c.confirmation_id == _CONFIRMATION.c.id)
        .where(_LINK.c.token_hash == token_hash, _CONFIRMATION.c.controller == tx.controller)
        .order_by(_CONFIRMATION.c.id)
    )
    return [(_confirmation(row), row.link_ends) for row in tx.run(query)]


def add_links(tx: Tx, token_hash: bytes, confirmations: Iterable[UUID], life: timedelta) -> None:
    """One mail's link, for everything that it asks about."""
    tx.run(
        insert(_LINK),
        [
            {"token_hash": token_hash, "confirmation_id": one, "sent_at": tx.now, "expires_at": tx.now + life}
            for one in confirmations
        ],
    )


def list_sent(tx: Tx, confirmation: UUID) -> Sequence[Instant]:
    """When mails about it left, the first one included."""
    query = select(_LINK.c.sent_at).where(_LINK.c.confirmation_id == confirmation).order_by(_LINK.c.sent_at)
    return tx.run(query).scalars().all()


def hand_over(tx: Tx, seen: Confirmation, subject_no: int) -> None:
    """What waits for a device's contact waits for the person from now on. Raises: StaleState."""
    tx.move(update(_CONFIRMATION).where(*_as_seen(seen)).values(subject_no=subject_no))


def _as_seen(seen: Confirmation) -> tuple[Any, ...]:
    return (
        _CONFIRMATION.c.id == seen.id,
        _CONFIRMATION.c.state == seen.state,
        _CONFIRMATION.c.event_id == seen.event_id,
    )


def _confirmation(row: Row[Any]) -> Confirmation:
    return Confirmation(
        id=row.id, subject_no=row.subject_no, purpose_no=row.purpose_no, channel_no=row.channel_no,
        brand_no=row.brand_no, event_id=row.event_id, state=ConfirmationState(row.state), contact=row.contact,
        asked_at=row.asked_at, expires_at=row.expires_at, confirmed_by=row.confirmed_by,
    )  # fmt: skip
