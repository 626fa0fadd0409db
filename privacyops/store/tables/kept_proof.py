"""The restricted ring: what is left of an erased person where the controller keeps proof for legal claims."""

from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import BigKey, UtcDateTime


class KeptKeyRow(SQLModel, table=True):
    """The person's wrapped key until the term ends; the number leads to no row but this one."""

    __tablename__ = "kept_key"
    __table_args__ = (Index("ix_kept_key_until", "until"),)

    subject_no: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    controller: str = Field(max_length=64)
    wrapped: bytes = ciphertext(SealedBy.RING, place=("subject_key", "wrapped"))
    until: Instant = Field(sa_type=UtcDateTime)


class KeptEvidenceRow(SQLModel, table=True):
    """The sealed evidence of one event, found by the event's id alone."""

    __tablename__ = "kept_evidence"
    __table_args__ = (Index("ix_kept_evidence_subject", "subject_no"),)

    event_id: UUID = Field(primary_key=True, foreign_key="consent_event.id")
    subject_no: int = Field(sa_column=Column(BigKey, nullable=False))
    sealed: bytes = ciphertext(SealedBy.SUBJECT, place=("event_private", "sealed"))
