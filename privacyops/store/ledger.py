"""Reading the logs: leaves with their records, tiles, checkpoints and keys; and the few rows that signing adds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, exists, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.log import Log
from privacyops.kernel.clock import Instant
from privacyops.ledger.fsck import Row as LogRow
from privacyops.ledger.leaf import LeafNotCanonical, canonical
from privacyops.ledger.merkle import NodeReader
from privacyops.ledger.tiles import TILE_HEIGHT, TILE_WIDTH, reader_through
from privacyops.store.audit import AUDIT, as_entry
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentEventRow
from privacyops.store.tables.ledger import (
    LedgerAnchorRow,
    LedgerCheckpointRow,
    LedgerHeadRow,
    LedgerKeyRow,
    LedgerLeafRow,
    LedgerNodeRow,
    LedgerPendingRow,
    LedgerTreeRow,
)
from privacyops.store.types import as_bytes
from privacyops.store.uow import Tx

_PAGE: Final = 1_000
_MAX_UNLOGGED: Final = 1_000
_ANCHOR = table_of(LedgerAnchorRow)
_CHECKPOINT = table_of(LedgerCheckpointRow)
_EVENT = table_of(ConsentEventRow)
_HEAD = table_of(LedgerHeadRow)
_KEY = table_of(LedgerKeyRow)
_LEAF = table_of(LedgerLeafRow)
_NODE = table_of(LedgerNodeRow)
_PENDING = table_of(LedgerPendingRow)
_TREE = table_of(LedgerTreeRow)


_NO_END: Final = 2**53
_EVENTS: Final = """SELECT l.seq, l.entry_id, l.leaf_hash, e.leaf FROM ledger_leaf l
LEFT JOIN consent_event e ON e.id = l.entry_id
WHERE l.controller = :controller AND l.log = :log AND l.seq >= :first AND l.seq < :end ORDER BY l.seq LIMIT :limit"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of a log; its leaf 0 has the number `first_seq`, its checkpoints are signed under `origin`."""

    name: str
    origin: str
    first_seq: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a record stands in its log."""

    tree: Tree
    index: int


def list_trees(tx: Tx, log: Log) -> Sequence[Tree]:
    """Every tree of the log, oldest first."""
    query = select(_TREE).where(*_of_log(tx, _TREE, log)).order_by(_TREE.c.first_seq)
    return [Tree(row.name, row.origin, row.first_seq) for row in tx.run(query)]


def list_controllers(tx: Tx) -> Sequence[str]:
    """Every controller whose log this database holds, not only the one of `tx`: to tell a wrong name from an empty
    log."""
    query = select(_TREE.c.controller).distinct().order_by(_TREE.c.controller)
    return list(tx.run(query).scalars())


def find_placed(tx: Tx, log: Log, entry_id: UUID) -> Placed | None:
    """Where the record stands; None: it is unknown, or has no number yet."""
    seq = tx.run(select(_LEAF.c.seq).where(*_of_log(tx, _LEAF, log), _LEAF.c.entry_id == entry_id)).scalar()
    if seq is None:
        return None
    tree = max((tree for tree in list_trees(tx, log) if tree.first_seq <= seq), key=lambda tree: tree.first_seq)
    return Placed(tree, seq - tree.first_seq)


def is_pending(tx: Tx, log: Log, entry_id: UUID) -> bool:
    """Whether the record is committed and waits for its number."""
    query = select(_PENDING.c.id).where(*_of_log(tx, _PENDING, log), _PENDING.c.entry_id == entry_id)
    return tx.run(query).first() is not None


def node_reader(tx: Tx, log: Log, tree: Tree) -> NodeReader:
    """Nodes of the tree for proofs, read a tile at a time."""

    def tile_hashes(level: int, index: int) -> list[bytes]:
        first = index * TILE_WIDTH
        if level == 0:
            at, value = _LEAF.c.seq, _LEAF.c.leaf_hash
            of_tree: tuple[ColumnElement[bool], ...] = _of_log(tx, _LEAF, log)
            first += tree.first_seq
        else:
            at, value = _NODE.c.position, _NODE.c.hash
            of_tree = (*_of_log(tx, _NODE, log), _NODE.c.tree == tree.name, _NODE.c.level == level * TILE_HEIGHT)
        return list(tx.run(select(value).where(*of_tree, at >= first, at < first + TILE_WIDTH).order_by(at)).scalars())

    return reader_through(tile_hashes)


def leaf_bytes(tx: Tx, log: Log, entry_id: UUID) -> bytes | None:
    """The leaf of one record as it stands now; None where there is no such record."""
    record = _EVENT if log is Log.CONSENT else AUDIT
    row = tx.run(select(record).where(record.c.id == entry_id, record.c.controller == tx.controller)).first()
    return None if row is None else _leaf_of(log, row)


@dataclass(frozen=True, slots=True)
class TreeSource:
    """A tree as the database holds it, for ledger/fsck.py: holes in the numbering show as empty rows."""

    tx: Tx
    log: Log
    tree: Tree
    end_seq: int | None = None

    def rows(self, start: int) -> Iterator[LogRow]:
        expected = self.tree.first_seq + start
        if self.log is Log.CONSENT:
            yield from self._events(expected)
            return
        while page := self._page(expected):
            for row in page:
                yield from (LogRow(None, None) for _ in range(expected, row.seq))
                leaf = None if row.id is None else _leaf_of(self.log, row)
                yield LogRow(leaf, as_bytes(row.leaf_hash), str(row.entry_id))
                expected = row.seq + 1

    def _events(self, expected: int) -> Iterator[LogRow]:
        """The same for events, whose leaves are kept as they are: half of the time went into making ids of texts."""
        known = {"controller": self.tx.controller, "log": str(self.log), "end": self.end_seq or _NO_END}
        while page := self.tx.raw(_EVENTS, known | {"first": expected, "limit": _PAGE}):
            for seq, entry_id, digest, leaf in page:
                yield from (LogRow(None, None) for _ in range(expected, seq))
                yield LogRow(None if leaf is None else as_bytes(leaf), as_bytes(digest), _id_text(entry_id))
                expected = seq + 1

    def _page(self, first: int) -> Sequence[Row[Any]]:
        record = AUDIT
        query = (
            select(_LEAF.c.seq, _LEAF.c.entry_id, _LEAF.c.leaf_hash, *record.c)
            .select_from(_LEAF.outerjoin(record, record.c.id == _LEAF.c.entry_id))
            .where(*_of_log(self.tx, _LEAF, self.log), _LEAF.c.seq >= first)
            .order_by(_LEAF.c.seq)
            .limit(_PAGE)
        )
        if self.end_seq is not None:
            query = query.where(_LEAF.c.seq < self.end_seq)
        return self.tx.run(query).all()


def list_unlogged(tx: Tx, log: Log) -> Sequence[UUID]:
    """Records of the log that are neither numbered nor waiting: written around the application. At most 1,000."""
    record = _EVENT if log is Log.CONSENT else AUDIT
    query = (
        select(record.c.id)
        .where(
            record.c.controller == tx.controller,
            ~exists().where(_LEAF.c.entry_id == record.c.id),
            ~exists().where(_PENDING.c.entry_id == record.c.id),
        )
        .limit(_MAX_UNLOGGED)
    )
    return tx.run(query).scalars().all()


def add_checkpoint(tx: Tx, log: Log, tree: str, size: int, note: str, public_key: bytes) -> None:
    """Keep a signed note and the key that signed it. The same size a second time changes nothing."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    own = {"controller": tx.controller, "log": str(log), "tree": tree, "size": size, "note": note, "signed_at": tx.now}
    tx.run(dialect.insert(_CHECKPOINT).values(**own).on_conflict_do_nothing())
    add_key(tx, public_key)


def last_anchored(tx: Tx, log: Log) -> tuple[str, int, Instant] | None:
    """Tree and size of the checkpoint that was given outside last, and when."""
    query = select(_ANCHOR).where(*_of_log(tx, _ANCHOR, log)).order_by(_ANCHOR.c.at.desc(), _ANCHOR.c.size.desc())
    row = tx.run(query.limit(1)).first()
    return None if row is None else (row.tree, row.size, row.at)


def add_anchor(tx: Tx, log: Log, tree: str, size: int) -> bool:
    """Note that a checkpoint was given outside; False: it was before."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    own = {"controller": tx.controller, "log": str(log), "tree": tree, "size": size, "at": tx.now}
    fresh = dialect.insert(_ANCHOR).values(**own).on_conflict_do_nothing().returning(_ANCHOR.c.size)
    return tx.run(fresh).first() is not None


def add_key(tx: Tx, public_key: bytes) -> None:
    """Keep a key that signs for this controller. A known one stays as it is."""
    if key_since(tx, public_key) is None:
        tx.run(insert(_KEY), {"controller": tx.controller, "public_key": public_key, "since": tx.now})


def key_since(tx: Tx, public_key: bytes) -> Instant | None:
    """When the key first signed for this controller; None: it has not."""
    query = select(_KEY.c.since).where(_KEY.c.controller == tx.controller, _KEY.c.public_key == public_key)
    since: Instant | None = tx.run(query).scalar()
    return since


def latest_note(tx: Tx, log: Log, tree: str) -> str | None:
    """The newest signed note of the tree."""
    query = select(_CHECKPOINT.c.note).where(*_of_tree(tx, _CHECKPOINT, log, tree))
    note: str | None = tx.run(query.order_by(_CHECKPOINT.c.size.desc()).limit(1)).scalar()
    return note


def note_of_size(tx: Tx, log: Log, tree: str, size: int) -> str | None:
    """The note that was signed when the tree had `size` leaves."""
    query = select(_CHECKPOINT.c.note).where(*_of_tree(tx, _CHECKPOINT, log, tree), _CHECKPOINT.c.size == size)
    note: str | None = tx.run(query).scalar()
    return note


def count_unsigned(tx: Tx, log: Log, before: Instant) -> int:
    """Records made before a moment that no checkpoint covers: their ids begin with the milliseconds of their making."""
    limit = UUID(int=int(before.timestamp() * 1000) << 80)
    waiting = select(_PENDING.c.entry_id).where(*_of_log(tx, _PENDING, log), _PENDING.c.entry_id < limit)
    head = tx.run(select(_HEAD.c.first_seq, _HEAD.c.signed_size).where(*_of_log(tx, _HEAD, log))).first()
    signed = head.first_seq + head.signed_size if head is not None else 0
    bare = select(_LEAF.c.entry_id).where(*_of_log(tx, _LEAF, log), _LEAF.c.seq >= signed, _LEAF.c.entry_id < limit)
    return len(tx.run(waiting.union_all(bare)).all())


def stream_events(tx: Tx) -> Iterator[tuple[UUID, bytes]]:
    """Every event of the consent log with its leaf, numbered or not, in the order of their ids; read in pages."""
    query = select(_EVENT.c.id, _EVENT.c.leaf).where(_EVENT.c.controller == tx.controller).order_by(_EVENT.c.id)
    found = tx.run(query.limit(_PAGE)).all()
    while found:
        yield from ((row.id, as_bytes(row.leaf)) for row in found)
        found = tx.run(query.where(_EVENT.c.id > found[-1].id).limit(_PAGE)).all()


def stream_notes(tx: Tx, log: Log, tree: str) -> Iterator[str]:
    """Every signed note of the tree, by size."""
    query = select(_CHECKPOINT.c.note).where(*_of_tree(tx, _CHECKPOINT, log, tree)).order_by(_CHECKPOINT.c.size)
    yield from tx.run(query).scalars()


def list_public_keys(tx: Tx) -> Sequence[bytes]:
    """Every key that signed for this controller, oldest first."""
    query = select(_KEY.c.public_key).where(_KEY.c.controller == tx.controller).order_by(_KEY.c.since)
    return tx.run(query).scalars().all()


def _leaf_of(log: Log, row: Row[Any]) -> bytes:
    """The bytes that the log committed to, from the row as it is; empty where it can no longer be a leaf."""
    if log is Log.CONSENT:
        return as_bytes(row.leaf)
    try:
        return canonical(as_entry(row).leaf())
    except (LeafNotCanonical, ValueError, TypeError):
        return b""


def _id_text(value: object) -> str:
    """A record's id as the driver gives it: a UUID, or 32 digits without hyphens."""
    text = str(value)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" if len(text) == 32 else text


def _of_log(tx: Tx, table: Table, log: Log) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.controller == tx.controller, table.c.log == str(log)


def _of_tree(tx: Tx, table: Table, log: Log, tree: str) -> tuple[ColumnElement[bool], ...]:
    return (*_of_log(tx, table, log), table.c.tree == tree)
