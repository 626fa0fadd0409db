"""The search where a table continues another under the same key, and where the shop's sent mails are kept."""

# ruff: noqa: S608 - no value from outside

from pathlib import Path

import pytest

from tests.searching import Shop

TABLES = """
CREATE TABLE customers (customers_id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT);
CREATE TABLE customers_info (customers_info_id INTEGER PRIMARY KEY, last_logon TEXT, logons INTEGER);
CREATE TABLE bonus_customer (customer_id INTEGER PRIMARY KEY, amount NUMERIC);
CREATE TABLE customers_group (customers_group_id INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE mail_archive (id INTEGER PRIMARY KEY, email_to_address TEXT, email_to_name TEXT, email_from_address TEXT,
  email_from_name TEXT, email_subject TEXT, email_text TEXT);
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two hundred customers but those that were deleted, with a row each that continues theirs."""
    rows = [TABLES]
    people = [n for n in range(1, 201) if n % 7 and n % 11]
    for n in people:
        mail = f"kim{n}@example.org"
        rows.append(f"INSERT INTO customers VALUES ({n}, 'Kim', 'Doe{n}', '{mail}');")
        rows.append(f"INSERT INTO customers_info VALUES ({n}, '2026-01-01', {n % 5});")
        rows.append(f"INSERT INTO bonus_customer VALUES ({n}, 5);")
        for at in (2 * n, 2 * n + 1):
            rows.append(
                f"INSERT INTO mail_archive VALUES ({at}, '{mail}', 'Kim Doe{n}', 'desk@shop.example', 'The shop',"
                " 'Your order', 'Thank you');"
            )
    rows.append(
        "INSERT INTO mail_archive VALUES (900, 'kim3@example.org', 'Kim', 'kim4@example.org', 'Kim', 'Look', 'A bike');"
    )
    rows += [f"INSERT INTO customers_group VALUES ({n}, 'Group {n}');" for n in range(1, 9)]
    return Shop(tmp_path / "shop.db").holds("\n".join(rows))


def test_rows_that_continue_a_customers_under_its_key_are_the_customers(shop: Shop) -> None:
    found = shop.search(email="kim3@example.org").rows()
    assert found >= {("customers", "3"), ("customers_info", "3"), ("bonus_customer", "3")}
    assert not any(name == "customers_group" for name, _ in found)


def test_a_mail_that_the_shop_sent_is_its_recipients(shop: Shop) -> None:
    found = shop.search(email="kim3@example.org").rows()
    assert {key for name, key in found if name == "mail_archive"} == {"6", "7"}


def test_a_mail_from_a_customer_to_another_is_left_to_a_person(shop: Shop) -> None:
    for mail in ("kim3@example.org", "kim4@example.org"):
        assert ("mail_archive", "900") in shop.search(email=mail).rows("candidate")
