"""`privacyops bench` runs as documented; its figures are judged by nobody here, since this machine may be busy."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privacyops.cli import bench


def _bench(name: str, folder: Path, *more: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "privacyops", "bench", name, "--quick", "--json", *more], cwd=folder,
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


@pytest.mark.long
def test_the_way_of_a_request_is_measured_beside_hand_written_sql(tmp_path: Path) -> None:
    told = _bench("dsar", tmp_path)
    rows = {row["name"].strip(): row for row in told["rows"]}
    assert rows["records"]["value"] >= rows["baseline: rows"]["value"] > 0
    assert rows["statements on the shop's stores"]["goal"] == 100
    assert rows["request answered, whole (with PDF letter)"]["met"] is not None
    assert told["host"]["rounds"] == 2


@pytest.mark.long
def test_a_start_is_measured_beside_a_bare_application(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in _bench("boot", tmp_path)["rows"]}
    assert rows["serve, empty folder: first answer"]["value"] > 0
    assert rows["serve, empty folder: memory when idle"]["goal"] == 250
    assert rows["demo without requests, empty folder: ready"]["value"] > 0
    assert rows["baseline: bare FastAPI: memory when idle"]["value"] > 10


@pytest.mark.long
@pytest.mark.postgres
def test_the_check_is_measured_beside_a_bare_server_without_an_error(
    tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    server = new_postgres_database()
    told = _bench("consent", tmp_path, "--people", "500", "--people", "1000", "--server", server)
    rows = {row["name"]: row for row in told["rows"]}
    errors = [row for name, row in rows.items() if name.endswith(": errors")]
    assert len(errors) == 2 * 2 * 3
    assert all(row["value"] == 0 for row in errors)
    assert rows["check, by address, 1,000 people, c=16: CPU"]["goal"] == 45
    assert rows["baseline: bare ASGI, c=16: CPU"]["value"] > 0
    for engine in ("SQLite", "PostgreSQL"):
        assert rows[f"durable writes, {engine}, 16 callers"]["goal"] == 3_000
        assert rows[f"imported lines, {engine}"]["value"] > 0
    seen = ("a client's copy knows", "a second host's copy says no")
    waits = [rows[f"withdrawal acknowledged to {where}: p99"] for where in seen]
    waits.append(rows["withdrawal acknowledged to answered with no, the worst"])
    assert all(row["value"] > 0 and row["met"] is not None for row in waits)
    assert len([name for name in rows if name.endswith("c=64: p99")]) == 2 * 2


@pytest.mark.long
def test_a_search_is_measured_with_and_without_indexes_beside_hand_written_sql(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in _bench("search", tmp_path, "--rows", "5000")["rows"]}
    for shop in ("sqlite, 5,000 rows, indexed", "sqlite, 5,000 rows, no index"):
        assert rows[f"{shop}: records found"]["value"] >= 100
        assert rows[f"{shop}: SQL statements"]["met"] is True
        assert rows[f"{shop}: baseline, hand-written SQL"]["value"] > 0
        assert rows[f"{shop}: two workers, times one"]["value"] > 0


def test_a_kept_database_with_tables_of_another_version_is_made_anew(tmp_path: Path) -> None:
    """It would answer checks and refuse every write."""
    made = bench._consent_house(tmp_path, 200)
    assert bench._consent_house(tmp_path, 200).key == made.key
    (made.data / "bench.tables").write_text("of another version")
    anew = bench._consent_house(tmp_path, 200)
    assert anew.key != made.key
    assert bench._consent_house(tmp_path, 200).key == anew.key
