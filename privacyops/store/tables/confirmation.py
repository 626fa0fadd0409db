"""Double opt-in: what waits for a contact's owner, and the links that were mailed for it."""

from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from privacyops.domain.consent.confirmation import ConfirmationState
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.types import BigKey, UtcDateTime

_OPEN = text("state = 'requested'")


class ConfirmationRow(SQLModel, table=True):
    """One purpose over one channel that was asked for. `event_id` is the request that a confirmation names.

    `contact` is the keyed hash of the address that has to answer; at most one waits for each choice of a person.
    """

    __tablename__ = "confirmation"
    __table_args__ = (
        one_of("state", ConfirmationState),
        Index(
            "ix_confirmation_open", "subject_no", "purpose_no", "channel_no", "brand_no",
            unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index("ix_confirmation_lapse", "state", "expires_at"),
        Index("ix_confirmation_subject", "subject_no"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    subject_no: int = Field(sa_column=Column(BigKey, ForeignKey("subject.no"), nullable=False))
    purpose_no: int = Field(sa_column=Column(BigKey, nullable=False))
    channel_no: int = Field(sa_column=Column(BigKey, nullable=False))
    brand_no: int = Field(sa_column=Column(BigKey, nullable=False))
    event_id: UUID
    state: str = Field(max_length=12)
    contact: bytes = Field(sa_type=LargeBinary)
    asked_at: Instant = Field(sa_type=UtcDateTime)
    expires_at: Instant = Field(sa_type=UtcDateTime)
    ended_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_by: UUID | None = Field(default=None)


class ConfirmationLinkRow(SQLModel, table=True):
    """A link that was mailed, by the SHA-256 of its token; one mail may ask about several choices."""

    __tablename__ = "confirmation_link"
    __table_args__ = (Index("ix_confirmation_link_confirmation", "confirmation_id", "sent_at"),)

    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    confirmation_id: UUID = Field(primary_key=True, foreign_key="confirmation.id")
    sent_at: Instant = Field(sa_type=UtcDateTime)
    expires_at: Instant = Field(sa_type=UtcDateTime)
