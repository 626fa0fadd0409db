"""Tiles and entry bundles: a log as files that never change once full, readable without our software.

A tile is a row of up to 256 node hashes at one level; a bundle is up to 256 leaves, each behind its length.

Source: c2sp.org/tlog-tiles.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.ledger.leaf import MAX_LEAF_BYTES
from privacyops.ledger.merkle import HASH_BYTES, NodeReader, node_hash

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
MAX_LEVEL: Final = 63
_TILE_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileMalformed(ValueError):
    """A path or a bundle that no log of this format serves; the message names the broken rule."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Nodes [index * 256, index * 256 + width) of `level`; level None is the bundle of leaves itself."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 < self.width <= TILE_WIDTH or self.index < 0 or not 0 <= (self.level or 0) <= MAX_LEVEL:
            raise TileMalformed("no tile has this level, index or width")

    @property
    def path(self) -> str:
        """The address below the log's prefix, such as `tile/0/x001/x234/067.p/112`."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """Raises: TileMalformed: not a path in its one canonical spelling."""
        found = _TILE_PATH.fullmatch(path)
        if found is None:
            raise TileMalformed("not the path of a tile")
        level = None if found["level"] == "entries" else int(found["level"])
        tile = cls(level, int(found["index"].replace("x", "").replace("/", "")), int(found["width"] or TILE_WIDTH))
        if tile.path != path:
            raise TileMalformed("not the canonical path of the tile")
        return tile

    def is_within(self, size: int) -> bool:
        """Whether a tree of `size` leaves holds all of this tile, at this or a larger width."""
        nodes = size >> (TILE_HEIGHT * (self.level or 0))
        return self.index * TILE_WIDTH + self.width <= nodes


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile that a tree of `size` leaves has, level by level, full ones before the partial one."""
    level = 0
    while nodes := size >> (TILE_HEIGHT * level):
        yield from _row(level, nodes)
        level += 1


def bundles_of(size: int) -> Iterator[Tile]:
    """Every entry bundle of a tree of `size` leaves."""
    return _row(None, size)


def _row(level: int | None, nodes: int) -> Iterator[Tile]:
    for index in range(nodes // TILE_WIDTH):
        yield Tile(level, index)
    if nodes % TILE_WIDTH:
        yield Tile(level, nodes // TILE_WIDTH, nodes % TILE_WIDTH)


def encode_bundle(leaves: Sequence[bytes]) -> bytes:
    """The leaves, each behind its length as a big-endian uint16. Raises: TileMalformed: too many or too long."""
    if not 0 < len(leaves) <= TILE_WIDTH or any(len(leaf) > MAX_LEAF_BYTES for leaf in leaves):
        raise TileMalformed("a bundle holds 1 to 256 leaves of at most 65,535 bytes")
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def decode_bundle(bundle: bytes) -> list[bytes]:
    """The leaves of `bundle`. Raises: TileMalformed: cut short, empty, or more than 256 leaves."""
    leaves: list[bytes] = []
    at = 0
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        if at > len(bundle) or start > len(bundle) or len(leaves) == TILE_WIDTH:
            raise TileMalformed("the bundle is cut short or holds too many leaves")
        leaves.append(bundle[start:at])
    if not leaves:
        raise TileMalformed("an empty bundle")
    return leaves


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """The hashes end to end. Raises: TileMalformed: none, more than 256, or of another length."""
    if not 0 < len(hashes) <= TILE_WIDTH or any(len(node) != HASH_BYTES for node in hashes):
        raise TileMalformed("a tile holds 1 to 256 hashes of 32 bytes")
    return b"".join(hashes)


def decode_tile(tile: bytes) -> list[bytes]:
    """The hashes of `tile`. Raises: TileMalformed."""
    if not tile or len(tile) % HASH_BYTES or len(tile) > TILE_WIDTH * HASH_BYTES:
        raise TileMalformed("a tile holds 1 to 256 hashes of 32 bytes")
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def reader_through(tile_hashes: Callable[[int, int], Sequence[bytes]]) -> NodeReader:
    """A `NodeReader` that asks `tile_hashes(level, index)` for the hashes of each tile it needs, once.

    The answer holds as many of the tile's hashes as exist, from its first; inner nodes are computed.
    """
    seen: dict[tuple[int, int], Sequence[bytes]] = {}

    def node(level: int, position: int) -> bytes:
        tile_level, inner = divmod(level, TILE_HEIGHT)
        index, first = divmod(position << inner, TILE_WIDTH)
        if (tile_level, index) not in seen:
            seen[tile_level, index] = tile_hashes(tile_level, index)
        row = list(seen[tile_level, index][first : first + (1 << inner)])
        if len(row) != 1 << inner:
            raise TileMalformed("a tile holds fewer hashes than the tree's size says")
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]

    return node
