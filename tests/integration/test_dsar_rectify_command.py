"""`privacyops dsar rectify`: the new value in every copy of the person's data, and in nobody else's."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from privacyops.cli.dsar import app

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, first_name TEXT, last_name TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), billing_email TEXT,
  ship_to TEXT, total NUMERIC);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, requester_email TEXT, body TEXT);
INSERT INTO customers VALUES (1, 'Ada@Example.org', 'Ada', 'Byrne'), (2, 'bo@example.org', 'Bo', 'Byrne');
INSERT INTO orders VALUES (11, 1, 'ada@example.org', 'Ada Byrne, 1 Mill Lane', 10),
  (12, 2, 'bo@example.org', 'Bo Byrne, 2 Mill Lane', 20);
INSERT INTO tickets VALUES (7, 'ada@example.org', 'Please write to ada@example.org only'),
  (8, 'bo@example.org', 'Send a copy to ada@example.org as well, please');
"""


class Shop:
    """A shop in a file and the command over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with sqlite3.connect(folder / "shop.sqlite") as connection:
            connection.executescript(SHOP)
        connection.close()

    def rectify(self, *corrections: str, mode: str = "--apply") -> Result:
        (self.folder / "stores.toml").write_text(
            'rehearsal = true\n[[store]]\nname = "shop"\nconnector = "sql"\nurl = "env:SHOP_URL"\n'
        )
        given = [part for one in corrections for part in ("--set", one)]
        command = ["rectify", "--stores", str(self.folder / "stores.toml"), "--email", "ada@example.org", "--name",
                   "Ada Byrne", *given, mode, "--json"]  # fmt: skip
        return CliRunner().invoke(app, command, env={"SHOP_URL": f"sqlite:///{self.folder / 'shop.sqlite'}"})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.folder / "shop.sqlite")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_new_address_stands_in_every_copy_and_in_texts_of_the_persons_own(shop: Shop) -> None:
    done = shop.rectify("email=ada@example.org>ada.castle@example.com")
    assert done.exit_code == 0, done.stderr
    assert shop.rows("SELECT email FROM customers") == [("ada.castle@example.com",), ("bo@example.org",)]
    assert shop.rows("SELECT billing_email FROM orders WHERE id = 11") == [("ada.castle@example.com",)]
    assert shop.rows("SELECT requester_email, body FROM tickets WHERE id = 7") == [
        ("ada.castle@example.com", "Please write to ada.castle@example.com only")
    ]


def test_somebody_elses_words_are_not_corrected(shop: Shop) -> None:
    shop.rectify("email=ada@example.org>ada.castle@example.com")
    assert "ada@example.org" in shop.rows("SELECT body FROM tickets WHERE id = 8")[0][0]


def test_a_surname_changes_for_the_person_and_not_for_the_namesake(shop: Shop) -> None:
    done = shop.rectify("last_name=Byrne>Castle", "name=Ada Byrne>Ada Castle")
    assert done.exit_code == 0, done.stderr
    assert shop.rows("SELECT last_name FROM customers") == [("Castle",), ("Byrne",)]
    assert shop.rows("SELECT ship_to FROM orders") == [("Ada Castle, 1 Mill Lane",), ("Bo Byrne, 2 Mill Lane",)]


def test_an_address_that_another_account_has_is_refused_and_said(shop: Shop) -> None:
    done = shop.rectify("email=ada@example.org>bo@example.org")
    assert done.exit_code == 3
    assert shop.rows("SELECT email FROM customers WHERE id = 1") == [("Ada@Example.org",)]
    refused = [line for line in map(json.loads, done.stdout.splitlines()) if line["outcome"] == "blocked"]
    assert [(line["table"], line["code"]) for line in refused] == [("customers", "unique")]


def test_a_plan_alone_writes_nothing(shop: Shop) -> None:
    before = shop.rows("SELECT * FROM customers")
    assert shop.rectify("last_name=Byrne>Castle", mode="--plan-only").exit_code == 0
    assert shop.rows("SELECT * FROM customers") == before


def test_what_nobody_can_correct_is_refused_with_what_can_be(shop: Shop) -> None:
    for wrong in ("shoe_size=42>43", "email=only-one", "email=>new@example.org"):
        done = shop.rectify(wrong)
        assert done.exit_code == 2
        assert "KIND=OLD>NEW" in done.stderr
