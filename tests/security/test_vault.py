"""The vault: what is stored reads back, what was touched does not, what was destroyed is gone."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacyops.adapters.key_file import MasterKeys, fresh_keys, with_next_kek, write_key_file
from privacyops.adapters.keyring import MasterKeyRing
from privacyops.adapters.vault import CHUNK_BYTES, FolderVault
from privacyops.kernel.ids import DsarId
from privacyops.ports.keyring import SealBroken
from privacyops.ports.vault import BlobBroken, BlobMissing, RequestKeyDestroyed, VaultFull, VaultRef

KEYS = fresh_keys()
SHOP = "shop-group"
FAR = datetime(2099, 1, 1, tzinfo=UTC)
HEAD = 11


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path, MasterKeyRing(KEYS))


@pytest.fixture
def request_id() -> DsarId:
    return DsarId(uuid4())


def _path(root: Path, ref: VaultRef) -> Path:
    return root / ref.request.hex / f"{ref.blob.hex}.blob"


def _files(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 1_000_000])
def test_a_blob_reads_back_at_every_size_around_a_chunk(vault: FolderVault, request_id: DsarId, size: int) -> None:
    content = os.urandom(size)
    ref = vault.put(SHOP, request_id, [content])
    assert b"".join(vault.open(ref)) == content
    assert ref.size == size
    vault.verify(ref)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(pieces=st.lists(st.integers(0, 2 * CHUNK_BYTES), max_size=6))
def test_how_the_content_arrives_makes_no_difference(vault: FolderVault, pieces: list[int]) -> None:
    content = [bytes([number % 251]) * size for number, size in enumerate(pieces)]
    ref = vault.put(SHOP, DsarId(uuid4()), content)
    assert b"".join(vault.open(ref)) == b"".join(content)


def test_nothing_readable_lies_on_the_disk(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    vault.put(SHOP, request_id, [b"kim@example.com" * 10_000])
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"kim@example" in path.read_bytes()]


def test_only_this_user_can_read_the_files(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"x"])
    modes = {path.stat().st_mode & 0o077 for path in (_path(tmp_path, ref), _path(tmp_path, ref).parent)}
    assert modes == {0}


def _read(vault: FolderVault, ref: VaultRef) -> bytes:
    """By streaming alone: neither size nor hash of the reference help to notice anything."""
    return b"".join(vault.open(ref))


def _tampered(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def test_a_blob_cut_anywhere_is_broken(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [os.urandom(3 * CHUNK_BYTES + 100)])
    path = _path(tmp_path, ref)
    whole, step = path.read_bytes(), CHUNK_BYTES + 16
    for length in (0, 3, HEAD, HEAD + 5, HEAD + step, HEAD + 2 * step, HEAD + 3 * step, len(whole) - 1):
        _tampered(path, whole[:length])
        with pytest.raises(BlobBroken):
            _read(vault, ref)


def test_chunks_that_were_exchanged_repeated_or_left_out_are_broken(
    tmp_path: Path, vault: FolderVault, request_id: DsarId
) -> None:
    ref = vault.put(SHOP, request_id, [os.urandom(4 * CHUNK_BYTES)])
    path, step = _path(tmp_path, ref), CHUNK_BYTES + 16
    whole = path.read_bytes()
    head, chunks = whole[:HEAD], [whole[HEAD + n * step : HEAD + (n + 1) * step] for n in range(4)]
    for order in ([1, 0, 2, 3], [0, 1, 1, 3], [0, 2, 3], [0, 1, 2, 3, 3], [3], [0, 3]):
        _tampered(path, head + b"".join(chunks[n] for n in order))
        with pytest.raises(BlobBroken):
            _read(vault, ref)


@pytest.mark.parametrize("position", [0, 5, HEAD, HEAD + 50, -1])
def test_a_flipped_bit_is_broken(tmp_path: Path, vault: FolderVault, request_id: DsarId, position: int) -> None:
    ref = vault.put(SHOP, request_id, [b"x" * 200])
    content = bytearray(_path(tmp_path, ref).read_bytes())
    content[position] ^= 1
    _tampered(_path(tmp_path, ref), bytes(content))
    with pytest.raises(BlobBroken):
        _read(vault, ref)


def test_bytes_added_at_the_end_are_broken(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"x" * 200])
    _tampered(_path(tmp_path, ref), _path(tmp_path, ref).read_bytes() + b"\0" * 16)
    with pytest.raises(BlobBroken):
        _read(vault, ref)


def test_a_blob_put_in_the_place_of_another_is_broken(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    mine, other = vault.put(SHOP, request_id, [b"mine"]), vault.put(SHOP, request_id, [b"other"])
    _tampered(_path(tmp_path, mine), _path(tmp_path, other).read_bytes())
    with pytest.raises(BlobBroken):
        _read(vault, mine)


def test_a_reference_with_another_hash_is_broken(vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"x"])
    with pytest.raises(BlobBroken):
        vault.verify(VaultRef(ref.controller, ref.request, ref.blob, ref.size, "0" * 64))


def test_a_key_moved_to_another_request_opens_nothing(tmp_path: Path, vault: FolderVault) -> None:
    mine, other = (vault.put(SHOP, DsarId(uuid4()), [b"x"]) for _ in range(2))
    _tampered(_path(tmp_path, mine).parent / "key", (_path(tmp_path, other).parent / "key").read_bytes())
    with pytest.raises(SealBroken):
        vault.open(mine)


def test_a_reference_of_another_controller_opens_nothing(vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"x"])
    with pytest.raises(SealBroken):
        vault.open(VaultRef("other-shop", ref.request, ref.blob, ref.size, ref.sha256))


def test_an_unknown_blob_is_missing(vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"x"])
    with pytest.raises(BlobMissing):
        vault.open(VaultRef(SHOP, request_id, uuid4(), 1, ref.sha256))
    with pytest.raises(BlobMissing):
        vault.open(VaultRef(SHOP, DsarId(uuid4()), ref.blob, 1, ref.sha256))


def test_all_blobs_of_a_request_share_its_key(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    refs = [vault.put(SHOP, request_id, [b"%d" % number]) for number in range(3)]
    assert [b"".join(vault.open(ref)) for ref in refs] == [b"0", b"1", b"2"]
    assert _files(tmp_path).count("key") == 1


# --- destruction -----------------------------------------------------------------------------------------------


def test_a_destroyed_request_leaves_no_key_and_no_blob(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"x"])
    vault.destroy(request_id)
    with pytest.raises(RequestKeyDestroyed):
        vault.open(ref)
    assert _files(tmp_path) == [request_id.hex]


def test_a_copy_of_the_blob_opens_nothing_after_the_destruction(
    tmp_path: Path, vault: FolderVault, request_id: DsarId
) -> None:
    ref = vault.put(SHOP, request_id, [b"x"])
    copy = _path(tmp_path, ref).read_bytes()
    vault.destroy(request_id)
    (tmp_path / "destroyed" / request_id.hex).unlink()  # the worst case: even the mark is lost
    again = vault.put(SHOP, request_id, [b"y"])
    _tampered(_path(tmp_path, again), copy)
    with pytest.raises(BlobBroken):
        _read(vault, again)


def test_destroying_twice_or_a_request_without_files_is_no_error(vault: FolderVault, request_id: DsarId) -> None:
    vault.destroy(request_id)
    vault.destroy(request_id)


def test_a_late_worker_cannot_store_for_a_destroyed_request(
    tmp_path: Path, vault: FolderVault, request_id: DsarId
) -> None:
    vault.destroy(request_id)
    with pytest.raises(RequestKeyDestroyed):
        vault.put(SHOP, request_id, [b"late"])
    assert _files(tmp_path) == [request_id.hex]


def test_a_destruction_in_the_middle_of_a_write_wins(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    def content() -> Iterator[bytes]:
        yield b"x" * CHUNK_BYTES * 2
        vault.destroy(request_id)
        yield b"y"

    with pytest.raises(RequestKeyDestroyed):
        vault.put(SHOP, request_id, content())
    assert _files(tmp_path) == [request_id.hex]


def test_a_write_that_ends_after_a_destruction_began_leaves_nothing(
    tmp_path: Path, vault: FolderVault, request_id: DsarId
) -> None:
    def content() -> Iterator[bytes]:
        yield b"x"
        (tmp_path / "destroyed" / request_id.hex).touch()  # another process has just begun

    with pytest.raises(RequestKeyDestroyed):
        vault.put(SHOP, request_id, content())
    assert _files(tmp_path) == [request_id.hex]


def test_other_requests_stay_readable(vault: FolderVault, request_id: DsarId) -> None:
    other = vault.put(SHOP, DsarId(uuid4()), [b"stays"])
    vault.put(SHOP, request_id, [b"goes"])
    vault.destroy(request_id)
    assert b"".join(vault.open(other)) == b"stays"


# --- failure in the middle -------------------------------------------------------------------------------------


def test_content_that_fails_leaves_nothing_half_stored(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    def content() -> Iterator[bytes]:
        yield b"x" * CHUNK_BYTES * 3
        raise LookupError("the store went away")

    with pytest.raises(LookupError):
        vault.put(SHOP, request_id, content())
    assert _files(tmp_path) == ["key"]


@pytest.fixture
def files_of_at_most_200_kib() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200 * 1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("files_of_at_most_200_kib")
def test_a_disk_that_takes_no_more_leaves_nothing_half_stored(
    tmp_path: Path, vault: FolderVault, request_id: DsarId
) -> None:
    with pytest.raises(VaultFull):
        vault.put(SHOP, request_id, [b"x" * CHUNK_BYTES] * 10)
    assert _files(tmp_path) == ["key"]
    small = vault.put(SHOP, request_id, [b"fits"])
    assert b"".join(vault.open(small)) == b"fits"


_CHILD = """
import sys
from pathlib import Path
from uuid import UUID
from privacyops.adapters.key_file import read_key_file
from privacyops.adapters.keyring import MasterKeyRing
from privacyops.adapters.vault import FolderVault
vault = FolderVault(Path(sys.argv[1]), MasterKeyRing(read_key_file(Path(sys.argv[2]))))
match sys.argv[3]:
    case "put": vault.put("shop-group", UUID(sys.argv[4]), [b"x" * 300_000])
    case "destroy": vault.destroy(UUID(sys.argv[4]))
    case "rewrap": vault.rewrap()
"""


def _killed_at(point: str, root: Path, keys: MasterKeys, verb: str, request: DsarId) -> None:
    key_file = root.parent / f"keys-{uuid4().hex}"
    write_key_file(key_file, keys)
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(root), str(key_file), verb, str(request)],
        env={**os.environ, "PRIVACYOPS_CRASH_AT": point},
        check=False,
        timeout=60,
    )
    assert child.returncode == 9


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    root.mkdir()
    return root


@pytest.mark.fault
def test_a_process_killed_before_the_rename_leaves_only_what_a_sweep_removes(shared: Path, request_id: DsarId) -> None:
    _killed_at("vault.before_rename", shared, KEYS, "put", request_id)
    vault = FolderVault(shared, MasterKeyRing(KEYS))
    assert [name.rpartition(".")[2] for name in _files(shared)] == ["part", "key"]
    assert vault.sweep([], FAR) == 1
    assert _files(shared) == ["key"]


@pytest.mark.fault
@pytest.mark.parametrize("point", ["vault.after_mark", "vault.after_key"])
def test_a_destruction_that_was_killed_is_final_and_can_be_finished(
    shared: Path, request_id: DsarId, point: str
) -> None:
    vault = FolderVault(shared, MasterKeyRing(KEYS))
    ref = vault.put(SHOP, request_id, [b"x"])
    _killed_at(point, shared, KEYS, "destroy", request_id)
    with pytest.raises(RequestKeyDestroyed):
        vault.open(ref)
    vault.destroy(request_id)
    assert _files(shared) == [request_id.hex]


@pytest.mark.fault
def test_a_rewrap_that_was_killed_leaves_every_blob_readable_and_can_be_finished(shared: Path) -> None:
    refs = [FolderVault(shared, MasterKeyRing(KEYS)).put(SHOP, DsarId(uuid4()), [b"x"]) for _ in range(4)]
    rotated = with_next_kek(KEYS)
    _killed_at("vault.after_rewrap@2", shared, rotated, "rewrap", refs[0].request)
    vault = FolderVault(shared, MasterKeyRing(rotated))
    for ref in refs:
        vault.verify(ref)
    assert vault.rewrap() == 2
    only_new = FolderVault(shared, MasterKeyRing(MasterKeys({2: rotated.keks[2]}, rotated.roots)))
    for ref in refs:
        only_new.verify(ref)


# --- sweeping --------------------------------------------------------------------------------------------------


def test_a_sweep_keeps_what_a_row_knows_and_removes_the_rest(
    tmp_path: Path, vault: FolderVault, request_id: DsarId
) -> None:
    kept, orphan = vault.put(SHOP, request_id, [b"kept"]), vault.put(SHOP, request_id, [b"orphan"])
    assert vault.sweep({kept.blob}, FAR) == 1
    vault.verify(kept)
    assert not _path(tmp_path, orphan).exists()


def test_a_sweep_leaves_fresh_files_alone(vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"its row is about to be committed"])
    assert vault.sweep([], datetime.now(UTC) - timedelta(hours=1)) == 0
    vault.verify(ref)


def test_a_sweep_removes_a_folder_whose_key_is_gone(tmp_path: Path, vault: FolderVault, request_id: DsarId) -> None:
    ref = vault.put(SHOP, request_id, [b"x"])
    (_path(tmp_path, ref).parent / "key").unlink()
    assert vault.sweep({ref.blob}, FAR) == 1
    assert not _path(tmp_path, ref).parent.exists()
