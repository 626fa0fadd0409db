"""Drafts of purposes and notices: what may still change, kept apart from what never does."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from privacyops.domain.draft import DraftKind
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import JsonColumn, UtcDateTime


class DraftRow(SQLModel, table=True):
    """The next version of a purpose or notice before it is published; one at a time."""

    __tablename__ = "draft"
    __table_args__ = (one_of("kind", DraftKind),)

    controller: str = Field(primary_key=True, max_length=64)
    kind: str = Field(primary_key=True, max_length=8)
    key: str = Field(primary_key=True, max_length=63)
    body: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    saved_at: Instant = Field(sa_type=UtcDateTime)
    saved_by: UUID | None = Field(default=None)
