"""The data map at its doors: a colleague answers questions in the console, a back end by the API."""

import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.task import TaskKind
from privacyops.jobs.inline import drive_waiting
from privacyops.ports.connector_host import StoreRefused
from privacyops.services import job as jobs
from privacyops.services import scanning
from privacyops.store import task as tasks
from tests.consoles import Office, words_of
from tests.house import Walker
from tests.shop import ShopClient

LINK = "orders.customer_id>customers.id"
SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, full_name TEXT, email TEXT UNIQUE);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, email TEXT, total NUMERIC);
INSERT INTO customers VALUES (1001, '<b>Ann</b>', 'ann@example.com'), (1002, 'Bob', 'bob@example.com');
INSERT INTO orders VALUES (1, 1001, 'ann@example.com', 5), (2, 1002, 'bob@example.com', 7);
"""


@pytest.fixture
def shop(walker: Walker, tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(SHOP)
    walker.connect("shop", path)
    return path


def test_a_colleague_scans_a_store_and_answers_its_questions(walker: Walker, shop: Path) -> None:
    olga = Office.open(walker).at_desk("Olga", Role.ADMIN)
    assert "/console/stores/shop/map" in olga.read("/console/stores")
    assert "not scanned yet" in words_of(olga.read("/console/stores/shop/map"))
    olga.send("/console/stores/shop/map/scan")
    assert "The store is being read" in words_of(olga.page)
    olga.send("/console/stores/shop/map/scan")
    assert "Scan again" not in olga.page
    walker.settle()
    part = olga.client.get("/console/stores/shop/map", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "Scan again" in part  # what the page asks for by itself brings the button back
    page = words_of(olga.read("/console/stores/shop/map"))
    assert "Scan 1," in page
    assert "orders.customer_id → customers.id" in page
    assert "the column has the name of the key" in page.lower()
    assert "ann@example.com" not in olga.page
    olga.send("/console/stores/shop/map/answer", link=LINK, answer="yes", ownership="owned")
    olga.send("/console/stores/shop/map/answer", link=LINK, answer="yes", ownership="owned")
    assert "orders.customer_id → customers.id" not in words_of(olga.page)


def test_who_may_only_look_finds_no_button_and_is_refused(walker: Walker, shop: Path) -> None:
    office = Office.open(walker)
    office.at_desk("Olga", Role.ADMIN).send("/console/stores/shop/map/scan")
    walker.settle()
    aude = office.at_desk("Aude", Role.AUDITOR)
    page = aude.read("/console/stores/shop/map")
    assert "orders.customer_id" in page
    assert 'name="answer"' not in page
    aude.send("/console/stores/shop/map/answer", 403, link=LINK, answer="yes")


def test_a_store_or_link_that_does_not_exist_is_not_found(walker: Walker, shop: Path) -> None:
    olga = Office.open(walker).at_desk("Olga", Role.ADMIN)
    olga.read("/console/stores/nothing/map", 404)
    olga.send("/console/stores/nothing/map/scan", 404)
    olga.send("/console/stores/shop/map/scan")
    walker.settle()
    olga.send("/console/stores/shop/map/answer", 404, link="a.b>c.d", answer="yes")


def test_a_back_end_reads_answers_and_exports_by_key(walker: Walker, shop: Path) -> None:
    client = ShopClient(walker.context, Scope.DATAMAP_MANAGE)
    assert client.get("/v1/data-map/stores/shop").status_code == 404
    assert client.get("/v1/data-map/stores/shop/scan").status_code == 404
    begun = client.post("/v1/data-map/stores/shop/scan", {})
    assert (begun.status_code, begun.json()["state"]) == (202, "queued")
    walker.settle()
    scanned = client.get("/v1/data-map/stores/shop/scan").json()
    assert (scanned["state"], scanned["code"]) == ("done", None)
    asked = client.get("/v1/data-map/stores/shop/links").json()["items"]
    question = next(one for one in asked if one["id"] == LINK)
    assert (question["from"], question["to"], question["state"]) == ("orders.customer_id", "customers.id", "proposed")
    assert client.post("/v1/data-map/stores/shop/answers", {"link": LINK, "answer": "no"}).status_code == 204
    links = client.get("/v1/data-map/stores/shop/links", only="all").json()["items"]
    assert {one["id"]: one["state"] for one in links}[LINK] == "rejected"
    held = client.get("/v1/data-map").json()["items"][0]["collections"]
    assert {one["name"]: one["class"] for one in held} == {"customers": "person", "orders": "activity"}
    exported = client.get("/v1/data-map/export", format="fideslang")
    assert exported.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(exported.text)["dataset"][0]["fides_key"] == "shop"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"link": LINK, "answer": "perhaps"}, 422),
        ({"link": LINK, "answer": "yes", "ownership": "undecided"}, 422),
        ({"link": "no.such>link.at.all", "answer": "yes"}, 404),
        ({"link": LINK, "answer": "yes", "more": 1}, 422),
    ],
)
def test_an_answer_that_is_none_is_refused(walker: Walker, shop: Path, body: dict[str, object], status: int) -> None:
    client = ShopClient(walker.context, Scope.DATAMAP_MANAGE)
    client.post("/v1/data-map/stores/shop/scan", {})
    walker.settle()
    assert client.post("/v1/data-map/stores/shop/answers", body).status_code == status


def test_a_key_that_may_read_the_map_may_not_answer(walker: Walker, shop: Path) -> None:
    client = ShopClient(walker.context, Scope.DATAMAP_READ)
    assert client.get("/v1/data-map").json() == {"items": []}
    assert client.post("/v1/data-map/stores/shop/answers", {"link": LINK, "answer": "no"}).status_code == 403
    assert client.post("/v1/data-map/stores/shop/scan", {}).status_code == 403


def test_a_store_that_is_away_says_so_on_its_page_and_by_the_api(walker: Walker, shop: Path) -> None:
    shop.unlink()
    scanning.begin(walker.as_staff("Ada", Role.ADMIN), "shop")
    for _ in range(6):
        walker.settle()
        walker.clock.advance(timedelta(minutes=20))
        jobs.drive_again(walker.context)
    walker.settle()
    olga = Office.open(walker).at_desk("Olga", Role.ADMIN)
    assert "The last scan failed" in words_of(olga.read("/console/stores/shop/map"))
    dora = Office.open(walker).at_desk("Dora", Role.DPO)
    task = re.findall(r'href="(/console/tasks/[^"]+)">A store could not be scanned<', dora.read("/console/tasks"))[0]
    assert "/console/stores/shop/map" in dora.read(task)
    assert "failing" in words_of(olga.read("/console/stores"))
    client = ShopClient(walker.context, Scope.DATAMAP_MANAGE)
    told = client.get("/v1/data-map/stores/shop/scan").json()
    assert (told["state"], told["code"]) == ("dead", "path")
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        assert tasks.find_open_task(tx, TaskKind.JOB_DEAD, "scan:shop") is not None
    with sqlite3.connect(shop) as database:
        database.executescript(SHOP)
    scanning.begin(walker.as_staff("Ada", Role.ADMIN), "shop")
    walker.settle()
    assert "Ended by itself: the store was scanned." in words_of(dora.read(task))


def test_a_store_that_does_not_answer_is_not_said_to_be_read(walker: Walker, shop: Path) -> None:
    shop.unlink()
    scanning.begin(walker.as_staff("Ada", Role.ADMIN), "shop")
    drive_waiting(walker.context, walker.kinds)
    page = words_of(Office.open(walker).at_desk("Olga", Role.ADMIN).read("/console/stores/shop/map"))
    assert "The store does not answer What it said: Setting url: no file is there. It is tried a few more times" in page
    assert "The store is being read" not in page


def test_the_clock_has_each_store_scanned_once_a_day_and_a_new_column_becomes_a_task(
    walker: Walker, shop: Path
) -> None:
    begun = [scanning.begin_due(walker.context), scanning.begin_due(walker.context)]
    walker.settle()
    walker.clock.advance(timedelta(hours=23))
    begun.append(scanning.begin_due(walker.context))
    with sqlite3.connect(shop) as database:
        database.execute("ALTER TABLE customers ADD COLUMN phone TEXT")
    walker.clock.advance(timedelta(hours=2))
    begun.append(scanning.begin_due(walker.context))
    walker.settle()
    assert begun == [1, 0, 0, 1]
    with walker.context.database.reading("shop", walker.clock.now()) as tx:
        assert tasks.find_open_task(tx, TaskKind.STORE_DRIFT, "shop") is not None


def test_a_scan_that_is_refused_by_a_store_in_good_health_says_what_the_store_said(
    walker: Walker, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise StoreRefused("shop", "permission_denied")

    monkeypatch.setattr(scanning, "draw_map", refuses)
    scanning.begin(walker.as_staff("Ada", Role.ADMIN), "shop")
    for _ in range(6):
        walker.settle()
        walker.clock.advance(timedelta(minutes=20))
        jobs.drive_again(walker.context)
    walker.settle()
    page = words_of(Office.open(walker).at_desk("Olga", Role.ADMIN).read("/console/stores/shop/map"))
    assert "What the store said: Permission denied" in page
    told = ShopClient(walker.context, Scope.DATAMAP_MANAGE).get("/v1/data-map/stores/shop/scan").json()
    assert (told["state"], told["code"]) == ("dead", "permission_denied")
