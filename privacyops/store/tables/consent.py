"""Consent: what was published, what happened, whom it concerns, and what follows from it.

Three kinds of tables. Append-only: published versions and events, whose leaves name nobody. Private: persons, their
keys and what links them to events; deleting these is the erasure. Derived: the state, rebuilt from the events.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.consent.state import ConsentState, Grade, RowKind, Strength
from privacyops.domain.purpose import LegalBasis, Regime
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import append_only, one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import BigKey, JsonColumn, UtcDateTime

CLUSTERED = {"sqlite_with_rowid": False}
"""On SQLite the row stands in the primary key itself: one search reads it."""
HEAD = "head"
"""The kind of the row at all zeroes: it holds the person's `state_version` and is locked by each write."""


class PurposeRow(SQLModel, table=True):
    """The short number of a purpose, by which states are keyed."""

    __tablename__ = "purpose"
    __table_args__ = (UniqueConstraint("controller", "key"),)

    no: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    controller: str = Field(max_length=64)
    key: str = Field(max_length=63)


@append_only
class PurposeVersionRow(SQLModel, table=True):
    """One published version. `body` is PurposeVersion.to_json, `sha256` its digest in canonical form."""

    __tablename__ = "purpose_version"

    controller: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=63)
    version: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    body: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    sha256: str = Field(max_length=64)
    is_material: bool
    published_at: Instant = Field(sa_type=UtcDateTime)


@append_only
class NoticeVersionRow(SQLModel, table=True):
    """One published notice in all its languages; it stays readable for ever."""

    __tablename__ = "notice_version"

    controller: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=63)
    version: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    body: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    is_material: bool
    published_at: Instant = Field(sa_type=UtcDateTime)


class ChannelRow(SQLModel, table=True):
    """A way to reach a person or their device."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("controller", "key"),)

    no: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    controller: str = Field(max_length=64)
    key: str = Field(max_length=63)


class BrandRow(SQLModel, table=True):
    """A storefront. `jurisdiction` answers where neither the check nor the person names one."""

    __tablename__ = "brand"
    __table_args__ = (UniqueConstraint("controller", "key"),)

    no: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    controller: str = Field(max_length=64)
    key: str = Field(max_length=63)
    title: str = Field(max_length=120)
    jurisdiction: str | None = Field(default=None, max_length=8)


class ControlRow(SQLModel, table=True):
    """One row. `ver` grows with any change of a purpose, notice, brand, channel or key: parsed copies end with it."""

    __tablename__ = "control"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int = Field(primary_key=True)
    ver: int = Field(sa_column=Column(BigKey, nullable=False))


class SubjectRow(SQLModel, table=True):
    """A person or device, by a random id. Holds no name."""

    __tablename__ = "subject"
    __table_args__ = (one_of("kind", ("known", "anonymous")),)

    no: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    controller: str = Field(max_length=64)
    public_id: str = Field(max_length=40, unique=True)
    kind: str = Field(max_length=9)
    jurisdiction: str | None = Field(default=None, max_length=8)
    created_at: Instant = Field(sa_type=UtcDateTime)


class SubjectKeyRow(SQLModel, table=True):
    """The person's key, wrapped. Destroying it is the erasure: what it sealed and committed to says nothing more."""

    __tablename__ = "subject_key"

    subject_no: int = Field(sa_column=Column(BigKey, ForeignKey("subject.no"), primary_key=True, autoincrement=False))
    wrapped: bytes = ciphertext(SealedBy.RING)


class SubjectIdentifierRow(SQLModel, table=True):
    """An address, number or id of a person, found by keyed hash (`ref`); the value itself is sealed.

    The person's own id stands here too (type `subject`), so that one search answers whatever the caller holds. While
    a device is tied to a person its identifiers lead to that person; `lent_by` is the device they go home to.
    """

    __tablename__ = "subject_identifier"
    __table_args__ = (Index("ix_subject_identifier_subject", "subject_no"), CLUSTERED)

    ref: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    subject_no: int = Field(sa_column=Column(BigKey, ForeignKey("subject.no"), nullable=False))
    type: str = Field(max_length=16)
    sealed: bytes | None = ciphertext(SealedBy.SUBJECT, optional=True)
    lent_by: int | None = Field(default=None, sa_column=Column(BigKey))
    created_at: Instant = Field(sa_type=UtcDateTime)


@append_only
class ConsentEventRow(SQLModel, table=True):
    """One immutable fact as canonical JSON, byte for byte what was hashed."""

    __tablename__ = "consent_event"

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    leaf: bytes = Field(sa_type=LargeBinary)


class EventPrivateRow(SQLModel, table=True):
    """Whose event it is. `sealed` holds the evidence under the person's key; `applied` whether the state changed.

    `former_contact` is the address that a change of contact left behind.
    """

    __tablename__ = "event_private"
    __table_args__ = (UniqueConstraint("subject_no", "state_version"),)

    event_id: UUID = Field(primary_key=True, foreign_key="consent_event.id")
    subject_no: int = Field(sa_column=Column(BigKey, ForeignKey("subject.no"), nullable=False))
    state_version: int = Field(sa_column=Column(BigKey, nullable=False))
    applied: bool
    contact: bytes | None = Field(default=None, sa_type=LargeBinary)
    former_contact: bytes | None = Field(default=None, sa_type=LargeBinary)
    sealed: bytes | None = ciphertext(SealedBy.SUBJECT, optional=True)


class ConsentStateRow(SQLModel, table=True):
    """What is known of one person for one key; 0 stands for all. Times are milliseconds since 1970.

    Read by one range of the primary key, so everything the decision needs stands in the row.
    """

    __tablename__ = "consent_state"
    __table_args__ = (
        one_of("kind", (HEAD, *RowKind)),
        one_of("prior_state", ConsentState),
        one_of("regime", Regime),
        one_of("strength", Strength),
        one_of("grade", Grade),
        one_of("basis", LegalBasis),
        CLUSTERED,
    )

    subject_no: int = Field(sa_column=Column(BigKey, ForeignKey("subject.no"), primary_key=True, autoincrement=False))
    purpose_no: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    channel_no: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    brand_no: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    kind: str = Field(primary_key=True, max_length=12)
    state_version: int = Field(sa_column=Column(BigKey, nullable=False))
    state: str = Field(max_length=32)
    order_t: int = Field(sa_column=Column(BigKey, nullable=False))
    since: int = Field(sa_column=Column(BigKey, nullable=False))
    event_id: UUID | None = Field(default=None)
    prior_state: str | None = Field(default=None, max_length=32)
    prior_t: int | None = Field(default=None, sa_column=Column(BigKey))
    valid_until: int | None = Field(default=None, sa_column=Column(BigKey))
    confirm_until: int | None = Field(default=None, sa_column=Column(BigKey))
    notice_id: str | None = Field(default=None, max_length=63)
    notice_version: int | None = Field(default=None, sa_column=Column(BigKey))
    notice_locale: str | None = Field(default=None, max_length=35)
    notice_sha256: str | None = Field(default=None, max_length=64)
    purpose_version: int | None = Field(default=None, sa_column=Column(BigKey))
    regime: str | None = Field(default=None, max_length=8)
    jurisdiction: str | None = Field(default=None, max_length=8)
    contact: bytes | None = Field(default=None, sa_type=LargeBinary)
    strength: str | None = Field(default=None, max_length=12)
    grade: str | None = Field(default=None, max_length=1)
    basis: str | None = Field(default=None, max_length=24)


class SuppressionRow(SQLModel, table=True):
    """An address or number that must not be written to; nothing else of the person, so it outlives an erasure.

    `ref` is a keyed hash over channel family and contact; purpose and brand 0 stand for all.
    """

    __tablename__ = "suppression"
    __table_args__ = (Index("ix_suppression_event", "event_id"), CLUSTERED)

    ref: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    reason: str = Field(primary_key=True, max_length=24)
    purpose_no: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    brand_no: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    controller: str = Field(max_length=64)
    event_id: UUID
    order_t: int = Field(sa_column=Column(BigKey, nullable=False))


class ClientEventRow(SQLModel, table=True):
    """The caller's own id of a choice, unique per collection point for ever, and what was answered to it.

    The answer of somebody who was erased is empty: the id stays used, and nothing is said about whom.
    """

    __tablename__ = "client_event"
    __table_args__ = (Index("ix_client_event_subject", "subject_no"),)

    controller: str = Field(primary_key=True, max_length=64)
    point: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=128)
    subject_no: int | None = Field(default=None, sa_column=Column(BigKey))
    answer: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    at: Instant = Field(sa_type=UtcDateTime)
