"""The console walked like a colleague walks it: a request from its filing to its release."""

import sqlite3
from pathlib import Path

import pytest

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.state import DsarState
from privacyops.services.dsar import listing
from tests.consoles import Office, words_of
from tests.house import Walker


@pytest.fixture
def office(walker: Walker, tmp_path: Path) -> Office:
    """A console over a service with one store."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, total NUMERIC, placed_at TEXT);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101'),
              (2, 'Mia Brandt', 'm.brandt@example.net', '+49 30 5550102');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 19.9, '2026-05-02'), (12, 1, 'LS-1002', 7.5, '2026-09-14'),
              (13, 2, 'LS-1003', 99, '2026-10-01');
            """
        )
    walker.connect("shop", path)
    return Office.open(walker)


def _file(office: Office) -> str:
    ada = office.at_desk("Ada", Role.ANALYST)
    ada.read("/console/requests/new")
    ada.send(
        "/console/requests/new", once=ada.hidden("once"), source="letter", type="access", received="2026-11-20",
        name="Mia Brandt", email="mia.brandt@example.com", language="en", note="Please send me everything.",
    )  # fmt: skip
    return ada.path.rpartition("/")[2]


def test_a_letter_is_filed_searched_reviewed_and_released_by_another_person(office: Office) -> None:
    number = _file(office)
    ada, url = office.at_desk("Ada"), f"/console/requests/{number}"
    ada.read(f"{url}/identity")
    ada.send(f"{url}/identity", reason="Signed letter, same signature as on the contract")
    office.walker.settle()
    page = ada.read(url)
    assert "customer" in words_of(page)
    group = page.partition('href="' + url + "?open=")[2].partition("#")[0]
    assert "mia.brandt@example.com" in ada.read(f"{url}?open={group}")
    ada.send(f"{url}/decide?group={group}", decision="exclude", reason="THIRD_PARTY_RIGHTS")
    ada.send(f"{url}/decide?group={group}", decision="include")
    page = ada.read(url)
    finish = page.partition('action="' + url + "/finish")[2].partition('"')[0]
    ada.send(f"{url}/finish{finish}")
    office.walker.settle()
    marta = office.at_desk("Marta", Role.APPROVER)
    page = marta.read(f"{url}/release")
    assert "START-HERE.html" in page
    marta.send(f"{url}/release", sha256=marta.hidden("sha256"), reference=number)
    office.walker.settle()
    dsar = listing.by_reference(office.walker.as_staff("Dora", Role.DPO), number)
    assert dsar.state is DsarState.ANSWERED
    ada.read(url)
    ada.send(f"{url}/close")
    assert listing.by_reference(office.walker.as_staff("Dora"), number).state is DsarState.CLOSED
