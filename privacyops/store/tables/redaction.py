"""Where the records of a request name other people, and what was decided about each place. No piece of a text."""

from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.redaction.record import ReadingState
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime


class ReadingRow(SQLModel, table=True):
    """How far the texts of one request are read. Which label is whom is sealed under the request's key."""

    __tablename__ = "dsar_reading"
    __table_args__ = (one_of("state", ReadingState),)

    dsar_id: UUID = Field(primary_key=True, foreign_key="dsar.id")
    state: str = Field(max_length=8)
    version: int = Field(default=1)
    after: list[str] | None = Field(sa_column=Column(JsonColumn, nullable=True))
    texts: int = Field(default=0)
    files: int = Field(default=0)
    notes: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    labels_sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
    settled_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    vouched_by: UUID | None = Field(default=None)
    vouched_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class FindingTextRow(SQLModel, table=True):
    """One text of one finding: with suggestions, or not looked through wholly. `digest` is keyed by the request."""

    __tablename__ = "finding_text"
    __table_args__ = (
        UniqueConstraint("finding_id", "field", "at"),
        Index("ix_finding_text_page", "dsar_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    finding_id: UUID = Field(foreign_key="finding.id")
    field: str = Field(max_length=255)
    at: int
    digest: bytes = Field(sa_type=LargeBinary)
    unread: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    is_unread: bool = Field(default=False)
    seen_by: UUID | None = Field(default=None)
    seen_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class RedactionRow(SQLModel, table=True):
    """A passage of a text: code points, type, label, reason, and the decision of a person."""

    __tablename__ = "redaction"
    __table_args__ = (
        one_of("decision", Decision),
        UniqueConstraint("text_id", "start", "end"),
        Index("ix_redaction_page", "dsar_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    text_id: UUID = Field(foreign_key="finding_text.id")
    start: int
    end: int
    type: str = Field(max_length=32)
    label: str = Field(max_length=32)
    score: float
    why: str = Field(max_length=400)
    is_certain: bool = Field(default=False)
    doubts: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    decision: str = Field(max_length=8)
    is_by_hand: bool = Field(default=False)
    decided_by: UUID | None = Field(default=None)
    decided_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
