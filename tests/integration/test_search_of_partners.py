"""The search where customers, companies and staff are rows of one table of partners, addresses its children, and a few
of them have logins.
"""

from pathlib import Path

import pytest

from tests.searching import Shop

PARTNERS = """
CREATE TABLE res_partner (id INTEGER PRIMARY KEY, name TEXT, email TEXT, phone TEXT, street TEXT, city TEXT,
  parent_id INTEGER REFERENCES res_partner(id), user_id INTEGER REFERENCES res_users(id));
CREATE TABLE res_users (id INTEGER PRIMARY KEY, login TEXT UNIQUE, password TEXT,
  partner_id INTEGER REFERENCES res_partner(id));
CREATE TABLE sale_order (id INTEGER PRIMARY KEY, partner_id INTEGER REFERENCES res_partner(id),
  partner_shipping_id INTEGER REFERENCES res_partner(id), user_id INTEGER REFERENCES res_users(id), total NUMERIC);
CREATE TABLE account_move (id INTEGER PRIMARY KEY, name TEXT, partner_id INTEGER REFERENCES res_partner(id),
  create_uid INTEGER REFERENCES res_users(id));
CREATE TABLE mail_message (id INTEGER PRIMARY KEY, model TEXT, res_id INTEGER, body TEXT,
  create_uid INTEGER REFERENCES res_users(id));
CREATE TABLE stock_picking (id INTEGER PRIMARY KEY, partner_id INTEGER REFERENCES res_partner(id));
INSERT INTO res_partner VALUES (1,'Rae Poe','rae@shop.example',NULL,NULL,NULL,NULL,NULL),
  (2,'Ida Holm','ida@example.org',NULL,'1 Mill Street','Leeds',NULL,1),
  (3,'Ida Holm',NULL,NULL,'7 Quay Street','Leeds',2,1),(4,'Jon Lund',NULL,NULL,'9 Park Street','Leeds',2,1),
  (5,'Holm AG','office@company.example',NULL,'2 Park Street','Leeds',NULL,1),
  (6,'Kai Berg','kai@example.org',NULL,NULL,NULL,5,1),(7,'Lea Falk','lea@example.org',NULL,NULL,NULL,5,1);
INSERT INTO res_users VALUES (1,'rae@shop.example','x',1);
INSERT INTO sale_order VALUES (11,2,3,1,5),(12,6,6,1,6),(13,7,2,1,7);
INSERT INTO account_move VALUES (21,'INV/1',2,1),(22,'INV/2',6,1);
INSERT INTO mail_message VALUES (31,'sale.order',11,'confirmed',1),(32,'sale.order',12,'confirmed',1),
  (33,'res.partner',2,'made',1),(34,'res.partner',6,'made',1);
INSERT INTO stock_picking VALUES (41,3),(42,6),(43,4);
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.db").holds(PARTNERS)


def test_partners_are_people_and_a_child_of_the_same_name_is_their_address(shop: Shop) -> None:
    assert shop.search(email="ida@example.org").rows() == {
        ("res_partner", "2"), ("res_partner", "3"), ("sale_order", "11"), ("account_move", "21"),
        ("stock_picking", "41"), ("mail_message", "31"), ("mail_message", "33"),
    }  # fmt: skip


def test_colleagues_and_the_company_are_others_and_who_sold_points(shop: Shop) -> None:
    assert shop.search(email="kai@example.org").rows() == {
        ("res_partner", "6"), ("sale_order", "12"), ("account_move", "22"), ("stock_picking", "42"),
        ("mail_message", "32"), ("mail_message", "34"),
    }  # fmt: skip
    assert not shop.search(email="rae@shop.example").rows() & {("sale_order", "11"), ("account_move", "21")}


@pytest.mark.parametrize(
    "other", ["'I. Holm',NULL,NULL", "'Ida und Kai Holm',NULL,NULL", "'Ida Holm',NULL,'+49302222222'"]
)
def test_a_child_with_an_initial_alone_or_another_number_is_somebody_else(tmp_path: Path, other: str) -> None:
    below = "INSERT INTO res_partner VALUES (8,OTHER,'7 Park Street','Leeds',2,1);".replace("OTHER", other)
    shop = Shop(tmp_path / "shop.db").holds(PARTNERS + below)
    shop.holds("INSERT INTO sale_order VALUES (14,8,8,1,9);")
    assert not shop.search(email="ida@example.org").rows() & {("res_partner", "8"), ("sale_order", "14")}
