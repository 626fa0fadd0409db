"""A shop without a declared key: what is proved is erased; what is not stops the erasure until somebody answers."""

import json
import random
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from privacyops.cli.dsar import app

SCHEMA = """
CREATE TABLE oc2_customer (customer_id INTEGER PRIMARY KEY, firstname TEXT, lastname TEXT, email TEXT, password TEXT);
CREATE TABLE oc2_order (order_id INTEGER PRIMARY KEY, customer_id INTEGER, email TEXT, total NUMERIC);
CREATE TABLE oc2_order_product (id INTEGER PRIMARY KEY, order_id INTEGER, name TEXT);
CREATE TABLE oc2_review (review_id INTEGER PRIMARY KEY, customer_id INTEGER, text TEXT);
CREATE TABLE oc2_offer (offer_id INTEGER PRIMARY KEY, seller_id INTEGER, title TEXT);
CREATE TABLE oc2_session (session_id TEXT PRIMARY KEY, data TEXT);
"""
PERSON, GONE = 42, {13, 57, 88, 91, 140, 77}
WHO = ("--email", "c42@example.org")


class Shop:
    """The shop in a file, a stores file beside it, and the command over both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        dice = random.Random(5)
        with sqlite3.connect(folder / "shop.db") as shop:
            shop.executescript(SCHEMA)
            every = range(1, 161)
            shop.executemany(
                "INSERT INTO oc2_customer VALUES (?, ?, ?, ?, 'x')",
                [(at, f"F{at}", f"L{at}", f"c{at}@example.org") for at in every if at not in GONE],
            )
            buyers = [dice.choice(every) for _ in range(300)] + [PERSON] * 2
            shop.executemany(
                "INSERT INTO oc2_order VALUES (?, ?, ?, 9)",
                [(at, who, f"c{who}@example.org") for at, who in enumerate(buyers, 1)],
            )
            shop.executemany("INSERT INTO oc2_order_product VALUES (?, ?, 'cup')", [(at, at) for at in range(1, 303)])
            shop.executemany("INSERT INTO oc2_review VALUES (?, ?, 'as it was told')", [(at, at) for at in every])
            live = [at for at in every if at not in GONE]
            sellers = [PERSON] + [dice.choice(live) for _ in range(199)]
            shop.executemany("INSERT INTO oc2_offer VALUES (?, ?, 'a bike')", list(enumerate(sellers, 1)))
            shop.executemany(
                "INSERT INTO oc2_session VALUES (?, ?)", [(f"s{at}", f'a:1:{{s:2:"id";i:{at};}}') for at in range(9)]
            )
        shop.close()

    def run(self, command: str, *more: str, answer: str = "") -> Result:
        stores = (
            'rehearsal = true\naccept_links = 0.90\naccept_text = true\n[[store]]\nname = "shop"\nconnector = "sql"\n'
        )
        stores += 'url = "env:SHOP_URL"\n'
        if answer:
            link = f"{{from: oc2_review.customer_id, to: oc2_customer.customer_id, ownership: {answer}}}"
            (self.folder / "map.yaml").write_text(f"links: [{link}]\n")
            stores += 'map = "map.yaml"\n'
        (self.folder / "stores.toml").write_text(stores)
        call = [command, "--stores", str(self.folder / "stores.toml"), *WHO, *more, "--json"]
        return CliRunner().invoke(app, call, env={"SHOP_URL": f"sqlite:///{self.folder / 'shop.db'}"})

    def count(self, table: str, column: str = "customer_id") -> int:
        with sqlite3.connect(self.folder / "shop.db") as shop:
            (n,) = shop.execute(f"SELECT count(*) FROM {table} WHERE {column} = {PERSON}").fetchone()  # noqa: S608 - names of this test
        shop.close()
        return int(n)

    def everything(self) -> list[str]:
        with sqlite3.connect(self.folder / "shop.db") as shop:
            return list(shop.iterdump())


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_search_says_which_link_waits_and_what_it_could_not_read(shop: Shop) -> None:
    done = shop.run("find", "--summary", str(shop.folder / "summary.json"))
    assert done.exit_code == 3
    tiers = {(row["table"], row["tier"]) for row in map(json.loads, done.stdout.splitlines())}
    assert {("oc2_customer", "owned"), ("oc2_order", "owned"), ("oc2_order_product", "owned"), ("oc2_offer", "owned"),
            ("oc2_review", "candidate")} <= tiers  # fmt: skip
    assert "unconfirmed links: 1" in done.stderr
    assert "oc2_review.customer_id>oc2_customer.customer_id" in done.stderr
    assert "oc2_session.data is packed by a program" in done.stderr
    (said,) = json.loads((shop.folder / "summary.json").read_text())["stores"]
    (link,) = said["unconfirmed_links"]
    assert (link["rows"], link["code"]) == (1, "link_unconfirmed")
    assert any(piece.startswith("orphans 6/") for piece in link["evidence"])


def test_an_erasure_leaves_a_store_as_it_is_while_a_link_waits(shop: Shop) -> None:
    before = shop.everything()
    assert shop.run("erase", "--plan-only").exit_code == 3
    done = shop.run("erase", "--apply")
    assert done.exit_code == 3
    assert "nothing was erased in it" in done.stderr
    assert shop.everything() == before


@pytest.mark.parametrize(("answer", "reviews"), [("owned", 0), ("context", 1)])
def test_once_it_is_answered_the_erasure_goes_through(shop: Shop, answer: str, reviews: int) -> None:
    done = shop.run("erase", "--apply", answer=answer)
    assert (done.exit_code, "unconfirmed" in done.stderr) == (0, False)
    assert [shop.count("oc2_order"), shop.count("oc2_offer", "seller_id"), shop.count("oc2_review")] == [0, 0, reviews]
