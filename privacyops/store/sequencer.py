"""The round that numbers leaves. Commits take place without a number; one holder of a lease gives them theirs.

A round reads what is pending, gives each leaf the next number without a gap, moves the frontier and deletes what it
read, in one transaction. Deleting instead of remembering a position means that a leaf whose transaction committed
late is simply next. The lease row is renewed, and thereby locked, by the same transaction: a holder that was
deposed in the meantime cannot commit.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, Table, delete, insert, select, update

from privacyops.domain.log import Log
from privacyops.kernel.clock import Instant
from privacyops.kernel.crash_point import crash_point
from privacyops.ledger.merkle import Frontier
from privacyops.ledger.tiles import TILE_HEIGHT
from privacyops.store.change import note_changes
from privacyops.store.lease import take_lease
from privacyops.store.tables.base import table_of
from privacyops.store.tables.ledger import (
    LedgerHeadRow,
    LedgerLeafRow,
    LedgerNodeRow,
    LedgerPendingRow,
    LedgerTreeRow,
)
from privacyops.store.uow import Tx

ROUND_ROWS: Final = 5_000
LEASE_TTL: Final = timedelta(seconds=10)
_HEAD = table_of(LedgerHeadRow)
_LEAF = table_of(LedgerLeafRow)
_NODE = table_of(LedgerNodeRow)
_PENDING = table_of(LedgerPendingRow)
_TREE = table_of(LedgerTreeRow)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands: `tree` has `frontier.size` leaves, `signed_size` of them under a checkpoint."""

    tree: str
    first_seq: int
    frontier: Frontier
    signed_size: int
    signed_at: Instant | None

    @property
    def last_seq(self) -> int:
        """The number of the newest leaf; 0 when there is none."""
        return self.first_seq + self.frontier.size - 1


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. `epoch` is that of the lease it held."""

    epoch: int
    numbered: int
    head: Head


def lease_name(controller: str) -> str:
    """The lease whose holder numbers and signs for `controller`."""
    return f"sequencer:{controller}"


def has_pending(tx: Tx, log: Log) -> bool:
    """Whether any committed leaf waits for its number."""
    return tx.run(select(_PENDING.c.id).where(*_of_log(tx, _PENDING, log)).limit(1)).first() is not None


def load_head(tx: Tx, log: Log) -> Head | None:
    """Where the log stands; None before its first round."""
    row = tx.run(select(_HEAD).where(*_of_log(tx, _HEAD, log))).first()
    if row is None:
        return None
    return Head(row.tree, row.first_seq, Frontier.from_bytes(row.size, row.frontier), row.signed_size, row.signed_at)


def hold(tx: Tx, owner: str) -> int | None:
    """Take or renew the right to number and sign; its epoch, or None while somebody else has it."""
    return take_lease(tx, lease_name(tx.controller), owner, LEASE_TTL)


def run_round(tx: Tx, log: Log, owner: str, prefix: str, limit: int = ROUND_ROWS) -> Round | None:
    """Number up to `limit` pending leaves. None: somebody else holds the lease; nothing was done.

    `prefix` is the log's name without the tree; a tree that is opened now is signed under `prefix/tree`.
    """
    epoch = hold(tx, owner)
    if epoch is None:
        return None
    head = _open_head(tx, log, prefix, str(tx.now.year))
    waiting = tx.run(
        select(_PENDING.c.id, _PENDING.c.entry_id, _PENDING.c.leaf_hash)
        .where(*_of_log(tx, _PENDING, log))
        .order_by(_PENDING.c.id)
        .limit(limit)
    ).all()
    if not waiting:
        return Round(epoch, 0, head)
    same = {"controller": tx.controller, "log": str(log)}
    tx.run(
        insert(_LEAF),
        [
            {**same, "seq": seq, "entry_id": row.entry_id, "leaf_hash": row.leaf_hash}
            for seq, row in enumerate(waiting, head.last_seq + 1)
        ],
    )
    if log is Log.CONSENT:
        note_changes(tx, head.last_seq + 1, len(waiting))
    crash_point("sequencer.after_leaf")
    frontier, full = head.frontier.grow((row.leaf_hash for row in waiting), TILE_HEIGHT)
    if full:
        nodes = [
            {**same, "tree": head.tree, "level": level, "position": position, "hash": value}
            for level, position, value in full
        ]
        tx.run(insert(_NODE), nodes)
    tx.move(
        update(_HEAD)
        .where(*_of_log(tx, _HEAD, log), _HEAD.c.tree == head.tree, _HEAD.c.size == head.frontier.size)
        .values(size=frontier.size, frontier=frontier.to_bytes())
    )
    tx.run(delete(_PENDING).where(_PENDING.c.id.in_([row.id for row in waiting])))
    return Round(epoch, len(waiting), Head(head.tree, head.first_seq, frontier, head.signed_size, head.signed_at))


def mark_signed(tx: Tx, log: Log, tree: str, size: int) -> None:
    """Note that a checkpoint covers `size` leaves of `tree`. Raises: StaleState: the log has moved to another tree."""
    tx.move(
        update(_HEAD).where(*_of_log(tx, _HEAD, log), _HEAD.c.tree == tree).values(signed_size=size, signed_at=tx.now)
    )


def open_successor(tx: Tx, log: Log, prefix: str, first_seq: int) -> str:
    """Leave the present tree as it is and append to a new one from `first_seq` on; its name, such as `2026-r1`.

    For a log that lost leaves: its old tree can never again be what was signed over it.
    """
    head = load_head(tx, log)
    if head is None or first_seq <= head.last_seq:
        raise ValueError("a successor begins behind a tree")
    year, _, again = head.tree.partition("-r")
    name = f"{year}-r{int(again or 0) + 1}"
    _open_tree(tx, log, prefix, name, first_seq, head)
    return name


def _open_tree(tx: Tx, log: Log, prefix: str, name: str, first_seq: int, head: Head | None) -> Head:
    same = {"controller": tx.controller, "log": str(log)}
    fresh = {"tree": name, "first_seq": first_seq, "size": 0, "frontier": b"", "signed_size": 0, "signed_at": None}
    opened = {"name": name, "origin": f"{prefix}/{name}", "first_seq": first_seq, "opened_at": tx.now}
    tx.run(insert(_TREE), {**same, **opened})
    if head is None:
        tx.run(insert(_HEAD), {**same, **fresh})
    else:
        tx.move(update(_HEAD).where(*_of_log(tx, _HEAD, log), _HEAD.c.tree == head.tree).values(**fresh))
    return Head(name, first_seq, Frontier(), 0, None)


def _open_head(tx: Tx, log: Log, prefix: str, year: str) -> Head:
    """The head to append to. A new year opens a new tree once the old one's last leaf is under a checkpoint."""
    head = load_head(tx, log)
    if head is not None and (head.tree.partition("-")[0] >= year or head.signed_size < head.frontier.size):
        return head
    return _open_tree(tx, log, prefix, year, head.last_seq + 1 if head is not None else 1, head)


def _of_log(tx: Tx, table: Table, log: Log) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.controller == tx.controller, table.c.log == str(log)
