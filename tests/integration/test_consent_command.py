"""`privacyops consent import`: what an operator sees, and the exit status that scripts rely on."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacyops.cli.consent import app
from privacyops.cli.service import lock

CLI = CliRunner()
OPTIONS = ["--purpose", "newsletter", "--channel", "email", "--jurisdiction", "DE"]


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An older list, and an empty data folder."""
    monkeypatch.setenv("PRIVACYOPS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PRIVACYOPS_CONFIG", str(tmp_path / "none.toml"))
    path = tmp_path / "old.csv"
    path.write_text("email,choice\nkim@example.com,granted\nlee@example.com,unsubscribed\nbroken,granted\n")
    return path


def run(*arguments: str) -> tuple[int, str]:
    answer = CLI.invoke(app, ["import", *arguments])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def test_a_list_is_tried_then_taken_over(listed: Path) -> None:
    status, text = run(str(listed), "--dry-run", "--json", *OPTIONS)
    assert status == 0
    tried = json.loads(text)
    assert (tried["state"], tried["counts"]["stored"]) == ("fresh", 2)
    status, text = run(str(listed), "--digest", tried["digest"], *OPTIONS)
    assert status == 0
    assert "identifier-malformed" in text
    assert "broken" not in text
    again = json.loads(run(str(listed), "--digest", tried["digest"], "--json", *OPTIONS)[1])
    assert (again["state"], again["counts"]["stored"]) == ("done", 2)


def test_a_dry_run_says_how_to_go_on(listed: Path) -> None:
    status, text = run(str(listed), "--dry-run", *OPTIONS)
    assert status == 0
    assert "--digest" in text
    assert "grade D" in text


def test_what_makes_no_sense_is_told_apart_by_exit_status(listed: Path) -> None:
    assert run(str(listed))[0] == 2
    assert run(str(listed), "--dry-run", "--digest", "0" * 64)[0] == 2
    assert run(str(listed.with_name("missing.csv")), "--dry-run")[0] == 3
    assert run(str(listed), "--digest", "0" * 64, *OPTIONS)[0] == 1
    listed.write_text("name\nKim\n")
    assert run(str(listed), "--dry-run")[0] == 2


def test_a_service_that_runs_is_not_written_beside(listed: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    held = lock(tmp_path / "data")
    try:
        status, text = run(str(listed), "--dry-run", *OPTIONS)
    finally:
        held.close()
    assert (status, "data folder" in text) == (1, True)
