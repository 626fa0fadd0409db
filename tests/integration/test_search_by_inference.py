"""Links that nobody declared: shared prefixes, documents, digests, archives, types beside ids, unique columns."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.searching import Shop

OLA, PIA = "ola@example.org", "pia@example.org"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db")


PREFIXED = """
CREATE TABLE zx_patron(id_patron INTEGER PRIMARY KEY, firstname TEXT, lastname TEXT, email TEXT, passwd TEXT);
CREATE TABLE zx_address(id_address INTEGER PRIMARY KEY, id_patron INT, id_maker INT, street TEXT, phone TEXT);
CREATE TABLE zx_sale(id_sale INTEGER PRIMARY KEY, id_patron INT, id_address_delivery INT, total NUMERIC);
CREATE TABLE zx_sale_item(id_sale_item INTEGER PRIMARY KEY, id_sale INT, item_name TEXT);
CREATE TABLE zx_thread(id_thread INTEGER PRIMARY KEY, id_patron INT, id_sale INT, email TEXT);
CREATE TABLE zx_thread_entry(id_thread_entry INTEGER PRIMARY KEY, id_thread INT, id_employee INT, message TEXT);
CREATE TABLE zx_employee(id_employee INTEGER PRIMARY KEY, firstname TEXT, lastname TEXT, email TEXT, passwd TEXT);
INSERT INTO zx_patron VALUES(1,'Ola','Ek','ola@example.org','x'),(2,'Pia','Ek','pia@example.org','y'),
  (3,'Rut','Bo','rut@example.org','z');
INSERT INTO zx_employee VALUES(1,'Zed','Ops','zed@shop.example','k');
INSERT INTO zx_address VALUES(11,1,0,'1 St','+1 202-555-0101'),(12,2,0,'2 St','+1 202-555-0102'),(13,0,4,'3 St',NULL);
INSERT INTO zx_sale VALUES(21,1,11,5),(22,2,12,6);
INSERT INTO zx_sale_item VALUES(41,21,'Cup'),(42,22,'Pot');
INSERT INTO zx_thread VALUES(61,1,21,'ola@example.org'),(62,0,0,'rut@example.org');
INSERT INTO zx_thread_entry VALUES(71,61,0,'Hi it is me'),(72,61,1,'An answer'),(73,62,0,'Hello');
"""


def test_keys_that_start_with_id_are_followed_and_zero_is_nobody(shop: Shop) -> None:
    assert shop.holds(PREFIXED).search(email=OLA).rows() == {
        ("zx_patron", "1"), ("zx_address", "11"), ("zx_sale", "21"), ("zx_sale_item", "41"), ("zx_thread", "61"),
        ("zx_thread_entry", "71"), ("zx_thread_entry", "72"),
    }  # fmt: skip


SHARED_KEY_NAME = """
CREATE TABLE client_entity(row_id INTEGER PRIMARY KEY, email TEXT, firstname TEXT, lastname TEXT);
CREATE TABLE deal(row_id INTEGER PRIMARY KEY, client_id INT, client_email TEXT, grand_total NUMERIC, basket_id INT);
CREATE TABLE deal_address(row_id INTEGER PRIMARY KEY, deal_id INT, email TEXT, street TEXT);
CREATE TABLE deal_view(row_id INTEGER PRIMARY KEY, client_id INT, client_email TEXT, client_name TEXT);
CREATE TABLE basket(row_id INTEGER PRIMARY KEY, client_id INT, client_email TEXT, grand_total NUMERIC);
INSERT INTO client_entity VALUES(1,'ola@example.org','Ola','Ek'),(2,'pia@example.org','Pia','Ek');
INSERT INTO deal VALUES(1,1,'ola@example.org',5,1),(2,2,'pia@example.org',6,2),(3,NULL,'ola@example.org',7,3);
INSERT INTO deal_address VALUES(1,1,'ola@example.org','1 St'),(2,2,'pia@example.org','2 St'),
  (3,3,'ola@example.org','1 St'),(4,1,'mum@example.net','9 St');
INSERT INTO deal_view VALUES(1,1,'ola@example.org','Ola Ek'),(2,2,'pia@example.org','Pia Ek'),
  (3,NULL,'ola@example.org','Ola Ek');
INSERT INTO basket VALUES(1,1,'ola@example.org',5),(2,2,NULL,6),(3,NULL,'ola@example.org',7);
"""


def test_keys_of_one_name_in_many_tables_are_not_taken_for_each_other(shop: Shop) -> None:
    found = shop.holds(SHARED_KEY_NAME).search(email=OLA)
    assert not [link.id for link in found.drawn.links if link.fields == ("row_id",)]


def test_guest_and_account_orders_come_with_the_addresses_they_were_sent_to(shop: Shop) -> None:
    assert shop.holds(SHARED_KEY_NAME).search(email=OLA).rows() == {
        ("client_entity", "1"), ("deal", "1"), ("deal", "3"), ("deal_address", "1"), ("deal_address", "3"),
        ("deal_address", "4"), ("deal_view", "1"), ("deal_view", "3"), ("basket", "1"), ("basket", "3"),
    }  # fmt: skip


def _documents() -> str:
    documents = [
        {"customer": {"id": "c-1", "mail": OLA}, "items": [{"sku": "a"}]},
        {"customer": {"id": "c-2", "mail": PIA}, "items": []},
        {"participants": [{"mail": OLA}, {"mail": PIA}]},
        {"participants": [{"mail": OLA}]},
        {"uid": "c-1", "verb": "view"},
        {"uid": "c-2", "verb": "view"},
    ]
    return "".join(f"INSERT INTO hooks VALUES({at},'{json.dumps(one)}');" for at, one in enumerate(documents, 1))


DOCUMENTS = f"""
CREATE TABLE shoppers(shopper_key TEXT PRIMARY KEY, full_name TEXT, mail TEXT, phone TEXT);
CREATE TABLE hooks(id INTEGER PRIMARY KEY, doc TEXT);
CREATE TABLE shoppers_deleted(shopper_key TEXT, full_name TEXT, mail TEXT, phone TEXT, deleted_at TEXT);
CREATE TABLE files(id INTEGER PRIMARY KEY, subject_type TEXT, subject_id TEXT, path TEXT);
CREATE TABLE orders(order_key TEXT PRIMARY KEY, shopper_key TEXT, placed TEXT);
INSERT INTO shoppers VALUES('c-1','Ola Ek','ola@example.org','+1 202-555-0101'),
  ('c-2','Pia Ek','pia@example.org','+1 202-555-0102'),('c-3','Rut Ek','rut@example.org',NULL);
INSERT INTO orders VALUES('o-1','c-1','x'),('o-2','c-2','y');
INSERT INTO shoppers_deleted VALUES('c-1','Ola Ek','ola.old@example.org','+1 202-555-0199','2020'),
  ('c-9','Ivo','ivo@example.org',NULL,'2021');
INSERT INTO files VALUES(1,'Shopper','c-1','a.pdf'),(2,'Order','o-1','b.pdf'),(3,'Order','o-2','c.pdf'),
  (4,'Shopper','c-2','d.pdf');
{_documents()}
"""


def test_documents_are_found_by_address_and_by_the_key_inside_them(shop: Shop) -> None:
    found = shop.holds(DOCUMENTS).search(email=OLA)
    assert {name for name in found.rows() if name[0] == "hooks"} == {("hooks", "1"), ("hooks", "4"), ("hooks", "5")}


def test_a_document_that_names_several_people_gives_a_pointer(shop: Shop) -> None:
    found = shop.holds(DOCUMENTS).search(email=OLA)
    assert found.rows("pointer") == {("hooks", "3")}


def test_a_type_beside_an_id_says_whose_file_it_is(shop: Shop) -> None:
    found = shop.holds(DOCUMENTS).search(email=OLA)
    assert {name for name in found.rows() if name[0] == "files"} == {("files", "1"), ("files", "2")}


def test_an_archive_without_a_key_is_found_by_key_and_its_old_address_is_only_probable(shop: Shop) -> None:
    found = shop.holds(DOCUMENTS).search(email=OLA)
    assert len([name for name in found.rows() if name[0] == "shoppers_deleted"]) == 1
    (old,) = [one for one in found.state.identifiers if one.value == "ola.old@example.org"]
    assert old.tier.name == "PROBABLE"
    assert old.origin == "shoppers_deleted.mail"


def test_a_digest_of_the_address_is_met_however_it_was_spelled_when_it_was_hashed(shop: Shop) -> None:
    def sha(text: str) -> str:
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    values = [sha(OLA), sha("Ola@Example.org"), sha("Ola@example.org"), sha(PIA), sha("someone@example.net")]
    rows = ",".join(f"('{value}')" for value in values)
    shop.holds("""
        CREATE TABLE guests(id INTEGER PRIMARY KEY, mail TEXT);
        INSERT INTO guests VALUES(1,'Ola@Example.org'),(2,'pia@example.org');
        CREATE TABLE blocked(digest TEXT PRIMARY KEY);
    """)
    found = shop.holds("INSERT INTO blocked VALUES " + rows).search(email=OLA)  # noqa: S608 - digests made above
    assert found.rows() == {("guests", "1"), ("blocked", values[0]), ("blocked", values[1]), ("blocked", values[2])}


def test_a_unique_column_of_one_table_links_like_a_key(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE members(id INTEGER PRIMARY KEY, name TEXT, email TEXT, card_no TEXT UNIQUE);
        CREATE TABLE points(id INTEGER PRIMARY KEY, card_no TEXT, n INTEGER);
        INSERT INTO members VALUES(1,'Ola Ek','ola@example.org','K-1001'),(2,'Pia Ek','pia@example.org','K-1002');
        INSERT INTO points VALUES(1,'K-1001',5),(2,'K-1002',6);
    """).search(email=OLA)
    assert found.rows() == {("members", "1"), ("points", "1")}


REPRESENTATIVES = """
CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, email TEXT, password TEXT);
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT, email TEXT, user_id INT REFERENCES users(id));
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INT REFERENCES customers(id),
  user_id INT REFERENCES users(id));
INSERT INTO users VALUES(1,'Rep One','rep@shop.example','x'),(2,'Rep Two','rep2@shop.example','y');
INSERT INTO customers VALUES(1,'Ola Ek','ola@example.org',1),(2,'Pia Ek','pia@example.org',1);
INSERT INTO orders VALUES(1,1,1),(2,2,1);
"""


def test_a_representative_does_not_get_the_orders_of_customers(shop: Shop) -> None:
    found = shop.holds(REPRESENTATIVES).search(email="rep@shop.example")
    assert found.rows() == {("users", "1")}
    assert all(one.fields == ("user_id",) for one in found.findings if one.tier.value == "pointer")


def test_a_customer_gets_the_order_that_a_user_of_the_shop_entered(shop: Shop) -> None:
    assert shop.holds(REPRESENTATIVES).search(email=OLA).rows() == {("customers", "1"), ("orders", "1")}


def test_an_appointment_belongs_to_who_came_though_both_words_are_unknown(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE patrons(id INTEGER PRIMARY KEY, given_name TEXT, family_name TEXT, email TEXT);
        CREATE TABLE healers(id INTEGER PRIMARY KEY, given_name TEXT, family_name TEXT, email TEXT);
        CREATE TABLE dates(id INTEGER PRIMARY KEY, patron_id INT REFERENCES patrons(id),
          healer_id INT REFERENCES healers(id));
        INSERT INTO patrons VALUES(1,'Ola','Ek','ola@example.org'),(2,'Pia','Ek','pia@example.org'),
          (3,'Rut','Ek','rut@example.org');
        INSERT INTO healers VALUES(1,'Tom','Bo','tom@care.example');
        INSERT INTO dates VALUES(1,1,1),(2,2,1);
    """)
    assert found.search(email=OLA).rows() == {("patrons", "1"), ("dates", "1")}
    assert found.search(email="tom@care.example").rows() == {("healers", "1")}


def test_the_operators_map_says_what_no_name_can_say(shop: Shop) -> None:
    shop.holds("""
        CREATE TABLE folk(k INTEGER PRIMARY KEY, a TEXT, b TEXT);
        CREATE TABLE deeds(k INTEGER PRIMARY KEY, f INTEGER, v TEXT);
        INSERT INTO folk VALUES(1,'Ola Ek','ola@example.org'),(2,'Pia Ek','pia@example.org');
        INSERT INTO deeds VALUES(1,1,'x'),(2,2,'y'),(3,0,'z');
    """)
    written = {
        "collections": {"folk": {"class": "person", "identity": {"email": "b", "name": "a"}}},
        "links": [{"from": "deeds.f", "to": "folk.k", "ownership": "owned", "except": [0]}],
    }
    assert shop.search(written, email=OLA).rows() == {("folk", "1"), ("deeds", "1")}


def test_a_gift_to_somebody_is_the_givers_and_names_the_other(shop: Shop) -> None:
    shop.holds("""
        CREATE TABLE vouchers(code TEXT PRIMARY KEY, purchaser_email TEXT, recipient_email TEXT, balance NUMERIC);
        INSERT INTO vouchers VALUES('AB','ola@example.org','pia@example.org',5),
          ('CD','pia@example.org','ola@example.org',6);
    """)
    found = shop.search(email=OLA)
    assert found.rows() == {("vouchers", "AB")}
    assert found.fields("vouchers", "CD") == {"recipient_email"}


def test_a_table_without_a_key_names_its_rows_by_all_columns(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE signups(mail TEXT, at TEXT);
        INSERT INTO signups VALUES('ola@example.org','2026-01-01'),('pia@example.org','2026-01-02');
    """).search(email=OLA)
    (only,) = found.findings
    assert dict(only.key) == {"mail": "ola@example.org", "at": "2026-01-01"}


def test_a_cell_of_many_megabytes_comes_as_a_handle(shop: Shop) -> None:
    found = shop.holds("""
        CREATE TABLE letters(id INTEGER PRIMARY KEY, sender_email TEXT, body TEXT);
        INSERT INTO letters VALUES(1,'ola@example.org', replace(hex(zeroblob(4000000)),'00','ab ')),
          (2,'pia@example.org','short');
    """).search(email=OLA)
    assert found.rows() == {("letters", "1")}
    assert not isinstance(found.one("letters", 1).values["body"], str)


def test_a_person_who_is_nowhere_gives_nothing_and_a_whole_search(shop: Shop) -> None:
    found = shop.holds(PREFIXED).search(email="absent@example.org")
    assert found.findings == ()
    assert found.state.is_whole
