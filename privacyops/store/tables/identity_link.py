"""Which device belongs to which person, and since which events."""

from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, text
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.types import BigKey, UtcDateTime

_LIVE = text("unlinked_at IS NULL")


class IdentityLinkRow(SQLModel, table=True):
    """A device at a person. Each side holds a leaf of its own for the link and for its end; this row joins them.

    While it is live the device's identifiers lead to the person, and the device's own rows rest.
    """

    __tablename__ = "identity_link"
    __table_args__ = (
        Index("ix_identity_link_device", "device_no", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_identity_link_account", "account_no"),
        Index("ix_identity_link_device_ever", "device_no"),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    account_no: int = Field(sa_column=Column(BigKey, ForeignKey("subject.no"), nullable=False))
    device_no: int = Field(sa_column=Column(BigKey, ForeignKey("subject.no"), nullable=False))
    account_event: UUID
    device_event: UUID
    linked_at: Instant = Field(sa_type=UtcDateTime)
    account_unlink_event: UUID | None = Field(default=None)
    device_unlink_event: UUID | None = Field(default=None)
    unlinked_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
