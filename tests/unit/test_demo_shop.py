"""The demo shop: large enough, sound, the same every time, and made of nobody who exists."""

import csv
import json
import re
import shutil
import sqlite3
import time
import tomllib
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import phonenumbers
import pytest
import yaml

from privacyops.demo.shop.build import DemoShop, FolderInUse, build_demo_shop
from privacyops.demo.shop.names import PHONE_RANGES

TODAY = date(2026, 11, 22)
RESERVED_DOMAIN = re.compile(r"(^|\.)example(\.(com|org|net))?$", re.IGNORECASE)
MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
PHONE = re.compile(r"(?<![\w-])\+\d{8,15}(?!\d)")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> DemoShop:
    return build_demo_shop(tmp_path_factory.mktemp("demo") / "shop", TODAY)


def rows(path: Path, sql: str, *values: object) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def dump(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return sha256("\n".join(connection.iterdump()).encode()).hexdigest()
    finally:
        connection.close()


def every_text(shop: DemoShop) -> str:
    parts = []
    for path in (shop.shop_db, shop.archive_db):
        connection = sqlite3.connect(path)
        parts += list(connection.iterdump())
        connection.close()
    for path in sorted((*shop.documents.rglob("*"), *shop.mailbox.rglob("*"))):
        if path.is_file() and path.suffix not in {".docx", ".xlsx"}:
            parts.append(path.read_bytes().decode("latin-1"))
    return "\n".join(parts)


def test_the_shop_database_has_at_least_fifteen_tables_and_forty_thousand_rows(shop: DemoShop) -> None:
    tables = [name for (name,) in rows(shop.shop_db, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    total = sum(int(str(rows(shop.shop_db, f"SELECT count(*) FROM {name}")[0][0])) for name in tables)  # noqa: S608 - table names from a list
    assert len(tables) >= 15
    assert total >= 40_000


def test_the_counts_it_reports_are_those_of_the_databases(shop: DemoShop) -> None:
    for table, n in shop.rows.items():
        database = shop.archive_db if table in {"kunde", "auftrag", "auftrag_pos", "beleg", "kontakt"} else shop.shop_db
        assert rows(database, f"SELECT count(*) FROM {table}") == [(n,)]  # noqa: S608 - table names from a list


def test_no_foreign_key_of_the_shop_leads_nowhere(shop: DemoShop) -> None:
    assert rows(shop.shop_db, "PRAGMA foreign_key_check") == []
    assert rows(shop.shop_db, "PRAGMA integrity_check") == [("ok",)]


def test_the_archive_declares_no_foreign_key_and_one_of_its_tables_has_no_key(shop: DemoShop) -> None:
    tables = [str(name) for (name,) in rows(shop.archive_db, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    assert all(rows(shop.archive_db, f"PRAGMA foreign_key_list({name})") == [] for name in tables)
    assert all(row[5] == 0 for row in rows(shop.archive_db, "PRAGMA table_info(auftrag_pos)"))


def test_the_same_day_and_seed_give_the_same_bytes_also_after_a_build_that_was_killed_half_way(
    shop: DemoShop, tmp_path: Path
) -> None:
    (tmp_path / ".shop.half").mkdir()
    (tmp_path / ".shop.half" / "shop.db").write_bytes(b"torn")
    other = build_demo_shop(tmp_path / "shop", TODAY)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]
    assert dump(other.shop_db) == dump(shop.shop_db)
    assert dump(other.archive_db) == dump(shop.archive_db)
    for folder, again in ((shop.documents, other.documents), (shop.mailbox, other.mailbox)):
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        assert names == sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file())
        assert all((folder / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_files_of_the_same_day_are_taken_as_a_demo_user_left_them(shop: DemoShop, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shop.folder, tmp_path / "shop"))
    (copy / "documents" / "faq.html").unlink()
    assert build_demo_shop(copy, TODAY).rows == shop.rows
    assert not (copy / "documents" / "faq.html").exists()


def test_files_are_written_anew_where_that_is_asked_for_and_another_seed_gives_another_shop(
    shop: DemoShop, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(shop.folder, tmp_path / "shop"))
    (copy / "documents" / "faq.html").unlink()
    fresh = build_demo_shop(copy, TODAY, seed=2, reuse=False)
    assert (copy / "documents" / "faq.html").exists()
    assert dump(fresh.shop_db) != dump(shop.shop_db)


def test_a_new_day_builds_a_fresh_shop_whose_latest_order_is_of_that_day(shop: DemoShop, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shop.folder, tmp_path / "shop"))
    later = TODAY + timedelta(days=40)
    fresh = build_demo_shop(copy, later)
    [(latest,)] = rows(fresh.shop_db, "SELECT max(placed_at) FROM orders")
    assert later - timedelta(days=1) <= date.fromisoformat(str(latest)[:10]) <= later


def test_nothing_in_the_shop_lies_in_the_future(shop: DemoShop) -> None:
    for table, column in (("orders", "placed_at"), ("ticket_messages", "sent_at"), ("shipments", "delivered_at")):
        [(latest,)] = rows(shop.shop_db, f"SELECT max({column}) FROM {table}")  # noqa: S608 - table names from a list
        assert str(latest)[:10] <= TODAY.isoformat()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FolderInUse):
        build_demo_shop(tmp_path, TODAY)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_every_mail_address_is_in_a_reserved_domain(shop: DemoShop) -> None:
    domains = set(MAIL.findall(every_text(shop)))
    assert len(domains) >= 5
    assert [domain for domain in domains if not RESERVED_DOMAIN.search(domain)] == []


def test_every_telephone_number_is_from_a_range_reserved_for_fiction(shop: DemoShop) -> None:
    ranges = [each for group in PHONE_RANGES.values() for each in group]
    numbers = set(PHONE.findall(every_text(shop)))
    assert len(numbers) > 1000
    for number in numbers:
        assert any(
            number.startswith(prefix)
            and len(number) == len(prefix) + len(first)
            and first <= number[len(prefix) :] <= last
            for prefix, first, last in ranges
        ), number


def test_customers_telephone_numbers_are_valid_numbers_of_their_plan(shop: DemoShop) -> None:
    numbers = [
        str(phone) for (phone,) in rows(shop.shop_db, "SELECT DISTINCT phone FROM customers WHERE phone IS NOT NULL")
    ]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)


def test_each_member_of_the_cast_owns_the_order_that_proves_identity(shop: DemoShop) -> None:
    assert len(shop.people) >= 12
    for person in shop.people:
        found = rows(
            shop.shop_db,
            "SELECT customer_id, lower(coalesce(guest_email, '')) FROM orders WHERE order_no = ?",
            person.order_no,
        )
        assert found == [(person.customer_id, "" if person.customer_id else person.email)]


def test_there_are_namesakes_and_a_household_with_one_telephone(shop: DemoShop) -> None:
    assert shop.person("jonas").name == shop.person("jonas_namesake").name
    assert shop.person("jonas").customer_id != shop.person("jonas_namesake").customer_id
    assert shop.person("maeve").phone == shop.person("cormac").phone


def test_a_changed_mail_address_stands_in_the_log_in_guest_orders_and_in_the_archive(shop: DemoShop) -> None:
    klara = shop.person("klara")
    changes = rows(
        shop.shop_db, "SELECT change FROM change_log WHERE table_name = 'customers' AND row_id = ?", klara.customer_id
    )
    assert {"email": {"old": klara.former_email, "new": klara.email}} in [
        json.loads(str(change)) for (change,) in changes
    ]
    guest = rows(shop.shop_db, "SELECT 1 FROM orders WHERE lower(guest_email) = ?", klara.former_email)
    assert guest
    assert rows(shop.archive_db, "SELECT 1 FROM kunde WHERE lower(mail) = ?", klara.former_email)


def test_guest_orders_spell_one_mailbox_in_several_ways(shop: DemoShop) -> None:
    elisa = shop.person("elisa")
    spelt = rows(shop.shop_db, "SELECT DISTINCT guest_email FROM orders WHERE lower(guest_email) = ?", elisa.email)
    assert len(spelt) >= 2


def test_tickets_name_people_who_are_not_their_author(shop: DemoShop) -> None:
    luc = shop.person("luc")
    text = rows(
        shop.shop_db,
        "SELECT group_concat(body) FROM ticket_messages JOIN tickets USING (ticket_id) WHERE requester_email = ?",
        luc.email,
    )
    assert "Hervé Colombier" in str(text)
    assert "herve.colombier@example.net" in str(text)


def test_json_columns_hold_copies_of_the_contact(shop: DemoShop) -> None:
    copies = rows(shop.shop_db, "SELECT contact FROM orders WHERE contact IS NOT NULL")
    assert len(copies) > 500
    assert all({"name", "email", "phone", "delivery"} == set(json.loads(str(copy))) for (copy,) in copies)


def test_the_folder_holds_every_format_and_each_can_be_read(shop: DemoShop) -> None:
    docx, openpyxl, pypdf = pytest.importorskip("docx"), pytest.importorskip("openpyxl"), pytest.importorskip("pypdf")
    kinds = {path.suffix for path in (*shop.documents.rglob("*"), *shop.mailbox.rglob("*")) if path.is_file()}
    assert kinds == {".pdf", ".docx", ".xlsx", ".csv", ".jsonl", ".json", ".xml", ".html", ".txt", ".eml", ".mbox"}
    for path in shop.documents.rglob("*.pdf"):
        assert "Order HW" in pypdf.PdfReader(path).pages[0].extract_text()
    for path in shop.documents.rglob("*.docx"):
        document = docx.Document(str(path))
        assert document.paragraphs[0].text
        assert document.core_properties.author
    book = openpyxl.load_workbook(shop.documents / "lists" / "returns.xlsx", read_only=True)
    assert book.sheetnames == ["Returns", "Handled by"]
    book.close()


def test_the_office_list_is_in_windows_1252_with_semicolons(shop: DemoShop) -> None:
    data = (shop.documents / "lists" / "mailing-list.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    head, *entries = csv.reader(data.decode("cp1252").splitlines(), delimiter=";")
    assert head[3] == "E-Mail"
    assert len(entries) > 500
    assert shop.person("klara").former_email in {entry[3] for entry in entries}


def test_the_stores_file_names_every_store_and_its_maps_can_be_read(shop: DemoShop) -> None:
    stores = tomllib.loads(shop.stores_toml.read_text(encoding="utf-8"))["store"]
    assert [store["name"] for store in stores] == ["shop", "archive", "documents", "mailbox"]
    assert all(Path(store["folder"]).is_dir() for store in stores if store["connector"] == "files")
    tables = {str(name) for (name,) in rows(shop.shop_db, "SELECT name FROM sqlite_schema")}
    shop_map = yaml.safe_load(Path(stores[0]["map"]).read_text(encoding="utf-8"))
    assert {link["from"].partition(".")[0] for link in shop_map["links"]} <= tables
    archive_map = yaml.safe_load(Path(stores[1]["map"]).read_text(encoding="utf-8"))
    assert archive_map["collections"]["kunde"]["identity"]["email"] == "mail"


@pytest.mark.slow
def test_building_the_shop_takes_less_than_two_and_a_half_seconds_of_processor_time(tmp_path: Path) -> None:
    before = time.process_time()
    build_demo_shop(tmp_path / "shop", TODAY)
    assert time.process_time() - before < 2.5
