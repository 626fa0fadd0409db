"""What happened, by whom, to what. One row a use case, written in its transaction, never changed."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import append_only
from privacyops.store.types import JsonColumn, UtcDateTime


@append_only
class AuditRow(SQLModel, table=True):
    """`detail` holds codes, counts and ids only: no personal data ever enters the log."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_object", "controller", "object_kind", "object_id", "id"),)

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    at: Instant = Field(sa_type=UtcDateTime)
    actor_kind: str = Field(max_length=16)
    actor_id: str | None = Field(default=None, max_length=64)
    action: str = Field(max_length=64)
    object_kind: str = Field(max_length=32)
    object_id: str = Field(max_length=64)
    detail: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    request_id: str | None = Field(default=None, max_length=64)
