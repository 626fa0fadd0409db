"""`privacyops dsar find` and `privacyops store`: lines, exit codes, and one clear line for each thing that is wrong."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from privacyops.cli.dsar import app as dsar
from privacyops.cli.store import app as store
from tests.searching import Shop
from tests.servers import Server

SHOP = """
CREATE TABLE customers(id INTEGER PRIMARY KEY, full_name TEXT, email TEXT, phone TEXT, rep_id INT REFERENCES staff(id));
CREATE TABLE staff(id INTEGER PRIMARY KEY, full_name TEXT, email TEXT);
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INT REFERENCES customers(id), total NUMERIC);
CREATE TABLE tickets(id INTEGER PRIMARY KEY, sender TEXT, body TEXT);
CREATE VIEW everybody AS SELECT id, email FROM customers;
INSERT INTO staff VALUES(1,'Rae Poe','rae@shop.example');
INSERT INTO customers VALUES(1,'Ann Lee','ann@example.org','+1 202-555-0143',1),
  (2,'Bob Lee','bob@example.org','+1 202-555-0143',1);
INSERT INTO orders VALUES(1,1,10.5),(2,2,11);
INSERT INTO tickets VALUES(1,'bob@example.org','Please send it to my sister, ann@example.org, instead.'),
  (2,'ann@example.org','Where is my order?');
"""


class Files:
    """A stores file in a folder of its own, and the command over it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, monkeypatch
        self.path = folder / "stores.toml"
        self.text = ""

    def add(self, name: str, url: str, more: str = "", connector: str = "sql") -> "Files":
        variable = f"PRIVACYOPS_TEST_{name.upper()}"
        self._patch.setenv(variable, url)
        self.text += f'[[store]]\nname = "{name}"\nconnector = "{connector}"\nurl = "env:{variable}"\n{more}\n'
        self.path.write_text(self.text)
        return self

    def run(self, app: Typer, *arguments: str) -> Result:
        return CliRunner().invoke(app, [arguments[0], "--stores", str(self.path), *arguments[1:]])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db").holds(SHOP)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    return Files(tmp_path, monkeypatch)


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_whole_search_prints_one_line_a_row_and_ends_with_0(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(dsar, "find", "--email", "ann@example.org", "--json")
    assert result.exit_code == 0, result.stderr
    assert {(row["table"], row["pk"]["id"], row["tier"]) for row in rows(result)} == {
        ("customers", 1, "owned"), ("orders", 1, "owned"), ("tickets", 2, "owned"), ("tickets", 1, "pointer"),
    }  # fmt: skip


def test_a_line_has_store_table_key_columns_tier_and_path(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(dsar, "find", "--email", "ann@example.org", "--json")
    (order,) = [row for row in rows(result) if row["table"] == "orders"]
    assert order == {
        "store": "shop", "table": "orders", "pk": {"id": 1}, "columns": ["id", "customer_id", "total"],
        "tier": "owned", "via": ["customers.email", "orders.customer_id"], "match": "linked",
    }  # fmt: skip


def test_another_persons_letter_gives_only_the_cell_that_names_her(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(dsar, "find", "--email", "ann@example.org", "--json")
    (letter,) = [row for row in rows(result) if row["tier"] == "pointer"]
    assert letter["columns"] == ["body"]


def test_who_is_nowhere_ends_with_4(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(dsar, "find", "--email", "nobody@example.org", "--json")
    assert (result.exit_code, result.stdout) == (4, "")


def test_a_phone_of_two_people_ends_with_5_and_shows_nothing(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(dsar, "find", "--phone", "202 555 0143", "--json")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "several people" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--name", "Ann Lee"), "a name alone identifies nobody"),
        (("--email", "ann"), "--email: not an e-mail address"),
        (("--phone", "12"), "--phone"),
        (("--id", "number"), "COLUMN=VALUE"),
        ((), "give an e-mail"),
    ],
)
def test_too_little_to_search_with_ends_with_2(files: Files, shop: Shop, arguments: tuple[str, ...], says: str) -> None:
    result = files.add("shop", shop.url).run(dsar, "find", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[store", "not TOML"),
        ("rehearsal = true", "no [[store]] is listed"),
        ('colour = "red"\n[[store]]\nname="a"\nconnector="sql"', "unknown key colour"),
        ('[[store]]\nconnector="sql"', "store 1 has no name"),
        ('[[store]]\nname="a"', "store a has no connector"),
        ('[[store]]\nname="a"\nconnector="sql"\n[[store]]\nname="a"\nconnector="sql"', "two stores are named a"),
        ('[[store]]\nname="a"\nconnector="sql"\nbudget={rows=0}', "budget rows"),
        ('[[store]]\nname="a"\nconnector="sql"\nmap="absent.yaml"', "No such file"),
        ('region="Germany"\n[[store]]\nname="a"\nconnector="sql"', "region"),
    ],
)
def test_a_stores_file_that_cannot_be_used_ends_with_2_and_says_why(files: Files, text: str, says: str) -> None:
    files.path.write_text(text)
    result = files.run(dsar, "find", "--email", "ann@example.org")
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_file_that_is_not_there_ends_with_2(files: Files) -> None:
    assert files.run(dsar, "find", "--email", "ann@example.org").exit_code == 2


def test_an_unknown_kind_of_store_is_named_and_the_rest_goes_on(files: Files, shop: Shop) -> None:
    files.add("shop", shop.url).add("mainframe", "x", connector="punchcards")
    result = files.run(dsar, "find", "--email", "ann@example.org", "--json")
    assert result.exit_code == 3
    assert len(rows(result)) == 4
    assert "Store mainframe: setting connector: unknown_connector" in result.stderr


def test_a_secret_in_clear_is_refused_and_not_repeated(files: Files, shop: Shop) -> None:
    files.add("shop", shop.url)
    files.path.write_text(files.text + '[[store]]\nname="leak"\nconnector="sql"\nurl="postgresql://u:hunter2@h/x"\n')
    result = files.run(dsar, "find", "--email", "ann@example.org", "--json")
    assert result.exit_code == 3
    assert "Store leak: setting url: secret_not_a_reference" in result.stderr
    assert "hunter2" not in result.stderr + result.stdout


def test_a_database_file_that_is_not_there_is_named(files: Files, shop: Shop, tmp_path: Path) -> None:
    files.add("shop", shop.url).add("gone", f"sqlite:///{tmp_path / 'gone.db'}")
    result = files.run(dsar, "find", "--email", "ann@example.org", "--json")
    assert result.exit_code == 3
    assert "Store gone" in result.stderr


def test_a_setting_nobody_knows_is_named(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url, 'colour = "red"').run(dsar, "find", "--email", "ann@example.org")
    assert result.exit_code == 3
    assert "Store shop: setting colour: unknown_setting (allowed: ca_file, connect_timeout," in result.stderr


def test_a_setting_of_the_wrong_kind_is_told_what_it_takes_and_its_value_is_not_repeated(
    files: Files, shop: Shop
) -> None:
    added = files.add("shop", shop.url, 'lock_timeout = "hunter2"')
    result = added.run(dsar, "find", "--email", "ann@example.org")
    assert "Store shop: setting lock_timeout: wrong_type (allowed: a number above 0)" in result.stderr
    assert "hunter2" not in result.stderr + result.stdout


def test_a_map_that_does_not_fit_is_named(files: Files, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("collections: {nowhere: {class: person}}\n")
    result = files.add("shop", shop.url, 'map = "shop.yaml"').run(dsar, "find", "--email", "ann@example.org")
    assert result.exit_code == 3
    assert "Store shop: setting map: does_not_fit_the_store" in result.stderr


def test_a_spent_budget_is_partial_and_names_what_is_left(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url, "budget = {statements = 3}").run(
        dsar, "find", "--email", "ann@example.org", "--json"
    )
    assert result.exit_code == 3
    assert "statements_spent" in result.stderr


def test_two_stores_are_searched_with_one_person(files: Files, shop: Shop, tmp_path: Path) -> None:
    other = Shop(tmp_path / "crm.db").holds("""
        CREATE TABLE leads(id INTEGER PRIMARY KEY, mail TEXT);
        INSERT INTO leads VALUES(7,'ANN@example.org'),(8,'bob@example.org');
    """)
    result = files.add("shop", shop.url).add("crm", other.url).run(dsar, "find", "--email", "ann@example.org", "--json")
    assert result.exit_code == 0
    assert ("crm", "leads", 7) in {(row["store"], row["table"], row["pk"]["id"]) for row in rows(result)}


def test_the_summary_tells_states_origins_statements_and_what_to_refresh(
    files: Files, shop: Shop, tmp_path: Path
) -> None:
    report = tmp_path / "summary.json"
    files.add("shop", shop.url).run(dsar, "find", "--email", "ann@example.org", "--summary", str(report))
    told = json.loads(report.read_text())
    (one,) = told["stores"]
    states = {entry["name"]: entry["state"] for entry in one["collections"]}
    assert states == {
        "customers": "done", "staff": "done", "orders": "done", "tickets": "done", "everybody": "skipped",
    }  # fmt: skip
    assert {entry["origin"] for entry in one["identifiers"]} >= {"given", "customers", "customers.id"}
    assert one["gaps"] == []
    assert 0 < one["search_statements"] < 100
    assert "ann@example.org" not in report.read_text()


def test_links_are_listed_with_kind_ownership_and_evidence(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(store, "links", "--json")
    found = {row["from"]: row for row in rows(result) if row["to"] == "customers.id"}
    assert found["orders.customer_id"] == {
        "store": "shop", "from": "orders.customer_id", "to": "customers.id", "kind": "declared_fk",
        "ownership": "owned", "confidence": 1.0, "evidence": ["constraint"], "state": "proposed",
    }  # fmt: skip


def test_check_tells_health_and_rights(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(store, "check", "--json")
    assert result.exit_code == 0
    assert {row["check"]: row["outcome"] for row in rows(result)} == {"health": "ok", "rights": "ok"}


def test_check_names_a_large_column_without_an_index(files: Files, shop: Shop) -> None:
    shop.holds("""
        WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
        INSERT INTO orders SELECT i, 2, 1 FROM n;
    """)
    result = files.add("shop", shop.url).run(store, "check", "--json")
    assert any(row["text"].startswith("orders (customer_id)") for row in rows(result) if row["check"] == "index")


def test_a_dry_run_searches_for_somebody_who_does_not_exist(files: Files, shop: Shop) -> None:
    result = files.add("shop", shop.url).run(store, "test", "--json")
    assert result.exit_code == 0
    assert [row["check"] for row in rows(result)] == ["reachable", "catalogue", "absent person"]


@pytest.mark.postgres
def test_a_wrong_password_is_named_and_the_rest_goes_on(
    files: Files, shop: Shop, new_postgres_database: Callable[[], str]
) -> None:
    url = new_postgres_database().replace("postgresql+psycopg://", "postgresql://")
    scheme, _, rest = url.partition("://")
    wrong = f"{scheme}://nobody:hunter2@{rest.rpartition('@')[2]}"
    result = files.add("shop", shop.url).add("locked", wrong).run(dsar, "find", "--email", "ann@example.org", "--json")
    assert result.exit_code == 3
    assert len(rows(result)) == 4
    assert "Store locked: setting url: credentials" in result.stderr
    assert "hunter2" not in result.stderr


@pytest.mark.postgres
@pytest.mark.slow
def test_a_server_that_stops_answering_costs_its_own_budget_and_no_more(
    files: Files, shop: Shop, new_postgres_database: Callable[[], str], postgres_server: Server
) -> None:
    url = new_postgres_database().replace("postgresql+psycopg://", "postgresql://")
    files.add("shop", shop.url).add("stuck", url, "budget = {seconds = 2}")
    postgres_server.pause()
    try:
        began = time.monotonic()
        result = files.run(dsar, "find", "--email", "ann@example.org", "--json")
        took = time.monotonic() - began
    finally:
        postgres_server.resume()
    assert result.exit_code == 3
    assert len(rows(result)) == 4
    assert "Store stuck" in result.stderr
    assert took < 15


def test_another_address_in_the_persons_rows_is_named_by_its_column(files: Files, tmp_path: Path) -> None:
    old = Shop(tmp_path / "old.db").holds("""
        CREATE TABLE customers(id INTEGER PRIMARY KEY, full_name TEXT, email TEXT);
        CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INT REFERENCES customers(id), email TEXT);
        INSERT INTO customers VALUES(1,'Ann Lee','ann@example.org'),(2,'Bob Lee','bob@example.org');
        INSERT INTO orders VALUES(1,1,'ann.old@example.net'),(2,2,'bob@example.org');
    """)
    told = files.add("shop", old.url).run(dsar, "find", "--email", "ann@example.org")
    assert told.exit_code == 0
    assert "orders.email holds 1 other mail address in the person's rows" in told.stderr
    assert "ann.old@" not in told.stderr
    assert "other mail address" not in files.run(dsar, "find", "--email", "bob@example.org").stderr
