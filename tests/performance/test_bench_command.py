"""`privacyops bench` runs as documented; its figures are judged by nobody here, since this machine may be busy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow]


def _bench(name: str, folder: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "privacyops", "bench", name, "--quick", "--json"], cwd=folder, capture_output=True,
        text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_the_way_of_a_request_is_measured_beside_hand_written_sql(tmp_path: Path) -> None:
    told = _bench("dsar", tmp_path)
    rows = {row["name"].strip(): row for row in told["rows"]}
    assert rows["records"]["value"] >= rows["baseline: rows"]["value"] > 0
    assert rows["statements on the shop's stores"]["goal"] == 100
    assert rows["request answered, whole (with PDF letter)"]["met"] is not None
    assert told["host"]["rounds"] == 2


def test_a_start_is_measured_beside_a_bare_application(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in _bench("boot", tmp_path)["rows"]}
    assert rows["serve, empty folder: first answer"]["value"] > 0
    assert rows["baseline: bare FastAPI: memory when idle"]["value"] > 10
