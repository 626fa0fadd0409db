"""A backup from before the last records comes back: the log goes on in a new tree and the loss stays visible."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacyops.bootstrap import House, build, prepare_database
from privacyops.cli.ledger.commands import app
from privacyops.cli.service import lock
from privacyops.domain.log import Log
from privacyops.ledger.checkpoint import Checkpoint, SignedNote
from privacyops.ledger.fsck import Flaw
from privacyops.services import ledger, proof, purpose, restore
from privacyops.services.consent import replaying
from privacyops.settings import Settings


def grow(house: House, *brands: str) -> None:
    for brand in brands:
        purpose.add_brand(house.context, brand, "Another", None)
    ledger.drain(house.context, "a")


def newest(house: House, tree: str = "2026") -> str:
    year = str(house.context.clock.now().year)
    return proof.newest_checkpoint(house.context, Log.AUDIT, "main", tree.replace("2026", year))


@pytest.fixture
def restored(tmp_path: Path) -> tuple[Path, str]:
    """A data folder as it was before two records, and the checkpoint over those two that somebody kept."""
    data = tmp_path / "data"
    house = build(Settings(data=data))
    prepare_database(house)
    grow(house, "one")
    house.close()
    shutil.copytree(data, tmp_path / "backup")
    house = build(Settings(data=data))
    grow(house, "two", "three")
    kept = newest(house)
    house.close()
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "backup", data)
    return data, kept


@pytest.fixture
def opened(restored: tuple[Path, str]) -> Callable[[], House]:
    return lambda: build(Settings(data=restored[0]))


def test_the_log_goes_on_in_a_new_tree_with_numbers_never_given_out(
    restored: tuple[Path, str], opened: Callable[[], House]
) -> None:
    house, kept = opened(), restored[1]
    size = Checkpoint.parse(SignedNote.parse(kept).text).size
    done = restore.go_on(house.context, kept)
    assert (done.log, done.lost, done.first_seq) == (Log.AUDIT, 2, size + 1)
    assert done.new_tree == f"{done.old_tree}-r1"
    grow(house, "four")
    assert Checkpoint.parse(SignedNote.parse(newest(house, "2026-r1")).text).size == 2
    report = ledger.examine(house.context, Log.AUDIT)
    assert report.is_good
    assert [tree.name for tree in report.trees] == [done.old_tree, done.new_tree]
    assert replaying.replay(house.context).is_good
    house.close()


def test_the_loss_stays_visible_against_the_kept_checkpoint(
    restored: tuple[Path, str], opened: Callable[[], House]
) -> None:
    house, kept = opened(), restored[1]
    restore.go_on(house.context, kept)
    grow(house, "four")
    old, new = ledger.examine(house.context, Log.AUDIT, anchored=[kept]).trees
    assert [one.flaw for one in old.report.mismatches] == [Flaw.TRUNCATED]
    assert new.report.is_good
    house.close()


def test_a_second_restore_opens_the_next_tree(restored: tuple[Path, str], opened: Callable[[], House]) -> None:
    house = opened()
    first = restore.go_on(house.context, restored[1])
    grow(house, "four")
    with pytest.raises(restore.NoSuchCheckpoint):
        restore.go_on(house.context, restored[1])  # its tree is closed: it is answered for already
    assert first.new_tree.endswith("-r1")
    house.close()


def test_where_nothing_is_lost_nothing_is_done(opened: Callable[[], House]) -> None:
    house = opened()
    kept = newest(house)
    grow(house, "four")
    with pytest.raises(restore.NothingLost):
        restore.go_on(house.context, kept)
    house.close()


def test_the_checkpoint_of_a_stranger_opens_nothing(opened: Callable[[], House], tmp_path: Path) -> None:
    other = build(Settings(data=tmp_path / "other"))
    prepare_database(other)
    grow(other, "one", "two", "three", "four")
    house = opened()
    for note in (newest(other), "", "no note\n"):
        with pytest.raises(restore.NoSuchCheckpoint):
            restore.go_on(house.context, note)
    other.close()
    house.close()


def test_the_command_says_what_it_did(
    restored: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, kept = restored
    monkeypatch.setenv("PRIVACYOPS_DATA", str(data))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    (tmp_path / "kept").write_text(kept)
    cli = CliRunner()
    with lock(data):
        assert "stop it first" in cli.invoke(app, ["go-on", "--checkpoint", str(tmp_path / "kept")]).output
    done = cli.invoke(app, ["go-on", "--checkpoint", str(tmp_path / "kept")])
    assert (done.exit_code, "2 records are lost" in done.output) == (0, True)
    assert cli.invoke(app, ["go-on", "--checkpoint", str(tmp_path / "kept")]).exit_code == 2
    assert cli.invoke(app, ["go-on", "--checkpoint", str(tmp_path / "nothing")]).exit_code == 3
