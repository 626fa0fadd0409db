"""The search where one table of accounts holds customers and staff, addresses are rows of their own, and each part of
the shop has a log.
"""

from pathlib import Path

import pytest

from tests.searching import Shop

PREFIXED = """
CREATE TABLE account_address (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, street TEXT, city TEXT,
  phone TEXT);
CREATE TABLE account_user (id INTEGER PRIMARY KEY, email TEXT UNIQUE, first_name TEXT, last_name TEXT, uuid TEXT UNIQUE,
  password TEXT, default_address_id INTEGER REFERENCES account_address(id));
CREATE TABLE order_order (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES account_user(id), user_email TEXT,
  billing_address_id INTEGER REFERENCES account_address(id), total NUMERIC);
CREATE TABLE order_orderline (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES order_order(id), sku TEXT);
CREATE TABLE order_orderevent (id INTEGER PRIMARY KEY, date TEXT, type TEXT, parameters TEXT, user_id INTEGER
  REFERENCES account_user(id), order_id INTEGER REFERENCES order_order(id));
CREATE TABLE account_customerevent (id INTEGER PRIMARY KEY, date TEXT, type TEXT, parameters TEXT, user_id INTEGER
  REFERENCES account_user(id), order_id INTEGER REFERENCES order_order(id));
CREATE TABLE referral (id INTEGER PRIMARY KEY, referrer_id INTEGER REFERENCES account_user(id), friend_email TEXT);
CREATE TABLE page_view (id INTEGER PRIMARY KEY, user_uuid TEXT, path TEXT);
INSERT INTO account_address VALUES (1,'Ida','Holm','1 Mill Street','Leeds','+1 202-555-0143'),
  (2,'Jon','Lund','2 Quay Street','Leeds','+1 202-555-0144'),(3,'Ida','Holm','1 Mill Street','Leeds','+1 202-555-0143'),
  (4,'Jon','Lund','2 Quay Street','Leeds','+1 202-555-0144');
INSERT INTO account_user VALUES (1,'ida@example.org','Ida','Holm','0b9e8a52-5c1d-4a83-9d0e-6d2a0f4b1c01','x',1),
  (2,'jon@example.org','Jon','Lund','0b9e8a52-5c1d-4a83-9d0e-6d2a0f4b1c02','x',2),
  (3,'rae@shop.example','Rae','Poe','0b9e8a52-5c1d-4a83-9d0e-6d2a0f4b1c03','x',NULL);
INSERT INTO order_order VALUES (11,1,'ida@example.org',3,5),(12,2,'jon@example.org',4,6);
INSERT INTO order_orderline VALUES (21,11,'CUP'),(22,12,'CUP');
INSERT INTO order_orderevent VALUES (1,'2026-01-01','placed','{}',1,11),(2,'2026-01-02','sent','{}',3,11),
  (3,'2026-01-01','placed','{}',2,12),(4,'2026-01-02','sent','{}',3,12);
INSERT INTO account_customerevent VALUES (1,'2026-01-01','joined','{}',1,NULL),
  (2,'2026-01-01','joined','{}',2,NULL),(3,'2026-01-02','present','{"email": "jon@example.org"}',1,NULL);
INSERT INTO referral VALUES (1,1,'jon@example.org');
INSERT INTO page_view VALUES (1,'0b9e8a52-5c1d-4a83-9d0e-6d2a0f4b1c01','/'),
  (2,'0b9e8a52-5c1d-4a83-9d0e-6d2a0f4b1c02','/');
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db").holds(PREFIXED)


def test_addresses_that_accounts_point_at_are_no_people_and_events_no_copies_of_each_other(shop: Shop) -> None:
    assert shop.search(email="ida@example.org").rows() == {
        ("account_user", "1"), ("account_address", "1"), ("account_address", "3"), ("order_order", "11"),
        ("order_orderline", "21"), ("order_orderevent", "1"), ("order_orderevent", "2"),
        ("account_customerevent", "1"), ("account_customerevent", "3"), ("referral", "1"), ("page_view", "1"),
    }  # fmt: skip


def test_a_friend_is_named_in_anothers_row_and_gets_the_cell_alone(shop: Shop) -> None:
    found = shop.search(email="jon@example.org")
    assert not found.rows() & {("referral", "1"), ("account_customerevent", "3"), ("account_customerevent", "1")}
    assert found.fields("referral", 1) == {"friend_email"}


def test_what_somebody_of_the_shop_did_to_an_order_points_at_them(shop: Shop) -> None:
    found = shop.search(email="rae@shop.example")
    assert found.rows() == {("account_user", "3")}
    assert found.rows("pointer") == {("order_orderevent", "2"), ("order_orderevent", "4")}


def test_who_looked_at_somebodys_offer_is_not_whom_the_offer_is_of(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.db").holds("""
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
CREATE TABLE listings (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), title TEXT, price NUMERIC);
CREATE TABLE view_log (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id),
  listing_id INTEGER REFERENCES listings(id), ip_address TEXT, user_agent TEXT);
INSERT INTO users VALUES (1,'Ida Ray','ida@example.org'),(2,'Jon Lund','jon@example.org'),
  (3,'Lea Falk','lea@example.org');
INSERT INTO listings VALUES (11,1,'A cup',5),(12,2,'A pot',6),(13,3,'A jar',7);
INSERT INTO view_log VALUES (21,2,11,'203.0.113.7','x'),(22,1,12,'203.0.113.8','x'),(23,1,11,'203.0.113.8','x');
""")
    assert ("view_log", "21") not in shop.search(email="ida@example.org").rows()
    assert ("view_log", "21") in shop.search(email="jon@example.org").rows()
