"""One made-up person travels the whole way through a real process: no log, metric, problem, engine row, audit row,
database page, vault file or temporary file tells who it was (SECURITY A22, A32).
"""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.errors import Problem
from privacyops.services import apikey
from privacyops.services.dsar import identity
from privacyops.settings import Controller
from tests.servers import free_port
from tests.serving import Stage, start_service, until

pytestmark = [pytest.mark.slow]
CANARY = ("mia.brandt", "Mia Brandt", "Brandt", "5550101", "LS-1002", "Kastanienallee")
TOKEN = "a-token-for-the-scraper"
SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT, street TEXT);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), order_number TEXT);
INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101', 'Kastanienallee 9');
INSERT INTO purchase VALUES (11, 1, 'LS-1001'), (12, 1, 'LS-1002');
"""


@dataclass
class Traces:
    """Everything the journey left, but for the shop itself and the mails, which are for the person."""

    folder: Path
    answers: list[str] = field(default_factory=list)

    def where(self, word: str) -> list[str]:
        """Where a word stands, in clear, in whatever case."""
        found = [f"answer {number}" for number, text in enumerate(self.answers) if word.casefold() in text.casefold()]
        for path in self.folder.rglob("*"):
            apart = path.relative_to(self.folder).parts[:2]
            is_searched = path.is_file() and apart not in {("data", "mail")} and apart[0] != "shop"
            if is_searched and word.casefold().encode() in path.name.lower().encode() + path.read_bytes().lower():
                found.append(str(path.relative_to(self.folder)))
        return found


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    """The journey, with everything going wrong that may go wrong on the way."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "shop").mkdir()
    (folder / "tmp").mkdir()
    shop = folder / "shop" / "shop.db"
    with closing(sqlite3.connect(shop)) as file:
        file.executescript(SHOP)
    controller = Controller(key="shop", name="Lindenhof Seifen", contact_email="privacy@lindenhof.example")
    stage = Stage({"data": folder / "data", "controller": controller, "mail": {"transport": "folder"},
                   "web": {"metrics_token": TOKEN}})  # fmt: skip
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder / "tmp")
    try:
        served = start_service(stage.values, free_port(), folder / "log")
        until(served.answers)
    finally:
        os.environ.pop("TMPDIR") if before is None else os.environ.update(TMPDIR=before)
    kept = Traces(folder)
    try:
        stage.connect(shop)
        (folder / "broken.db").write_text("no database, and mentions nobody")
        _connect_broken(stage, folder / "broken.db")
        _offend(stage, served.url, kept)
        stage.submit()
        until(lambda: bool(stage.house.inbox and stage.house.inbox.newest(1)))
        _guess(stage, kept)
        stage.confirm()
        until(stage.is_in(DsarState.IN_REVIEW), 120)
        _answer_without_the_broken(stage)
        stage.finish_review()
        until(lambda: [one.state for one in stage.packages()] == ["ready"])
        stage.release()
        until(stage.is_in(DsarState.ANSWERED))
        kept.answers.append(httpx.get(f"{served.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text)
    finally:
        stage.close()
        served.stop()
    return kept


def _connect_broken(stage: Stage, path: Path) -> None:
    from privacyops.ports.connector_host import StoreConfig
    from privacyops.services import stores

    secret = stage.settings.data / "broken.url"
    secret.write_text(f"sqlite:///{path}")
    owner = stage.as_staff("Olga", Role.ADMIN)
    stores.connect(owner, "Old archive", StoreConfig("broken", "sql", {"url": f"file:{secret}"}))


def _offend(stage: Stage, url: str, kept: Traces) -> None:
    """Calls that are refused, with the person in every place a caller may put it."""
    owner = stage.as_staff("Olga", Role.ADMIN)
    key = apikey.create(owner, "Shop", frozenset({Scope.DSAR_CREATE}), timedelta(days=9), is_live=True)
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "mia.brandt@example.com"}
    who = {"email": "mia.brandt@example.com", "name": "Mia Brandt"}
    for body in ({"type": "Mia Brandt", "requester": who}, {"type": "access", "requester": {"email": "Mia Brandt"}}):
        refused = httpx.post(f"{url}/v1/dsars", json=body, headers=headers, timeout=30)
        assert refused.status_code in {400, 422}
        kept.answers.append(refused.text)
    lost = httpx.get(f"{url}/v1/dsars/unknown", params={"email": "mia.brandt@example.com"}, headers=headers, timeout=30)
    kept.answers.append(lost.text)


def _guess(stage: Stage, kept: Traces) -> None:
    assert stage.dsar_id is not None
    with pytest.raises(Problem) as refused:
        identity.prove_by_code(stage.as_customer(), stage.dsar_id, "000000")
    kept.answers.append(f"{refused.value} {refused.value.detail} {refused.value.members}")


def _answer_without_the_broken(stage: Stage) -> None:
    from privacyops.services.dsar import search

    assert stage.dsar_id is not None
    run = next(one for one in stage.runs() if one.store == "broken")
    search.answer_without(stage.as_staff("Ada", Role.ANALYST), stage.dsar_id, run.id, "it was thrown away last year")


def test_the_places_that_are_searched_are_not_empty(traces: Traces) -> None:
    data = traces.folder / "data"
    assert (traces.folder / "log").stat().st_size > 100
    assert (data / "engine.db").stat().st_size > 10_000
    assert list((data / "vault").rglob("*.blob"))
    assert any("privacyops_jobs_total" in answer for answer in traces.answers)
    assert b"mia.brandt" in (traces.folder / "shop" / "shop.db").read_bytes()


@pytest.mark.parametrize("word", CANARY)
def test_the_person_is_nowhere_in_clear(traces: Traces, word: str) -> None:
    assert traces.where(word) == []
