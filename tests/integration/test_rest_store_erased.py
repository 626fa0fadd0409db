"""A shop system behind HTTP, erased by the house: found, planned, masked, deleted, read back, searched again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from privacyops.cli.dsar import app
from tests.rest_fake import Served
from tests.rest_services.double import ANNA, NAMESAKE
from tests.rest_services.shops import WooCommerce


@pytest.fixture
def shop() -> Iterator[tuple[WooCommerce, Served]]:
    """A double on a real socket of this machine."""
    service = WooCommerce()
    server = Served(service)
    yield service, server
    server.close()


def erased(folder: Path, server: Served, mode: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and the lines of `privacyops dsar erase`."""
    file = folder / "stores.toml"
    file.write_text(
        'rehearsal = true\n[[store]]\nname = "woo"\nconnector = "rest"\nservice = "woocommerce"\nkey = "env:WOO_KEY"\n'
        f'secret = "env:WOO_SECRET"\nnetworks = ["127.0.0.0/8"]\nsettings = {{site = "http://127.0.0.1:{server.port}"}}\n'
    )
    environment = {"WOO_KEY": "ck_of_this_test", "WOO_SECRET": "cs_of_this_test"}
    command = ["erase", "--stores", str(file), "--email", ANNA.lower(), mode, "--json"]
    done = CliRunner().invoke(app, command, env=environment)
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_plan_of_a_web_shop_masks_orders_and_deletes_the_customer_and_writes_nothing(
    shop: tuple[WooCommerce, Served], tmp_path: Path
) -> None:
    service, server = shop
    _, lines = erased(tmp_path, server, "--plan-only")
    assert sorted((line["table"], line["op"]) for line in lines) == [("customer", "delete"), *[("order", "set")] * 3]
    assert {call.method for call in service.heard} == {"GET"}


def test_a_web_shop_is_erased_and_what_its_interface_cannot_write_is_named(
    shop: tuple[WooCommerce, Served], tmp_path: Path
) -> None:
    service, server = shop
    status, lines = erased(tmp_path, server, "--apply")
    assert {(line["outcome"], line["verdict"]) for line in lines} == {("done", "changed"), ("done", "gone")}
    assert not service.holds(ANNA)
    assert service.holds(NAMESAKE)
    guests = [order["customer_id"] for order in service.orders.values() if order["id"] in {10, 11, 12}]
    assert guests == [0, 0, 0]
    assert {order["total"] for order in service.orders.values()} == {"19.99"}
    assert {line["code"] for line in lines if line["table"] == "order"} == {"not_settable"}
    assert status == 3, "an order keeps the address it was placed from, so the erasure is not whole"
