"""The logs: number what was committed, sign how far it goes, prove one record, verify the whole.

Numbering happens outside the use cases that write, by one holder of a lease; a use case only leaves its leaf.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.log import Log
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.errors import Conflict, NotFound
from privacyops.ledger.checkpoint import (
    Checkpoint,
    LogProof,
    Sign,
    SignedNote,
    VerifierKey,
    open_checkpoint,
    sign_checkpoint,
)
from privacyops.ledger.fsck import Flaw, Mismatch, Report, Row, fsck
from privacyops.ledger.merkle import consistency_holds, consistency_proof, inclusion_proof
from privacyops.ledger.person import Disclosure, PersonReport, walk
from privacyops.ledger.tiles import bundles_of, encode_bundle, encode_tile, tiles_of
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import ledger as ledgers
from privacyops.store import sequencer
from privacyops.store.pruning import list_pruned
from privacyops.store.uow import Tx

CHECKPOINT_EVERY: Final = timedelta(seconds=1)
CHECKPOINT_LEAVES: Final = 256
BOTH_KEYS_SIGN: Final = timedelta(days=30)
PATH: Final = {Log.AUDIT: "audit", Log.CONSENT: "ledger"}


class LogForked(Conflict):
    """The tree does not continue the last checkpoint that was signed. Nothing more is signed until a person looked."""

    type = "/problems/log-forked"
    title = "The log does not continue its last signed checkpoint"


class NotYetNumbered(Conflict):
    type = "/problems/not-yet-numbered"
    title = "The record is committed and will be numbered within a minute; ask again"


class RecordNotInLog(NotFound):
    type = "/problems/record-not-in-log"
    title = "The log holds no such record"


@dataclass(frozen=True, slots=True)
class TreeReport:
    """What verification found in one tree."""

    name: str
    origin: str
    report: Report


@dataclass(frozen=True, slots=True)
class LogReport:
    """What verification found in one log; `unlogged` are records that stand in no leaf."""

    log: Log
    trees: Sequence[TreeReport]
    unlogged: Sequence[Mismatch]
    waiting: bool

    @property
    def is_good(self) -> bool:
        return not self.unlogged and all(tree.report.is_good for tree in self.trees)


def turn(ctx: Context, owner: str) -> bool:
    """One turn of the sequencer over both logs; True when it should be called again at once.

    Writes nothing and takes no lock while there is nothing to do, so it may be called every 20 ms.
    """
    busy = False
    for log in Log:
        if _is_due(ctx, log):
            busy = number(ctx, log, owner) == sequencer.ROUND_ROWS or busy
            if _may_sign(ctx, log):
                checkpoint(ctx, log, owner)
    return busy


def drain(ctx: Context, owner: str) -> None:
    """Number everything that waits and sign it: for commands and for an orderly stop."""
    for log in Log:
        while number(ctx, log, owner) == sequencer.ROUND_ROWS:
            pass
        checkpoint(ctx, log, owner)


@use_case(Action.JOB_RUN)
def number(ctx: Context, tx: Tx, log: Log, owner: str) -> int:
    """Number a round of leaves; how many. 0 also when another process holds the lease."""
    done = sequencer.run_round(tx, log, owner, prefix_of(ctx, log))
    return done.numbered if done else 0


def checkpoint(ctx: Context, log: Log, owner: str) -> str | None:
    """Sign the tree as it stands, if it grew since the last signature; the note, or None.

    The last signed checkpoint is loaded and shown to be a beginning of the tree first.
    Raises: LogForked: it is not; then nothing is signed.
    """
    crash_point("sequencer.after_commit_before_checkpoint")
    prepared = _prepared(ctx, log)
    if prepared is None:
        return None
    note = str(sign_checkpoint(prepared, _signers(ctx, prepared.origin)))
    crash_point("checkpoint.after_sign")
    return note if _keep_checkpoint(ctx, log, owner, prepared, note) else None


@reading(Action.JOB_RUN)
def _prepared(ctx: Context, tx: Tx, log: Log) -> Checkpoint | None:
    head = sequencer.load_head(tx, log)
    if head is None or head.frontier.size == head.signed_size:
        return None
    tree = next(tree for tree in ledgers.list_trees(tx, log) if tree.name == head.tree)
    fresh = Checkpoint(tree.origin, head.frontier.size, head.frontier.root())
    last = ledgers.latest_note(tx, log, tree.name)
    if last is not None:
        old = open_checkpoint(last, trusted_keys(ctx, tx, tree.origin), origin=tree.origin)
        _require_beginning(tx, log, tree, old, fresh)
    return fresh


def _require_beginning(tx: Tx, log: Log, tree: ledgers.Tree, old: Checkpoint, new: Checkpoint) -> None:
    path = []
    if 0 < old.size < new.size:
        path = consistency_proof(ledgers.node_reader(tx, log, tree), old.size, new.size)
    if not consistency_holds(old=old.size, old_root=old.root, new=new.size, new_root=new.root, path=path):
        raise LogForked(f"{log} {tree.name} at {old.size}")


@use_case(Action.JOB_RUN)
def _keep_checkpoint(ctx: Context, tx: Tx, log: Log, owner: str, signed: Checkpoint, note: str) -> bool:
    """Store the note under the lease; False when another process took over in between."""
    if sequencer.hold(tx, owner) is None:
        return False
    head = sequencer.load_head(tx, log)
    if head is None or signed.origin != _origin_of(tx, log, head.tree) or signed.size <= head.signed_size:
        return False
    ledgers.add_checkpoint(tx, log, head.tree, signed.size, note, ctx.ports.signer.public_key)
    for key in ctx.ports.signer.former:
        ledgers.add_key(tx, key.public_key)
    sequencer.mark_signed(tx, log, head.tree, signed.size)
    return True


@reading(Action.LEDGER_SEE)
def controllers(ctx: Context, tx: Tx) -> Sequence[str]:
    """The keys of all controllers that have a log in this database: an absent log must not pass for a good one."""
    return ledgers.list_controllers(tx)


def verify(ctx: Context, log: Log, *, keys: Sequence[bytes] = (), anchored: Sequence[str] = ()) -> LogReport:
    """As `examine`, and the audit log says that it was done."""
    found = examine(ctx, log, keys, anchored)
    _record(ctx, "ledger.verified", log, good="yes" if found.is_good else "no")
    return found


@reading(Action.LEDGER_SEE)
def examine(ctx: Context, tx: Tx, log: Log, keys: Sequence[bytes] = (), anchored: Sequence[str] = ()) -> LogReport:
    """Hold every record of the log against every checkpoint signed over it, and name what is wrong. Writes nothing.

    `keys` are the public keys to trust; without them those that the database itself lists. `anchored` are notes that
    somebody kept outside: only they show that the newest leaves were cut off together with their checkpoints.
    """
    outside, trees = list(anchored), []
    head = sequencer.load_head(tx, log)  # before the leaves are read: the log may grow meanwhile
    all_trees, pruned = ledgers.list_trees(tx, log), list_pruned(tx, log)
    for tree, following in zip(all_trees, [*all_trees, None][1:], strict=True):
        source = ledgers.TreeSource(tx, log, tree, following.first_seq if following else None)
        trusted = [VerifierKey(tree.origin, key) for key in keys] or trusted_keys(ctx, tx, tree.origin)
        own = [note for note in outside if note.startswith(f"{tree.origin}\n")]
        if tree.name in pruned:
            trees.append(_pruned(tx, log, tree, own, trusted))
            outside = [note for note in outside if note not in own]
            continue
        report = fsck(source, [*ledgers.stream_notes(tx, log, tree.name), *own], trusted, origin=tree.origin)
        size = head.frontier.size if head is not None and head.tree == tree.name else 0
        trees.append(TreeReport(tree.name, tree.origin, _at_least(size, report)))
        outside = [note for note in outside if note not in own]
    strangers = [Mismatch(Flaw.CHECKPOINT, None, None, "a kept checkpoint is of no tree of this log") for _ in outside]
    unlogged = [
        Mismatch(Flaw.UNLOGGED, None, str(entry), "the record stands in no leaf of the log")
        for entry in ledgers.list_unlogged(tx, log)
    ]
    return LogReport(log, trees, [*unlogged, *strangers], sequencer.has_pending(tx, log))


def _pruned(tx: Tx, log: Log, tree: ledgers.Tree, kept: Sequence[str], trusted: Sequence[VerifierKey]) -> TreeReport:
    """What can still be said of a tree without records: its last checkpoint, against those that somebody kept."""
    last = ledgers.latest_note(tx, log, tree.name) or ""
    report = fsck(_Empty(), [last, *kept], trusted, origin=tree.origin)
    wrong = tuple(one for one in report.mismatches if one.flaw in (Flaw.CHECKPOINT, Flaw.FORKED))
    told = replace(report, mismatches=wrong, warnings=("pruned: its records were deleted when their term was over",))
    return TreeReport(tree.name, tree.origin, told)


class _Empty:
    """A log source without leaves."""

    def rows(self, start: int) -> Iterator[Row]:
        return iter(())


def _at_least(size: int, report: Report) -> Report:
    """The report, and whether the head counted more leaves than there are."""
    if size <= report.size or any(mismatch.flaw is Flaw.TRUNCATED for mismatch in report.mismatches):
        return report
    detail = f"the log ends after {report.size} leaves; its head counted {size}"
    cut = Mismatch(Flaw.TRUNCATED, report.size, None, detail)
    return replace(report, mismatches=(*report.mismatches, cut))


@use_case(Action.LEDGER_SEE)
def _record(ctx: Context, tx: Tx, /, action: str, log: Log, **detail: str | int) -> None:
    record(ctx, tx, action, "ledger", str(log), **detail)


@reading(Action.LEDGER_SEE)
def prove(ctx: Context, tx: Tx, log: Log, record_id: UUID) -> LogProof:
    """The proof that the record is in the log, verifiable with the public key alone.

    Raises: RecordNotInLog. NotYetNumbered: committed, but not yet under a checkpoint.
    """
    return prove_within(ctx, tx, log, record_id)


def prove_within(ctx: Context, tx: Tx, log: Log, record_id: UUID) -> LogProof:
    """As `prove`, in a transaction that reads more."""
    placed = ledgers.find_placed(tx, log, record_id)
    if placed is None:
        if ledgers.is_pending(tx, log, record_id):
            raise NotYetNumbered
        raise RecordNotInLog
    note = ledgers.latest_note(tx, log, placed.tree.name)
    if note is None:
        raise NotYetNumbered
    signed = open_checkpoint(note, trusted_keys(ctx, tx, placed.tree.origin), origin=placed.tree.origin)
    if placed.index >= signed.size:
        raise NotYetNumbered
    path = inclusion_proof(ledgers.node_reader(tx, log, placed.tree), placed.index, signed.size)
    return LogProof(placed.index, tuple(path), note)


@reading(Action.LEDGER_SEE)
def leaf_of(ctx: Context, tx: Tx, log: Log, record_id: UUID) -> bytes:
    """The bytes that a proof is about. Raises: RecordNotInLog."""
    leaf = ledgers.leaf_bytes(tx, log, record_id)
    if leaf is None:
        raise RecordNotInLog
    return leaf


@reading(Action.LEDGER_SEE)
def verifier_keys(ctx: Context, tx: Tx, log: Log) -> Sequence[str]:
    """The keys that the log's checkpoints are verified with, in the form in which they are published."""
    return [str(key) for tree in ledgers.list_trees(tx, log) for key in trusted_keys(ctx, tx, tree.origin)]


@reading(Action.LEDGER_SEE)
def person_records(ctx: Context, tx: Tx, held: Disclosure) -> PersonReport:
    """The records of the person whose keys were handed in, and the gaps among them; indices go through all years."""
    trees = ledgers.list_trees(tx, Log.CONSENT)
    rows = ledgers.TreeSource(tx, Log.CONSENT, trees[0]).rows(0) if trees else iter(())
    return walk((row.leaf for row in rows), held)


def publish(ctx: Context, log: Log, write: Callable[[str, bytes], None]) -> Sequence[str]:
    """As `extract`, and the audit log says that it was done."""
    folders = extract(ctx, log, write)
    _record(ctx, "ledger.published", log, trees=len(folders))
    return folders


@reading(Action.LEDGER_SEE)
def extract(ctx: Context, tx: Tx, log: Log, write: Callable[[str, bytes], None]) -> Sequence[str]:
    """Write each signed tree as files that anybody can verify: bundles, tiles, checkpoints, keys. Their folders.

    `write(path, content)` gets paths relative to one folder, such as `2026/tile/0/000`.
    """
    folders = []
    for tree in ledgers.list_trees(tx, log):
        notes = {
            Checkpoint.parse(SignedNote.parse(note).text).size: note
            for note in ledgers.stream_notes(tx, log, tree.name)
        }
        if not notes:
            continue
        for path, content in _files(tx, log, tree, max(notes)):
            write(f"{tree.name}/{path}", content)
        for size, note in notes.items():
            write(f"{tree.name}/checkpoints/{size:012d}", note.encode())
        write(f"{tree.name}/checkpoint", notes[max(notes)].encode())
        write(f"{tree.name}/vkeys", "".join(f"{key}\n" for key in trusted_keys(ctx, tx, tree.origin)).encode())
        folders.append(tree.name)
    return folders


def _files(tx: Tx, log: Log, tree: ledgers.Tree, size: int) -> Iterator[tuple[str, bytes]]:
    rows = ledgers.TreeSource(tx, log, tree).rows(0)
    for bundle in bundles_of(size):
        leaves = [row.leaf or b"" for _, row in zip(range(bundle.width), rows, strict=False)]
        yield bundle.path, encode_bundle(leaves)
    node = ledgers.node_reader(tx, log, tree)
    for tile in tiles_of(size):
        level = (tile.level or 0) * 8
        yield tile.path, encode_tile([node(level, tile.index * 256 + at) for at in range(tile.width)])


def _is_due(ctx: Context, log: Log) -> bool:
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        if sequencer.has_pending(tx, log):
            return True
        head = sequencer.load_head(tx, log)
        return head is not None and head.frontier.size > head.signed_size


def _may_sign(ctx: Context, log: Log) -> bool:
    """A checkpoint each second that brought leaves, and one for each 256 of them."""
    now = ctx.clock.now()
    with ctx.database.reading(ctx.controller.key, now) as tx:
        head = sequencer.load_head(tx, log)
    if head is None or head.frontier.size == head.signed_size:
        return False
    is_old = head.signed_at is None or not timedelta(0) <= now - head.signed_at < CHECKPOINT_EVERY
    return is_old or head.frontier.size - head.signed_size >= CHECKPOINT_LEAVES


def prefix_of(ctx: Context, log: Log) -> str:
    """What the origins of the log's trees begin with: its address without the scheme."""
    host = ctx.controller.base_url.partition("://")[2].strip("/")
    return f"{host}/{PATH[log]}/{ctx.controller.key}"


def _origin_of(tx: Tx, log: Log, name: str) -> str | None:
    return next((tree.origin for tree in ledgers.list_trees(tx, log) if tree.name == name), None)


def _signers(ctx: Context, origin: str) -> list[tuple[VerifierKey, Sign]]:
    """The key in force, and the one it replaced for as long as verifiers may not know the new one."""
    now = ctx.clock.now()
    with ctx.database.reading(ctx.controller.key, now) as tx:
        since = ledgers.key_since(tx, ctx.ports.signer.public_key)
    keys = [ctx.ports.signer]
    if since is None or now - since < BOTH_KEYS_SIGN:
        keys += ctx.ports.signer.former
    return [(VerifierKey(origin, key.public_key), key.sign) for key in keys]


def trusted_keys(ctx: Context, tx: Tx, origin: str) -> Sequence[VerifierKey]:
    """Every key that signed for this controller and the one that signs now, under the name of one tree."""
    listed: Iterable[bytes] = ledgers.list_public_keys(tx)
    return [VerifierKey(origin, key) for key in dict.fromkeys([*listed, ctx.ports.signer.public_key, *_former(ctx)])]


def _former(ctx: Context) -> list[bytes]:
    return [key.public_key for key in ctx.ports.signer.former]


@use_case(Action.JOB_RUN)
def key_changed(ctx: Context, tx: Tx, key_id: str) -> None:
    """The signing key was replaced: the audit log says so, and since when the new one counts."""
    record(ctx, tx, "key.rotated", "signing_key", key_id)


@reading(Action.LEDGER_SEE)
def may_change_key(ctx: Context, tx: Tx) -> bool:
    """Whether the key in force has signed alone: a second change too soon would end a key that verifiers rely on."""
    since = ledgers.key_since(tx, ctx.ports.signer.public_key)
    return not ctx.ports.signer.former or (since is not None and tx.now - since >= BOTH_KEYS_SIGN)
