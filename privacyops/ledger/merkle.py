"""The Merkle tree of a log: hashes, the frontier that grows it, and both kinds of proof.

A tree of n leaves is kept as its frontier, the roots of the full subtrees that n's binary digits name, largest
first. Appending needs nothing else; proofs read older nodes through a `NodeReader`.

Source: RFC 6962 section 2.1 (hashes, proofs), RFC 9162 section 2.1.3 and 2.1.4 (verification).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeAlias

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

NodeReader: TypeAlias = Callable[[int, int], bytes]
"""`(level, position)` -> hash of the full subtree over leaves [position * 2^level, (position + 1) * 2^level)."""


class ProofImpossible(ValueError):
    """No proof of this kind exists between the two numbers; the message says which."""


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves as the roots of its full subtrees, largest first (at most 63 hashes)."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or self.size.bit_count() != len(self.peaks):
            raise ValueError("a frontier has one hash for each binary digit 1 of its size")

    def extend(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """The tree with `leaf_hashes` appended in order; two hashes are computed a leaf on average."""
        size, peaks = self.size, list(self.peaks)
        for peak in leaf_hashes:
            merged, carry = peak, size
            while carry & 1:
                merged = sha256(b"\x01" + peaks.pop() + merged).digest()
                carry >>= 1
            peaks.append(merged)
            size += 1
        return Frontier(size, tuple(peaks))

    def grow(self, leaf_hashes: Iterable[bytes], step: int) -> tuple["Frontier", list[tuple[int, int, bytes]]]:
        """As `extend`, and the subtrees that became full: (level, position, hash) at each multiple of `step`."""
        size, peaks, full = self.size, list(self.peaks), []
        for leaf in leaf_hashes:
            merged, carry, level = leaf, size, 0
            while carry & 1:
                merged = node_hash(peaks.pop(), merged)
                carry, level = carry >> 1, level + 1
                if level % step == 0:
                    full.append((level, size >> level, merged))
            peaks.append(merged)
            size += 1
        return Frontier(size, tuple(peaks)), full

    def root(self) -> bytes:
        """The root hash; of the empty tree SHA-256 of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """The peaks end to end; the size is kept beside them."""
        return b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, size: int, peaks: bytes) -> "Frontier":
        """Raises: ValueError: the bytes are not one hash for each binary digit 1 of `size`."""
        if len(peaks) % HASH_BYTES:
            raise ValueError("a frontier is a row of 32-byte hashes")
        return cls(size, tuple(peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)))


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over all of `leaf_hashes`."""
    return Frontier().extend(leaf_hashes).root()


def reader_over(leaf_hashes: Sequence[bytes]) -> NodeReader:
    """Nodes computed from a sequence in memory: for tests, offline checks and short logs."""

    def node(level: int, position: int) -> bytes:
        if level == 0:
            return leaf_hashes[position]
        return node_hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1))

    return node


def inclusion_proof(node: NodeReader, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size`, from the leaf's sibling upwards.

    Raises: ProofImpossible: `index` lies outside the tree.
    """
    if not 0 <= index < size:
        raise ProofImpossible(f"leaf {index} is not in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:  # RFC 6962 2.1.1, written as a descent
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(node, middle, end))
            end = middle
        else:
            path.append(_range_root(node, start, middle))
            start = middle
    path.reverse()
    return path


def consistency_proof(node: NodeReader, old: int, new: int) -> list[bytes]:
    """The nodes that show the tree of `old` leaves to be a beginning of the tree of `new`.

    Raises: ProofImpossible: `old` is 0 or larger than `new` (RFC 6962 proves nothing about the empty tree).
    """
    if not 0 < old <= new:
        raise ProofImpossible(f"no proof from {old} to {new}")
    path, start, end, whole = [], 0, new, True
    while old != end - start:  # RFC 6962 2.1.2: `old` counts the leaves of the old tree inside [start, end)
        middle = start + _split(end - start)
        if old <= middle - start:
            path.append(_range_root(node, middle, end))
            end = middle
        else:
            path.append(_range_root(node, start, middle))
            old -= middle - start
            start, whole = middle, False
    if not whole:
        path.append(_range_root(node, start, end))
    path.reverse()
    return path


def inclusion_holds(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from the leaf hash `leaf` at `index` to `root`. Source: RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn, computed = index, size - 1, leaf
    for step in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            computed = node_hash(step, computed)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and computed == root


def consistency_holds(*, old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of `new` begins with the tree of `old`. Source: RFC 9162 section 2.1.4.2.

    The empty tree is a beginning of every tree: it needs no path and has `EMPTY_ROOT`.
    """
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    if old == new:
        return not path and old_root == new_root
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old_computed = new_computed = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old_computed, new_computed = node_hash(step, old_computed), node_hash(step, new_computed)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_computed = node_hash(new_computed, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old_computed == old_root and new_computed == new_root


def _split(count: int) -> int:
    """The largest power of two below `count` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(node: NodeReader, start: int, end: int) -> bytes:
    """The root over leaves [start, end), where `start` is a multiple of the next power of two."""
    peaks, position = [], start
    while position < end:
        level = (end - position).bit_length() - 1
        peaks.append(node(level, position >> level))
        position += 1 << level
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root
