"""What was searched for one request, and what was found."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.dsar.run import Decision, RunState
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime


class RunRow(SQLModel, table=True):
    """The search of one store for one request: the proof of a reasonable search."""

    __tablename__ = "dsar_run"
    __table_args__ = (
        one_of("state", RunState),
        UniqueConstraint("dsar_id", "store"),
        Index("ix_dsar_run_job", "job_id"),
    )

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    store: str = Field(max_length=64)
    state: str = Field(max_length=20)
    version: int = Field(default=1)
    job_id: UUID | None = Field(default=None)
    attempts: int = Field(default=0)
    started_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    code: str | None = Field(default=None, max_length=64)
    report: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    state_sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)


class FindingRow(SQLModel, table=True):
    """One record of one store. Its values are sealed under the request's key; `row_ref` is a hash of its key."""

    __tablename__ = "finding"
    __table_args__ = (
        one_of("decision", Decision),
        one_of("tier", ("owned", "pointer", "candidate")),
        UniqueConstraint("dsar_id", "store", "row_ref"),
        Index("ix_finding_page", "dsar_id", "store", "collection", "id"),
    )

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    store: str = Field(max_length=64)
    collection: str = Field(max_length=128)
    row_ref: bytes = Field(sa_type=LargeBinary)
    tier: str = Field(max_length=16)
    match: str = Field(max_length=16)
    columns: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    via: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    persons_mentioned: int = Field(default=0)
    sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
    decision: str = Field(max_length=12)
    reason: str | None = Field(default=None, max_length=64)
    decided_by: UUID | None = Field(default=None)
    decided_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    found_at: Instant = Field(sa_type=UtcDateTime)


class ConnectedStoreRow(SQLModel, table=True):
    """A store the shop connected. `config` holds no secret: credentials are references resolved by workers."""

    __tablename__ = "connected_store"
    __table_args__ = (UniqueConstraint("controller", "name"),)

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    name: str = Field(max_length=64)
    title: str = Field(max_length=120)
    connector: str = Field(max_length=32)
    config: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    owner_id: UUID | None = Field(default=None, foreign_key="account.id")
    is_enabled: bool = Field(default=True)
    health: str | None = Field(default=None, max_length=16)
    health_code: str | None = Field(default=None, max_length=64)
    health_setting: str | None = Field(default=None, max_length=64)
    health_allowed: str | None = Field(default=None, max_length=300)
    health_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    created_at: Instant = Field(sa_type=UtcDateTime)
