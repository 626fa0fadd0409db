"""Lifting a suppression: who asked for it, and the second person where one is needed."""

from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import BigKey, UtcDateTime

LIFT_STATES = ("proposed", "lifted", "returned")


class SuppressionLiftRow(SQLModel, table=True):
    """One proposal to let a contact be written to again. `why` names no person; the audit log has it too."""

    __tablename__ = "suppression_lift"
    __table_args__ = (one_of("state", LIFT_STATES), Index("ix_suppression_lift_open", "controller", "state"))

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    ref: bytes = Field(sa_type=LargeBinary)
    reason: str = Field(max_length=24)
    purpose_no: int = Field(sa_column=Column(BigKey, nullable=False))
    brand_no: int = Field(sa_column=Column(BigKey, nullable=False))
    family: str = Field(max_length=16)
    state: str = Field(max_length=12)
    why: str = Field(max_length=200)
    proposed_by: UUID
    proposed_at: Instant = Field(sa_type=UtcDateTime)
    decided_by: UUID | None = Field(default=None)
    decided_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
