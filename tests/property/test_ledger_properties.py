"""What holds of every leaf, tree, note and bundle."""

import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from privacyops.ledger.checkpoint import Checkpoint, LogProof, NoteMalformed, SignedNote
from privacyops.ledger.leaf import LeafNotCanonical, canonical, parse
from privacyops.ledger.merkle import (
    Frontier,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    leaf_hash,
    reader_over,
    root_of,
)
from privacyops.ledger.tiles import Tile, TileMalformed, decode_bundle, encode_bundle

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALAR = TEXT | st.integers(-(2**53) + 1, 2**53 - 1)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
LEAF = st.dictionaries(TEXT, VALUE, max_size=6)
HASHES = st.lists(st.binary(max_size=3).map(leaf_hash), min_size=1, max_size=90)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(LEAF.filter(lambda leaf: depth(leaf) <= 8))
def test_canonical_bytes_equal_those_of_an_independent_implementation(leaf: dict[str, object]) -> None:
    assert canonical(leaf) == rfc8785.dumps(leaf)  # type: ignore[arg-type]  # generated values
    assert parse(canonical(leaf)) == leaf  # type: ignore[arg-type]  # generated values


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass")))
def test_whatever_parses_is_canonical(data: bytes) -> None:
    try:
        value = parse(data)
    except LeafNotCanonical:
        return
    assert canonical(value) == data == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@given(HASHES, st.data())
def test_appending_in_any_portions_gives_the_same_tree(hashes: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(hashes)))
    assert Frontier().extend(hashes[:cut]).extend(hashes[cut:]) == Frontier().extend(hashes)


@given(HASHES, st.data())
def test_a_proof_holds_for_its_leaf_and_breaks_with_any_flipped_bit(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    path, root = inclusion_proof(reader_over(hashes), index, len(hashes)), root_of(hashes)
    held = {"leaf": hashes[index], "index": index, "size": len(hashes), "root": root}
    assert inclusion_holds(**held, path=path)
    if path:
        step = data.draw(st.integers(0, len(path) - 1))
        flipped = bytearray(path[step])
        flipped[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
        assert not inclusion_holds(**held, path=[*path[:step], bytes(flipped), *path[step + 1 :]])


@given(HASHES, st.data())
def test_a_changed_old_leaf_makes_consistency_fail(hashes: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(hashes)))
    new_root, old_root = root_of(hashes), root_of(hashes[:old])
    path = consistency_proof(reader_over(hashes), old, len(hashes))
    assert consistency_holds(old=old, old_root=old_root, new=len(hashes), new_root=new_root, path=path)
    at = data.draw(st.integers(0, old - 1))
    forged = [*hashes[:at], leaf_hash(b"forged"), *hashes[at + 1 :]]
    forged_path = consistency_proof(reader_over(forged), old, len(forged))
    assert not consistency_holds(
        old=old, old_root=old_root, new=len(hashes), new_root=root_of(forged), path=forged_path
    )


@given(st.text(max_size=80))
def test_a_hostile_text_is_a_note_or_a_refusal(text: str) -> None:
    for parser in (SignedNote.parse, Checkpoint.parse, LogProof.parse):
        try:
            parsed = parser(text)
        except NoteMalformed:
            continue
        assert str(parsed) == text


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_is_read_back_as_written(leaves: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(leaves)) == leaves


@given(st.binary(max_size=200))
def test_a_hostile_bundle_is_read_whole_or_refused(data: bytes) -> None:
    try:
        leaves = decode_bundle(data)
    except TileMalformed:
        return
    assert encode_bundle(leaves) == data


@given(st.none() | st.integers(0, 63), st.integers(0, 10**15), st.integers(1, 256))
def test_a_tile_is_found_again_by_its_path(level: int | None, index: int, width: int) -> None:
    assert Tile.parse(Tile(level, index, width).path) == Tile(level, index, width)


@pytest.mark.parametrize("size", [1, 255, 256, 257])
@settings(max_examples=10)
@given(data=st.data())
def test_the_frontier_grows_over_the_width_of_a_tile(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(bytes([number % 256])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(reader_over(hashes), index, size)
    root = Frontier().extend(hashes).root()
    assert inclusion_holds(leaf=hashes[index], index=index, size=size, path=path, root=root)
