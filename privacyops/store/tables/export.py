"""Exports of the consent ledger: what was asked for, how far it is, and the pieces that lie in the vault."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index
from sqlmodel import Field, SQLModel

from privacyops.domain.export import ExportFormat, ExportState, Identifiers
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import BigKey, JsonColumn, UtcDateTime


class ConsentExportRow(SQLModel, table=True):
    """One export. It covers the numbers up to `through_seq`, which `checkpoint` signs, and has come to `after_seq`.

    The row outlives its bytes: who took what out stays to be seen.
    """

    __tablename__ = "consent_export"
    __table_args__ = (
        one_of("state", ExportState),
        one_of("format", ExportFormat),
        one_of("identifiers", Identifiers),
        Index("ix_consent_export_state", "state", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    state: str = Field(max_length=8)
    format: str = Field(max_length=12)
    identifiers: str = Field(max_length=6)
    filter: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    through_seq: int | None = Field(default=None, sa_column=Column(BigKey))
    after_seq: int = Field(default=0, sa_column=Column(BigKey, nullable=False))
    checkpoint: str | None = Field(default=None)
    rows: int = Field(default=0, sa_column=Column(BigKey, nullable=False))
    size: int | None = Field(default=None, sa_column=Column(BigKey))
    sha256: str | None = Field(default=None, max_length=64)
    code: str | None = Field(default=None, max_length=64)
    created_at: Instant = Field(sa_type=UtcDateTime)
    expires_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class ConsentExportPartRow(SQLModel, table=True):
    """One piece in the vault, with the records numbered `first_seq` to `last_seq` as far as the filter takes them."""

    __tablename__ = "consent_export_part"

    export_id: UUID = Field(sa_column=Column(ForeignKey("consent_export.id"), primary_key=True))
    first_seq: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    last_seq: int = Field(sa_column=Column(BigKey, nullable=False))
    blob: UUID
    size: int = Field(sa_column=Column(BigKey, nullable=False))
    sha256: str = Field(max_length=64)
