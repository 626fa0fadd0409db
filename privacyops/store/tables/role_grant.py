"""Roles that wait for a second person."""

from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from privacyops.domain.account.grant import GrantState
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import JsonColumn, UtcDateTime

_OPEN = text("state = 'proposed'")


class RoleGrantRow(SQLModel, table=True):
    """`decided_by` is null for what was replaced, and for a confirmation on the server itself."""

    __tablename__ = "role_grant"
    __table_args__ = (
        one_of("state", GrantState),
        Index("ix_role_grant_open", "account_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    account_id: UUID = Field(foreign_key="account.id")
    roles: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    proposed_by: UUID = Field(foreign_key="account.id")
    proposed_at: Instant = Field(sa_type=UtcDateTime)
    state: str = Field(max_length=16)
    decided_by: UUID | None = Field(default=None, foreign_key="account.id")
    decided_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
