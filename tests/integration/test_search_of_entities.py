"""The search where a person is one kind of entity, and where their addresses stand in a table of their own."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors.sql.settings import read_settings
from privacyops.connector_sdk import Misconfigured
from privacyops.connector_sdk.testing.bench import catalogue_of
from privacyops.domain.finding.model import Doubt
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import search_store
from tests.contract.sql_support import store_at
from tests.searching import Shop, host_over, search

PARTY = """
CREATE TABLE party (party_id INTEGER PRIMARY KEY, made_at TEXT);
CREATE TABLE person (party_id INTEGER PRIMARY KEY REFERENCES party(party_id), first_name TEXT, last_name TEXT);
CREATE TABLE supplier (party_id INTEGER PRIMARY KEY REFERENCES party(party_id), company TEXT);
CREATE TABLE email_address (id INTEGER PRIMARY KEY, party_id INTEGER REFERENCES person(party_id), address TEXT);
CREATE TABLE phone (id INTEGER PRIMARY KEY, party_id INTEGER NOT NULL REFERENCES person(party_id),
  phone_number TEXT);
CREATE TABLE address (address_id INTEGER PRIMARY KEY, street TEXT, city TEXT, postcode TEXT);
CREATE TABLE party_address (party_id INTEGER REFERENCES party(party_id), address_id INTEGER REFERENCES address,
  PRIMARY KEY (party_id, address_id));
CREATE TABLE employee (party_id INTEGER PRIMARY KEY REFERENCES person(party_id), job TEXT);
CREATE TABLE pay (party_id INTEGER REFERENCES employee(party_id), since TEXT, rate NUMERIC,
  PRIMARY KEY (party_id, since));
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES person(party_id),
  employee_id INTEGER REFERENCES employee(party_id), total NUMERIC);
INSERT INTO party VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d');
INSERT INTO person VALUES (1,'Ida','Holm'),(2,'Jon','Holm'),(4,'Kai','Lund');
INSERT INTO supplier VALUES (3,'Wool and Sons');
INSERT INTO email_address VALUES (11,1,'ida@example.org'),(12,1,'holm@example.net'),(13,2,'jon@example.org'),
  (14,4,'kai@example.org');
INSERT INTO phone VALUES (21,1,'+1 202-555-0143'),(22,2,'+1 202-555-0144'),(24,4,'+1 202-555-0146');
INSERT INTO address VALUES (31,'Quay 1','Leeds','LS1'),(32,'Quay 2','Leeds','LS1'),(33,'Mill 3','Leeds','LS1');
INSERT INTO party_address VALUES (1,31),(2,32),(3,33);
INSERT INTO employee VALUES (4,'seller');
INSERT INTO pay VALUES (4,'2026-01-01',30);
INSERT INTO orders VALUES (41,1,4,5),(42,2,4,6);
"""
IDA = {
    ("person", "1"), ("party", "1"), ("email_address", "11"), ("email_address", "12"), ("phone", "21"),
    ("party_address", "1/31"), ("address", "31"), ("orders", "41"),
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db").holds(PARTY)


@pytest.mark.parametrize(
    "known", [{"email": "ida@example.org"}, {"email": "holm@example.net"}, {"phone": "+12025550143"}]
)
def test_a_person_is_found_by_what_stands_in_a_table_of_addresses(shop: Shop, known: dict[str, str]) -> None:
    assert shop.search(**known).rows() == IDA


def test_what_hangs_on_the_employee_is_the_employees_and_what_they_handle_only_points(shop: Shop) -> None:
    found = shop.search(email="kai@example.org")
    assert found.rows() == {
        ("person", "4"), ("party", "4"), ("email_address", "14"), ("phone", "24"), ("employee", "4"),
        ("pay", "4/2026-01-01"),
    }  # fmt: skip
    assert found.fields("orders", 41) == {"employee_id"}


BOOK = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT);
CREATE TABLE address_book (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), name TEXT, email TEXT);
CREATE TABLE customer_mail (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), email TEXT);
INSERT INTO customer VALUES (1,'Ida','Holm','ida@example.org'),(2,'Jon','Holm','jon@example.org');
INSERT INTO address_book VALUES (11,1,'Oda Holm','oda@example.org');
INSERT INTO customer_mail VALUES (21,1,'oda@example.org'),(22,2,'jon2@example.org');
"""


def test_who_stands_in_a_customers_address_book_is_not_that_customer(tmp_path: Path) -> None:
    found = Shop(tmp_path / "shop.db").holds(BOOK).search(email="oda@example.org")
    assert ("customer", "1") not in found.rows()


RARE = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);
CREATE TABLE invited (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), email TEXT);
INSERT INTO customer VALUES (1,'Ida','Holm'),(2,'Jon','Holm'),(3,'Kai','Lund'),(4,'Lea','Lund'),(5,'Mia','Lund');
INSERT INTO invited VALUES (11,1,'oda@example.org');
"""


def test_addresses_that_few_customers_have_are_not_how_customers_are_known(tmp_path: Path) -> None:
    found = Shop(tmp_path / "shop.db").holds(RARE).search(email="oda@example.org")
    assert ("customer", "1") not in found.rows()


NAMED = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT);
CREATE TABLE customer_emails (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), email TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), total NUMERIC);
CREATE TABLE {other} (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), email TEXT, at TEXT);
INSERT INTO customers VALUES (1,'Ida','Holm'),(2,'Jon','Lund');
INSERT INTO customer_emails VALUES (11,1,'ida@example.org'),(12,2,'jon@example.org');
INSERT INTO orders VALUES (21,1,5),(22,2,6);
INSERT INTO {other} VALUES (31,1,'jon@example.org','2026-01-01'),(32,2,'oda@example.org','2026-01-02');
"""


@pytest.mark.parametrize("other", ["referrals", "invitations", "shares", "ticket_cc", "gift_recipients"])
def test_whom_a_customer_invited_is_not_given_the_customers_record(tmp_path: Path, other: str) -> None:
    shop = Shop(tmp_path / "shop.db").holds(NAMED.format(other=other))
    assert shop.search(email="jon@example.org").rows() >= {
        ("customers", "2"),
        ("customer_emails", "12"),
        ("orders", "22"),
    }
    found = {row for mail in ("jon@example.org", "oda@example.org") for row in shop.search(email=mail).rows()}
    assert not found & {("customers", "1"), ("orders", "21"), ("customer_emails", "11")}
    assert not shop.search(email="oda@example.org").rows() & {("customers", "2"), ("orders", "22")}


FAMILY = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, opened_at TEXT, plan TEXT);
CREATE TABLE account_holders (account_id INTEGER PRIMARY KEY REFERENCES accounts(id), first_name TEXT, last_name TEXT,
  email TEXT);
CREATE TABLE cardholders (id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts(id), first_name TEXT,
  last_name TEXT, email TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts(id),
  cardholder_id INTEGER REFERENCES cardholders(id), total NUMERIC);
INSERT INTO accounts VALUES (1,'a','x'),(2,'b','y');
INSERT INTO account_holders VALUES (1,'Ida','Holm','ida@example.org'),(2,'Jon','Lund','jon@example.org');
INSERT INTO cardholders VALUES (27,1,'Gia','Holm','gia@example.org'),(28,2,'Kim','Lund','kim@example.org');
INSERT INTO orders VALUES (7,1,27,5),(8,2,28,6);
"""


def test_another_cardholder_of_an_account_is_another_person(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.db").holds(FAMILY)
    assert not shop.search(email="ida@example.org").rows() & {("cardholders", "27"), ("orders", "7")}
    assert shop.search(email="gia@example.org").rows() >= {("cardholders", "27"), ("orders", "7")}


EMPLOYMENT = """
CREATE TABLE party (id INTEGER PRIMARY KEY, kind TEXT);
CREATE TABLE person (party_id INTEGER PRIMARY KEY REFERENCES party(id), first_name TEXT, last_name TEXT, email TEXT);
CREATE TABLE employment (id INTEGER PRIMARY KEY, employer_id INTEGER REFERENCES party(id),
  party_id INTEGER REFERENCES party(id), salary NUMERIC, notes TEXT);
INSERT INTO party VALUES (1,'p'),(2,'p'),(3,'p');
INSERT INTO person VALUES (1,'Ida','Holm','ida@example.org'),(2,'Jon','Lund','jon@example.org'),
  (3,'Kai','Berg','kai@example.org');
INSERT INTO employment VALUES (11,2,1,30,'x'),(12,2,3,31,'y');
"""


@pytest.mark.parametrize("mail", ["ida@example.org", "jon@example.org"])
def test_of_two_keys_to_an_entity_neither_is_taken_for_the_owner(tmp_path: Path, mail: str) -> None:
    found = Shop(tmp_path / "shop.db").holds(EMPLOYMENT).search(email=mail)
    assert not any(name == "employment" for name, _ in found.rows())
    assert any(name == "employment" for name, _ in found.rows("candidate"))


SCHEMAS = """
CREATE SCHEMA people; CREATE SCHEMA sales; CREATE SCHEMA old;
CREATE TABLE people.customer (id int PRIMARY KEY, name text, email text);
CREATE TABLE sales.orders (id int PRIMARY KEY, customer_id int REFERENCES people.customer, total int);
CREATE TABLE old.orders (id int PRIMARY KEY, customer_id int REFERENCES people.customer, total int);
CREATE VIEW sales.heads AS SELECT id, email FROM people.customer;
INSERT INTO people.customer VALUES (1, 'Ida Holm', 'ida@example.org'), (2, 'Jon Holm', 'jon@example.org');
INSERT INTO sales.orders VALUES (11, 1, 5), (12, 2, 6);
INSERT INTO old.orders VALUES (21, 1, 5), (22, 2, 6);
"""


@pytest.fixture(scope="module")
def schemas(new_postgres_database: Callable[[], str]) -> str:
    url = new_postgres_database().replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMAS)
        connection.execute("ANALYZE")
    return url


@pytest.mark.postgres
def test_several_schemas_are_searched_as_one_along_the_keys_between_them(schemas: str) -> None:
    found = search(schemas, config={"schemas": ["people", "sales", "old"]}, email="ida@example.org")
    assert found.rows() == {("customer", "1"), ("orders", "11"), ("old.orders", "21")}
    assert found.drawn.collection("heads").kind == "view"


@pytest.mark.postgres
def test_a_schema_without_tables_names_those_that_have_some(schemas: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        catalogue_of(store_at(schemas))
    assert (refused.value.setting, refused.value.code) == ("schemas", "tables_elsewhere")
    assert refused.value.allowed == "old, people, sales"


@pytest.mark.postgres
def test_a_schema_that_is_not_there_is_refused_beside_others(schemas: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        catalogue_of(store_at(schemas, schemas=["people", "nowhere"]))
    assert (refused.value.setting, refused.value.code) == ("schemas", "schema_missing")


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"schemas": "people"}, "wrong_type"),
        ({"schemas": ["people", 7]}, "wrong_type"),
        ({"schemas": []}, "out_of_range"),
        ({"schemas": ["people", ""]}, "out_of_range"),
        ({"schemas": ["people", "people"]}, "out_of_range"),
        ({"schemas": ["people"], "schema": "sales"}, "schema_and_schemas"),
    ],
)
def test_names_of_schemas_are_read_strictly(config: dict[str, Any], code: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_settings(config)
    assert (refused.value.setting, refused.value.code) == ("schemas", code)


def test_a_number_beside_somebody_elses_address_is_refused_where_addresses_stand_apart(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.db").holds(NAMED.format(other="referrals"))
    refused = shop.search(email="ida@example.org", customer_id="2")
    assert refused.state.doubt is Doubt.IDENTIFIERS_DISAGREE
    assert not refused.findings
    assert ("orders", "21") in shop.search(email="ida@example.org", customer_id="1").rows()
    assert ("orders", "22") in shop.search(email="nobody@example.org", name="Jon Lund", customer_id="2").rows()


SCOPED = """
CREATE TABLE tenant (tenant_id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE contact (tenant_id INTEGER NOT NULL REFERENCES tenant, contact_id INTEGER NOT NULL, first_name TEXT,
  last_name TEXT, PRIMARY KEY (tenant_id, contact_id));
CREATE TABLE {table} (tenant_id INTEGER NOT NULL, contact_id INTEGER NOT NULL, position INTEGER NOT NULL,
  value TEXT NOT NULL, {flags}, PRIMARY KEY (tenant_id, contact_id, position),
  FOREIGN KEY (tenant_id, contact_id) REFERENCES contact(tenant_id, contact_id));
CREATE TABLE sale (tenant_id INTEGER NOT NULL, sale_no INTEGER NOT NULL, contact_id INTEGER NOT NULL, total NUMERIC,
  PRIMARY KEY (tenant_id, sale_no), FOREIGN KEY (tenant_id, contact_id) REFERENCES contact(tenant_id, contact_id));
INSERT INTO tenant VALUES (1,'North'),(2,'South');
INSERT INTO contact VALUES (1,1,'Ida','Holm'),(1,2,'Jon','Lund'),(2,1,'Kai','Berg'),(2,2,'Lea','Falk');
INSERT INTO {table} VALUES (1,1,1,'ida@example.org',1,NULL),(1,2,1,'jon@example.org',1,NULL),
  (2,1,1,'kai@example.org',1,NULL),(2,2,1,'lea@example.org',1,NULL),(2,2,2,'ida@example.org',{doubt}),
  (1,2,2,'old@example.org',{doubt});
INSERT INTO sale VALUES (1,1,1,5),(1,2,2,6),(2,1,1,7),(2,2,2,8);
"""
GONE = {"flags": "is_primary INTEGER, deleted_at TEXT", "doubt": "0,'2026-01-01'"}
UNPROVEN = {"flags": "is_verified INTEGER, note_kind TEXT", "doubt": "0,NULL"}


@pytest.mark.parametrize("flags", [GONE, UNPROVEN], ids=["deleted", "unproven"])
@pytest.mark.parametrize("table", ["contact_reach", "contact_email"])
def test_keys_of_two_columns_lead_from_addresses_to_their_person_and_flags_are_heeded(
    tmp_path: Path, table: str, flags: dict[str, str]
) -> None:
    shop = Shop(tmp_path / "shop.db").holds(SCOPED.format(table=table, **flags))
    found = shop.search(email="ida@example.org")
    assert found.rows() == {("contact", "1/1"), (table, "1/1/1"), ("sale", "1/1")}
    assert ("contact", "2/2") in found.rows("candidate")
    assert ("sale", "1/2") not in shop.search(email="old@example.org").rows()
    assert ("sale", "1/2") in shop.search(email="old@example.org", name="Jon Lund").rows()


def test_a_flag_that_nobody_keeps_makes_no_address_doubtful(tmp_path: Path) -> None:
    never = {"flags": "is_primary INTEGER, verified_at TEXT", "doubt": "0,NULL"}
    shop = Shop(tmp_path / "shop.db").holds(SCOPED.format(table="contact_email", **never))
    found = shop.search(email="jon@example.org")
    assert found.rows() == {("contact", "1/2"), ("contact_email", "1/2/1"), ("contact_email", "1/2/2"), ("sale", "1/2")}


def test_half_of_a_key_tells_nobody_apart(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.db").holds(SCOPED.format(table="contact_email", **GONE))
    half = Identifier(IdentifierKind.COLUMN, "1", at="contact.contact_id")
    host = host_over(shop.url)
    try:
        run = search_store(host, draw_map(host, "shop"), (half,), time.monotonic)
    finally:
        host.close()
    assert run.state.doubt is Doubt.TWO_ROOTS
