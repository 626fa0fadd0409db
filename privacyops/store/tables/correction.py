"""What a request for rectification corrects: the pairs of wrong and right values, sealed; and what was written."""

from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from privacyops.kernel.clock import Instant
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime


class CorrectionRow(SQLModel, table=True):
    """All pairs of one request. `id` is another one each time they are written: plans and approvals bind to it."""

    __tablename__ = "dsar_correction"

    dsar_id: UUID = Field(primary_key=True, foreign_key="dsar.id")
    controller: str = Field(max_length=64)
    id: UUID
    pairs: int
    sealed: bytes = ciphertext(SealedBy.REQUEST)
    written_at: Instant = Field(sa_type=UtcDateTime)


class CorrectedStoreRow(SQLModel, table=True):
    """What one correction wrote in a store, so that a restored copy can be corrected again. `sealed` holds the records
    with old and new values and goes with the request's other values; which collections they were in stays.
    """

    __tablename__ = "corrected_store"
    __table_args__ = (
        Index("ix_corrected_store_done", "controller", "store", "done_at"),
        Index("ix_corrected_store_dsar", "dsar_id"),
    )

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    controller: str = Field(max_length=64)
    store: str = Field(max_length=64)
    collections: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
    done_at: Instant = Field(sa_type=UtcDateTime)
