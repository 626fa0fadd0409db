"""The data map of each store as it was scanned last, and what people said of its links."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.datamap.deciding import Answer
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import JsonColumn, UtcDateTime


class DataMapRow(SQLModel, table=True):
    """One store's map: names, types and confidences, no value of any row. `scan` counts up; `drift` is what
    the last scan found changed."""

    __tablename__ = "data_map"
    __table_args__ = (UniqueConstraint("controller", "store"),)

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    store: str = Field(max_length=64)
    scan: int = Field(default=1)
    drawn: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    drift: list[Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    scanned_at: Instant = Field(sa_type=UtcDateTime)


class LinkDecisionRow(SQLModel, table=True):
    """The answer that stands about one link; earlier ones are in the audit log."""

    __tablename__ = "link_decision"
    __table_args__ = (one_of("answer", Answer), UniqueConstraint("controller", "store", "link"))

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    store: str = Field(max_length=64)
    link: str = Field(max_length=512)
    answer: str = Field(max_length=8)
    ownership: str | None = Field(default=None, max_length=16)
    decided_by: UUID
    decided_at: Instant = Field(sa_type=UtcDateTime)
