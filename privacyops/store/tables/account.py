"""People who work here, their sessions and one-time links, and the keys of shop back ends."""

from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime


class AccountRow(SQLModel, table=True):
    """`email` is a staff member's working address, lower case; `totp_sealed` opens with the keyring only."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("controller", "email"),)

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    email: str = Field(max_length=254)
    name: str = Field(max_length=120)
    roles: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    password_hash: str = Field(max_length=255)
    totp_sealed: bytes | None = ciphertext(SealedBy.RING, optional=True)
    totp_last_step: int | None = Field(default=None)
    is_demo: bool = Field(default=False)
    masks_people: bool = Field(default=True)
    created_at: Instant = Field(sa_type=UtcDateTime)
    disabled_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class RecoveryCodeRow(SQLModel, table=True):
    __tablename__ = "recovery_code"

    account_id: UUID = Field(primary_key=True, foreign_key="account.id")
    code_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    used_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class AccountSessionRow(SQLModel, table=True):
    """`token_hash` is the SHA-256 of the cookie's value; the value itself is never stored."""

    __tablename__ = "account_session"
    __table_args__ = (Index("ix_account_session_account", "account_id"),)

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    account_id: UUID = Field(foreign_key="account.id")
    created_at: Instant = Field(sa_type=UtcDateTime)
    seen_at: Instant = Field(sa_type=UtcDateTime)
    expires_at: Instant = Field(sa_type=UtcDateTime)
    second_factor_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class LinkTokenRow(SQLModel, table=True):
    """A one-time link (setup, magic, download, status): its hash, what it opens, until when."""

    __tablename__ = "link_token"
    __table_args__ = (Index("ix_link_token_object", "object_id", "kind"),)

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    controller: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    object_id: str = Field(max_length=64)
    created_at: Instant = Field(sa_type=UtcDateTime)
    expires_at: Instant = Field(sa_type=UtcDateTime)
    used_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class ApiKeyRow(SQLModel, table=True):
    """`public_id` is the part of the key that is not secret; `secret_hmac` is keyed with the pepper.

    `systems`: the names of subscribers that the key may acknowledge for. `waiting`: scopes that a second person has to
    confirm first.
    """

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("public_id"),)

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    public_id: str = Field(max_length=16)
    name: str = Field(max_length=120)
    scopes: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    systems: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    waiting: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    secret_hmac: bytes = Field(sa_type=LargeBinary)
    is_live: bool
    created_by: UUID | None = Field(default=None)
    created_at: Instant = Field(sa_type=UtcDateTime)
    expires_at: Instant = Field(sa_type=UtcDateTime)
    revoked_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class SeenTokenRow(SQLModel, table=True):
    """`jti` of shop tokens already used, until they would have expired anyway."""

    __tablename__ = "seen_token"

    issuer: str = Field(primary_key=True, max_length=128)
    jti: str = Field(primary_key=True, max_length=128)
    until: Instant = Field(sa_type=UtcDateTime)


class RateBucketRow(SQLModel, table=True):
    """Counts in a fixed window; `subject` is a keyed hash of an address prefix or identifier."""

    __tablename__ = "rate_bucket"

    name: str = Field(primary_key=True, max_length=32)
    subject: bytes = Field(primary_key=True, sa_type=LargeBinary)
    window_start: Instant = Field(primary_key=True, sa_type=UtcDateTime)
    count: int
