"""The command line says what is missing, and leaves nothing behind where it refuses."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacyops.cli.app import build


def run(*words: str) -> tuple[int, str, str]:
    told = CliRunner().invoke(build(list(words)), list(words))
    return told.exit_code, told.stdout, told.stderr


@pytest.mark.parametrize("command", ["erase", "rectify"])
def test_who_forgets_the_mode_is_told_both(command: str, tmp_path: Path) -> None:
    stores = tmp_path / "stores.toml"
    stores.write_text("")
    more = ("--set", "email=new@example.com") if command == "rectify" else ()
    status, _, said = run("dsar", command, "--stores", str(stores), "--email", "kim@example.com", *more)
    assert status == 2
    assert said == "privacyops: say --plan-only to see what would be done, or --apply to do it\n"


def test_a_connector_is_not_made_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    gone = tmp_path / "nowhere"
    assert run("store", "new", "shopfront", "--into", str(gone)) == (
        2, "", f"privacyops: {gone}: there is no such folder; make it first\n"
    )  # fmt: skip
    assert not gone.exists()


def test_the_commands_about_stores_stand_in_the_order_of_their_use() -> None:
    _, said, _ = run("store", "--help")
    order = re.findall(r"^\W{0,2} ([a-z][a-z-]*)  ", said, re.M)
    assert order == ["add", "check", "test", "scan", "links", "export", "replay-erasures", "new"]


def test_an_unknown_store_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "var"))
    assert run("store", "scan", "nothere") == (2, "", "privacyops: nothere: no store of this name\n")
