"""Work for the machine: what must happen after a commit, how far it is, and who may do it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime

JOB_STATES = ("queued", "running", "waiting", "done", "cancelled", "dead")


class JobRow(SQLModel, table=True):
    """The record of one piece of durable work. The engine's own tables are never read by anybody else.

    `cursor` is sealed: a keyset cursor can be an e-mail address. `epoch` grows with each claim and fences every
    effect: a worker that was thought dead and comes back holds an old one and can change nothing.
    """

    __tablename__ = "job"
    __table_args__ = (
        one_of("state", JOB_STATES),
        Index("ix_job_wake", "state", "wake_at"),
        Index("ix_job_object", "object_id"),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    kind: str = Field(max_length=32)
    object_id: str = Field(max_length=64)
    state: str = Field(max_length=16)
    epoch: int = Field(default=0)
    attempts: int = Field(default=0)
    drives: int = Field(default=0)
    arguments: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    cursor: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
    progress: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonColumn))
    intent: str | None = Field(default=None, max_length=128)
    result: str | None = Field(default=None, max_length=64)
    created_at: Instant = Field(sa_type=UtcDateTime)
    progress_at: Instant = Field(sa_type=UtcDateTime)
    wake_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class OutboxRow(SQLModel, table=True):
    """A hand-over to the durable engine, written with the fact that causes it. Its id becomes the workflow's."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_unsent", "sent_at", "created_at"),)

    id: str = Field(primary_key=True, max_length=128)
    controller: str = Field(max_length=64)
    job_id: UUID = Field(foreign_key="job.id")
    created_at: Instant = Field(sa_type=UtcDateTime)
    sent_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class LeaseRow(SQLModel, table=True):
    """Who alone may do a thing now. `epoch` grows whenever the lease changes hands or had run out."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, max_length=64)
    owner: str = Field(max_length=128)
    epoch: int
    until: Instant = Field(sa_type=UtcDateTime)


class ExecutorRow(SQLModel, table=True):
    """One start of one worker process. Never reused, so that a dead one can be told from its successor."""

    __tablename__ = "executor"
    __table_args__ = (one_of("state", ("live", "reaping", "reaped", "left")),)

    id: str = Field(primary_key=True, max_length=128)
    state: str = Field(max_length=16)
    started_at: Instant = Field(sa_type=UtcDateTime)
    seen_at: Instant = Field(sa_type=UtcDateTime)


class SlotRow(SQLModel, table=True):
    """A tick of the clock that has been used: what is enqueued for a slot is enqueued once."""

    __tablename__ = "slot"

    kind: str = Field(primary_key=True, max_length=64)
    slot: str = Field(primary_key=True, max_length=64)
    at: Instant = Field(sa_type=UtcDateTime)
