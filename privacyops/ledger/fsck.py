"""Verification of a whole log against its checkpoints, and the name of the record that is wrong.

Every leaf is hashed and compared with the hash the log keeps for it; the kept hashes are folded into the tree,
whose root must equal every checkpoint ever signed, at that checkpoint's size. Because all checkpoints are held
against one sequence of leaves, their consistency with one another follows. Where a root differs, the leaves
since the last good checkpoint are read again to say which ones differ and how.

Source: RFC 6962; c2sp.org/tlog-tiles.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations, islice
from typing import Final, Protocol

from privacyops.ledger.checkpoint import (
    Checkpoint,
    NoteMalformed,
    SignatureRefused,
    VerifierKey,
    open_checkpoint,
)
from privacyops.ledger.leaf import LeafNotCanonical, parse
from privacyops.ledger.merkle import Frontier, leaf_hash, node_hash
from privacyops.ledger.tiles import TileMalformed, bundles_of, decode_bundle, decode_tile

MAX_MISMATCHES: Final = 1_000
_CHUNK: Final = 4_096
_RECORDED: Final = re.compile(rb'"(?:recorded_)?at":"([^"]{24})"')
_SWAP_SEARCH: Final = 256
"""Leaves between two checkpoints among which an exchanged pair is looked for; the search is quadratic."""


class Flaw(StrEnum):
    """What is wrong. CHANGED, MISSING, HASH_CHANGED, SWAPPED and UNLOGGED name one record, the others a place.

    UNLOGGED: a record that stands beside the log, in no leaf of it.
    """

    CHANGED = "changed"
    MISSING = "missing"
    HASH_CHANGED = "hash_changed"
    SWAPPED = "swapped"
    REWRITTEN = "rewritten"
    TRUNCATED = "truncated"
    FORKED = "forked"
    CHECKPOINT = "checkpoint"
    UNLOGGED = "unlogged"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One finding. `index` counts leaves from 0; `record` is the id in the leaf where one can be read."""

    flaw: Flaw
    index: int | None
    record: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a log holds for one index: the leaf and the kept hash; None where it holds nothing."""

    leaf: bytes | None
    kept: bytes | None
    record: str | None = None


class LogSource(Protocol):
    """A log that can be read from any index on, in order and without gaps (a hole is a `Row` of None)."""

    def rows(self, start: int) -> Iterator[Row]: ...


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome. `covered` leaves stand under a verified checkpoint; later ones are only hashed."""

    size: int
    root: bytes
    covered: int
    checkpoints: int
    mismatches: tuple[Mismatch, ...]
    warnings: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.mismatches


@dataclass(slots=True)
class _Findings:
    mismatches: list[Mismatch] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, flaw: Flaw, index: int | None, record: str | None, detail: str) -> None:
        if len(self.mismatches) < MAX_MISMATCHES:
            self.mismatches.append(Mismatch(flaw, index, record, detail))


def fsck(source: LogSource, notes: Iterable[str], keys: Sequence[VerifierKey], *, origin: str) -> Report:
    """Hold the leaves of `source` against every signed checkpoint in `notes`.

    Bounded memory: leaves are streamed; at most `MAX_MISMATCHES` are listed.
    """
    found = _Findings()
    targets = _verified(notes, keys, origin, found)
    walk = _Walk(source, found)
    for target in targets:
        walk.hold_against(target)
    walk.finish()
    if walk.tree.size > walk.covered and targets:
        found.warnings.append(f"{walk.tree.size - walk.covered} leaves are not yet under a checkpoint")
    if not targets:
        found.warnings.append("no checkpoint: nothing shows what this log held before")
    return Report(
        walk.tree.size, walk.tree.root(), walk.covered, len(targets), tuple(found.mismatches), tuple(found.warnings)
    )


def _verified(notes: Iterable[str], keys: Sequence[VerifierKey], origin: str, found: _Findings) -> list[Checkpoint]:
    """The trustworthy checkpoints by size, one a size."""
    by_size: dict[int, Checkpoint] = {}
    for place, note in enumerate(notes):
        try:
            checkpoint = open_checkpoint(note, keys, origin=origin)
        except (NoteMalformed, SignatureRefused) as refusal:
            found.add(Flaw.CHECKPOINT, None, None, f"checkpoint {place}: {refusal}")
            continue
        twin = by_size.setdefault(checkpoint.size, checkpoint)
        if twin.root != checkpoint.root:
            found.add(Flaw.FORKED, checkpoint.size, None, f"two roots were signed for size {checkpoint.size}")
    return [by_size[size] for size in sorted(by_size)]


class _Walk:
    """One pass over the leaves, stopping at each checkpoint's size."""

    def __init__(self, source: LogSource, found: _Findings) -> None:
        self._source, self._found = source, found
        self._rows = source.rows(0)
        self._differing: dict[int, tuple[bytes, bytes, str | None]] = {}
        self._latest = b""
        self._early: tuple[int, int, int] | None = None
        """How many leaves were recorded before the one in front of them; the first and the last of these."""
        self.tree = Frontier()
        self.covered = 0
        self._good = self.tree
        self._ended = False
        self._lost = False

    def hold_against(self, checkpoint: Checkpoint) -> None:
        self._advance(checkpoint.size)
        if self.tree.size < checkpoint.size:
            self._found.add(
                Flaw.TRUNCATED,
                self.tree.size,
                None,
                f"the log ends after {self.tree.size} leaves; a checkpoint of {checkpoint.size} was signed",
            )
        elif self.tree.root() == checkpoint.root:
            self._good, self.covered = self.tree, checkpoint.size
            self._settle_differing()
        elif self._lost:
            self._settle_differing()  # no later root can agree; the damage in front has been named
        else:
            self._explain(checkpoint)

    def finish(self) -> None:
        self._advance(None)
        self._settle_differing()
        if self._early is not None:
            count, first, last = self._early
            many = (
                f"{count} leaves, the first {first} and the last {last}, were recorded before the ones in front of them"
            )
            one = f"leaf {first} was recorded before the one in front of it"
            self._found.warnings.append(one if count == 1 else many)

    def _advance(self, to: int | None) -> None:
        while not self._ended and (to is None or self.tree.size < to):
            chunk = list(islice(self._rows, _CHUNK if to is None else min(_CHUNK, to - self.tree.size)))
            if not chunk:
                self._ended = True
                return
            self.tree = self.tree.extend(self._hashes(chunk))

    def _hashes(self, chunk: Sequence[Row]) -> list[bytes]:
        hashes = []
        for index, row in enumerate(chunk, self.tree.size):
            if row.leaf is None:
                self._found.add(Flaw.MISSING, index, row.record, "the log holds no leaf here")
                hashes.append(row.kept or bytes(32))
                continue
            computed = leaf_hash(row.leaf)
            if row.kept is None or row.kept == computed:
                hashes.append(computed)
            else:
                hashes.append(row.kept)
                if len(self._differing) < MAX_MISMATCHES:
                    self._differing[index] = (computed, row.kept, row.record or record_of(row.leaf))
            self._watch_time(index, row.leaf)
        return hashes

    def _watch_time(self, index: int, leaf: bytes) -> None:
        found = _RECORDED.search(leaf)
        if found is None:
            return
        recorded = found[1]
        if recorded < self._latest:
            count, first, _ = self._early or (0, index, index)
            self._early = (count + 1, first, index)
        else:
            self._latest = recorded

    def _settle_differing(self) -> None:
        """The kept hashes are proved by the root, so what differs from them are the leaves."""
        indices = {kept: index for index, (_, kept, _) in self._differing.items()}
        for index, (computed, _, record) in self._differing.items():
            other = indices.get(computed)
            if other is None:
                self._found.add(Flaw.CHANGED, index, record, "the record no longer hashes to its leaf")
            else:
                self._found.add(Flaw.SWAPPED, index, record, f"this record belongs at leaf {other}")
        self._differing.clear()

    def _explain(self, checkpoint: Checkpoint) -> None:
        """Say what differs among the leaves after the last good checkpoint, and go on from the true tree."""
        start, end = self._good.size, checkpoint.size
        if self._differing:
            truth = self._good.extend(self._computed(start, end))
            if truth.root() == checkpoint.root:
                for index, (_, _, record) in self._differing.items():
                    self._found.add(Flaw.HASH_CHANGED, index, record, "the record is whole, its kept hash is not")
                self._differing.clear()
                self.tree = self._good = truth
                self.covered = end
                return
        elif end - start <= _SWAP_SEARCH and self._name_swap(checkpoint):
            return
        self._settle_differing()
        self._lost = True
        first = next(self._source.rows(start), Row(None, None))
        detail = f"leaves {start} to {end - 1} do not give the root that was signed for size {end}"
        self._found.add(Flaw.REWRITTEN, start, first.record or record_of(first.leaf), detail)

    def _name_swap(self, checkpoint: Checkpoint) -> bool:
        start, end = self._good.size, checkpoint.size
        rows = list(islice(self._source.rows(start), end - start))
        hashes = list(self._computed(start, end))
        pair = _swapped_pair(self._good, hashes, checkpoint.root)
        if pair is None:
            return False
        for here, there in (pair, pair[::-1]):
            record = rows[here].record or record_of(rows[here].leaf)
            self._found.add(Flaw.SWAPPED, start + here, record, f"this record belongs at leaf {start + there}")
        here, there = pair
        hashes[here], hashes[there] = hashes[there], hashes[here]
        self.tree = self._good = self._good.extend(hashes)
        self.covered = end
        return True

    def _computed(self, start: int, end: int) -> Iterator[bytes]:
        for row in islice(self._source.rows(start), end - start):
            yield leaf_hash(row.leaf) if row.leaf is not None else row.kept or bytes(32)


def _swapped_pair(good: Frontier, hashes: Sequence[bytes], root: bytes) -> tuple[int, int] | None:
    """The two positions whose exchange makes the tree `good` + `hashes` end in `root`; None when there are none."""
    start, end = good.size, good.size + len(hashes)
    cache: dict[tuple[int, int], bytes] = {}
    at = 0
    for level, peak in zip([bit for bit in range(63, -1, -1) if start >> bit & 1], good.peaks, strict=True):
        cache[at, at + (1 << level)] = peak
        at += 1 << level

    def over(first: int, last: int, moved: Mapping[int, bytes]) -> bytes:
        untouched = not any(first <= index < last for index in moved)
        if untouched and (first, last) in cache:
            return cache[first, last]
        if last - first == 1:
            value = moved.get(first) or hashes[first - start]
        else:
            middle = first + (1 << ((last - first - 1).bit_length() - 1))
            value = node_hash(over(first, middle, moved), over(middle, last, moved))
        if untouched:
            cache[first, last] = value
        return value

    over(0, end, {})
    for here, there in combinations(range(len(hashes)), 2):
        if over(0, end, {start + here: hashes[there], start + there: hashes[here]}) == root:
            return here, there
    return None


def record_of(leaf: bytes | None) -> str | None:
    """The record id in a leaf, or None where none can be read."""
    try:
        record = parse(leaf or b"").get("id")
    except LeafNotCanonical:
        return None
    return record if isinstance(record, str) else None


@dataclass(frozen=True, slots=True)
class BundleSource:
    """A log as published: entry bundles and level 0 tiles, fetched by `read` (None where there is no such file).

    `size` is the size of the largest checkpoint, which says how wide the last files are.
    """

    read: Callable[[str], bytes | None]
    size: int

    def rows(self, start: int) -> Iterator[Row]:
        """Raises: TileMalformed: a tile that is not a row of hashes."""
        for bundle in bundles_of(self.size):
            first = bundle.index * 256
            if first + bundle.width <= start:
                continue
            kept = self._kept(bundle.path.replace("tile/entries/", "tile/0/"), bundle.width)
            rows = _aligned(self._leaves(bundle.path), kept, bundle.width)
            yield from islice(rows, max(0, start - first), None)

    def _leaves(self, path: str) -> list[bytes]:
        bundle = self.read(path)
        try:
            return decode_bundle(bundle) if bundle else []
        except TileMalformed:
            return []  # its leaves are reported as missing, by index

    def _kept(self, path: str, width: int) -> list[bytes | None]:
        tile = self.read(path)
        hashes: list[bytes | None] = [*decode_tile(tile)] if tile else []
        return (hashes + [None] * width)[:width]


def _aligned(leaves: Sequence[bytes], kept: Sequence[bytes | None], width: int) -> Iterator[Row]:
    """Rows of one bundle. When leaves are missing, their hashes say which ones are still there."""
    if len(leaves) == width:
        return map(Row, leaves, kept)
    by_hash = {leaf_hash(leaf): leaf for leaf in leaves}
    return (Row(by_hash.get(value) if value else None, value) for value in kept)
