"""Ciphertexts open where they belong and nowhere else; master keys are read from a closed file only."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacyops.adapters.key_file import (
    KeyFileRefused,
    MasterKeys,
    WatchedKeyFile,
    fresh_keys,
    parse_keys,
    read_key_file,
    with_next_kek,
    write_key_file,
)
from privacyops.adapters.keyring import LOOKS_AGAIN_S, MasterKeyRing
from privacyops.ports.keyring import Mac, MacLabel, Place, SealBroken, kek_of

PLACE = Place("shop-group", "dsar", "contact", "row-1")
KEYS = fresh_keys()
RING = MasterKeyRing(KEYS)


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens_at_its_place(plaintext: bytes) -> None:
    assert RING.open(RING.seal(plaintext, PLACE), PLACE) == plaintext


@pytest.mark.parametrize("moved", ["controller", "table", "column", "row"])
def test_a_ciphertext_moved_elsewhere_does_not_open(moved: str) -> None:
    sealed = RING.seal(b"kim@example.com", PLACE)
    with pytest.raises(SealBroken):
        RING.open(sealed, replace(PLACE, **{moved: "other"}))


def test_neighbouring_parts_of_a_place_are_kept_apart() -> None:
    sealed = RING.seal(b"x", Place("shop", "ab", "c", "1"))
    with pytest.raises(SealBroken):
        RING.open(sealed, Place("shop", "a", "bc", "1"))


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_anywhere_does_not_open(position: int, bit: int) -> None:
    sealed = bytearray(RING.seal(b"kim@example.com", PLACE))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        RING.open(bytes(sealed), PLACE)


@given(st.binary(max_size=64))
def test_any_bytes_end_in_a_refusal(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        RING.open(sealed, PLACE)


def test_equal_values_are_not_equal_when_sealed() -> None:
    assert RING.seal(b"kim@example.com", PLACE) != RING.seal(b"kim@example.com", PLACE)


def test_another_rings_ciphertext_does_not_open() -> None:
    with pytest.raises(SealBroken):
        RING.open(MasterKeyRing(fresh_keys()).seal(b"x", PLACE), PLACE)


def test_after_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    old = RING.seal(b"x", PLACE)
    rotated = MasterKeyRing(with_next_kek(KEYS))
    assert rotated.open(old, PLACE) == b"x"
    assert kek_of(rotated.seal(b"x", PLACE)) == 2
    assert rotated.kek_versions == [1, 2]


def test_a_rewrapped_value_survives_the_end_of_the_old_key() -> None:
    keys = with_next_kek(KEYS)
    fresh = MasterKeyRing(keys).rewrapped(RING.seal(b"x", PLACE), PLACE)
    assert fresh is not None
    only_new = MasterKeyRing(MasterKeys({2: keys.keks[2]}, keys.roots))
    assert only_new.open(fresh, PLACE) == b"x"
    assert only_new.rewrapped(fresh, PLACE) is None


def test_a_value_of_a_removed_key_does_not_open() -> None:
    keys = with_next_kek(KEYS)
    with pytest.raises(SealBroken):
        MasterKeyRing(MasterKeys({2: keys.keks[2]}, keys.roots)).open(RING.seal(b"x", PLACE), PLACE)


def test_a_version_number_changed_by_hand_does_not_open() -> None:
    rotated = MasterKeyRing(with_next_kek(KEYS))
    sealed = RING.seal(b"x", PLACE)
    with pytest.raises(SealBroken):
        rotated.open(sealed[:1] + b"\x00\x02" + sealed[3:], PLACE)


# --- data keys -------------------------------------------------------------------------------------------------

KEY_PLACE = Place("shop-group", "request_key", "wrapped", "dsar-1")


def test_a_data_key_opens_what_it_sealed() -> None:
    wrapped = RING.new_data_key(KEY_PLACE)
    sealed = RING.data_key(wrapped, KEY_PLACE).seal(b"finding", PLACE)
    assert MasterKeyRing(KEYS).data_key(wrapped, KEY_PLACE).open(sealed, PLACE) == b"finding"


def test_without_its_data_key_a_finding_stays_shut() -> None:
    sealed = RING.data_key(RING.new_data_key(KEY_PLACE), KEY_PLACE).seal(b"finding", PLACE)
    with pytest.raises(SealBroken):
        RING.data_key(RING.new_data_key(KEY_PLACE), KEY_PLACE).open(sealed, PLACE)
    with pytest.raises(SealBroken):
        RING.open(sealed, PLACE)


def test_a_wrapped_key_moved_to_another_request_does_not_unwrap() -> None:
    with pytest.raises(SealBroken):
        RING.data_key(RING.new_data_key(KEY_PLACE), replace(KEY_PLACE, row="dsar-2"))


def test_each_label_derives_another_key() -> None:
    key = RING.data_key(RING.new_data_key(KEY_PLACE), KEY_PLACE)
    assert len({key.derived(label) for label in ("subject", "contact", "evidence", "chain", "seal")}) == 5


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_open_key_is_remembered_for_a_minute() -> None:
    seconds = Seconds()
    ring = MasterKeyRing(KEYS, seconds)
    wrapped = ring.new_data_key(KEY_PLACE)
    first = ring.data_key(wrapped, KEY_PLACE)
    seconds.now = 59.0
    assert ring.data_key(wrapped, KEY_PLACE) is first
    seconds.now = 60.0
    assert ring.data_key(wrapped, KEY_PLACE) is not first


def test_the_memory_of_open_keys_is_emptied_after_an_erasure() -> None:
    ring = MasterKeyRing(KEYS)
    wrapped = ring.new_data_key(KEY_PLACE)
    first = ring.data_key(wrapped, KEY_PLACE)
    ring.forget()
    assert ring.data_key(wrapped, KEY_PLACE) is not first


def test_the_memory_of_open_keys_does_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacyops.adapters.keyring.CACHED_KEYS", 3)
    ring = MasterKeyRing(KEYS)
    for number in range(10):
        place = replace(KEY_PLACE, row=str(number))
        ring.data_key(ring.new_data_key(place), place)
    assert len(ring._open_keys) == 3


def test_no_key_shows_in_a_repr() -> None:
    shown = repr(RING) + repr(KEYS) + repr(RING.data_key(RING.new_data_key(KEY_PLACE), KEY_PLACE))
    assert shown == "MasterKeyRing(keks=[1], roots=[1])MasterKeys()OpenDataKey()"


# --- keyed hashes ----------------------------------------------------------------------------------------------


def test_an_index_finds_equal_values() -> None:
    label, value = MacLabel.INDEX_EMAIL, b"kim@example.com"
    assert RING.mac(label, "shop-group", value) == MasterKeyRing(KEYS).mac(label, "shop-group", value)


def test_label_controller_value_and_ring_each_change_the_hash() -> None:
    hashes = {
        RING.mac(MacLabel.INDEX_EMAIL, "shop-group", b"a").digest,
        RING.mac(MacLabel.INDEX_PHONE, "shop-group", b"a").digest,
        RING.mac(MacLabel.INDEX_EMAIL, "other-shop", b"a").digest,
        RING.mac(MacLabel.INDEX_EMAIL, "shop-group", b"b").digest,
        MasterKeyRing(fresh_keys()).mac(MacLabel.INDEX_EMAIL, "shop-group", b"a").digest,
    }
    assert len(hashes) == 5


def test_parts_of_a_hash_are_kept_apart() -> None:
    assert RING.mac(MacLabel.CODE, "s", b"ab", b"c") != RING.mac(MacLabel.CODE, "s", b"a", b"bc")


def test_a_new_root_key_is_used_at_once_and_the_old_one_still_found() -> None:
    two = MasterKeyRing(MasterKeys(KEYS.keks, {**KEYS.roots, 2: os.urandom(32)}))
    assert two.mac(MacLabel.INDEX_EMAIL, "s", b"a").version == 2
    assert RING.mac(MacLabel.INDEX_EMAIL, "s", b"a") in two.macs(MacLabel.INDEX_EMAIL, "s", b"a")


def test_a_hash_is_recognised_and_a_changed_or_retired_one_is_not() -> None:
    mac = RING.mac(MacLabel.API_KEY, "s", b"secret")
    assert RING.is_mac(mac, MacLabel.API_KEY, "s", b"secret")
    assert not RING.is_mac(mac, MacLabel.API_KEY, "s", b"secreT")
    assert not RING.is_mac(Mac(9, mac.digest), MacLabel.API_KEY, "s", b"secret")


# --- the key file ----------------------------------------------------------------------------------------------


def test_a_written_key_file_is_closed_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key_file(path, KEYS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert read_key_file(path) == KEYS
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys"]


def test_an_existing_key_file_is_not_replaced_by_chance(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key_file(path, KEYS)
    with pytest.raises(KeyFileRefused, match="exists"):
        write_key_file(path, fresh_keys())
    assert read_key_file(path) == KEYS


def test_a_rotation_replaces_the_file_wholly(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key_file(path, KEYS)
    write_key_file(path, with_next_kek(KEYS), replace=True)
    assert set(read_key_file(path).keks) == {1, 2}


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o420, 0o402, 0o410, 0o401, 0o644, 0o777])
def test_a_key_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    write_key_file(path, KEYS)
    path.chmod(mode)
    with pytest.raises(KeyFileRefused, match="0400"):
        read_key_file(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away needs root")
def test_a_key_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key_file(path, KEYS)
    os.chown(path, 12345, 12345)
    with pytest.raises(KeyFileRefused, match="another user"):
        read_key_file(path)


def test_a_folder_a_pipe_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", mode=0o400)
    for name in ("folder", "pipe", "missing"):
        with pytest.raises(KeyFileRefused):
            read_key_file(tmp_path / name)


def test_a_link_is_judged_by_the_file_it_leads_to(tmp_path: Path) -> None:
    write_key_file(tmp_path / "keys", KEYS)
    (tmp_path / "link").symlink_to(tmp_path / "keys")
    assert read_key_file(tmp_path / "link") == KEYS
    (tmp_path / "keys").chmod(0o444)
    with pytest.raises(KeyFileRefused, match="0400"):
        read_key_file(tmp_path / "link")


def test_comments_and_blank_lines_in_a_key_text_are_skipped() -> None:
    assert parse_keys(f"# keys of the shop\n\n{KEYS.text()}") == KEYS


FIXED = MasterKeys({1: b"\x01" * 32}, {1: b"\x02" * 32}).text()
LINE = FIXED.splitlines()[0]


@pytest.mark.parametrize(
    "text",
    ["", LINE, LINE + "\n" + LINE.replace("kek", "root"), FIXED + LINE, FIXED + "kek 0 " + "A" * 43 + "="]
    + [FIXED + bad for bad in ("kek 70000 " + "A" * 43 + "=", "kek 2 short", "pin 1 x", "kek", "kek ２ x", "ÿ")],
)
def test_a_key_text_that_is_not_beyond_doubt_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(KeyFileRefused) as refused:
        parse_keys(text)
    assert LINE.split()[2] not in str(refused.value)


def test_a_running_ring_takes_a_key_that_was_added_and_lets_one_go_that_was_taken_away(tmp_path: Path) -> None:
    path, seconds = tmp_path / "keys", [0.0]
    write_key_file(path, KEYS)
    watched = WatchedKeyFile(path)
    ring = MasterKeyRing(watched.latest(), lambda: seconds[0], watched.latest)
    old, added = ring.seal(b"x", PLACE), with_next_kek(KEYS)
    write_key_file(path, added, replace=True)
    assert ring.open(MasterKeyRing(added).seal(b"new", PLACE), PLACE) == b"new"
    assert kek_of(ring.seal(b"x", PLACE)) == 2
    write_key_file(path, MasterKeys({2: added.keks[2]}, added.roots), replace=True)
    seconds[0] = LOOKS_AGAIN_S
    with pytest.raises(SealBroken):
        ring.open(old, PLACE)


def test_a_key_file_in_the_middle_of_being_written_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key_file(path, KEYS)
    watched = WatchedKeyFile(path)
    path.chmod(0o600)
    path.write_text(KEYS.text()[:70])
    assert watched.latest() == KEYS
    path.unlink()
    assert watched.latest() == KEYS
    write_key_file(path, with_next_kek(KEYS))
    assert set(watched.latest().keks) == {1, 2}
