"""The search where named values of another table say whose a row is, and where a remark names somebody else."""

# ruff: noqa: S608 - no value from outside

from pathlib import Path

import pytest

from tests.searching import Shop

NAMES = """
CREATE TABLE members (id INTEGER PRIMARY KEY, login TEXT, password TEXT, email TEXT UNIQUE);
CREATE TABLE entries (id INTEGER PRIMARY KEY, kind TEXT, title TEXT, remark TEXT);
CREATE TABLE entry_fields (id INTEGER PRIMARY KEY, entry_id INTEGER, field_name TEXT, field_value TEXT);
CREATE TABLE entry_lines (id INTEGER PRIMARY KEY, entry_id INTEGER, sku TEXT);
CREATE TABLE options (id INTEGER PRIMARY KEY, option_name TEXT UNIQUE, option_value TEXT);
"""


def _shop(path: Path) -> Shop:
    """Thirty members with an order each, guests with two, and goods; the member of order 105 paid from a friend's
    mailbox, order 131 is a guest's, and the remark of order 107 names member 3.
    """
    rows = [NAMES]
    people = [n for n in range(1, 41) if n % 4]
    for n in people:
        rows.append(f"INSERT INTO members VALUES ({n}, 'user{n}', 'x', 'kim{n}@example.org');")
    orders = {n + 100: (n, f"kim{n}@example.org") for n in people}
    orders |= {104: (0, "gus@example.net"), 108: (0, "Gus@Example.net"), 105: (5, "kim6@example.org")}
    at = 1000
    for order, (member, mail) in sorted(orders.items()):
        remark = "leave it with kim3@example.org" if order == 107 else ""
        rows.append(f"INSERT INTO entries VALUES ({order}, 'order', 'Order', '{remark}');")
        rows.append(f"INSERT INTO entry_lines VALUES ({order}, {order}, 'a');")
        named = {"customer_user": member, "mail": mail, "currency": "EUR", "total": order % 7}
        for name, value in named.items():
            at += 1
            rows.append(f"INSERT INTO entry_fields VALUES ({at}, {order}, '{name}', '{value}');")
    for thing in range(1, 20):
        rows.append(f"INSERT INTO entries VALUES ({thing}, 'thing', 'Lamp', 'bright');")
        rows.append(f"INSERT INTO entry_fields VALUES ({thing}, {thing}, 'price', '{thing}');")
    return Shop(path / "shop.db").holds("\n".join(rows))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return _shop(tmp_path)


def _of(found: set[tuple[str, str]], name: str) -> set[str]:
    return {key for collection, key in found if collection == name}


def test_an_order_is_whose_number_or_address_stands_among_its_named_values(shop: Shop) -> None:
    found = shop.search(email="kim3@example.org").rows()
    assert _of(found, "entries") == {"103"}
    assert _of(found, "entry_lines") == {"103"}
    assert len(_of(found, "entry_fields")) == 4
    assert _of(found, "members") == {"3"}


def test_orders_of_a_guest_are_found_by_the_address_alone(shop: Shop) -> None:
    found = shop.search(email="gus@example.net").rows()
    assert _of(found, "entries") == {"104", "108"}
    assert len(_of(found, "entry_fields")) == 8


def test_an_order_that_another_named_value_says_is_anothers_is_left_to_a_person(shop: Shop) -> None:
    found = shop.search(email="kim6@example.org")
    assert _of(found.rows(), "entries") == {"106"}
    assert "105" in _of(found.rows("candidate"), "entries")
    assert _of(found.rows(), "entry_lines") == {"106"}


def test_an_order_whose_remark_names_somebody_else_only_points_at_them(shop: Shop) -> None:
    found = shop.search(email="kim3@example.org")
    assert found.fields("entries", 107) == {"remark"}
    assert ("entries", "107") in found.rows("pointer")


HISTORY = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), total NUMERIC);
CREATE TABLE order_history (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id), comments TEXT);
INSERT INTO customers VALUES (1,'Ida Ray','ida@example.org'),(2,'Jon Lund','jon@example.org');
INSERT INTO orders VALUES (11,1,5),(12,2,6);
INSERT INTO order_history VALUES (21,11,'paid, mail sent to ida@example.org'),
  (22,12,'give it to the neighbour, ida@example.org'),(23,NULL,'lost parcel, ask ida@example.org');
"""


def test_a_remark_on_anothers_order_only_points_at_whom_it_names(tmp_path: Path) -> None:
    found = Shop(tmp_path / "shop.db").holds(HISTORY).search(email="ida@example.org")
    assert found.rows() == {("customers", "1"), ("orders", "11"), ("order_history", "21"), ("order_history", "23")}
    assert found.fields("order_history", 22) == {"comments"}


MARKET = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
CREATE TABLE products (id INTEGER PRIMARY KEY, title TEXT, price NUMERIC);
CREATE TABLE product_meta (id INTEGER PRIMARY KEY, product_id INTEGER REFERENCES products(id), meta_key TEXT,
  meta_value TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), total NUMERIC);
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id),
  product_id INTEGER REFERENCES products(id));
"""


@pytest.mark.parametrize("name", ["contact_email", "owner_email"])
def test_whose_address_stands_among_a_products_values_gets_no_lines_of_others_orders(tmp_path: Path, name: str) -> None:
    rows = [MARKET]
    for n in range(1, 9):
        rows.append(f"INSERT INTO customers VALUES ({n}, 'Kim Doe{n}', 'kim{n}@example.org');")
        rows.append(f"INSERT INTO products VALUES ({n + 10}, 'Lamp', 5);")
        rows.append(f"INSERT INTO orders VALUES ({n + 20}, {n}, 6);")
        rows.append(f"INSERT INTO order_items VALUES ({n + 30}, {n + 20}, {n % 8 + 11});")
        for at, (key, value) in enumerate({name: f"kim{n}@example.org", "colour": "red"}.items()):
            rows.append(f"INSERT INTO product_meta VALUES ({n * 10 + at}, {n + 10}, '{key}', '{value}');")
    found = Shop(tmp_path / "shop.db").holds("\n".join(rows)).search(email="kim3@example.org").rows()
    assert _of(found, "order_items") == {"33"}
    assert _of(found, "orders") == {"23"}
    assert _of(found, "products") == ({"13"} if name == "owner_email" else set())


GUESTS = """
CREATE TABLE members (id INTEGER PRIMARY KEY, login TEXT, email TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, kind TEXT);
CREATE TABLE order_meta (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id), meta_key TEXT,
  meta_value TEXT);
"""


def test_a_guests_order_to_somebodys_address_is_for_a_person_to_decide(tmp_path: Path) -> None:
    rows = [GUESTS]
    for n in range(1, 13):
        rows.append(f"INSERT INTO members VALUES ({n}, 'user{n}', 'kim{n}@example.org');")
        rows.append(f"INSERT INTO orders VALUES ({100 + n}, 'order'), ({200 + n}, 'order');")
        sent = "kim3@example.org" if n == 1 else f"gus{n}@example.net"
        for at, billed, to in (
            (100 + n, f"kim{n}@example.org", f"kim{n}@example.org"),
            (200 + n, f"gus{n}@example.net", sent),
        ):
            rows.append(
                f"INSERT INTO order_meta (order_id, meta_key, meta_value) VALUES ({at}, '_billing_email', '{billed}'),"
            )
            rows.append(f" ({at}, '_shipping_email', '{to}'), ({at}, 'total', '5');")
    found = Shop(tmp_path / "shop.db").holds("\n".join(rows)).search(email="kim3@example.org")
    assert _of(found.rows(), "orders") == {"103"}
    assert _of(found.rows("candidate"), "orders") == {"201"}
