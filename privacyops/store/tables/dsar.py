"""A request, what happened to its clock, how its subject was proven, and what was said."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Date, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.dsar.kind import Channel, Outcome, RequestType
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import append_only, one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime


class DsarRow(SQLModel, table=True):
    """`sealed` holds who asks and what they wrote, under the request's own key: destroying that key empties it.

    `contact_index` is the keyed hash of the contact, to find repeats; `due_on`, `safe_due_on` and the flags beside
    them are the last fold of the clock events, kept only so that the queue can sort.
    """

    __tablename__ = "dsar"
    __table_args__ = (
        one_of("state", DsarState),
        one_of("type", RequestType),
        one_of("channel", Channel),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_a_time"),
        one_of("outcome", Outcome),
        UniqueConstraint("controller", "reference"),
        Index("ix_dsar_queue", "controller", "state", "safe_due_on", "id"),
        Index("ix_dsar_contact", "controller", "contact_index", "received_at"),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    reference: str = Field(max_length=16)
    type: str = Field(max_length=32)
    state: str = Field(max_length=24)
    resume_to: str | None = Field(default=None, max_length=24)
    version: int = Field(default=1)
    channel: str = Field(max_length=16)
    language: str = Field(max_length=8)
    residence: str | None = Field(default=None, max_length=8)
    received_at: Instant = Field(sa_type=UtcDateTime)
    recorded_at: Instant = Field(sa_type=UtcDateTime)
    contact_index: bytes = Field(sa_type=LargeBinary)
    sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
    is_verified: bool = Field(default=False)
    proven_level: int = Field(default=0)
    required_level: int = Field(default=0)
    assignee_id: UUID | None = Field(default=None, foreign_key="account.id")
    regime: str = Field(max_length=32)
    clock: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    due_on: Any = Field(sa_column=Column(Date, nullable=False))
    safe_due_on: Any = Field(sa_column=Column(Date, nullable=False))
    paused_since: Any = Field(default=None, sa_column=Column(Date))
    prepared_by: UUID | None = Field(default=None, foreign_key="account.id")
    plan_hash: str | None = Field(default=None, max_length=64)
    outcome: str | None = Field(default=None, max_length=24)
    answered_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class RequestKeyRow(SQLModel, table=True):
    """The wrapped key of one request. Deleting it empties everything sealed for that request, backups included
    once they have aged out."""

    __tablename__ = "request_key"

    dsar_id: UUID = Field(primary_key=True, foreign_key="dsar.id")
    wrapped: bytes = ciphertext(SealedBy.RING)


@append_only
class DsarClockEventRow(SQLModel, table=True):
    """A fact that moves the legal clock. Dates are folds over these rows; a wrong one is answered by `corrected`."""

    __tablename__ = "dsar_clock_event"
    __table_args__ = (Index("ix_dsar_clock_event_dsar", "dsar_id", "id"),)

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    kind: str = Field(max_length=32)
    at: Instant = Field(sa_type=UtcDateTime)
    recorded_at: Instant = Field(sa_type=UtcDateTime)
    detail: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))


class DsarProofRow(SQLModel, table=True):
    """One proof of identity or contact, bound to this request. `identifier` is sealed."""

    __tablename__ = "dsar_proof"
    __table_args__ = (Index("ix_dsar_proof_dsar", "dsar_id"),)

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    level: int
    method: str = Field(max_length=32)
    at: Instant = Field(sa_type=UtcDateTime)
    identifier_kind: str | None = Field(default=None, max_length=32)
    sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)


class DsarCodeRow(SQLModel, table=True):
    """A mailed six-digit code: its keyed hash, its purpose, the tries left. Five wrong ones spend the code only."""

    __tablename__ = "dsar_code"
    __table_args__ = (
        one_of("purpose", ("identity", "download", "withdraw")),
        Index("ix_dsar_code_dsar", "dsar_id", "purpose", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    purpose: str = Field(max_length=16)
    code_hmac: bytes = Field(sa_type=LargeBinary)
    tries_left: int
    created_at: Instant = Field(sa_type=UtcDateTime)
    expires_at: Instant = Field(sa_type=UtcDateTime)
    used_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class DsarMessageRow(SQLModel, table=True):
    """A message between the customer and the team, or a note of the team; sealed under the request's key."""

    __tablename__ = "dsar_message"
    __table_args__ = (one_of("author", ("subject", "team", "note")), Index("ix_dsar_message_dsar", "dsar_id", "id"))

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    author: str = Field(max_length=8)
    at: Instant = Field(sa_type=UtcDateTime)
    sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)


class IdempotencyRow(SQLModel, table=True):
    """A writing call that was answered: the same key and body get the same answer, another body is refused.

    `subject_id` is the person whom the answer names, so that it can be emptied when they are erased.
    """

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_subject", "subject_id"),)

    account: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=128)
    request_hash: bytes = Field(sa_type=LargeBinary)
    status: int | None = Field(default=None)
    answer: bytes | None = Field(default=None, sa_type=LargeBinary)
    subject_id: str | None = Field(default=None, max_length=40)
    created_at: Instant = Field(sa_type=UtcDateTime)
