"""Dates on which something has to happen, so that a sweep finds them and a stopped clock loses none."""

from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import UtcDateTime

DEADLINE_KINDS = ("ack", "answer", "extension_notice", "internal", "package_expiry", "unverified_expiry")


class DeadlineRow(SQLModel, table=True):
    """An armed row fires once at `due_at`. A new date is a new row that supersedes the old one."""

    __tablename__ = "deadline"
    __table_args__ = (
        one_of("kind", DEADLINE_KINDS),
        one_of("state", ("armed", "fired", "superseded", "met")),
        Index("ix_deadline_due", "state", "due_at"),
        Index("ix_deadline_dsar", "dsar_id"),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    kind: str = Field(max_length=24)
    slot: str = Field(max_length=16)
    due_at: Instant = Field(sa_type=UtcDateTime)
    state: str = Field(max_length=12)
    created_at: Instant = Field(sa_type=UtcDateTime)
    ended_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
