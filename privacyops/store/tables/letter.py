"""What leaves the house: mails, letters, answer packages."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime

MAIL_STATES = ("queued", "sent", "failed")
PACKAGE_STATES = ("building", "ready", "released", "destroyed", "failed")


class MailRow(SQLModel, table=True):
    """A mail that a commit promised. `sealed` (address, subject, texts) is emptied once it was handed over."""

    __tablename__ = "mail"
    __table_args__ = (one_of("state", MAIL_STATES), Index("ix_mail_dsar", "dsar_id"))

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    kind: str = Field(max_length=32)
    state: str = Field(max_length=8)
    dsar_id: UUID | None = Field(default=None, foreign_key="dsar.id")
    sealed: bytes | None = ciphertext(SealedBy.RING, optional=True)
    code: str | None = Field(default=None, max_length=64)
    created_at: Instant = Field(sa_type=UtcDateTime)
    sent_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class PackageRow(SQLModel, table=True):
    """The answer's archive in the vault. `inputs_hash` binds it to the reviewed findings."""

    __tablename__ = "package"
    __table_args__ = (one_of("state", PACKAGE_STATES), Index("ix_package_dsar", "dsar_id", "id"))

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    state: str = Field(max_length=12)
    inputs_hash: str = Field(max_length=64)
    vault_ref: str | None = Field(default=None, max_length=128)
    sha256: str | None = Field(default=None, max_length=64)
    size: int | None = Field(default=None)
    contents: list[dict[str, Any]] = Field(sa_column=Column(JsonColumn, nullable=False))
    checks: list[dict[str, Any]] = Field(sa_column=Column(JsonColumn, nullable=False))
    notes: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    created_at: Instant = Field(sa_type=UtcDateTime)
    released_by: UUID | None = Field(default=None)
    released_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    downloads_left: int = Field(default=5)
    destroyed_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
