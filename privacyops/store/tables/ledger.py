"""The logs: leaves that wait for their number, and everything that grows from them."""

from uuid import UUID

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from privacyops.store.types import BigKey


class LedgerPendingRow(SQLModel, table=True):
    """A committed leaf without a number yet. The sequencer numbers rows in the order of `id` and deletes them."""

    __tablename__ = "ledger_pending"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    log: str = Field(max_length=16)
    controller: str = Field(max_length=64)
    entry_id: UUID
    leaf_hash: bytes = Field(sa_type=LargeBinary)
