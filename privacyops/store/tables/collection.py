"""Forms, tills, checkouts and banners that may write choices."""

from uuid import UUID

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.consent.collection import PointClock, PointKind
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import BigKey, JsonColumn, UtcDateTime


class CollectionPointRow(SQLModel, table=True):
    """A point and what it may write. Never deleted: `client_event` names it by `id`."""

    __tablename__ = "collection_point"
    __table_args__ = (UniqueConstraint("controller", "key"), one_of("kind", PointKind), one_of("clock", PointClock))

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    key: str = Field(max_length=63)
    kind: str = Field(max_length=8)
    brand: str = Field(max_length=63)
    origins: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    purposes: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    notice_id: str = Field(max_length=63)
    notice_version: int = Field(sa_column=Column(BigKey, nullable=False))
    clock: str = Field(max_length=8)
    is_enabled: bool
    version: int = Field(sa_column=Column(BigKey, nullable=False))
    created_at: Instant = Field(sa_type=UtcDateTime)
