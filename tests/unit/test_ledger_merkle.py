"""The tree: published vectors, and every proof for every size up to 70."""

from hashlib import sha256

import pytest

from privacyops.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofImpossible,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    leaf_hash,
    node_hash,
    reader_over,
    root_of,
)

# The eight leaves and the roots of sizes 1 to 8 that Certificate Transparency implementations are tested with.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION_0_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
LEAVES = [leaf_hash(str(number).encode()) for number in range(71)]
NODE = reader_over(LEAVES)


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1 word for word, as the oracle for the frontier."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(leaf_hash(leaf) for leaf in CT_LEAVES[:size]).hex() == CT_ROOTS[size - 1]


def test_an_inclusion_path_is_that_of_certificate_transparency() -> None:
    path = inclusion_proof(reader_over([leaf_hash(leaf) for leaf in CT_LEAVES]), 0, 8)
    assert [step.hex() for step in path] == CT_INCLUSION_0_OF_8


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize("size", range(71))
def test_the_frontier_ends_in_the_root_of_the_recursive_definition(size: int) -> None:
    assert Frontier().extend(LEAVES[:size]).root() == recursive_root(LEAVES[:size])


@pytest.mark.parametrize("size", range(1, 71))
def test_every_leaf_of_every_size_is_proved(size: int) -> None:
    root = recursive_root(LEAVES[:size])
    for index in range(size):
        path = inclusion_proof(NODE, index, size)
        assert inclusion_holds(leaf=LEAVES[index], index=index, size=size, path=path, root=root)
        assert not inclusion_holds(leaf=LEAVES[70], index=index, size=size, path=path, root=root)
        assert not inclusion_holds(leaf=LEAVES[index], index=(index + 1) % size, size=size, path=path, root=root) or (
            size == 1
        )
        assert not inclusion_holds(leaf=LEAVES[index], index=index, size=size, path=[*path, root], root=root)
        if path:
            assert not inclusion_holds(leaf=LEAVES[index], index=index, size=size, path=path[:-1], root=root)


@pytest.mark.parametrize("new", range(1, 71))
def test_every_older_size_is_proved_to_be_a_beginning(new: int) -> None:
    new_root = recursive_root(LEAVES[:new])
    for old in range(1, new + 1):
        path = consistency_proof(NODE, old, new)
        old_root = recursive_root(LEAVES[:old])
        assert consistency_holds(old=old, old_root=old_root, new=new, new_root=new_root, path=path)
        assert not consistency_holds(old=old, old_root=LEAVES[70], new=new, new_root=new_root, path=path)
        assert not consistency_holds(old=old, old_root=old_root, new=new, new_root=LEAVES[70], path=path)
        assert not consistency_holds(old=old, old_root=old_root, new=new, new_root=new_root, path=[*path, old_root])


def test_a_consistency_path_of_another_pair_proves_nothing() -> None:
    path = consistency_proof(NODE, 6, 8)
    roots = {size: recursive_root(LEAVES[:size]) for size in (5, 6, 7, 8)}
    for old, new in [(5, 8), (7, 8), (6, 7), (8, 6)]:
        assert not consistency_holds(old=old, old_root=roots[old], new=new, new_root=roots[new], path=path)


def test_the_empty_tree_is_a_beginning_of_every_tree() -> None:
    root = recursive_root(LEAVES[:5])
    assert consistency_holds(old=0, old_root=EMPTY_ROOT, new=5, new_root=root, path=[])
    assert not consistency_holds(old=0, old_root=root, new=5, new_root=root, path=[])
    with pytest.raises(ProofImpossible):
        consistency_proof(NODE, 0, 5)


@pytest.mark.parametrize(("index", "size"), [(5, 5), (-1, 5), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ProofImpossible):
        inclusion_proof(NODE, index, size)


def test_a_frontier_survives_being_stored() -> None:
    tree = Frontier().extend(LEAVES[:37])
    assert Frontier.from_bytes(tree.size, tree.to_bytes()) == tree


@pytest.mark.parametrize(("size", "peaks"), [(3, bytes(32)), (0, bytes(32)), (1, b""), (1, bytes(31)), (-1, b"")])
def test_a_frontier_with_the_wrong_number_of_hashes_is_refused(size: int, peaks: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(size, peaks)


def test_growing_tells_which_subtrees_became_full() -> None:
    tree, full = Frontier().extend(LEAVES[:3]).grow(LEAVES[3:70], 2)
    assert tree == Frontier().extend(LEAVES[:70])
    assert full == sorted(full, key=lambda node: ((node[1] + 1) << node[0], node[0]))
    assert {(level, position) for level, position, _ in full} == {
        *((2, position) for position in range(17)), *((4, position) for position in range(4)), (6, 0),
    }  # fmt: skip
    assert all(value == NODE(level, position) for level, position, value in full)
