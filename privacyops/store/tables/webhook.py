"""Systems that act on choices: where events go, and which of them were acknowledged."""

from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.webhook.delivery import DeliveryState
from privacyops.domain.webhook.subscriber import Scheme, SubscriberState
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import BigKey, JsonColumn, UtcDateTime


class SubscriberRow(SQLModel, table=True):
    """A system. Without `url` it reads the feed and acknowledges by itself. `cursor` is the last number handed over.

    `sealed` is the signing secret; during a rotation `previous_sealed` signs too, until `previous_until`.
    """

    __tablename__ = "subscriber"
    __table_args__ = (
        UniqueConstraint("controller", "name"),
        one_of("state", SubscriberState),
        one_of("scheme", Scheme),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    name: str = Field(max_length=63)
    url: str | None = Field(default=None, max_length=500)
    types: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    scheme: str = Field(max_length=3)
    public_key: str | None = Field(default=None, max_length=80)
    sealed: bytes | None = ciphertext(SealedBy.RING, optional=True)
    previous_sealed: bytes | None = ciphertext(SealedBy.RING, optional=True, place=("subscriber", "sealed"))
    previous_until: Instant | None = Field(default=None, sa_type=UtcDateTime)
    state: str = Field(max_length=8)
    code: str | None = Field(default=None, max_length=64)
    cursor: int = Field(sa_column=Column(BigKey, nullable=False))
    created_at: Instant = Field(sa_type=UtcDateTime)


class DeliveryRow(SQLModel, table=True):
    """One event for one system, until that system has acknowledged it. `due_at`: when a person has to look."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "event_id"),
        one_of("state", DeliveryState),
        Index("ix_delivery_due", "state", "due_at"),
        Index("ix_delivery_event", "event_id"),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    subscriber_id: UUID = Field(sa_column=Column(ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False))
    event_id: UUID
    seq: int = Field(sa_column=Column(BigKey, nullable=False))
    type: str = Field(max_length=64)
    state: str = Field(max_length=12)
    since: Instant = Field(sa_type=UtcDateTime)
    rule: str | None = Field(default=None, max_length=32)
    due_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = Field(default=0)
    code: str | None = Field(default=None, max_length=64)
    acknowledged_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    task_id: UUID | None = Field(default=None)
