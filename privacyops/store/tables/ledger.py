"""The logs: leaves that wait for their number, and everything that grows from them.

A log belongs to one controller; `audit` holds what people and machines did, `consent` what customers chose. Numbers
are dense from 1 and never start again; each year has a tree of its own.
"""

from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from privacyops.domain.log import Log
from privacyops.kernel.clock import Instant
from privacyops.store.tables.base import append_only, one_of
from privacyops.store.types import BigKey, UtcDateTime


class LedgerPendingRow(SQLModel, table=True):
    """A committed leaf without a number yet. The sequencer numbers rows in the order of `id` and deletes them."""

    __tablename__ = "ledger_pending"
    __table_args__ = (Index("ix_ledger_pending_log", "controller", "log", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    log: str = Field(max_length=16)
    controller: str = Field(max_length=64)
    entry_id: UUID
    leaf_hash: bytes = Field(sa_type=LargeBinary)


@append_only
class LedgerLeafRow(SQLModel, table=True):
    """A numbered leaf. The record itself stands in the table of its noun under `entry_id`."""

    __tablename__ = "ledger_leaf"
    __table_args__ = (one_of("log", Log), Index("ix_ledger_leaf_entry", "entry_id", unique=True))

    controller: str = Field(primary_key=True, max_length=64)
    log: str = Field(primary_key=True, max_length=16)
    seq: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    entry_id: UUID
    leaf_hash: bytes = Field(sa_type=LargeBinary)


@append_only
class LedgerTreeRow(SQLModel, table=True):
    """A tree: a year, or the continuation of one after a restore that lost leaves. Leaf index = seq - first_seq.

    `origin` is the name its checkpoints are signed under; it stays when the service moves to another address.
    """

    __tablename__ = "ledger_tree"

    controller: str = Field(primary_key=True, max_length=64)
    log: str = Field(primary_key=True, max_length=16)
    name: str = Field(primary_key=True, max_length=16)
    origin: str = Field(max_length=255)
    first_seq: int = Field(sa_column=Column(BigKey, nullable=False))
    opened_at: Instant = Field(sa_type=UtcDateTime)


class LedgerHeadRow(SQLModel, table=True):
    """Where a log stands: the open tree, its size and frontier, and how much of it a checkpoint covers."""

    __tablename__ = "ledger_head"

    controller: str = Field(primary_key=True, max_length=64)
    log: str = Field(primary_key=True, max_length=16)
    tree: str = Field(max_length=16)
    first_seq: int = Field(sa_column=Column(BigKey, nullable=False))
    size: int = Field(sa_column=Column(BigKey, nullable=False))
    frontier: bytes = Field(sa_type=LargeBinary)
    signed_size: int = Field(sa_column=Column(BigKey, nullable=False))
    signed_at: Instant | None = Field(default=None, sa_type=UtcDateTime)


@append_only
class LedgerNodeRow(SQLModel, table=True):
    """The hash of a full subtree of 256^(level/8) leaves: what the tiles above level 0 are cut from."""

    __tablename__ = "ledger_node"

    controller: str = Field(primary_key=True, max_length=64)
    log: str = Field(primary_key=True, max_length=16)
    tree: str = Field(primary_key=True, max_length=16)
    level: int = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_type=LargeBinary)


@append_only
class LedgerCheckpointRow(SQLModel, table=True):
    """A signed note over the tree at one size. Once given out it can only be contradicted, not taken back."""

    __tablename__ = "ledger_checkpoint"

    controller: str = Field(primary_key=True, max_length=64)
    log: str = Field(primary_key=True, max_length=16)
    tree: str = Field(primary_key=True, max_length=16)
    size: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    note: str
    signed_at: Instant = Field(sa_type=UtcDateTime)


@append_only
class LedgerKeyRow(SQLModel, table=True):
    """A public key that signed checkpoints of this controller: what older ones are verified with."""

    __tablename__ = "ledger_key"

    controller: str = Field(primary_key=True, max_length=64)
    public_key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    since: Instant = Field(sa_type=UtcDateTime)


@append_only
class LedgerAnchorRow(SQLModel, table=True):
    """A checkpoint that was given to somebody outside, who can hold us to it."""

    __tablename__ = "ledger_anchor"

    controller: str = Field(primary_key=True, max_length=64)
    log: str = Field(primary_key=True, max_length=16)
    tree: str = Field(primary_key=True, max_length=16)
    size: int = Field(sa_column=Column(BigKey, primary_key=True, autoincrement=False))
    at: Instant = Field(sa_type=UtcDateTime)


@append_only
class LedgerPrunedRow(SQLModel, table=True):
    """A tree whose records were deleted when their term was over; its last checkpoint stays, with `size` leaves."""

    __tablename__ = "ledger_pruned"

    controller: str = Field(primary_key=True, max_length=64)
    log: str = Field(primary_key=True, max_length=16)
    tree: str = Field(primary_key=True, max_length=16)
    size: int = Field(sa_column=Column(BigKey, nullable=False))
    at: Instant = Field(sa_type=UtcDateTime)
