"""Recipients that are told of an erasure, a correction or a restriction."""

from uuid import UUID

from sqlalchemy import Date, Index
from sqlmodel import Field, SQLModel

from privacyops.domain.recipient import Excuse, NoticeState, Way
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import UtcDateTime


class RecipientNoticeRow(SQLModel, table=True):
    """One row a request and recipient, however often the request is carried out again."""

    __tablename__ = "recipient_notice"
    __table_args__ = (
        one_of("state", NoticeState),
        one_of("way", Way),
        one_of("excuse", Excuse),
        Index("ix_recipient_notice_once", "dsar_id", "name_key", unique=True),
        Index("ix_recipient_notice_task", "task_id", unique=True),
    )

    id: UUID = Field(primary_key=True)
    controller: str = Field(max_length=64)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    task_id: UUID = Field(foreign_key="task.id")
    name: str = Field(max_length=200)
    name_key: str = Field(max_length=200)
    state: str = Field(max_length=16)
    way: str | None = Field(default=None, max_length=16)
    told_on: object = Field(default=None, sa_type=Date, nullable=True)
    confirmed_on: object = Field(default=None, sa_type=Date, nullable=True)
    excuse: str | None = Field(default=None, max_length=16)
    proposed_by: UUID | None = Field(default=None)
    proposed_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: UUID | None = Field(default=None)
    note_sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
