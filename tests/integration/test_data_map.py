"""Scanning stores in a running service: proposals, a person's answers, drift as a task, the map for others."""

import csv
import io
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from privacyops.cli.store import app
from privacyops.domain.account.action import Role
from privacyops.domain.audit import AuditEntry
from privacyops.domain.datamap.deciding import Answer, OwnershipUnknown
from privacyops.domain.datamap.drift import DriftKind
from privacyops.domain.datamap.export import HEADING, MapFormat
from privacyops.domain.datamap.link import LinkState, Ownership
from privacyops.domain.task import TaskKind
from privacyops.kernel.errors import Forbidden, NotFound
from privacyops.services import datamap
from privacyops.services import task as tasks
from privacyops.services.finding.scan import draw_map
from privacyops.services.stores import config_of
from tests.house import Walker

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, full_name TEXT, email TEXT UNIQUE, phone TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, email TEXT, total NUMERIC);
CREATE TABLE country (code TEXT PRIMARY KEY, title TEXT);
"""
LINK = "orders.customer_id>customers.id"


@pytest.fixture
def shop(walker: Walker, tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(SHOP)
        people = [(at, f"Person {at}", f"p{at}@example.com", "") for at in range(1001, 1041)]
        database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", people)
        database.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, 10)", [(at, at, f"p{at}@example.com") for at in range(1001, 1041)]
        )
    walker.connect("shop", path)
    return path


def _change(path: Path, sql: str) -> None:
    with sqlite3.connect(path) as database:
        database.executescript(sql)


def test_a_scan_asks_about_inferred_links_and_an_answer_stands_for_the_next_scan(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    report = datamap.scan(admin, "shop")
    assert (report.scan, report.drift) == (1, ())
    assert LINK in {link.id for link in datamap.read(admin, "shop").questions}
    datamap.answer(admin, "shop", LINK, Answer.YES, Ownership.OWNED)
    assert datamap.scan(admin, "shop").scan == 2
    after = datamap.read(admin, "shop")
    assert LINK not in {link.id for link in after.questions}
    assert after.drawn.by_link[LINK].state is LinkState.CONFIRMED


def test_a_link_that_a_person_rejected_is_not_followed_by_a_search(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    datamap.scan(admin, "shop")
    datamap.answer(admin, "shop", LINK, Answer.NO)
    host = admin.ports.connectors([config_of(admin, "shop")])
    drawn = datamap.answered(admin, draw_map(host, "shop"))
    host.close()
    assert not drawn.by_link[LINK].usable


def test_another_ownership_is_an_answer_and_undecided_is_none(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    datamap.scan(admin, "shop")
    datamap.answer(admin, "shop", LINK, Answer.YES, Ownership.POINTER)
    told = datamap.read(admin, "shop").drawn.by_link[LINK]
    assert (told.ownership, told.owner) == (Ownership.POINTER, False)
    with pytest.raises(OwnershipUnknown):
        datamap.answer(admin, "shop", LINK, Answer.YES, Ownership.UNDECIDED)
    with pytest.raises(NotFound):
        datamap.answer(admin, "shop", "orders.nothing>customers.id", Answer.YES)


def test_the_same_answer_twice_is_one_line_of_the_audit_log(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    datamap.scan(admin, "shop")
    for _ in range(2):
        datamap.answer(admin, "shop", LINK, Answer.NO)
    assert len([row for row in _audit(walker) if row.action == "store.link"]) == 1


def _audit(walker: Walker) -> list[AuditEntry]:
    from privacyops.store.audit import list_audit

    with walker.context.database.reading(walker.context.controller.key, walker.clock.now()) as tx:
        return list(list_audit(tx, None, 200).items)


def test_new_personal_columns_and_tables_are_one_task_and_lookups_are_none(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    datamap.scan(admin, "shop")
    _change(shop, "ALTER TABLE country ADD COLUMN sign TEXT")
    assert [one.what for one in datamap.scan(admin, "shop").drift] == ["country.sign"]
    assert _drift_tasks(walker) == 0
    _change(
        shop, "ALTER TABLE customers ADD COLUMN birth_date TEXT; CREATE TABLE notes (id INT, email TEXT, body TEXT)"
    )
    assert DriftKind.NEW_COLLECTION in {one.kind for one in datamap.scan(admin, "shop").drift}
    assert datamap.scan(admin, "shop").drift == ()
    assert _drift_tasks(walker) == 1


def _drift_tasks(walker: Walker) -> int:
    return len([one for one in tasks.list_open(walker.as_staff("Dora", Role.DPO)) if one.kind is TaskKind.STORE_DRIFT])


def test_a_constraint_that_went_is_told(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    _change(shop, "CREATE TABLE cards (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES customers (id), iban TEXT)")
    datamap.scan(admin, "shop")
    _change(shop, "DROP TABLE cards; CREATE TABLE cards (id INTEGER PRIMARY KEY, owner INTEGER, iban TEXT)")
    kinds = {one.kind for one in datamap.scan(admin, "shop").drift}
    assert kinds & {DriftKind.VANISHED_LINK, DriftKind.WEAKER_LINK}


def test_who_may_not_manage_stores_neither_scans_nor_answers(walker: Walker, shop: Path) -> None:
    auditor = walker.as_staff("Aude", Role.AUDITOR)
    with pytest.raises(Forbidden):
        datamap.scan(auditor, "shop")
    datamap.scan(walker.as_staff("Olga", Role.ADMIN), "shop")
    with pytest.raises(Forbidden):
        datamap.answer(auditor, "shop", LINK, Answer.YES)


def test_a_store_that_cannot_be_read_keeps_its_old_map(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    datamap.scan(admin, "shop")
    shop.write_bytes(b"no database at all" * 100)
    with pytest.raises(Exception, match="shop"):
        datamap.scan(admin, "shop")
    assert datamap.read(admin, "shop").scan == 1


def test_the_map_is_written_out_for_fides_for_a_spreadsheet_and_as_dpv(walker: Walker, shop: Path) -> None:
    admin = walker.as_staff("Olga", Role.ADMIN)
    datamap.scan(admin, "shop")
    [dataset] = yaml.safe_load(datamap.export(admin, MapFormat.FIDESLANG))["dataset"]
    fields = {(one["name"], field["name"]): field for one in dataset["collections"] for field in one["fields"]}
    assert fields["customers", "email"]["data_categories"] == ["user.contact.email"]
    assert fields["customers", "id"]["fides_meta"] == {"primary_key": True}
    reference = fields["orders", "customer_id"]["fides_meta"]["references"]
    assert reference == [{"dataset": "shop", "field": "customers.id", "direction": "to"}]
    rows = list(csv.DictReader(io.StringIO(datamap.export(admin, MapFormat.CSV))))
    assert list(rows[0]) == list(HEADING)
    assert {row["category"] for row in rows if (row["collection"], row["field"]) == ("customers", "phone")} == {"phone"}
    graph = json.loads(datamap.export(admin, MapFormat.DPV))["@graph"]
    assert {one["title"]: one["hasPersonalData"] for one in graph}["shop: customers"] == [
        "pd:EmailAddress", "pd:Name", "pd:TelephoneNumber",
    ]  # fmt: skip
    assert "shop: country" not in {one["title"] for one in graph}


def test_a_name_that_a_spreadsheet_would_compute_is_made_harmless(walker: Walker, tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    _change(path, 'CREATE TABLE "=1+1" (id INTEGER PRIMARY KEY, "@SUM(A1)" TEXT)')
    walker.connect("odd", path)
    admin = walker.as_staff("Olga", Role.ADMIN)
    datamap.scan(admin, "odd")
    text = datamap.export(admin, MapFormat.CSV)
    assert "'=1+1" in text
    assert ",=1+1" not in text


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An installation of its own, as the command line meets it."""
    settings = {
        "PRIVACYOPS_DATA": str(tmp_path / "data"),
        "PRIVACYOPS_CONTROLLER__KEY": "shop",
        "PRIVACYOPS_CONTROLLER__NAME": "Lindenhof Seifen",
        "PRIVACYOPS_CONTROLLER__CONTACT_EMAIL": "privacy@lindenhof.example",
        "SHOP_URL": f"sqlite:///{tmp_path / 'shop.db'}",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    _change(tmp_path / "shop.db", SHOP)
    return settings


def _run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, done.stdout, done.stderr


def test_a_stranger_connects_scans_and_exports_by_command(installation: Mapping[str, str], tmp_path: Path) -> None:
    assert _run("add", "shop", "--connector", "sql", "--set", "url=env:SHOP_URL")[0] == 0
    status, out, _ = _run("scan", "--json")
    assert (status, json.loads(out)["collections"]) == (0, 3)
    _change(tmp_path / "shop.db", "CREATE TABLE letters (id INTEGER PRIMARY KEY, email TEXT, body TEXT)")
    status, out, _ = _run("scan", "shop", "--json")
    told: dict[str, Any] = json.loads(out)
    assert {"kind": "new_collection", "what": "letters", "personal": True} in told["drift"]
    status, out, _ = _run("export", "--format", "fideslang")
    assert (status, yaml.safe_load(out)["dataset"][0]["fides_key"]) == (0, "shop")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--connector", "sql", "--set", "url"), "KEY=VALUE"),
        (("--connector", "sql", "--set", "url=sqlite:///shop.db"), "env:NAME"),
        (("--connector", "no-such", "--set", "url=env:SHOP_URL"), "no connector of that name"),
        (("--connector", "sql", "--set", "url=env:NOT_THERE"), "not set"),
    ],
)
def test_a_store_that_cannot_be_right_is_not_connected(
    installation: Mapping[str, str], arguments: tuple[str, ...], words: str
) -> None:
    status, _, said = _run("add", "shop", *arguments)
    assert status == 2
    assert words in said


def test_a_stores_file_is_scanned_without_any_database_and_drifts_from_what_was_saved(
    installation: Mapping[str, str], tmp_path: Path
) -> None:
    file, kept = tmp_path / "stores.toml", tmp_path / "map.jsonl"
    file.write_text('[[store]]\nname = "shop"\nconnector = "sql"\nurl = "env:SHOP_URL"\n')
    status, out, _ = _run("scan", "--stores", str(file), "--save", str(kept), "--json")
    assert (status, json.loads(out)["drift"]) == (0, [])
    assert json.loads(out)["classes"]["customers"]["fields"]["email"] == "email"
    _change(tmp_path / "shop.db", "ALTER TABLE customers ADD COLUMN iban TEXT")
    _, out, _ = _run("scan", "--stores", str(file), "--save", str(kept), "--json")
    assert json.loads(out)["drift"] == [{"kind": "new_field", "what": "customers.iban", "personal": True}]
    assert not (tmp_path / "data").exists()
    assert (
        "shop: proposals that a person confirms: `privacyops store links` shows them"
        in _run("scan", "--stores", str(file))[1]
    )
    assert _run("export", "--stores", str(file), "--format", "dpv")[0] == 0
