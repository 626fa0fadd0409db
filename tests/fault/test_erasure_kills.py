"""An erasure that is killed after any operation and begun again ends as one that was never interrupted.

A few points always; every point on both engines with the marker `long`.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from privacyops.kernel.crash_point import VARIABLE

pytestmark = pytest.mark.fault
ROOT = Path(__file__).parents[2]
POINTS = ("erasure.after_apply_before_record", "erasure.after_step")
OPERATIONS = 12
TABLES = ("customers", "orders", "order_items", "payments", "wishes", "tickets")
SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, first_name VARCHAR(40),
  last_name VARCHAR(40) NOT NULL, referred_by INTEGER REFERENCES customers(id));
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
  ship_street VARCHAR(80), total NUMERIC NOT NULL);
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), sku VARCHAR(9));
CREATE TABLE payments (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),
  order_id INTEGER NOT NULL REFERENCES orders(id), amount NUMERIC NOT NULL);
CREATE TABLE wishes (id INTEGER PRIMARY KEY, customer_id INTEGER, sku VARCHAR(9));
CREATE TABLE tickets (id INTEGER PRIMARY KEY, requester_email VARCHAR(80), body TEXT);
INSERT INTO customers VALUES (1, 'ada@example.org', 'Ada', 'Byrne', NULL), (2, 'bo@example.org', 'Bo', 'Castle', 1),
  (3, 'cy@example.org', 'Cy', 'Dover', NULL);
INSERT INTO orders VALUES (101, 1, '1 Mill Lane', 10), (102, 2, '2 Mill Lane', 20), (103, 1, '1 Mill Lane', 30);
INSERT INTO order_items VALUES (1001, 101, 'CUP'), (1002, 102, 'CUP'), (1003, 103, 'POT'), (1004, 103, 'JUG');
INSERT INTO payments VALUES (501, 1, 101, 10), (502, 2, 103, 5), (503, 2, 102, 20);
INSERT INTO wishes VALUES (61, 1, 'JUG'), (62, 2, 'JUG'), (63, 1, 'CUP'), (64, 3, 'CUP');
INSERT INTO tickets VALUES (7, 'ada@example.org', 'Where is it? Ada Byrne'),
  (8, 'bo@example.org', 'Please send the other cup to ada@example.org instead, thanks');
"""


class Bought:
    """A database of one engine: filled, run against, and read as a whole."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _connect(self) -> Any:
        if self.url.startswith("sqlite"):
            return sqlite3.connect(self.url.removeprefix("sqlite:///"))
        return psycopg.connect(self.url)

    def fill(self) -> "Bought":
        connection = self._connect()
        for statement in SHOP.split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.commit()
        connection.close()
        return self

    def contents(self) -> list[str]:
        """Every row as text; letters drawn at random count as the same."""
        connection = self._connect()
        rows = [
            f"{table}: {[*map(str, row)]}"
            for table in TABLES
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()  # noqa: S608 - own names
        ]
        connection.close()
        return [re.sub(r"erased-[a-z2-7]{16}", "erased-*", row) for row in rows]

    def erase(self, crash: str = "") -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"PYTHONPATH": str(ROOT), "SHOP_URL": self.url, VARIABLE: crash}
        child = [sys.executable, str(ROOT / "tests/fault/erasure_child.py"), "one-request"]
        return subprocess.run(child, env=environment, timeout=120, check=False, text=True, capture_output=True)


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Bought]:
    """A new shop on the engine of that name."""

    def make(engine: str) -> Bought:
        if engine == "sqlite":
            return Bought(f"sqlite:///{tmp_path_factory.mktemp('shop') / 'shop.sqlite'}").fill()
        new = request.getfixturevalue("new_postgres_database")
        return Bought(new().replace("+psycopg", "")).fill()

    return make


@pytest.fixture(scope="module")
def uninterrupted(shops: Callable[[str], Bought]) -> Callable[[str], list[str]]:
    """What an erasure that nobody interrupts leaves."""
    known: dict[str, list[str]] = {}

    def left(engine: str) -> list[str]:
        if engine not in known:
            shop = shops(engine)
            done = shop.erase()
            assert json.loads(done.stdout)["whole"], done
            known[engine] = shop.contents()
        return known[engine]

    return left


def points() -> list[Any]:
    few = {("sqlite", POINTS[0], 6), ("sqlite", POINTS[1], OPERATIONS), ("postgresql", POINTS[0], 9)}
    engines = {"sqlite": [], "postgresql": [pytest.mark.postgres]}
    return [
        pytest.param(engine, name, at, marks=marks if (engine, name, at) in few else [*marks, pytest.mark.long])
        for engine, marks in engines.items()
        for name in POINTS
        for at in range(1, OPERATIONS + 1)
    ]


@pytest.mark.parametrize(("engine", "point", "at"), points())
def test_an_erasure_killed_after_an_operation_ends_as_if_it_had_not_been(
    shops: Callable[[str], Bought], uninterrupted: Callable[[str], list[str]], engine: str, point: str, at: int
) -> None:
    shop, plain = shops(engine), uninterrupted(engine)
    assert shop.erase(f"{point}@{at}").returncode == 9
    assert shop.contents() != plain or at == OPERATIONS
    again = shop.erase()
    assert shop.contents() == plain
    told = json.loads(again.stdout)
    assert (again.returncode, told["whole"]) == (0, True), again
    assert {standing for *_, standing in told["ops"]} <= {"settled"}


@pytest.mark.long
def test_the_row_by_row_erasure_has_as_many_steps_as_these_tests_kill_at(shops: Callable[[str], Bought]) -> None:
    assert shops("sqlite").erase(f"{POINTS[1]}@{OPERATIONS}").returncode == 9
    assert shops("sqlite").erase(f"{POINTS[1]}@{OPERATIONS + 1}").returncode == 0
