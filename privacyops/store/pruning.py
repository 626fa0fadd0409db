"""Deleting a year's records from a log when their term is over: the one place that deletes append-only rows."""

from collections.abc import Set as AbstractSet
from typing import Final
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select

from privacyops.domain.log import Log
from privacyops.store import guards
from privacyops.store.audit import AUDIT
from privacyops.store.ledger import Tree
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentEventRow, EventPrivateRow
from privacyops.store.tables.kept_proof import KeptEvidenceRow
from privacyops.store.tables.ledger import LedgerCheckpointRow, LedgerLeafRow, LedgerNodeRow, LedgerPrunedRow
from privacyops.store.uow import Tx

_CHECKPOINT = table_of(LedgerCheckpointRow)
_EVENT = table_of(ConsentEventRow)
_KEPT = table_of(KeptEvidenceRow)
_LEAF = table_of(LedgerLeafRow)
_NODE = table_of(LedgerNodeRow)
_PRIVATE = table_of(EventPrivateRow)
_PRUNED = table_of(LedgerPrunedRow)
_LIFTED: Final = frozenset(table.name for table in (_CHECKPOINT, _EVENT, _LEAF, _NODE, AUDIT))


def list_pruned(tx: Tx, log: Log) -> AbstractSet[str]:
    """The names of the trees whose records are gone."""
    query = select(_PRUNED.c.tree).where(_PRUNED.c.controller == tx.controller, _PRUNED.c.log == str(log))
    return set(tx.run(query).scalars())


def count_living(tx: Tx, tree: Tree, end_seq: int) -> int:
    """Records of a consent tree that still belong to somebody, or whose evidence is kept."""
    entries = _entries(tx, Log.CONSENT, tree, end_seq)
    held = [select(func.count()).where(table.c.event_id.in_(entries)) for table in (_PRIVATE, _KEPT)]
    return sum(int(tx.run(query).scalar_one()) for query in held)


def remove_tree(tx: Tx, log: Log, tree: Tree, end_seq: int, size: int) -> int:
    """Delete the records, leaves and nodes of a closed tree, and all of its checkpoints but the last; how many records.

    `end_seq` is the number behind the tree's last, `size` what its last checkpoint covers.
    The guards are off inside this transaction alone; whoever else writes meanwhile waits for its end.
    """
    record = _EVENT if log is Log.CONSENT else AUDIT
    of_log = {table: (table.c.controller == tx.controller, table.c.log == str(log)) for table in (_LEAF, _NODE)}
    guards.lift(tx.connection, _LIFTED)
    gone = tx.run(delete(record).where(record.c.id.in_(_entries(tx, log, tree, end_seq)))).rowcount
    tx.run(delete(_NODE).where(*of_log[_NODE], _NODE.c.tree == tree.name))
    tx.run(
        delete(_CHECKPOINT).where(
            _CHECKPOINT.c.controller == tx.controller,
            _CHECKPOINT.c.log == str(log),
            _CHECKPOINT.c.tree == tree.name,
            _CHECKPOINT.c.size < size,
        )
    )
    tx.run(delete(_LEAF).where(*of_log[_LEAF], _LEAF.c.seq >= tree.first_seq, _LEAF.c.seq < end_seq))
    guards.install(tx.connection)
    own = {"controller": tx.controller, "log": str(log), "tree": tree.name, "size": size, "at": tx.now}
    tx.run(insert(_PRUNED), own)
    return int(gone)


def _entries(tx: Tx, log: Log, tree: Tree, end_seq: int) -> Select[tuple[UUID]]:
    return select(_LEAF.c.entry_id).where(
        _LEAF.c.controller == tx.controller,
        _LEAF.c.log == str(log),
        _LEAF.c.seq >= tree.first_seq,
        _LEAF.c.seq < end_seq,
    )
