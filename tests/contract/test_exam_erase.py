"""Every person of the public sample databases erased, each in a copy: nothing left, nobody else touched, no key broken.

A few people always; everybody with the marker `long`.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacyops.cli.dsar import app
from tests.exams import (
    EXAM,
    copy_of_postgres,
    drop_postgres,
    erasure_score,
    key_of,
    load_on_postgres,
)

pytestmark = pytest.mark.skipif(not EXAM.is_dir(), reason=f"the exams are not there: {EXAM}")
OPTIONS = {"email": "--email", "phone": "--phone", "name": "--name"}
PASSED = {"residual": 0, "collateral": 0, "tokens_left": 0, "broken_fk": 0, "missing_tables": []}


@dataclass(frozen=True)
class Erased:
    """One run of the command."""

    status: int
    lines: list[dict[str, Any]]
    said: str
    summary: dict[str, Any] = field(default_factory=dict)


def erase(folder: Path, url: str, subject: dict[str, Any], mode: str = "--apply", policy: str = "") -> Erased:
    """Runs `privacyops dsar erase` as an operator with a rehearsal file does."""
    file, summary = folder / "stores.toml", folder / "summary.json"
    file.write_text(
        "rehearsal = true\naccept_links = 0.90\naccept_text = true\n"
        f'[[store]]\nname = "shop"\nconnector = "sql"\nurl = "env:EXAM_STORE"\n{policy}'
    )
    given = [part for kind, option in OPTIONS.items() if (value := subject["request"].get(kind))
             for part in (option, str(value))]  # fmt: skip
    command = ["erase", "--stores", str(file), *given, mode, "--json", "--summary", str(summary)]
    done = CliRunner().invoke(app, command, env={"EXAM_STORE": url})
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = json.loads(summary.read_text()) if summary.exists() else {}
    return Erased(done.exit_code, lines, done.stderr, told)


def assert_clean(name: str, subject: dict[str, Any], before: str, after: str, done: Erased) -> None:
    score = erasure_score(name, subject["id"], before, after)
    assert {key: score[key] for key in PASSED} == PASSED, (subject["id"], score["details"])
    assert done.status == 0, (subject["id"], done.said, done.summary)


def people(name: str, *few: str) -> list[Any]:
    if not EXAM.is_dir():
        return []
    return [
        pytest.param(one["id"], marks=() if one["id"] in few else pytest.mark.long, id=one["id"])
        for one in key_of(name)["subjects"]
    ]


def subject_of(name: str, wanted: str) -> dict[str, Any]:
    return next(one for one in key_of(name)["subjects"] if one["id"] == wanted)


@pytest.mark.parametrize("who", people("chinook", "chinook-c1", "chinook-e2"))
def test_a_person_of_a_file_is_erased_and_nobody_else_is_touched(tmp_path: Path, who: str) -> None:
    before, after = EXAM / "chinook" / "chinook.sqlite", tmp_path / "shop.sqlite"
    shutil.copy(before, after)
    after.chmod(0o600)
    subject = subject_of("chinook", who)
    done = erase(tmp_path, f"sqlite:///{after}", subject)
    assert_clean("chinook", subject, f"sqlite:///{before}", f"sqlite:///{after}", done)


@pytest.fixture(scope="module")
def loaded(new_postgres_database: Callable[[], str]) -> Callable[[str], str]:
    urls: dict[str, str] = {}

    def load(name: str) -> str:
        if name not in urls:
            urls[name] = new_postgres_database()
            load_on_postgres(urls[name], name)
        return urls[name]

    return load


@pytest.fixture
def copy(loaded: Callable[[str], str]) -> Iterator[Callable[[str], str]]:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(copy_of_postgres(loaded(name)))
        return made[-1]

    yield make
    for url in made:
        drop_postgres(url)


def _everybody() -> list[Any]:
    few = {
        "chinook": (),
        "pagila": ("pagila-c182", "pagila-s1"),
        "chinook_plus": ("plus-c1", "plus-c17"),
    }
    return [
        pytest.param(name, *one.values, marks=one.marks, id=one.id)
        for name, always in few.items()
        for one in people(name, *always)
    ]


@pytest.mark.postgres
@pytest.mark.parametrize(("name", "who"), _everybody())
def test_a_person_is_erased_and_nobody_else_is_touched(
    tmp_path: Path, loaded: Callable[[str], str], copy: Callable[[str], str], name: str, who: str
) -> None:
    before, after = loaded(name), copy(name)
    subject = subject_of(name, who)
    done = erase(tmp_path, after.replace("+psycopg", ""), subject)
    assert_clean(name, subject, before, after, done)
