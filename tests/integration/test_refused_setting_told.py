"""A setting that a connector refuses is named on the console and to back ends, with what may stand there."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from privacyops.domain.account.action import Role, Scope
from privacyops.ports.connector_host import StoreMisconfigured
from privacyops.services import stores
from privacyops.store import stores as kept
from tests.consoles import Office, words_of
from tests.house import Walker
from tests.shop import ShopClient

SECRET = "not-a-number-but-a-password"
TOLD = "etting lock_timeout: wrong type; allowed: a number above 0"


@pytest.fixture
def shop(walker: Walker, tmp_path: Path) -> Path:
    """A store whose timeout is no number."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT)")
    database.close()
    walker.connect("shop", path, lock_timeout=SECRET)
    return path


def looked(walker: Walker) -> Any:
    stores.look_again(walker.as_staff("Olga", Role.ADMIN), "shop")
    (one,) = stores.all_stores(walker.as_staff("Olga", Role.ADMIN))
    return one


def test_the_console_says_which_setting_and_what_is_allowed_until_it_is_mended(walker: Walker, shop: Path) -> None:
    desk = Office.open(walker).at_desk("Olga", Role.ADMIN)
    for _ in range(2):
        page = words_of(desk.send("/console/stores/shop/look"))
    assert TOLD in page
    assert TOLD in words_of(desk.read("/console"))
    assert SECRET not in page
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        config = dict(kept.load_store(tx, "shop").config)
        config["config"] = {name: value for name, value in config["config"].items() if name != "lock_timeout"}
        kept.save_store(tx, "shop", config=config)
    one = looked(walker)
    assert (one.health, one.health_setting, one.health_allowed) == ("ok", None, None)
    assert "etting lock_timeout" not in words_of(desk.read("/console/stores"))


def test_a_scan_that_ended_by_it_says_so_on_the_map_and_to_back_ends(walker: Walker, shop: Path) -> None:
    client = ShopClient(walker.context, Scope.DATAMAP_MANAGE, Scope.DATAMAP_READ)
    assert client.post("/v1/data-map/stores/shop/scan", {}).status_code == 202
    walker.settle()
    told = client.get("/v1/data-map/stores/shop/scan")
    body = told.json()
    assert (body["state"], body["code"], body["setting"], body["allowed"]) == (
        "dead", "wrong_type", "lock_timeout", "a number above 0"
    )  # fmt: skip
    page = Office.open(walker).at_desk("Olga", Role.ADMIN).read("/console/stores/shop/map")
    assert TOLD in words_of(page)
    assert SECRET not in told.text + page


def test_a_setting_whose_look_is_right_is_named_without_words_of_the_card(walker: Walker, shop: Path) -> None:
    looked(walker)
    with walker.context.database.transaction("shop", walker.clock.now()) as tx:
        config = dict(kept.load_store(tx, "shop").config)
        secret = walker.house.settings.data / "gone.url"
        secret.write_text(f"sqlite:///{shop.with_suffix('.gone')}")
        kept.save_store(tx, "shop", config={**config, "config": {"url": f"file:{secret}"}})
    one = looked(walker)
    assert (one.health, one.health_setting, one.health_allowed) == ("down", "url", None)


def test_the_problem_document_has_both_as_members() -> None:
    wrong = StoreMisconfigured("shop", "lock_timeout", "wrong_type", "a number above 0")
    assert wrong.members == {
        "store": "shop", "code": "wrong_type", "setting": "lock_timeout", "allowed": "a number above 0"
    }  # fmt: skip
    assert "allowed" not in StoreMisconfigured("shop", "connector", "driver_not_installed").members
