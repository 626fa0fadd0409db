"""An erasure where an order's amounts stand among named values of another table: the paper is kept, not the person."""

# ruff: noqa: S608 - no value from outside

from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_dsar_erase_command import Rehearsal

POSTS = """
CREATE TABLE wp_users (ID INTEGER PRIMARY KEY, user_login TEXT, user_pass TEXT, user_email TEXT, display_name TEXT);
CREATE TABLE wp_usermeta (umeta_id INTEGER PRIMARY KEY, user_id INTEGER, meta_key TEXT, meta_value TEXT);
CREATE TABLE wp_posts (ID INTEGER PRIMARY KEY, post_author INTEGER NOT NULL DEFAULT 0, post_date TEXT NOT NULL,
  post_title TEXT NOT NULL, post_excerpt TEXT NOT NULL DEFAULT '', post_status TEXT NOT NULL, post_parent INTEGER
  NOT NULL DEFAULT 0, to_ping TEXT NOT NULL DEFAULT '', post_type TEXT NOT NULL);
CREATE TABLE wp_postmeta (meta_id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL, meta_key TEXT, meta_value TEXT {null});
CREATE TABLE wp_comments (comment_ID INTEGER PRIMARY KEY, comment_post_ID INTEGER NOT NULL, comment_author TEXT
  NOT NULL, comment_author_email TEXT NOT NULL DEFAULT '', comment_content TEXT NOT NULL, comment_type TEXT NOT NULL,
  user_id INTEGER NOT NULL DEFAULT 0);
CREATE TABLE wp_woocommerce_order_items (order_item_id INTEGER PRIMARY KEY, order_item_name TEXT NOT NULL,
  order_item_type TEXT NOT NULL, order_id INTEGER NOT NULL);
CREATE TABLE wp_woocommerce_order_itemmeta (meta_id INTEGER PRIMARY KEY, order_item_id INTEGER NOT NULL, meta_key TEXT,
  meta_value TEXT);
"""
OF_PERSON = {
    "_customer_user": "{n}", "_billing_first_name": "Kim{n}", "_billing_last_name": "Doe{n}", "_billing_email":
    "kim{n}@example.org", "_billing_phone": "+1 202-555-01{n:02}", "_billing_address_1": "{n} Mill Lane",
    "_billing_state": "CA", "_customer_ip_address": "198.51.100.{n}", "_billing_vat_number": "12345678{n}",
    "_gift_for": "Anna", "_loyalty": "4024007{n:02}",
}  # fmt: skip
OF_DEALING = {
    "_order_key": "wc_order_abc{n}", "_payment_method": "cod", "_order_total": "19.90", "_order_tax": "3.10",
    "_order_currency": "USD", "_prices_include_tax": "yes", "_date_paid": "1767348000", "_billing_country": "US",
}  # fmt: skip
OF_LINE = {"_product_id": "7", "_qty": "2", "_line_total": "16.80", "_line_tax_data": 'a:1:{s:5:"total";s:4:"1.20";}'}
"""Serialised as PHP does it."""


def _posts(null: str = "") -> str:
    """Twenty buyers with an order, lines, a note and a refund each; products; a post of the buyer without amounts."""
    rows, at = [POSTS.replace("{null}", null)], 0
    for n in range(1, 21):
        order, refund, line = 100 + n, 200 + n, 300 + n
        rows.append(f"INSERT INTO wp_users VALUES ({n}, 'kim{n}', 'x', 'kim{n}@example.org', 'Kim{n} Doe{n}');")
        rows.append(f"INSERT INTO wp_usermeta VALUES ({n}, {n}, 'billing_city', 'Ely');")
        for key, kind, parent in ((order, "shop_order", 0), (refund, "shop_order_refund", order), (400 + n, "wish", 0)):
            text = "leave it with the neighbour" if kind == "shop_order" else ""
            rows.append(
                "INSERT INTO wp_posts (ID, post_date, post_title, post_excerpt, post_status, post_parent, post_type) "
                f"VALUES ({key}, '2026-01-{n:02} 10:00:00', 'Of {n}', '{text}', 'wc-completed', {parent}, '{kind}');"
            )
        rows.append(f"INSERT INTO wp_posts (ID, post_date, post_title, post_status, post_type) VALUES"
                    f" ({500 + n}, '2026-01-01', 'Thing', 'publish', 'product');")  # fmt: skip
        rows.append(f"INSERT INTO wp_woocommerce_order_items VALUES ({line}, 'Cup', 'line_item', {order});")
        rows.append(f"INSERT INTO wp_comments VALUES ({n}, {order}, 'WooCommerce', '', 'Paid.', 'order_note', 0);")
        named: list[tuple[str, int, str, str]] = [
            *(("wp_postmeta", order, *pair) for pair in (OF_PERSON | OF_DEALING).items()),
            ("wp_postmeta", refund, "_refund_amount", "5.00"), ("wp_postmeta", refund, "_refund_reason", "Kim{n} rang"),
            ("wp_postmeta", 400 + n, "_customer_user", "{n}"), ("wp_postmeta", 500 + n, "_price", "9.90"),
            *(("wp_woocommerce_order_itemmeta", line, *pair) for pair in OF_LINE.items()),
            ("wp_woocommerce_order_itemmeta", line, "Engraving", "for Anna"),
        ]  # fmt: skip
        for table, key, name, value in named:
            at += 1
            said = value if value.startswith("a:") else value.format(n=n)
            rows.append(f"INSERT INTO {table} VALUES ({at}, {key}, '{name}', '{said}');")
    return "\n".join(rows)


def _named(shop: Rehearsal, table: str, key: str, of: int) -> dict[str, Any]:
    return dict(shop.rows(f"SELECT meta_key, meta_value FROM {table} WHERE {key} = {of}"))


KIM = ("--email", "kim3@example.org", "--name", "Kim3 Doe3")


@pytest.mark.parametrize("null", ["", "NOT NULL DEFAULT ''"])
def test_an_order_that_is_a_post_is_kept_with_its_amounts_and_without_the_person(tmp_path: Path, null: str) -> None:
    shop = Rehearsal(tmp_path).holds(_posts(null))
    shop.erase(*KIM)
    assert shop.status == 0, shop.said
    kept = "SELECT ID, post_type, post_status, post_parent, to_ping FROM wp_posts WHERE ID % 100 = 3 AND ID < 500"
    assert shop.rows(kept) == [
        (103, "shop_order", "wc-completed", 0, ""), (203, "shop_order_refund", "wc-completed", 103, ""),
    ]  # fmt: skip
    assert "neighbour" not in str(shop.rows("SELECT * FROM wp_posts WHERE ID = 103"))
    order = _named(shop, "wp_postmeta", "post_id", 103)
    assert {name: order[name] for name in OF_DEALING} == {name: each.format(n=3) for name, each in OF_DEALING.items()}
    assert set(order) == {*OF_PERSON, *OF_DEALING}
    left = {name for name, each in OF_PERSON.items() if order[name] and not order[name].startswith("erased-")}
    assert not left
    if not null:
        assert {order[name] for name in OF_PERSON} == {None}
    assert _named(shop, "wp_postmeta", "post_id", 203)["_refund_amount"] == "5.00"
    assert "Kim" not in str(_named(shop, "wp_postmeta", "post_id", 203))
    assert _named(shop, "wp_woocommerce_order_itemmeta", "order_item_id", 303) == OF_LINE | {"Engraving": None}
    assert shop.rows("SELECT count(*) FROM wp_users WHERE ID = 3") == [(0,)]
    assert shop.rows("SELECT count(*) FROM wp_postmeta WHERE post_id % 100 <> 3") == [(19 * 23,)]
    assert not any("kim3@" in line.lower() for line in shop.all())
    line = next(each for each in shop.lines if each["table"] == "wp_posts" and each["pk"] == {"ID": 103})
    assert (line["op"], line["outcome"]) == ("keep", "kept")


ENTRIES = """
CREATE TABLE members (id INTEGER PRIMARY KEY, login TEXT, password TEXT, email TEXT UNIQUE);
CREATE TABLE entries (id INTEGER PRIMARY KEY, kind TEXT, title TEXT);
CREATE TABLE entry_fields (id INTEGER PRIMARY KEY, entry_id INTEGER REFERENCES entries(id), field_name TEXT,
  field_value TEXT);
CREATE TABLE entry_lines (id INTEGER PRIMARY KEY, entry_id INTEGER REFERENCES entries(id), sku TEXT);
"""


def _entries(folder: Path) -> Rehearsal:
    """A shop of no known platform, whose map retains the entries that are papers."""
    rows, at = [ENTRIES], 0
    for n in range(1, 21):
        rows.append(f"INSERT INTO members VALUES ({n}, 'user{n}', 'x', 'kim{n}@example.org');")
        rows.append(f"INSERT INTO entries VALUES ({n + 100}, 'order', 'Order of {n}'), ({n + 200}, 'wish', 'Wish');")
        rows.append(f"INSERT INTO entry_lines VALUES ({n}, {n + 100}, 'CUP');")
        whose = {"customer_user": n, "mail": f"kim{n}@example.org"}
        for key, named in ((n + 100, whose | {"total": "12.50", "currency": "EUR"}), (n + 200, whose)):
            for name, value in named.items():
                at += 1
                rows.append(f"INSERT INTO entry_fields VALUES ({at}, {key}, '{name}', '{value}');")
    (folder / "map.yaml").write_text(
        "map: shop\ncollections:\n  entries: {class: activity, retain: invoice, retain_if: amounts}\n"
    )
    return Rehearsal(folder, more='map = "map.yaml"\n').holds("\n".join(rows))


def test_of_rows_of_any_kind_those_with_an_amount_are_papers(tmp_path: Path) -> None:
    shop = _entries(tmp_path)
    shop.erase(*KIM)
    assert shop.rows("SELECT id FROM entries WHERE id % 100 = 3") == [(103,)]
    assert shop.rows("SELECT field_name, field_value FROM entry_fields WHERE entry_id % 100 = 3") == [
        ("customer_user", None), ("mail", None), ("total", "12.50"), ("currency", "EUR"),
    ]  # fmt: skip
    assert shop.rows("SELECT sku FROM entry_lines WHERE entry_id = 103") == [("CUP",)]
