"""Pruning: a year's records go when their term is over, the year's last checkpoint stays.

A consent year goes once nobody's record stands in it: those of erased people are anonymous and may go; somebody's
live state is never taken away together with what proves it.
"""

from collections.abc import Mapping
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.log import Log
from privacyops.kernel.errors import Conflict
from privacyops.ledger.checkpoint import Checkpoint, SignedNote
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.proof import TreeUnknown
from privacyops.store import ledger as ledgers
from privacyops.store import pruning, sequencer
from privacyops.store.ledger import Tree
from privacyops.store.uow import Tx

KEPT_YEARS: Final[Mapping[Log, int]] = {Log.AUDIT: 6, Log.CONSENT: 3}
"""Whole years after the end of a tree's own: the audit log's term, and the limitation period of most claims."""


class TreeInUse(Conflict):
    """The detail says what stands against it."""

    type = "/problems/tree-in-use"
    title = "The records of this tree cannot be deleted yet"


@reading(Action.JOB_RUN)
def look(ctx: Context, tx: Tx, log: Log, name: str) -> int:
    """How many records would go. Raises: TreeUnknown, TreeInUse."""
    tree, end_seq, _ = _prunable(tx, log, name)
    return end_seq - tree.first_seq


@use_case(Action.JOB_RUN)
def prune(ctx: Context, tx: Tx, log: Log, name: str) -> int:
    """Delete the records of a tree; how many. The audit log says so. Raises: TreeUnknown, TreeInUse."""
    tree, end_seq, size = _prunable(tx, log, name)
    gone = pruning.remove_tree(tx, log, tree, end_seq, size)
    record(ctx, tx, "ledger.pruned", "ledger", str(log), tree=name, records=gone)
    return gone


def _prunable(tx: Tx, log: Log, name: str) -> tuple[Tree, int, int]:
    """The tree, the number behind its last, and the size of its last checkpoint, if everything permits that it goes."""
    trees = ledgers.list_trees(tx, log)
    tree = next((one for one in trees if one.name == name), None)
    if tree is None or name in pruning.list_pruned(tx, log):
        raise TreeUnknown
    head = sequencer.load_head(tx, log)
    if head is not None and head.tree == name:
        raise TreeInUse("it is the tree that is written to")
    end_seq = next(one for one in trees if one.first_seq > tree.first_seq).first_seq
    note = ledgers.latest_note(tx, log, name)
    size = Checkpoint.parse(SignedNote.parse(note).text).size if note is not None else 0
    if tx.now.year - int(name.partition("-")[0]) <= KEPT_YEARS[log]:
        raise TreeInUse(f"its term of {KEPT_YEARS[log]} years after its own is not over")
    if log is Log.CONSENT and (living := pruning.count_living(tx, tree, end_seq)):
        raise TreeInUse(f"{living} of its records still belong to somebody, or their evidence is kept")
    return tree, end_seq, size
