"""The demo's stores as the product meets them: its own stores file, the real host, the real search."""

import time
import tomllib
from datetime import date
from pathlib import Path

import pytest

from privacyops.adapters.connector_host import Connectors
from privacyops.demo.shop.build import DemoShop, build_demo_shop
from privacyops.domain.catalog.plain_yaml import parse_plain_yaml
from privacyops.domain.finding.model import CollectionState, Finding
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.services.finding.several import draw_maps, search_stores
from privacyops.services.finding.stores_file import read_stores

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> DemoShop:
    return build_demo_shop(tmp_path_factory.mktemp("demo") / "shop", date(2026, 11, 22))


@pytest.fixture(scope="module")
def found(shop: DemoShop) -> dict[str, list[Finding]]:
    """What the search finds of Jonas Lindqvist of Malmö, by store; `gaps` are collections not searched to the end."""
    stores = read_stores(
        tomllib.loads(shop.stores_toml.read_text(encoding="utf-8")),
        lambda name: parse_plain_yaml(Path(name).read_text(encoding="utf-8")),
    ).stores
    jonas = shop.person("jonas")
    proven = (
        Identifier(IdentifierKind.EMAIL, jonas.email),
        Identifier(IdentifierKind.CUSTOMER_ID, str(jonas.customer_id)),
    )
    host = Connectors(stores)
    try:
        runs = search_stores(host, draw_maps(host, [store.name for store in stores]), proven, time.monotonic)
    finally:
        host.close()
    assert [run.problem for run in runs] == [None] * 4
    searched_whole = {CollectionState.DONE, CollectionState.SKIPPED}
    gaps = {
        (run.store, name) for run in runs for name, one in run.state.progress.items() if one.state not in searched_whole
    }
    assert gaps == set()
    return {run.store: [each for each in run.findings if each.tier.value == "owned"] for run in runs}


def keys(findings: list[Finding], collection: str) -> set[str]:
    return {str(value) for each in findings if each.ref.collection == collection for _, value in each.ref.key}


def test_the_account_and_all_orders_of_a_customer_are_found(shop: DemoShop, found: dict[str, list[Finding]]) -> None:
    jonas = shop.person("jonas")
    assert keys(found["shop"], "customers") == {str(jonas.customer_id)}
    numbers = {each.values.get("order_no") for each in found["shop"] if each.ref.collection == "orders"}
    assert jonas.order_no in numbers
    assert len(numbers) == 6


def test_nothing_of_the_namesake_is_found(shop: DemoShop, found: dict[str, list[Finding]]) -> None:
    other = shop.person("jonas_namesake")
    for findings in found.values():
        for each in findings:
            said = str(dict(each.values))
            assert other.email not in said
            assert other.order_no not in said
            assert each.values.get("customer_id") != other.customer_id


def test_letters_and_mails_about_the_customer_are_found_in_the_folders(found: dict[str, list[Finding]]) -> None:
    assert any(".pdf" in key for key in keys(found["documents"], "documents"))
    assert found["mailbox"]
