"""`privacyops store new` makes a connector that is nobody's but its maker's, and that is green before it is changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacyops.cli.store import app


def test_a_new_connector_passes_its_own_contract_suite_without_being_installed(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["new", "shoe-box", "--into", str(tmp_path)])
    assert made.exit_code == 0, made.output
    folder = tmp_path / "privacyops-shoe-box"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:randomly"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "34 passed" in done.stdout


def test_a_new_connector_names_itself_and_nothing_of_the_template(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["new", "shoebox", "--into", str(tmp_path)])
    texts = [path.read_text() for path in (tmp_path / "privacyops-shoebox").rglob("*") if path.is_file()]
    assert not any("connectors._template" in text or "TemplateConnector" in text for text in texts)
    assert any('shoebox = "privacyops_shoebox:connector"' in text for text in texts)


@pytest.mark.parametrize("name", ["Shoe", "1box", "a b", "../up", "x"])
def test_a_name_that_can_be_no_package_is_refused(name: str, tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["new", name, "--into", str(tmp_path)])
    assert made.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sql", "mailbox"])
def test_the_name_of_a_connector_that_is_there_already_is_refused(name: str, tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["new", name, "--into", str(tmp_path)])
    assert made.exit_code == 2
    assert "has a connector of this name" in made.output
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_a_word_of_the_language_is_a_name_like_others(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["new", "class", "--into", str(tmp_path)]).exit_code == 0


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "privacyops-mine").mkdir()
    assert CliRunner().invoke(app, ["new", "mine", "--into", str(tmp_path)]).exit_code == 2
