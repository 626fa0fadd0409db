"""The erasure of one request in one store; its receipt; and what was erased, as keyed hashes."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from privacyops.domain.dsar.erasing import ErasingState
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import append_only, one_of
from privacyops.store.tables.sealed import SealedBy, ciphertext
from privacyops.store.types import JsonColumn, UtcDateTime


class StoreErasureRow(SQLModel, table=True):
    """What is sealed opens with the request's key; `plan` and `report` hold counts and codes only."""

    __tablename__ = "store_erasure"
    __table_args__ = (
        one_of("state", ErasingState),
        UniqueConstraint("dsar_id", "store"),
        Index("ix_store_erasure_sweep", "sweep_at"),
        Index("ix_store_erasure_poll", "poll_at"),
    )

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    controller: str = Field(max_length=64)
    store: str = Field(max_length=64)
    state: str = Field(max_length=12)
    version: int = Field(default=1)
    plan_hash: str | None = Field(default=None, max_length=64)
    decided_hash: str | None = Field(default=None, max_length=64)
    plan: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    plan_sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
    results_sealed: bytes | None = ciphertext(SealedBy.REQUEST, optional=True)
    report: dict[str, Any] = Field(sa_column=Column(JsonColumn, nullable=False))
    code: str | None = Field(default=None, max_length=64)
    planned_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    sweeps: int = Field(default=0)
    sweep_at: Instant | None = Field(default=None, sa_type=UtcDateTime)
    poll_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


class StoreEventRow(SQLModel, table=True):
    """One thing that a store's service told by webhook, as a keyed hash, so that it counts once."""

    __tablename__ = "store_event"
    __table_args__ = (Index("ix_store_event_heard", "heard_at"),)

    controller: str = Field(max_length=64, primary_key=True)
    event: bytes = Field(sa_type=LargeBinary, primary_key=True)
    heard_at: Instant = Field(sa_type=UtcDateTime)


@append_only
class ErasureReceiptRow(SQLModel, table=True):
    """What was done for one request, signed. `jws` holds counts, codes and dates, and no erased value."""

    __tablename__ = "erasure_receipt"
    __table_args__ = (Index("ix_erasure_receipt_dsar", "dsar_id"),)

    id: UUID = Field(primary_key=True)
    dsar_id: UUID = Field(foreign_key="dsar.id")
    controller: str = Field(max_length=64)
    sha256: str = Field(max_length=64)
    jws: str
    made_at: Instant = Field(sa_type=UtcDateTime)


@append_only
class ErasedRecordRow(SQLModel, table=True):
    """One record that was erased or changed: keyed hashes of its key and of the person, so that a restored copy can
    be erased again. It survives the request and its key. A second plan may cut other columns of the same record, or
    erase one anew that came back: a backup from in between holds it, so that the later moment counts too.
    """

    __tablename__ = "erased_record"
    __table_args__ = (
        UniqueConstraint("erasure_id", "row_mac", "act", "columns_hash", "erased_at"),
        Index("ix_erased_record_store", "controller", "store", "erased_at"),
    )

    id: UUID = Field(primary_key=True)
    erasure_id: UUID
    controller: str = Field(max_length=64)
    store: str = Field(max_length=64)
    collection: str = Field(max_length=128)
    row_mac: bytes = Field(sa_type=LargeBinary)
    person_mac: bytes = Field(sa_type=LargeBinary)
    key_version: int
    act: str = Field(max_length=16)
    columns: list[str] = Field(sa_column=Column(JsonColumn, nullable=False))
    columns_hash: bytes = Field(sa_type=LargeBinary)
    policy: str = Field(max_length=64)
    erased_at: Instant = Field(sa_type=UtcDateTime)
