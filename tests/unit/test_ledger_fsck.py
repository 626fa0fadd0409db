"""A log that was tampered with, and whether the right record is named."""

import dataclasses
from collections.abc import Iterator, Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacyops.ledger.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
from privacyops.ledger.fsck import BundleSource, Flaw, Report, Row, fsck
from privacyops.ledger.leaf import canonical
from privacyops.ledger.merkle import Frontier, leaf_hash, root_of
from privacyops.ledger.tiles import Tile, bundles_of, encode_bundle, encode_tile, tiles_of

ORIGIN = "privacy.shop.example/ledger/shop-group/2026"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())


@dataclasses.dataclass
class Held:
    """A log in memory, as a database would hold it."""

    kept_rows: list[Row]

    def rows(self, start: int) -> Iterator[Row]:
        return iter(self.kept_rows[start:])


def leaf(number: int, *, second: int | None = None) -> bytes:
    at = number if second is None else second
    return canonical({"id": f"r{number}", "recorded_at": f"2026-11-22T10:{at // 60:02d}:{at % 60:02d}.000Z"})


def a_log(size: int) -> Held:
    return Held([Row(leaf(number), leaf_hash(leaf(number))) for number in range(size)])


def note(held: Held, size: int, *, root: bytes | None = None) -> str:
    true_root = root_of(row.kept or b"" for row in held.kept_rows[:size])
    return str(sign_checkpoint(Checkpoint(ORIGIN, size, root or true_root), [(KEY, PRIVATE.sign)]))


def verify(held: Held, notes: Sequence[str]) -> Report:
    return fsck(held, notes, [KEY], origin=ORIGIN)


def found(report: Report) -> list[tuple[Flaw, int | None, str | None]]:
    return [(mismatch.flaw, mismatch.index, mismatch.record) for mismatch in report.mismatches]


def test_an_untouched_log_is_good() -> None:
    held = a_log(300)
    report = verify(held, [note(held, 300), note(held, 7), note(held, 256)])
    assert report.is_good
    assert (report.size, report.covered, report.checkpoints, report.warnings) == (300, 300, 3, ())
    assert report.root == root_of(row.kept or b"" for row in held.kept_rows)


def test_an_empty_log_is_good() -> None:
    assert verify(a_log(0), []).is_good


def test_leaves_after_the_last_checkpoint_are_named_as_uncovered() -> None:
    held = a_log(10)
    report = verify(held, [note(held, 8)])
    assert report.is_good
    assert report.warnings == ("2 leaves are not yet under a checkpoint",)


def test_a_flipped_byte_in_a_record_names_that_record() -> None:
    held = a_log(40)
    notes = [note(held, 20), note(held, 40)]
    changed = bytearray(leaf(13))
    changed[-3] ^= 1
    held.kept_rows[13] = dataclasses.replace(held.kept_rows[13], leaf=bytes(changed), record="r13")
    assert found(verify(held, notes)) == [(Flaw.CHANGED, 13, "r13")]


def test_a_flipped_byte_in_a_kept_hash_is_told_apart_from_a_changed_record() -> None:
    held = a_log(40)
    notes = [note(held, 20), note(held, 40)]
    held.kept_rows[33] = dataclasses.replace(held.kept_rows[33], kept=bytes(32))
    report = verify(held, notes)
    assert found(report) == [(Flaw.HASH_CHANGED, 33, "r33")]
    assert report.covered == 40


def test_a_record_changed_together_with_its_hash_is_narrowed_to_its_checkpoint() -> None:
    held = a_log(40)
    notes = [note(held, 20), note(held, 21), note(held, 40)]
    forged = canonical({"id": "r20", "recorded_at": "2026-11-22T10:00:20.000Z", "state": "ConsentGiven"})
    held.kept_rows[20] = Row(forged, leaf_hash(forged))
    assert found(verify(held, notes)) == [(Flaw.REWRITTEN, 20, "r20")]


def test_a_missing_record_is_named_by_its_index() -> None:
    held = a_log(40)
    notes = [note(held, 40)]
    held.kept_rows[5] = Row(None, held.kept_rows[5].kept, "r5")
    assert found(verify(held, notes)) == [(Flaw.MISSING, 5, "r5")]


def test_a_record_missing_with_its_hash_breaks_the_root_too() -> None:
    held = a_log(40)
    notes = [note(held, 40)]
    held.kept_rows[5] = Row(None, None)
    assert [flaw for flaw, *_ in found(verify(held, notes))] == [Flaw.MISSING, Flaw.REWRITTEN]


def test_a_cut_tail_is_found_by_the_checkpoint_that_covers_it() -> None:
    held = a_log(40)
    notes = [note(held, 30), note(held, 40)]
    del held.kept_rows[35:]
    assert found(verify(held, notes)) == [(Flaw.TRUNCATED, 35, None)]


def test_two_exchanged_records_are_both_named() -> None:
    held = a_log(40)
    notes = [note(held, 40)]
    rows = held.kept_rows
    rows[3], rows[9] = dataclasses.replace(rows[3], leaf=leaf(9)), dataclasses.replace(rows[9], leaf=leaf(3))
    assert found(verify(held, notes)) == [(Flaw.SWAPPED, 3, "r9"), (Flaw.SWAPPED, 9, "r3")]


@pytest.mark.parametrize(("here", "there"), [(3, 9), (0, 1), (21, 39), (20, 38), (38, 39)])
def test_two_leaves_exchanged_with_their_hashes_are_both_named(here: int, there: int) -> None:
    held = a_log(60)
    notes = [note(held, 20), note(held, 40), note(held, 60)]
    rows = held.kept_rows
    rows[here], rows[there] = rows[there], rows[here]
    report = verify(held, notes)
    assert found(report) == [(Flaw.SWAPPED, here, f"r{there}"), (Flaw.SWAPPED, there, f"r{here}")]
    assert report.covered == 60


def test_a_log_whose_time_falls_is_reported_as_a_warning() -> None:
    held = a_log(5)
    late = leaf(3, second=0)
    held.kept_rows[3] = Row(late, leaf_hash(late))
    report = verify(held, [note(held, 5)])
    assert report.is_good
    assert report.warnings == ("leaf 3 was recorded before the one in front of it",)


def test_many_leaves_out_of_time_are_counted_in_one_warning() -> None:
    held = a_log(40)
    for index in (5, 6, 7, 30):
        late = leaf(index, second=0)
        held.kept_rows[index] = Row(late, leaf_hash(late))
    warnings = verify(held, [note(held, 40)]).warnings
    assert warnings == ("4 leaves, the first 5 and the last 30, were recorded before the ones in front of them",)


def test_a_forked_log_is_found_by_two_roots_of_one_size() -> None:
    held, other = a_log(40), a_log(39)
    forged = canonical({"id": "forged"})
    other.kept_rows.append(Row(forged, leaf_hash(forged)))
    assert found(verify(held, [note(held, 40), note(other, 40)])) == [(Flaw.FORKED, 40, None)]


def test_a_fork_is_found_by_an_older_checkpoint_that_somebody_kept() -> None:
    held, forked = a_log(40), a_log(40)
    kept = note(held, 30)
    forged = canonical({"id": "r29", "recorded_at": "2026-11-22T10:00:29.000Z", "x": "y"})
    forked.kept_rows[29] = Row(forged, leaf_hash(forged))
    assert found(verify(forked, [note(forked, 29), kept, note(forked, 40)])) == [(Flaw.REWRITTEN, 29, "r29")]


def test_a_checkpoint_signed_by_a_stranger_is_a_mismatch() -> None:
    held = a_log(4)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    false_note = str(
        sign_checkpoint(
            Checkpoint(ORIGIN, 4, bytes(32)),
            [(VerifierKey(ORIGIN, stranger.public_key().public_bytes_raw()), stranger.sign)],
        )
    )
    assert [flaw for flaw, *_ in found(verify(held, [note(held, 4), false_note, "rubbish"]))] == [Flaw.CHECKPOINT] * 2


def test_without_a_checkpoint_the_report_says_that_nothing_is_proved() -> None:
    assert verify(a_log(3), []).warnings == ("no checkpoint: nothing shows what this log held before",)


def test_the_number_of_findings_is_bounded() -> None:
    held = a_log(1_500)
    notes = [note(held, 1_500)]
    held.kept_rows = [dataclasses.replace(row, leaf=b"{}") for row in held.kept_rows]
    assert len(verify(held, notes).mismatches) == 1_000


def published(held: Held) -> dict[str, bytes]:
    """The log as files: bundles and tiles."""
    size = len(held.kept_rows)
    hashes = {0: [row.kept or b"" for row in held.kept_rows]}
    hashes[1] = [Frontier().extend(hashes[0][at : at + 256]).root() for at in range(0, size // 256 * 256, 256)]
    files = {}
    for bundle in bundles_of(size):
        rows = held.kept_rows[bundle.index * 256 : bundle.index * 256 + bundle.width]
        files[bundle.path] = encode_bundle([row.leaf or b"" for row in rows])
    for tile in tiles_of(size):
        row = hashes[tile.level or 0][tile.index * 256 : tile.index * 256 + tile.width]
        files[tile.path] = encode_tile(row)
    return files


def verify_files(files: dict[str, bytes], held: Held, notes: list[str]) -> Report:
    return fsck(BundleSource(files.get, len(held.kept_rows)), notes, [KEY], origin=ORIGIN)


def test_a_published_log_verifies_from_its_files_alone() -> None:
    held = a_log(600)
    assert verify_files(published(held), held, [note(held, 256), note(held, 600)]).is_good


def test_a_published_log_without_tiles_still_verifies() -> None:
    held = a_log(600)
    bundles = {path: data for path, data in published(held).items() if "entries" in path}
    assert verify_files(bundles, held, [note(held, 600)]).is_good


def test_a_record_cut_out_of_a_bundle_is_named_through_its_tile() -> None:
    held = a_log(600)
    files, notes = published(held), [note(held, 600)]
    rows = held.kept_rows[256:512]
    files[Tile(None, 1).path] = encode_bundle([row.leaf or b"" for row in rows if row.leaf != leaf(300)])
    assert found(verify_files(files, held, notes)) == [(Flaw.MISSING, 300, None)]


def test_a_byte_flipped_in_a_bundle_is_named() -> None:
    held = a_log(600)
    files, notes = published(held), [note(held, 600)]
    path = Tile(None, 2, 88).path
    files[path] = files[path].replace(b'"r599"', b'"r598"')
    assert found(verify_files(files, held, notes)) == [(Flaw.CHANGED, 599, "r598")]


def test_a_lost_bundle_is_reported_record_by_record() -> None:
    held = a_log(300)
    files, notes = published(held), [note(held, 300)]
    del files[Tile(None, 1, 44).path]
    report = verify_files(files, held, notes)
    assert [index for _, index, _ in found(report)] == list(range(256, 300))


def test_a_bundle_with_a_broken_length_is_reported_and_not_fatal() -> None:
    held = a_log(300)
    files, notes = published(held), [note(held, 300)]
    files[Tile(None, 1, 44).path] = files[Tile(None, 1, 44).path][:-1]
    assert {flaw for flaw, *_ in found(verify_files(files, held, notes))} == {Flaw.MISSING}
