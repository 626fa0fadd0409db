"""An erasure larger than one plan, and one over two stores of which one is down: in pages, each its own transaction."""

import os
import sqlite3
import time
from pathlib import Path

import pytest

from privacyops.adapters.connector_host import Connectors
from privacyops.domain.catalog.read import refusals_retention
from privacyops.domain.erasure.deciding import Rules
from privacyops.domain.erasure.report import StoreReport
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.ports.connector_host import StoreConfig
from privacyops.services.erasure.erase import Erasure, erase_stores, plan_stores
from privacyops.services.finding.several import draw_maps, search_stores

ROWS = 40
SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, last_name TEXT NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), note TEXT);
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), sku TEXT);
CREATE TABLE refunds (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
  order_id INTEGER NOT NULL REFERENCES orders(id));
INSERT INTO customers VALUES (1, 'ada@example.org', 'Byrne'), (2, 'bo@example.org', 'Castle');
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(SHOP)
        for at in range(ROWS):
            connection.execute("INSERT INTO orders VALUES (?, ?, 'ring')", (100 + at, 1 if at % 4 else 2))
            connection.execute("INSERT INTO order_items VALUES (?, ?, 'CUP')", (1000 + at, 100 + at))
        connection.execute("INSERT INTO refunds VALUES (1, 2, 101)")
    connection.close()
    return path


def erase(path: Path, *, size: int, apply: bool = True) -> StoreReport:
    os.environ["PAGED_SHOP"] = f"sqlite:///{path}"
    config = StoreConfig("shop", "sql", {"url": "env:PAGED_SHOP"})
    host = Connectors([config])
    try:
        maps = draw_maps(host, host.stores())
        runs = search_stores(host, maps, (Identifier(IdentifierKind.EMAIL, "ada@example.org"),), time.monotonic)
        rules = {"shop": Rules(refusals_retention(), accept_links=0.9, accept_text=True)}
        work = Erasure(lambda: Connectors([config]), time.monotonic, "one", size=size)
        done = erase_stores(host, maps, runs, rules, work) if apply else plan_stores(host, runs, rules, work)
        return done[0]
    finally:
        host.close()


def contents(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [line for line in connection.iterdump() if "erased-" not in line]
    finally:
        connection.close()


def test_an_erasure_in_small_pages_ends_as_one_in_a_single_transaction(shop: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.sqlite"
    twin.write_bytes(shop.read_bytes())
    small, whole = erase(shop, size=7), erase(twin, size=5000)
    assert (small.is_whole, whole.is_whole) == (True, True), (small, whole)
    assert contents(shop) == contents(twin)
    assert small.plan_hash.count("+") > 5


def test_a_dry_run_in_pages_does_not_take_rows_of_an_earlier_page_for_a_stranger(shop: Path) -> None:
    report = erase(shop, size=7, apply=False)
    assert report.blockers == ()
    kept = [one for one in report.ops if one.op.ref.collection == "orders" and one.op.why == "needed_by_another"]
    assert [dict(one.op.ref.key) for one in kept] == [{"id": 101}]


def test_a_letter_of_the_persons_own_goes_whole_and_a_note_of_another_only_in_part(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "letter.html").write_text("<p>Dear Ada, your order goes to ada@example.org, thank you</p>")
    (folder / "note.txt").write_text("Ring ada@example.org about the cup that broke on the way, please\n")
    config = StoreConfig("papers", "files", {"folder": str(folder)})
    host = Connectors([config])
    try:
        maps = draw_maps(host, host.stores())
        runs = search_stores(host, maps, (Identifier(IdentifierKind.EMAIL, "ada@example.org"),), time.monotonic)
        rules = {"papers": Rules(refusals_retention(), accept_links=0.9, accept_text=True)}
        work = Erasure(lambda: Connectors([config]), time.monotonic, "one")
        (report,) = erase_stores(host, maps, runs, rules, work)
    finally:
        host.close()
    assert report.is_whole, report
    assert sorted(path.name for path in folder.iterdir()) == ["note.txt"]
    assert (folder / "note.txt").read_text() == "Ring *************** about the cup that broke on the way, please\n"
