"""The doctor names what is wrong, and how to mend it, one line a check."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from privacyops.bootstrap import build, prepare_database
from privacyops.settings import Settings
from privacyops.store.checkup import has_wal_reset_fault, prefer_wal


def _doctor(folder: Path, **more: str) -> tuple[int, Mapping[str, Mapping[str, Any]]]:
    environment = {"PATH": "/usr/bin:/bin", "PRIVACYOPS_DATA": str(folder / "var"), **more}
    ended = subprocess.run(
        [sys.executable, "-m", "privacyops", "doctor", "--json"], cwd=folder, env=environment, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    return ended.returncode, {one["check"]: one for one in json.loads(ended.stdout)["checks"]}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder in which the service was started once."""
    house = build(Settings(data=tmp_path / "var"))
    prepare_database(house)
    house.close()
    (tmp_path / "var").chmod(0o700)
    with sqlite3.connect(tmp_path / "var" / "engine.db") as engine:
        engine.execute("CREATE TABLE there_is_something (x)")
    engine.close()
    return tmp_path


pytestmark = pytest.mark.slow


def test_a_sound_installation_is_well_and_says_what_is_only_for_trying(installed: Path) -> None:
    status, found = _doctor(installed)
    assert status == 0, [one for one in found.values() if one["state"] == "bad"]
    assert found["schema"]["state"] == found["key file"]["state"] == found["engine database"]["state"] == "ok"
    assert found["mail"]["state"] == "warn"
    assert found["workers"]["seen"].startswith("none is alive")


def test_what_is_broken_is_named_with_what_mends_it(installed: Path) -> None:
    (installed / "var" / "signing-key.pem").chmod(0o644)
    status, found = _doctor(
        installed, PRIVACYOPS_CONNECTORS='["sql", "sq1"]', PRIVACYOPS_MAIL__TRANSPORT="smtp",
        PRIVACYOPS_MAIL__HOST="127.0.0.1", PRIVACYOPS_MAIL__PORT="1", PRIVACYOPS_MAIL__TLS="none",
    )  # fmt: skip
    assert status == 1
    assert (found["connector sq1"]["state"], found["connector sq1"]["seen"]) == ("bad", "refused: not_installed")
    assert found["mail"]["state"] == "bad"
    assert found["signing key"]["mend"].startswith("chmod 400")


def test_a_missing_guard_and_a_lost_engine_are_told(installed: Path) -> None:
    with sqlite3.connect(installed / "var" / "privacyops.db") as file:
        guard = file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' LIMIT 1").fetchone()[0]
        file.execute(f"DROP TRIGGER {guard}")
    file.close()
    (installed / "var" / "engine.db").unlink()
    status, found = _doctor(installed)
    assert status == 1
    assert found["schema"]["mend"] == "run: privacyops migrate"
    assert (found["engine database"]["state"], found["engine database"]["seen"]) == ("bad", "FileNotFoundError")


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    status, found = _doctor(tmp_path, PRIVACYOPS_MAIL__PORT="seventy")
    assert status == 1
    assert "PRIVACYOPS_MAIL__PORT" in found["settings"]["seen"]


def test_an_empty_folder_is_no_illness_and_is_left_empty(tmp_path: Path) -> None:
    status, found = _doctor(tmp_path)
    assert status == 0
    assert found["database"]["mend"] == "start the service once: privacyops serve"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "faulty"),
    [((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 50, 6), True), ((3, 50, 7), False),
     ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False)],
)  # fmt: skip
def test_builds_of_sqlite_with_the_wal_reset_fault_are_known(version: tuple[int, int, int], faulty: bool) -> None:
    assert has_wal_reset_fault(version) is faulty


@pytest.mark.parametrize(("version", "mode"), [((3, 40, 1), "delete"), ((3, 51, 3), "wal")])
def test_the_engines_file_gets_write_ahead_logging_where_the_build_of_sqlite_is_sound(
    tmp_path: Path, version: tuple[int, int, int], mode: str
) -> None:
    path = tmp_path / "engine.db"
    prefer_wal(f"sqlite:///{path}", version)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA journal_mode").fetchone()[0] == mode
