"""After a restore that lost records: the old tree is left as it is, and a new one begins.

Somebody outside holds a checkpoint that is larger than what came back. Appending to the old tree would sign another
continuation of it, a fork. So the log goes on in a tree of its own, with numbers that were never given out before,
and the loss stays visible for ever: the kept checkpoint and the end of the old tree disagree.
"""

from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.log import Log
from privacyops.kernel.errors import BadRequest, Conflict
from privacyops.ledger.checkpoint import Checkpoint, NoteMalformed, SignatureRefused, SignedNote, open_checkpoint
from privacyops.ledger.merkle import consistency_holds, consistency_proof
from privacyops.services.context import Context, record, use_case
from privacyops.services.ledger import PATH, prefix_of, trusted_keys
from privacyops.store import ledger as ledgers
from privacyops.store import sequencer
from privacyops.store.ledger import Tree
from privacyops.store.sequencer import Head
from privacyops.store.uow import Tx


class NoSuchCheckpoint(BadRequest):
    type = "/problems/checkpoint-not-of-this-log"
    title = "The kept checkpoint is not one that this service signed over its present trees"


class NothingLost(Conflict):
    type = "/problems/nothing-lost"
    title = "The log holds everything that the kept checkpoint covers; it goes on as it is"


@dataclass(frozen=True, slots=True)
class Continued:
    """`lost`: how many records the kept checkpoint covers that are not there; 0 where other ones are in their place."""

    log: Log
    old_tree: str
    new_tree: str
    first_seq: int
    lost: int


@use_case(Action.JOB_RUN)
def go_on(ctx: Context, tx: Tx, note: str) -> Continued:
    """Close the tree of a kept checkpoint that it no longer fulfils, and open its successor.

    Run it before the service starts again: what is appended to the old tree first would be a fork of it.
    Raises: NoSuchCheckpoint, NothingLost.
    """
    log, tree, head, kept = _of(ctx, tx, note)
    if _is_whole(tx, log, tree, head, kept):
        raise NothingLost
    first_seq = tree.first_seq + max(kept.size, head.frontier.size)
    name = sequencer.open_successor(tx, log, prefix_of(ctx, log), first_seq)
    lost = max(0, kept.size - head.frontier.size)
    record(ctx, tx, "ledger.continued", "ledger", str(log), tree=name, lost=lost, first_seq=first_seq)
    return Continued(log, tree.name, name, first_seq, lost)


def _of(ctx: Context, tx: Tx, note: str) -> tuple[Log, Tree, Head, Checkpoint]:
    """Which log and tree the note is of, where that stands, and what the note says."""
    try:
        origin = Checkpoint.parse(SignedNote.parse(note).text).origin
        kept = open_checkpoint(note, trusted_keys(ctx, tx, origin), origin=origin)
    except (NoteMalformed, SignatureRefused):
        raise NoSuchCheckpoint from None
    for log in PATH:
        head = sequencer.load_head(tx, log)
        for tree in ledgers.list_trees(tx, log):
            if tree.origin == origin and head is not None and head.tree == tree.name:
                return log, tree, head, kept
    raise NoSuchCheckpoint


def _is_whole(tx: Tx, log: Log, tree: Tree, head: Head, kept: Checkpoint) -> bool:
    size = head.frontier.size
    if kept.size > size:
        return False
    reader = ledgers.node_reader(tx, log, tree)
    path = consistency_proof(reader, kept.size, size) if 0 < kept.size < size else []
    return consistency_holds(old=kept.size, old_root=kept.root, new=size, new_root=head.frontier.root(), path=path)
