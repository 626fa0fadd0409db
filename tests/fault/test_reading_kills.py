"""A worker that is killed while it reads texts for other people: the next one goes on, and nothing stands twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.crash_point import VARIABLE
from privacyops.settings import Settings
from tests.house import Walker
from tests.redacting import ANSWER, NOTE, KnownNames, detects, noted_shop, pieces_of, proven

pytestmark = pytest.mark.fault
ROOT = Path(__file__).parents[2]
KILLED = 9
PLACES = [
    ("Peter Novak", "[Person A]"), ("peter.novak@example.org", "[E-mail 1]"), ("Peter Novak", "[Person A]"),
    ("Sofia Rossi", "[Person B]"), ("Peter", "[Person A]"),
]  # fmt: skip


def _reads(settings: Settings, crash: str = "", job: str = "") -> "subprocess.CompletedProcess[str]":
    secret = {"database_url": settings.database, "engine_url": settings.engine}
    told = json.dumps(settings.model_dump(mode="json", exclude_unset=True) | secret)
    environment = os.environ | {"PYTHONPATH": str(ROOT), VARIABLE: crash, "PRIVACYOPS_TEST": "1"}
    return subprocess.run(
        [sys.executable, "-m", "tests.fault.reading_child", told, job], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("point", ["reading.after_detection@3", "reading.after_passages_before_cursor@3"])
def test_a_killed_reading_is_taken_over_and_nothing_stands_twice(
    walker: Walker, settings: Settings, tmp_path: Path, point: str
) -> None:
    detects(walker, KnownNames())
    dsar_id = proven(walker, noted_shop(tmp_path / "shop.db", NOTE, ANSWER))
    kinds = {name: kind for name, kind in walker.kinds.items() if name != "reading"}
    Walker(walker.house, walker.clock, kinds).settle()
    killed = _reads(settings, point)
    assert killed.returncode == KILLED, killed.stderr[-2000:]
    before = pieces_of(walker, dsar_id)
    assert before  # what was committed before the kill stands
    assert len(before) < len(PLACES)
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        job = tx.connection.execute(text("SELECT id FROM job WHERE kind = 'reading'")).scalar_one()
    done = _reads(settings, job=str(job))
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr[-2000:]
    assert pieces_of(walker, dsar_id) == [(piece, label, Decision.OPEN) for piece, label in PLACES]
