"""Tiles and bundles."""

import pytest

from privacyops.ledger.merkle import (
    Frontier,
    inclusion_holds,
    inclusion_proof,
    leaf_hash,
    node_hash,
    reader_over,
)
from privacyops.ledger.tiles import (
    Tile,
    TileMalformed,
    bundles_of,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    reader_through,
    tiles_of,
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(2, 999, 1), "tile/2/999.p/1"),
        (Tile(None, 273, 112), "tile/entries/273.p/112"),
        (Tile(63, 1_000), "tile/63/x001/000"),
    ],
)
def test_a_tile_has_the_path_of_the_standard(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    ["", "tile/0/0", "tile/00/000", "tile/64/000", "tile/0/x000/001", "tile/0/001/000", "tile/0/000.p/256",
     "tile/0/000.p/0", "tile/0/000.p/01", "tile/-1/000", "tile/entries/000/", "/tile/0/000", "tile/0/000\n",
     "tile/0/../000", "tile/0/٠٠٠"],
)  # fmt: skip
def test_a_path_in_another_spelling_is_refused(path: str) -> None:
    with pytest.raises(TileMalformed):
        Tile.parse(path)


def test_a_tree_of_70000_has_the_tiles_of_the_standards_example() -> None:
    tiles = list(tiles_of(70_000))
    assert sum(tile.level == 0 and tile.width == 256 for tile in tiles) == 273
    assert [tile for tile in tiles if tile.level or tile.width < 256] == [
        Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1),
    ]  # fmt: skip
    assert all(tile.is_within(70_000) for tile in tiles)
    assert not Tile(0, 273, 113).is_within(70_000)


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above() -> None:
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(bundles_of(256)) == [Tile(None, 0)]


def test_the_empty_tree_has_no_tiles() -> None:
    assert not [*tiles_of(0), *bundles_of(0)]


def test_a_bundle_gives_back_its_leaves() -> None:
    leaves = [b"", b"a", bytes(65_535)]
    assert encode_bundle(leaves[:2]) == b"\x00\x00\x00\x01a"
    assert decode_bundle(encode_bundle(leaves)) == leaves


@pytest.mark.parametrize("bundle", [b"", b"\x00", b"\x00\x02a", b"\x00\x00" * 257])
def test_a_broken_bundle_is_refused(bundle: bytes) -> None:
    with pytest.raises(TileMalformed):
        decode_bundle(bundle)


@pytest.mark.parametrize("leaves", [[], [b""] * 257, [bytes(65_536)]])
def test_what_a_bundle_cannot_hold_is_refused(leaves: list[bytes]) -> None:
    with pytest.raises(TileMalformed):
        encode_bundle(leaves)


@pytest.mark.parametrize("tile", [b"", bytes(31), bytes(257 * 32)])
def test_a_broken_tile_is_refused(tile: bytes) -> None:
    with pytest.raises(TileMalformed):
        decode_tile(tile)


def test_a_tile_of_other_hashes_is_refused() -> None:
    with pytest.raises(TileMalformed):
        encode_tile([bytes(31)])
    assert decode_tile(encode_tile([bytes(32)] * 3)) == [bytes(32)] * 3


def test_proofs_read_through_tiles_are_those_of_the_whole_tree() -> None:
    hashes = [leaf_hash(str(number).encode()) for number in range(66_000)]
    rows = {0: hashes}
    for level in (1, 2):
        below, rows[level] = rows[level - 1], []
        for start in range(0, len(below) // 256 * 256, 256):
            rows[level].append(Frontier().extend(below[start : start + 256]).root())
    asked: list[tuple[int, int]] = []

    def tile_hashes(level: int, index: int) -> list[bytes]:
        asked.append((level, index))
        return rows[level][index * 256 : index * 256 + 256]

    root = Frontier().extend(hashes).root()
    for index in (0, 255, 256, 65_535, 65_999):
        asked.clear()
        path = inclusion_proof(reader_through(tile_hashes), index, 66_000)
        assert inclusion_holds(leaf=hashes[index], index=index, size=66_000, path=path, root=root)
        assert len(asked) == len(set(asked)) <= 5
    assert inclusion_proof(reader_through(tile_hashes), 300, 600) == inclusion_proof(reader_over(hashes), 300, 600)


def test_a_tile_that_is_too_short_is_not_taken_for_a_smaller_tree() -> None:
    with pytest.raises(TileMalformed):
        reader_through(lambda _level, _index: [bytes(32)])(1, 0)
    assert reader_through(lambda _level, _index: [bytes(32)] * 2)(1, 0) == node_hash(bytes(32), bytes(32))
