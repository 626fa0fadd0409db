"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, SafeUUID

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from privacyops.kernel.clock import require_utc

JsonColumn = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON text on SQLite, JSONB on PostgreSQL."""

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""A growing integer key; SQLite makes only INTEGER PRIMARY KEY an alias of its rowid."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses a naive datetime on the way in, returns an aware one in UTC on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = require_utc(value)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def uuid_of(value: Any) -> UUID:
    """What a driver gives for a column of ids where no column type is in between: SQLite holds 32 digits."""
    if isinstance(value, UUID):
        return value
    made: UUID = object.__new__(UUID)  # what UUID(int=...) makes, in a third of the time: each check reads one
    object.__setattr__(made, "int", int(value, 16))
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


def as_bytes(value: Any) -> bytes:
    """A value of a binary column as bytes. SQLite keeps whatever a stranger's tool wrote there, text and numbers too:
    verification has to name such a row and must not stumble over it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
