"""Each shipped map on a schema with its platform's own table and column names: all of one person, nothing of another.

The rows are made up; the second person has the same first name and other numbers.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import CollectionClass
from privacyops.domain.datamap.link import LinkKind, LinkState
from privacyops.domain.datamap.platform import Platform, detected, platforms
from privacyops.services.finding.scan import draw_map
from tests.searching import Shop, host_over

Cells = Mapping[str, object]
Tables = Mapping[str, Cells]

ANN, ROE = "Ann", "Roe"


def _magento(n: int, mail: str) -> Tables:
    names = {"firstname": ANN, "lastname": ROE}
    return {
        "mage_customer_entity": {"entity_id": n, "email": mail, **names, "password_hash": "x", "group_id": 1},
        "mage_customer_address_entity": {"entity_id": n + 100, "parent_id": n, **names, "telephone": f"+1202555{n}"},
        "mage_sales_order": {
            "entity_id": n + 200, "customer_id": n, "customer_email": mail, "customer_firstname": ANN,
            "customer_lastname": ROE, "remote_ip": "192.0.2.1", "customer_note": "leave it", "grand_total": 10,
        },
        "mage_sales_order_grid": {"entity_id": n + 200, "customer_id": n, "grand_total": 10},
        "mage_sales_order_address": {"entity_id": n + 300, "parent_id": n + 200, **names},
        "mage_sales_order_item": {"item_id": n + 400, "order_id": n + 200, "sku": "A-1", "name": "Soap"},
        "mage_sales_order_payment": {"entity_id": n + 450, "parent_id": n + 200, "amount_paid": 10},
        "mage_sales_order_status_history": {"entity_id": n + 500, "parent_id": n + 200, "comment": "called her"},
        "mage_newsletter_subscriber": {"subscriber_id": n + 600, "customer_id": 0, "subscriber_email": mail},
        "mage_review": {"review_id": n + 700, "entity_pk_value": 5},
        "mage_review_detail": {"detail_id": n + 800, "review_id": n + 700, "nickname": "a", "customer_id": n},
    }  # fmt: skip


def _shopware(n: int, mail: str) -> Tables:
    names = {"first_name": ANN, "last_name": ROE}
    return {
        "customer": {"id": f"c{n}", "customer_number": str(n), "email": mail, **names, "password": "x"},
        "customer_address": {"id": f"a{n}", "customer_id": f"c{n}", **names, "street": "Road 1", "phone_number": ""},
        "order": {"id": f"o{n}", "order_number": str(n + 9000), "customer_comment": "ring twice", "amount_total": 5},
        "order_customer": {"id": f"oc{n}", "customer_id": None, "order_id": f"o{n}", "email": mail, **names},
        "order_address": {"id": f"oa{n}", "order_id": f"o{n}", **names, "street": "Road 1", "phone_number": ""},
        "order_line_item": {"id": f"ol{n}", "order_id": f"o{n}", "label": "Soap", "quantity": 1},
        "newsletter_recipient": {"id": f"n{n}", "email": mail, **names, "status": "optIn"},
        "product_review": {"id": f"r{n}", "customer_id": f"c{n}", "external_email": None, "content": "good"},
        "customer_wishlist": {"id": f"w{n}", "customer_id": f"c{n}"},
    }


def _woocommerce(n: int, mail: str) -> Tables:
    return {
        "wp_users": {"ID": n, "user_login": f"u{n}", "user_email": mail, "display_name": f"{ANN} {ROE}"},
        "wp_wc_customer_lookup": {"customer_id": n + 50, "user_id": n, "username": f"u{n}", "email": mail},
        "wp_wc_orders": {"id": n + 100, "customer_id": 0, "billing_email": mail, "ip_address": "192.0.2.1"},
        "wp_wc_order_addresses": {"id": n + 200, "order_id": n + 100, "first_name": ANN, "email": mail, "phone": ""},
        "wp_wc_order_operational_data": {"id": n + 300, "order_id": n + 100, "order_key": "k"},
        "wp_woocommerce_order_items": {"order_item_id": n + 400, "order_item_name": "Soap", "order_id": n + 100},
        "wp_woocommerce_order_itemmeta": {"meta_id": n + 500, "order_item_id": n + 400, "meta_key": "_qty"},
        "wp_woocommerce_downloadable_product_permissions": {
            "permission_id": n + 600, "order_id": n + 100, "user_email": mail, "user_id": n,
        },
    }  # fmt: skip


def _prestashop(n: int, mail: str) -> Tables:
    names = {"firstname": ANN, "lastname": ROE}
    return {
        "ps_customer": {"id_customer": n, "email": mail, **names, "passwd": "x", "birthday": "1990-01-01", "note": ""},
        "ps_address": {"id_address": n + 100, "id_customer": n, **names, "address1": "Road 1", "phone": ""},
        "ps_orders": {
            "id_order": n + 200, "reference": f"R{n}", "id_customer": n, "id_address_delivery": n + 100,
            "id_address_invoice": n + 100, "gift_message": "",
        },
        "ps_customer_thread": {"id_customer_thread": n + 300, "id_customer": 0, "id_order": 0, "email": mail},
        "ps_customer_message": {
            "id_customer_message": n + 400, "id_customer_thread": n + 300, "id_employee": 1, "message": "where is it",
        },
        "ps_customer_session": {"id_customer_session": n + 500, "id_customer": n, "token": "t"},
        "ps_guest": {"id_guest": n + 600, "id_customer": n, "id_operating_system": 3},
    }  # fmt: skip


def _spree(n: int, mail: str) -> Tables:
    return {
        "spree_users": {"id": n, "email": mail, "login": mail, "first_name": ANN, "last_name": ROE},
        "spree_addresses": {"id": n + 100, "user_id": n, "firstname": ANN, "lastname": ROE, "address1": "Road 1"},
        "spree_orders": {
            "id": n + 200, "number": f"R{n}", "user_id": None, "email": mail, "bill_address_id": n + 100,
            "ship_address_id": n + 100, "special_instructions": "", "created_by_id": None,
        },
        "spree_line_items": {"id": n + 300, "order_id": n + 200, "quantity": 1},
        "spree_payments": {"id": n + 400, "order_id": n + 200, "amount": 5},
        "spree_credit_cards": {"id": n + 500, "user_id": n, "last_digits": "4242"},
        "spree_newsletter_subscribers": {"id": n + 600, "email": mail, "user_id": None},
    }  # fmt: skip


def _medusa(n: int, mail: str) -> Tables:
    names = {"first_name": ANN, "last_name": ROE, "phone": ""}
    return {
        "customer": {"id": f"cus_{n}", "email": mail, **names},
        "customer_address": {"id": f"cuaddr_{n}", "customer_id": f"cus_{n}", **names, "address_1": "Road 1"},
        "order": {"id": f"order_{n}", "customer_id": f"cus_{n}", "email": mail, "shipping_address_id": f"oa_{n}"},
        "order_address": {"id": f"oa_{n}", "customer_id": None, **names, "address_1": "Road 1"},
        "cart": {"id": f"cart_{n}", "customer_id": None, "email": mail, "shipping_address_id": f"ca_{n}"},
        "cart_address": {"id": f"ca_{n}", "customer_id": None, **names, "address_1": "Road 1"},
        "provider_identity": {
            "id": f"pi_{n}",
            "entity_id": mail,
            "provider": "emailpass",
            "auth_identity_id": f"ai_{n}",
        },
        "notification": {"id": f"noti_{n}", "to": mail, "channel": "email", "template": "order-placed"},
    }


def _opencart(n: int, mail: str) -> Tables:
    names = {"firstname": ANN, "lastname": ROE}
    return {
        "oc_customer": {"customer_id": n, **names, "email": mail, "telephone": f"+1202555{n}", "password": "x"},
        "oc_address": {"address_id": n + 100, "customer_id": n, **names, "address_1": "Road 1", "city": "Lyon"},
        "oc_order": {"order_id": n + 200, "customer_id": 0, **names, "email": mail, "telephone": "", "total": 5},
        "oc_order_history": {"order_history_id": n + 300, "order_id": n + 200, "comment": "called"},
        "oc_order_product": {"order_product_id": n + 400, "order_id": n + 200, "name": "Soap", "quantity": 1},
        "oc_order_total": {"order_total_id": n + 500, "order_id": n + 200, "value": 5},
        "oc_return": {
            "return_id": n + 600,
            "order_id": n + 200,
            "customer_id": 0,
            **names,
            "email": mail,
            "comment": "",
        },
        "oc_review": {"review_id": n + 700, "product_id": 1, "customer_id": n, "author": ANN, "text": "good"},
        "oc_customer_ip": {"customer_ip_id": n + 800, "customer_id": n, "ip": "192.0.2.1"},
        "oc_customer_login": {"customer_login_id": n + 900, "email": mail, "ip": "192.0.2.1", "total": 1},
        "oc_customer_wishlist": {"customer_wishlist_id": n + 950, "customer_id": n, "product_id": 1},
    }


SHOPS = {
    "magento": _magento, "shopware": _shopware, "woocommerce": _woocommerce, "prestashop": _prestashop,
    "spree": _spree, "medusa": _medusa, "opencart": _opencart,
}  # fmt: skip


def _drawn(shop: Shop, written: Mapping[str, Any] | None = None) -> DataMap:
    host = host_over(shop.url, map=written)
    try:
        return draw_map(host, "shop")
    finally:
        host.close()


def _laid(path: Path, people: Sequence[Tables]) -> Shop:
    """A database with these rows; the first column of a table is its key, and nothing is declared besides."""
    with sqlite3.connect(path) as database:
        for table, cells in people[0].items():
            key, *others = cells
            kind = "INTEGER" if isinstance(cells[key], int) else "TEXT"
            columns = [f'"{key}" {kind} PRIMARY KEY', *(f'"{name}" {_type(cells[name])}' for name in others)]
            database.execute(f'CREATE TABLE "{table}" ({", ".join(columns)})')
        for tables in people:
            for table, cells in tables.items():
                marks = ", ".join("?" for _ in cells)
                database.execute(f'INSERT INTO "{table}" VALUES ({marks})', tuple(cells.values()))  # noqa: S608 - names of this file
    return Shop(path)


def _type(value: object) -> str:
    return "INTEGER" if isinstance(value, int) else "TEXT"


def _people(name: str) -> list[Tables]:
    return [SHOPS[name](n, mail) for n, mail in ((5001, "ann@example.com"), (6002, "ann.roe@example.net"))]


@pytest.mark.parametrize("name", sorted(SHOPS))
def test_all_of_one_person_is_found_and_nothing_of_her_namesake(name: str, tmp_path: Path) -> None:
    mine, others = _people(name)
    found = _laid(tmp_path / "shop.db", [mine, others]).search(email="ann@example.com")
    told = detected(found.drawn)
    assert told is not None
    assert told[0].name == name
    keys = {(table, str(next(iter(cells.values())))) for table, cells in mine.items()}
    strangers = {(table, str(next(iter(cells.values())))) for table, cells in others.items()}
    assert not strangers & (found.rows("owned") | found.rows("pointer"))
    assert found.rows("owned") == keys


@pytest.mark.parametrize("one", platforms(), ids=lambda one: one.name)
def test_a_map_has_the_form_that_an_operators_map_has(one: Platform) -> None:
    written = one.written
    assert {"class"} <= set.intersection(*(set(said) for said in written["collections"].values()))
    for said in written["collections"].values():
        assert CollectionClass(said["class"])
    for link in written["links"]:
        assert {"from", "to", "ownership"} <= set(link)


def test_every_platform_that_is_shipped_has_its_schema_here() -> None:
    assert {one.name for one in platforms()} == set(SHOPS)


def test_links_of_a_platform_are_confirmed_and_say_where_they_come_from(tmp_path: Path) -> None:
    drawn = _drawn(_laid(tmp_path / "shop.db", _people("magento")))
    configured = [link for link in drawn.links if link.kind is LinkKind.CONFIGURED]
    assert configured
    assert {link.state for link in configured} == {LinkState.CONFIRMED}
    assert "map of magento" in {str(one) for link in configured for one in link.evidence}.pop()


def test_the_operators_map_is_laid_over_the_platforms(tmp_path: Path) -> None:
    shop = _laid(tmp_path / "shop.db", _people("opencart"))
    own = {"links": [{"from": "oc_review.customer_id", "to": "oc_customer.customer_id", "ownership": "context"}]}
    drawn = _drawn(shop, own)
    said = {link.start: link.ownership.value for link in drawn.links}
    assert said["oc_review.customer_id"] == "context"
    assert said["oc_address.customer_id"] == "owned"


def test_a_store_that_only_has_a_customer_table_is_of_no_platform(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT, name TEXT)")
    assert detected(_drawn(Shop(path))) is None
