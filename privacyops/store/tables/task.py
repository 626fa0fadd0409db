"""Work for a person, and the approvals of a second one."""

from uuid import UUID

from sqlalchemy import Date, Index
from sqlmodel import Field, SQLModel

from privacyops.domain.task import ApprovalState, TaskKind, TaskState
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import UtcDateTime


class TaskRow(SQLModel, table=True):
    """A task always has an owner: a person or a team (a role)."""

    __tablename__ = "task"
    __table_args__ = (
        one_of("state", TaskState),
        one_of("kind", TaskKind),
        Index("ix_task_open", "controller", "state", "due_on", "id"),
        Index("ix_task_dsar", "dsar_id"),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    kind: str = Field(max_length=24)
    state: str = Field(max_length=16)
    dsar_id: UUID | None = Field(default=None, foreign_key="dsar.id")
    store: str | None = Field(default=None, max_length=64)
    owner_role: str = Field(max_length=16)
    owner_id: UUID | None = Field(default=None, foreign_key="account.id")
    code: str | None = Field(default=None, max_length=64)
    due_on: object = Field(sa_type=Date)
    created_at: Instant = Field(sa_type=UtcDateTime)
    ended_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: UUID | None = Field(default=None)
    end_reason: str | None = Field(default=None, max_length=64)
    answer_sealed: bytes | None = ciphertext(SealedBy.EITHER, optional=True)


class ApprovalRow(SQLModel, table=True):
    """A second person's agreement to exactly one plan: any later change of the plan voids it."""

    __tablename__ = "approval"
    __table_args__ = (one_of("state", ApprovalState), Index("ix_approval_dsar", "dsar_id", "id"))

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    subject: str = Field(max_length=16)
    state: str = Field(max_length=12)
    plan_hash: str = Field(max_length=64)
    requested_by: UUID
    requested_at: Instant = Field(sa_type=UtcDateTime)
    decided_by: UUID | None = Field(default=None)
    decided_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = Field(default=None, max_length=200)
