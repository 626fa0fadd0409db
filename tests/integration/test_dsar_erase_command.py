"""`privacyops dsar erase` on made-up shops: what goes, what stays without the person, what is kept, what is refused."""

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacyops.cli.dsar import app

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, first_name TEXT, last_name TEXT NOT NULL,
  phone TEXT, referred_by INTEGER REFERENCES customers(id), is_active BOOLEAN NOT NULL DEFAULT 1);
CREATE TABLE addresses (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), street TEXT,
  city TEXT, postcode TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), placed_at TEXT,
  ship_street TEXT, ship_city TEXT, note TEXT, total NUMERIC NOT NULL);
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), sku TEXT NOT NULL,
  quantity INTEGER NOT NULL);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, requester_email TEXT, subject TEXT, body TEXT);
INSERT INTO customers VALUES (1, 'ada@example.org', 'Ada', 'Byrne', '+44 20 7946 0001', NULL, 1),
  (2, 'bo@example.org', 'Bo', 'Castle', '+44 20 7946 0002', 1, 1),
  (3, 'cy@example.org', 'Cy', 'Dover', '+44 20 7946 0003', NULL, 1);
INSERT INTO addresses VALUES (11, 1, '1 Mill Lane', 'Ely', 'CB7 4AA'), (12, 2, '2 Mill Lane', 'Ely', 'CB7 4AB');
INSERT INTO orders VALUES (101, 1, '2026-03-04', '1 Mill Lane', 'Ely', 'ring twice', 10), (102, 2, '2026-03-05',
  '2 Mill Lane', 'Ely', NULL, 20), (103, 1, '2026-05-04', '1 Mill Lane', 'Ely', NULL, 30);
INSERT INTO order_items VALUES (1001, 101, 'CUP', 1), (1002, 102, 'CUP', 2), (1003, 103, 'POT', 3);
INSERT INTO tickets VALUES (7, 'ada@example.org', 'Late parcel', 'Where is it? Ada Byrne'),
  (8, 'bo@example.org', 'A gift', 'Please send the other cup to ada@example.org instead, thanks'),
  (9, 'cy@example.org', 'Colours', 'Is there a blue one in stock this week?');
"""
ADA = ("--email", "ada@example.org", "--name", "Ada Byrne")


@dataclass
class Rehearsal:
    """A shop in a SQLite file with its stores file, and the command over it."""

    folder: Path
    more: str = ""
    top: str = "rehearsal = true\naccept_links = 0.90\naccept_text = true\n"
    status: int = -1
    lines: list[dict[str, Any]] = field(default_factory=list)
    said: str = ""

    def holds(self, script: str) -> "Rehearsal":
        with sqlite3.connect(self.folder / "shop.sqlite") as connection:
            connection.executescript(script)
        connection.close()
        return self

    def erase(self, *given: str, mode: str = "--apply") -> "Rehearsal":
        (self.folder / "stores.toml").write_text(
            f'{self.top}[[store]]\nname = "shop"\nconnector = "sql"\nurl = "env:SHOP_URL"\nregion = "GB"\n{self.more}'
        )
        command = ["erase", "--stores", str(self.folder / "stores.toml"), *(given or ADA), mode, "--json"]
        done = CliRunner().invoke(app, command, env={"SHOP_URL": f"sqlite:///{self.folder / 'shop.sqlite'}"})
        self.status, self.said = done.exit_code, done.stderr
        self.lines = [json.loads(line) for line in done.stdout.splitlines()] if done.exit_code in {0, 3} else []
        return self

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.folder / "shop.sqlite")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def all(self) -> list[str]:
        connection = sqlite3.connect(self.folder / "shop.sqlite")
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    def one(self, table: str, key: int) -> dict[str, Any]:
        (line,) = [line for line in self.lines if line["table"] == table and line["pk"] == {"id": key}]
        return line


@pytest.fixture
def shop(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path).holds(SHOP)


def test_everything_about_the_person_goes_and_nothing_of_anybody_else(shop: Rehearsal) -> None:
    shop.erase()
    assert (shop.status, shop.said) == (0, "")
    assert shop.rows("SELECT id FROM customers") == [(2,), (3,)]
    assert shop.rows("SELECT id FROM orders") == [(102,)]
    assert shop.rows("SELECT id FROM order_items") == [(1002,)]
    assert shop.rows("SELECT id FROM addresses") == [(12,)]
    assert shop.rows("SELECT id FROM tickets ORDER BY id") == [(8,), (9,)]
    assert {line["verdict"] for line in shop.lines} == {"gone", "changed"}


def test_children_go_before_their_parents(shop: Rehearsal) -> None:
    order = {(line["table"]): line["order"] for line in shop.erase().lines}
    assert order["order_items"] < order["orders"] < order["customers"]


def test_somebody_elses_row_loses_only_the_cell_that_points(shop: Rehearsal) -> None:
    before = shop.rows("SELECT id, email, first_name, last_name, phone, is_active FROM customers WHERE id = 2")
    shop.erase()
    assert shop.rows("SELECT referred_by FROM customers WHERE id = 2") == [(None,)]
    assert shop.rows("SELECT id, email, first_name, last_name, phone, is_active FROM customers WHERE id = 2") == before
    assert shop.one("customers", 2)["op"] == "unlink"


def test_of_somebody_elses_text_only_the_letters_that_name_the_person_go(shop: Rehearsal) -> None:
    shop.erase()
    (body,) = shop.rows("SELECT body FROM tickets WHERE id = 8")[0]
    assert body == "Please send the other cup to *************** instead, thanks"
    assert shop.one("tickets", 8)["op"] == "redact_span"


def test_a_plan_alone_writes_nothing_and_shows_every_row(shop: Rehearsal) -> None:
    before = shop.all()
    shop.erase(mode="--plan-only")
    assert shop.status == 0
    assert shop.all() == before
    assert {line["outcome"] for line in shop.lines} == {"planned"}
    planned = [(line["table"], line["pk"]) for line in shop.lines]
    assert planned == [(line["table"], line["pk"]) for line in shop.erase().lines]


def test_a_second_run_finds_nothing(shop: Rehearsal) -> None:
    shop.erase()
    after = shop.all()
    assert shop.erase().status == 4
    assert shop.all() == after


def test_without_a_word_that_this_is_a_copy_nothing_is_written(shop: Rehearsal) -> None:
    before = shop.all()
    shop.top = ""
    assert shop.erase().status == 2
    assert "rehearsal" in shop.said
    assert shop.all() == before


def test_two_people_who_cannot_be_told_apart_lose_nothing(shop: Rehearsal) -> None:
    shop.holds("UPDATE customers SET phone = '+44 20 7946 0001' WHERE id = 3")
    before = shop.all()
    assert shop.erase("--phone", "+44 20 7946 0001").status == 5
    assert shop.all() == before


def test_a_strangers_payment_keeps_the_order_but_not_the_person(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE TABLE payments (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),"
        " order_id INTEGER NOT NULL REFERENCES orders(id), amount NUMERIC NOT NULL);"
        "INSERT INTO payments VALUES (501, 1, 101, 10), (502, 2, 103, 5), (503, 2, 102, 20);"
    )
    shop.erase()
    assert shop.status == 0, shop.said
    assert shop.rows("SELECT id FROM payments ORDER BY id") == [(502,), (503,)]
    assert shop.rows("SELECT id, customer_id, ship_street, ship_city, note, total FROM orders WHERE id <> 102") == [
        (103, 1, None, None, None, 30)
    ]
    ((email, first, last, phone),) = shop.rows("SELECT email, first_name, last_name, phone FROM customers WHERE id = 1")
    assert email.startswith("erased-")
    assert email.endswith("@invalid.example")
    assert (first, phone) == (None, None)
    assert last.startswith("erased-")


def test_what_the_law_wants_kept_stays_with_its_number_and_loses_the_rest(shop: Rehearsal) -> None:
    shop.more = (
        'policy = {orders = {keep = ["id", "placed_at", "total"], code = "LEGAL_OBLIGATION", until = "rule:invoice"}}\n'
    )
    shop.erase()
    assert shop.status == 0, shop.said
    assert shop.rows("SELECT id, placed_at, ship_street, ship_city, note, total FROM orders WHERE id <> 102") == [
        (101, "2026-03-04", None, None, None, 10),
        (103, "2026-05-04", None, None, None, 30),
    ]
    assert shop.rows("SELECT id FROM order_items ORDER BY id") == [(1001,), (1002,), (1003,)]
    assert shop.one("orders", 101) | {"order": 0, "columns": []} == {
        "store": "shop", "table": "orders", "pk": {"id": 101}, "op": "keep", "columns": [], "order": 0,
        "outcome": "kept", "verdict": "changed", "code": "LEGAL_OBLIGATION",
    }  # fmt: skip
    ((email,),) = shop.rows("SELECT email FROM customers WHERE id = 1")
    assert email.endswith("@invalid.example")


def test_a_policy_without_ground_or_term_is_refused(shop: Rehearsal) -> None:
    for wrong in ('code = "NO_DATA"', 'until = "rule:moon"', 'until = "soon"', "keep = 3"):
        said = wrong if wrong.startswith("keep") else f'keep = ["id"], {wrong}'
        shop.more = f"policy = {{orders = {{{said}}}}}\n"
        assert shop.erase().status == 2
        assert "policy" in shop.said


def test_a_cell_takes_the_first_value_that_its_constraints_allow(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE TABLE profiles (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL UNIQUE REFERENCES customers(id),"
        " phone TEXT NOT NULL CHECK (phone NOT GLOB '*[^0-9]*'), nickname TEXT NOT NULL CHECK (length(nickname) <= 8),"
        " birth_date DATE NOT NULL);"
        "CREATE TABLE likes (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),"
        " profile_id INTEGER NOT NULL REFERENCES profiles(id));"
        "INSERT INTO profiles VALUES (21, 1, '442079460001', 'addie', '1980-02-03'),"
        " (22, 2, '442079460002', 'bobby', '1981-02-03');"
        "INSERT INTO likes VALUES (31, 2, 21);"
    )
    shop.erase()
    assert shop.status == 0, (shop.said, shop.lines)
    assert shop.rows("SELECT * FROM likes") == [(31, 2, 21)]
    ((phone, nickname, born),) = shop.rows("SELECT phone, nickname, birth_date FROM profiles WHERE id = 21")
    assert phone.strip("0") == ""
    assert nickname != "addie"
    assert born != "1980-02-03"
    assert shop.rows("SELECT phone, nickname FROM profiles WHERE id = 22") == [("442079460002", "bobby")]


def test_a_cell_of_somebody_else_that_refuses_every_value_is_named_and_never_passed_over(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE TABLE gifts (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id),"
        " recipient_email TEXT NOT NULL CHECK (recipient_email LIKE '%@example.org'));"
        "INSERT INTO gifts VALUES (91, 2, 'ada@example.org');"
    )
    shop.erase()
    assert shop.status == 3
    assert shop.rows("SELECT recipient_email FROM gifts") == [("ada@example.org",)]
    told = {(line["outcome"], line["code"]) for line in shop.lines if line["table"] == "gifts"}
    assert told == {("blocked", "check"), ("residual", "found_again")}


def test_a_copy_that_a_trigger_makes_is_found_and_erased_too(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE TABLE customer_history (id INTEGER PRIMARY KEY, customer_id INTEGER, email TEXT, last_name TEXT);"
        "CREATE TRIGGER keep_history AFTER DELETE ON customers BEGIN"
        " INSERT INTO customer_history (customer_id, email, last_name) VALUES (old.id, old.email, old.last_name); END;"
    )
    shop.erase()
    assert shop.status == 0, (shop.said, shop.lines)
    assert shop.rows("SELECT * FROM customer_history") == []
    assert any(line.get("appeared") for line in shop.lines)


def test_a_log_that_was_empty_and_that_a_trigger_fills_is_erased_as_what_it_is_and_not_cell_by_cell(
    shop: Rehearsal,
) -> None:
    shop.holds(
        "CREATE TABLE protokoll (id INTEGER PRIMARY KEY, tabelle TEXT, zeile INTEGER, alt JSON);"
        "CREATE TRIGGER keep AFTER DELETE ON customers BEGIN"
        " INSERT INTO protokoll (tabelle, zeile, alt) VALUES ('customers', old.id,"
        """ '{"email": "' || old.email || '", "first": "' || old.first_name || '", "phone": "' || old.phone || '"}');"""
        " END;"
    )
    shop.erase()
    assert shop.status == 0, (shop.said, shop.lines)
    assert any(line.get("appeared") for line in shop.lines)
    assert shop.rows("SELECT * FROM protokoll") == []


def test_search_tables_follow_their_source_and_lose_rows_of_their_own(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE VIRTUAL TABLE ticket_words USING fts5(subject, body, content='tickets', content_rowid='id');"
        "INSERT INTO ticket_words (rowid, subject, body) SELECT id, subject, body FROM tickets;"
        "CREATE TRIGGER tickets_gone AFTER DELETE ON tickets BEGIN INSERT INTO ticket_words"
        " (ticket_words, rowid, subject, body) VALUES ('delete', old.id, old.subject, old.body); END;"
        "CREATE TRIGGER tickets_changed AFTER UPDATE ON tickets BEGIN INSERT INTO ticket_words"
        " (ticket_words, rowid, subject, body) VALUES ('delete', old.id, old.subject, old.body);"
        " INSERT INTO ticket_words (rowid, subject, body) VALUES (new.id, new.subject, new.body); END;"
        "CREATE VIRTUAL TABLE mails USING fts5(sender, words);"
        "INSERT INTO mails VALUES ('ada@example.org', 'Where is my cup?'), ('bo@example.org', 'Where is mine?');"
    )
    shop.erase()
    assert shop.status == 0, (shop.said, shop.lines)
    assert shop.rows("SELECT sender FROM mails") == [("bo@example.org",)]
    assert shop.rows("SELECT rowid FROM ticket_words WHERE ticket_words MATCH 'ada OR parcel'") == []
    assert shop.rows("SELECT rowid FROM ticket_words WHERE ticket_words MATCH 'blue'") == [(9,)]
    shop.rows("INSERT INTO ticket_words (ticket_words) VALUES ('integrity-check')")


def test_words_of_a_search_table_that_no_trigger_keeps_are_named(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE VIRTUAL TABLE ticket_words USING fts5(subject, body, content='tickets', content_rowid='id');"
        "INSERT INTO ticket_words (rowid, subject, body) SELECT id, subject, body FROM tickets;"
    )
    shop.erase()
    assert "ticket_words: not_refreshed" in shop.said
    assert shop.rows("SELECT count(*) FROM tickets WHERE requester_email = 'ada@example.org'") == [(0,)]


def test_a_search_table_that_hears_of_deletions_alone_is_named(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE VIRTUAL TABLE ticket_words USING fts5(subject, body, content='tickets', content_rowid='id');"
        "INSERT INTO ticket_words (rowid, subject, body) SELECT id, subject, body FROM tickets;"
        "CREATE TRIGGER tickets_gone AFTER DELETE ON tickets BEGIN INSERT INTO ticket_words"
        " (ticket_words, rowid, subject, body) VALUES ('delete', old.id, old.subject, old.body); END;"
    )
    shop.erase()
    assert shop.status == 3
    assert "ticket_words: not_refreshed" in shop.said


def test_a_long_cell_beside_a_blacked_out_one_is_not_passed_over(shop: Rehearsal) -> None:
    shop.holds(
        "ALTER TABLE tickets ADD COLUMN raw_mail BLOB; UPDATE tickets SET raw_mail = CAST('a mail of theirs' AS BLOB);"
    )
    long = ("x " * 3_000 + "ada@example.org").encode().hex()
    shop.holds("UPDATE tickets SET raw_mail = x'LONG' WHERE id = 8".replace("LONG", long))
    shop.erase()
    assert shop.status == 3
    assert "in_long_text" in shop.said


def test_a_row_that_a_trigger_brings_back_is_never_called_gone(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE TRIGGER undead AFTER DELETE ON addresses BEGIN"
        " INSERT INTO addresses VALUES (old.id, old.customer_id, old.street, old.city, old.postcode); END;"
    )
    shop.erase()
    assert shop.status == 3
    assert any(line["outcome"] != "done" or line["verdict"] == "still_there" for line in shop.lines)


def test_a_store_that_refuses_to_delete_keeps_the_row_without_the_person(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE TRIGGER never BEFORE DELETE ON customers BEGIN SELECT RAISE(ABORT, 'customers are for ever'); END;"
    )
    shop.erase()
    ((email, first, phone),) = shop.rows("SELECT email, first_name, phone FROM customers WHERE id = 1")
    assert email.endswith("@invalid.example")
    assert (first, phone) == (None, None)
    assert shop.rows("SELECT id FROM orders") == [(102,)]
    assert shop.status == 0, (shop.said, shop.lines)


def test_rows_behind_a_link_that_nobody_confirmed_wait_for_a_person(shop: Rehearsal) -> None:
    shop.holds(
        "CREATE TABLE wishes (id INTEGER PRIMARY KEY, customer_id INTEGER, sku TEXT);"
        "INSERT INTO wishes VALUES (61, 1, 'JUG'), (62, 2, 'JUG');"
    )
    shop.top = "rehearsal = true\naccept_text = true\n"
    shop.erase()
    assert shop.status == 3
    assert shop.rows("SELECT id FROM wishes") == [(61,), (62,)]
    assert shop.one("wishes", 61)["code"] == "link_unconfirmed"
    shop.top += "accept_links = 0.90\n"
    assert shop.erase("--id", "wishes.customer_id=1").status in {0, 3}


def test_a_text_that_nobody_judged_stays(shop: Rehearsal) -> None:
    shop.top = "rehearsal = true\naccept_links = 0.90\n"
    shop.erase()
    assert shop.status == 3
    assert "ada@example.org" in shop.rows("SELECT body FROM tickets WHERE id = 8")[0][0]
    assert shop.one("tickets", 8)["code"] == "text_undecided"


def test_one_store_that_is_down_does_not_hold_up_the_other(shop: Rehearsal) -> None:
    shop.more = '[[store]]\nname = "gone"\nconnector = "sql"\nurl = "env:NOT_SET"\n'
    shop.erase()
    assert shop.status == 3
    assert shop.rows("SELECT id FROM customers") == [(2,), (3,)]
    assert "gone" in shop.said


def test_a_text_that_turned_up_meanwhile_and_that_nobody_judged_is_never_called_erased(shop: Rehearsal) -> None:
    shop.holds(
        """DELETE FROM tickets WHERE id = 8;
        CREATE TABLE former_customers (id INTEGER PRIMARY KEY, email TEXT);
        CREATE TABLE remarks (id INTEGER PRIMARY KEY, body TEXT);
        CREATE TRIGGER left_us AFTER DELETE ON customers BEGIN
          INSERT INTO former_customers (email) VALUES (OLD.email);
          INSERT INTO remarks (body) VALUES ('Closed the account of ' || OLD.email || ' as she wished');
        END;"""
    )
    shop.top = "rehearsal = true\naccept_links = 0.90\n"
    shop.erase()
    assert shop.rows("SELECT count(*) FROM former_customers") == [(0,)]
    assert shop.rows("SELECT count(*) FROM remarks") == [(1,)]
    assert shop.status == 3, shop.lines
