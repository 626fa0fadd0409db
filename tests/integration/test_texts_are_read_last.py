"""Texts are read when every store has said what it knows: once for all names, and also when a store failed."""

import sqlite3
from pathlib import Path

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester, Run
from privacyops.domain.dsar.run import RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.ids import DsarId
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import stores
from privacyops.services.dsar import identity, intake
from privacyops.store import finding as findings
from tests.house import Walker

ADDRESS = "mia.brandt@example.com"
ORDER = "HW26-000731"


@pytest.fixture
def notes(walker: Walker, tmp_path: Path) -> None:
    """A store of running texts. It comes first, and alone it knows no order number."""
    path = tmp_path / "a_notes.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")
        texts = [
            f"The glass of {ORDER} arrived broken; sent a new one, and the carrier pays for it in the end.",
            f"Answered to {ADDRESS} that the parcel was on its way, and that nothing more needs to be done.",
            "A long note about nobody at all: the light in the storeroom is broken and somebody should look at it.",
        ]
        database.executemany("INSERT INTO note (body) VALUES (?)", [(text,) for text in texts])
    walker.connect("a_notes", path)


def _shop(walker: Walker, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
            CREATE TABLE orders (id INTEGER PRIMARY KEY, order_no TEXT, customer_id INTEGER REFERENCES customer(id));
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com'), (2, 'Bo Ek', 'bo@example.net');
            INSERT INTO orders VALUES (11, 'HW26-000731', 1), (12, 'HW26-000732', 2);
            """
        )
    walker.connect("shop", tmp_path / "shop.db")


def _searched(walker: Walker) -> DsarId:
    submission = intake.Submission(
        type=RequestType.ACCESS, requester=Requester(email=ADDRESS, name="Mia Brandt"), channel=Channel.FORM,
        prefix="203.0.113.0/24",
    )  # fmt: skip
    receipt = intake.submit(walker.as_subject(), submission)
    walker.settle()
    identity.prove_by_code(walker.as_subject(receipt.id), receipt.id, walker.code_for(ADDRESS))
    walker.settle()
    assert walker.dsar(receipt.id).state is DsarState.IN_REVIEW
    return receipt.id


def _run(walker: Walker, dsar_id: DsarId, store: str) -> Run:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return next(run for run in findings.list_runs(tx, dsar_id) if run.store == store)


def _notes_found(walker: Walker, dsar_id: DsarId) -> int:
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        return sum(row.records for row in findings.count_findings(tx, dsar_id) if row.store == "a_notes")


@pytest.mark.usefixtures("notes")
def test_a_text_is_found_by_what_another_store_taught(walker: Walker, tmp_path: Path) -> None:
    _shop(walker, tmp_path)
    assert _notes_found(walker, _searched(walker)) == 2


@pytest.mark.usefixtures("notes")
def test_the_texts_of_a_store_are_read_once_for_everything_that_is_known(walker: Walker, tmp_path: Path) -> None:
    _shop(walker, tmp_path)
    run = _run(walker, _searched(walker), "a_notes")
    assert run.report["statements"] == 1


@pytest.mark.usefixtures("notes")
def test_texts_are_read_although_another_store_failed(walker: Walker) -> None:
    stores.connect(walker.as_staff("Olga", Role.ADMIN), "Odd", StoreConfig("odd", "no_such_connector", {}))
    dsar_id = _searched(walker)
    assert _run(walker, dsar_id, "odd").state is RunState.HANDED_OVER
    assert _notes_found(walker, dsar_id) == 1


@pytest.mark.usefixtures("notes")
def test_a_store_that_is_alone_reads_its_texts_at_once(walker: Walker) -> None:
    run = _run(walker, _searched(walker), "a_notes")
    assert run.report.get("rounds", 1) == 1
    assert run.report["found"] == 1
