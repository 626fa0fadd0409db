"""The public sample databases with their answer keys: every person, every row, and nobody else's."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from privacyops.adapters.connector_host import Connectors
from privacyops.cli.stores_file import printable
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import search_store
from tests.exams import EXAM, key_of, load_on_postgres, scorer
from tests.searching import host_over

pytestmark = pytest.mark.skipif(not EXAM.is_dir(), reason=f"the exams are not there: {EXAM}")


@dataclass(frozen=True)
class Exam:
    """One loaded database with its key, scanned once."""

    key: dict[str, Any]
    scorer: ModuleType
    host: Connectors
    drawn: DataMap

    def subjects(self, *kinds: str) -> list[dict[str, Any]]:
        return [one for one in self.key["subjects"] if one["kind"] in kinds]

    def score(self, subject: dict[str, Any]) -> "Score":
        given = tuple(
            Identifier(kind, subject["request"][kind.value])
            for kind in (IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.NAME)
            if subject["request"].get(kind.value)
        )
        before = self.host.usage("shop").statements
        run = search_store(self.host, self.drawn, given, time.monotonic)
        assert run.state.is_whole, run.state.progress
        lines = [
            {
                "table": one.collection,
                "pk": {name: printable(value) for name, value in one.key},
                "columns": list(one.fields),
                "tier": one.tier.value,
            }
            for one in run.findings
        ]
        aliases = {self.scorer.nm(a): self.scorer.nm(b) for a, b in (self.key.get("aliases") or {}).items()}
        ignored = {self.scorer.nm(one) for one in self.key.get("ignore_tables") or []}
        want, ids = self.scorer.expand(subject, aliases)
        taken = [row for row in lines if row["tier"] != "candidate"]
        got = self.scorer.found_rows(taken, ids, aliases, ignored)
        return Score(want, got, ids, self.host.usage("shop").statements - before)


@dataclass(frozen=True)
class Score:
    """What the scorer's own functions say of one person."""

    want: dict[Any, Any]
    got: dict[Any, Any]
    ids: dict[str, list[str]]
    statements: int

    @property
    def must(self) -> set[Any]:
        return {row for row, (tier, *_) in self.want.items() if tier == "must"}

    @property
    def missed(self) -> set[Any]:
        return self.must - set(self.got)

    @property
    def missed_cells(self) -> set[Any]:
        return {
            (row, cell)
            for row in self.must & set(self.got)
            for cell in self.want[row][1]
            if self.got[row] is not None and cell not in self.got[row]
        }

    @property
    def foreign(self) -> set[Any]:
        return {row for row in self.got if row not in self.want or self.want[row][0] == "forbidden"}

    @property
    def over_disclosed(self) -> set[Any]:
        return {
            row
            for row, cells in self.got.items()
            if row in self.want
            and self.want[row][0] == "ref"
            and (cells is None or cells - self.want[row][1] - set(self.ids[row[0]]))
        }


def _exam(name: str, url: str) -> Exam:
    host = host_over(url)
    return Exam(key_of(name), scorer("score_find"), host, draw_map(host, "shop"))


@pytest.fixture(scope="module")
def chinook_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exam]:
    copy = tmp_path_factory.mktemp("exam") / "sample.sqlite"
    shutil.copy(EXAM / "chinook" / "chinook.sqlite", copy)
    exam = _exam("chinook", f"sqlite:///{copy}")
    yield exam
    exam.host.close()


@pytest.fixture(scope="module")
def on_postgres(new_postgres_database: Callable[[], str]) -> Iterator[Callable[[str], Exam]]:
    opened: dict[str, Exam] = {}

    def load(name: str) -> Exam:
        if name not in opened:
            url = new_postgres_database()
            load_on_postgres(url, name)
            opened[name] = _exam(name, url.replace("postgresql+psycopg://", "postgresql://"))
        return opened[name]

    yield load
    for exam in opened.values():
        exam.host.close()


def _assert_perfect(exam: Exam, *kinds: str) -> None:
    subjects = exam.subjects(*kinds)
    assert subjects
    for subject in subjects:
        score = exam.score(subject)
        wrong = (score.missed, score.missed_cells, score.foreign, score.over_disclosed)
        assert wrong == (set(), set(), set(), set()), subject["id"]
        assert score.statements < 100


def test_every_customer_and_employee_of_chinook_is_found_whole_in_a_file(chinook_in_a_file: Exam) -> None:
    _assert_perfect(chinook_in_a_file, "customer", "employee")


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["chinook", "pagila", "chinook_plus"])
def test_every_customer_is_found_whole_and_nobody_else(on_postgres: Callable[[str], Exam], name: str) -> None:
    _assert_perfect(on_postgres(name), "customer")


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["chinook", "pagila"])
def test_who_works_there_gets_his_own_rows_and_no_customers(on_postgres: Callable[[str], Exam], name: str) -> None:
    _assert_perfect(on_postgres(name), "employee")
