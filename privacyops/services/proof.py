"""What an outsider verifies the logs with: proofs, consistency, signed checkpoints, tiles and the keys to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import may
from privacyops.domain.log import Log
from privacyops.kernel.errors import BadRequest, Forbidden, Gone, NotFound
from privacyops.ledger.checkpoint import Checkpoint, LogProof, SignedNote
from privacyops.ledger.leaf import LeafNotCanonical, instant_of
from privacyops.ledger.merkle import ProofImpossible, consistency_proof
from privacyops.ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, TileMalformed, encode_bundle, encode_tile
from privacyops.services.context import Context, reading
from privacyops.services.ledger import NotYetNumbered, RecordNotInLog, prove_within, trusted_keys
from privacyops.services.promise import Promise, promise_for, recorded_in
from privacyops.store import ledger as ledgers
from privacyops.store.ledger import Tree
from privacyops.store.uow import Tx

MAX_PUBLISHED: Final = 1_000


class TreeUnknown(NotFound):
    type = "/problems/tree-unknown"
    title = "The controller has no such tree, or no signed checkpoint of that size"


class TilePathMalformed(BadRequest):
    type = "/problems/tile-path-malformed"
    title = "This is not the path of a tile or an entry bundle"


class TileNotThere(NotFound):
    type = "/problems/tile-not-there"
    title = "No signed checkpoint covers this tile yet"


class ConsistencyImpossible(BadRequest):
    type = "/problems/consistency-impossible"
    title = "A proof leads from a size of at least 1 to the same or a larger one"


class TreePruned(Gone):
    """The tree's last checkpoint stays at `/checkpoint`: it proves nothing about one record any more."""

    type = "/problems/tree-pruned"
    title = "The records of this year were deleted when their term was over"


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of `old` leaves is a beginning of the tree of `new`, whose signed note is `note`."""

    tree: str
    old: int
    new: int
    hashes: Sequence[bytes]
    note: str


@reading(Action.CONSENT_PROOF)
def prove(ctx: Context, tx: Tx, log: Log, record_id: UUID) -> LogProof | Promise:
    """The proof of one record, or the signed promise of it while no checkpoint covers the record.

    Raises: Forbidden: the audit log is read by who may see the ledger. RecordNotInLog. TreePruned.
    """
    if log is Log.AUDIT and not may(ctx.actor, Action.LEDGER_SEE):
        raise Forbidden
    return prove_or_promise(ctx, tx, log, record_id)


def prove_or_promise(ctx: Context, tx: Tx, log: Log, record_id: UUID) -> LogProof | Promise:
    """As `prove`, in a transaction that reads more."""
    try:
        return prove_within(ctx, tx, log, record_id)
    except NotYetNumbered:
        leaf = ledgers.leaf_bytes(tx, log, record_id)
        try:
            return promise_for(ctx, log, record_id, leaf or b"", instant_of(recorded_in(leaf or b"")))
        except LeafNotCanonical:
            raise RecordNotInLog from None


@reading(Action.CONSENT_PROOF)
def consistency(ctx: Context, tx: Tx, log: Log, tree: str, old: int, new: int | None = None) -> Consistency:
    """How the tree grew from `old` leaves to `new`; without `new`, to its newest checkpoint.

    Raises: Forbidden, TreeUnknown: also where no checkpoint of `new` leaves was signed. ConsistencyImpossible.
    """
    if log is Log.AUDIT and not may(ctx.actor, Action.LEDGER_SEE):
        raise Forbidden
    found = _tree(tx, log, tree)
    note = ledgers.latest_note(tx, log, tree) if new is None else ledgers.note_of_size(tx, log, tree, new)
    if note is None:
        raise TreeUnknown
    size = Checkpoint.parse(SignedNote.parse(note).text).size
    try:
        hashes = consistency_proof(ledgers.node_reader(tx, log, found), old, size)
    except ProofImpossible:
        raise ConsistencyImpossible from None
    except TileMalformed:
        raise TreePruned from None
    return Consistency(tree, old, size, hashes, note)


@reading(Action.LEDGER_SEE)
def newest_checkpoint(ctx: Context, tx: Tx, log: Log, controller: str, tree: str) -> str:
    """The newest signed note of a tree: public, because a log that shows itself to all cannot fork in silence.

    Raises: TreeUnknown.
    """
    if controller != tx.controller:
        raise TreeUnknown
    note = ledgers.latest_note(tx, log, _tree(tx, log, tree).name)
    if note is None:
        raise TreeUnknown
    return note


@reading(Action.LEDGER_SEE)
def tile(ctx: Context, tx: Tx, log: Log, controller: str, tree: str, path: str) -> bytes:
    """A tile of hashes or a bundle of entries, by its path, such as `tile/0/x001/234` or `tile/entries/000.p/17`.

    Only what a signed checkpoint covers is given out. Raises: TreeUnknown, TilePathMalformed, TileNotThere,
    TreePruned.
    """
    if controller != tx.controller:
        raise TreeUnknown
    found = _tree(tx, log, tree)
    try:
        wanted = Tile.parse(path)
    except TileMalformed:
        raise TilePathMalformed from None
    note = ledgers.latest_note(tx, log, tree)
    if note is None or not wanted.is_within(Checkpoint.parse(SignedNote.parse(note).text).size):
        raise TileNotThere
    try:
        return _bundle(tx, log, found, wanted) if wanted.level is None else _hashes(tx, log, found, wanted)
    except TileMalformed:
        raise TreePruned from None


@reading(Action.LEDGER_SEE)
def published_keys(ctx: Context, tx: Tx, log: Log) -> Sequence[str]:
    """Every key that the log's checkpoints, receipts and promises are verified with, one a tree and key."""
    trees = ledgers.list_trees(tx, log)[-MAX_PUBLISHED:]
    return [str(key) for tree in trees for key in trusted_keys(ctx, tx, tree.origin)]


def _tree(tx: Tx, log: Log, name: str) -> Tree:
    for tree in ledgers.list_trees(tx, log):
        if tree.name == name:
            return tree
    raise TreeUnknown


def _bundle(tx: Tx, log: Log, tree: Tree, wanted: Tile) -> bytes:
    rows = list(islice(ledgers.TreeSource(tx, log, tree).rows(wanted.index * TILE_WIDTH), wanted.width))
    leaves = [row.leaf for row in rows if row.leaf is not None]
    if len(leaves) != wanted.width:
        raise TileMalformed("the records of this bundle are not there")
    return encode_bundle(leaves)


def _hashes(tx: Tx, log: Log, tree: Tree, wanted: Tile) -> bytes:
    node = ledgers.node_reader(tx, log, tree)
    level, first = (wanted.level or 0) * TILE_HEIGHT, wanted.index * TILE_WIDTH
    return encode_tile([node(level, first + at) for at in range(wanted.width)])
