"""A shop platform passes on what its customers ask for: proven by its signature, opened once, never by a stranger."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.rest.card import RestConnector
from connectors.rest.rates import Clocks
from privacyops.api.app import create_api
from privacyops.domain.account.action import Role
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import Task
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import stores
from privacyops.services.dsar import erasure_plan, listing
from privacyops.store import audit
from privacyops.store import task as tasks
from tests.house import Walker
from tests.integration.test_erasure_journey import approved, only
from tests.rest_fake import Line
from tests.rest_services.double import ANNA, BEN
from tests.rest_services.shops import Shopify

SECRET = Shopify.secrets["client_secret"]
on_one_engine = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Shop:
    """A connected Shopify, its double behind it, and the door for its webhooks."""

    walker: Walker
    door: TestClient

    def tell(
        self, topic: str, body: Any, delivery: str = "", *, secret: str = SECRET, store: str = "acme", **headers: str
    ) -> Any:
        """A delivery as Shopify sends it: the signature stands over the body alone."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = base64.b64encode(hmac.digest(secret.encode(), raw, "sha256")).decode()
        given = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": topic, "Content-Type": "application/json"}
        if delivery:
            given["X-Shopify-Webhook-Id"] = delivery
        return self.door.post(f"/hooks/{store}", content=raw, headers={**given, **headers})

    def requests(self) -> list[Dsar]:
        return list(listing.list_view(self.walker.as_staff("Dora", Role.DPO), "all").items)

    def tasks(self) -> list[Task]:
        with self.walker.context.database.reading("shop", self.walker.clock.now()) as tx:
            return list(tasks.list_open_tasks(tx))


def asked(number: int = 9001, email: str | None = ANNA) -> Mapping[str, Any]:
    customer = {"id": 1, "email": email, "phone": "+1 202-555-0143"}
    return {"shop_id": 7, "shop_domain": "acme.myshopify.com", "orders_requested": [11], "customer": customer,
            "data_request": {"id": number}}  # fmt: skip


def redact(email: str = ANNA, orders: tuple[int, ...] = (11, 12)) -> Mapping[str, Any]:
    return {"shop_id": 7, "customer": {"id": 1, "email": email}, "orders_to_redact": orders}


@pytest.fixture
def shop(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> Shop:
    service, started = Shopify(), walker.clock.now()

    def sleep(seconds: float) -> None:
        walker.clock.advance(timedelta(seconds=seconds))

    clocks = Clocks(walker.clock.now, lambda: (walker.clock.now() - started).total_seconds() + 1000.0, sleep)
    monkeypatch.setattr("connectors.rest.connector", RestConnector(lambda settings: Line(service), clocks))
    config: dict[str, Any] = {"service": "shopify", "settings": dict(Shopify.settings)}
    for name, value in Shopify.secrets.items():
        (walker.house.settings.data / name).write_text(value)
        config[name] = f"file:{walker.house.settings.data / name}"
    stores.connect(walker.as_staff("Olga", Role.ADMIN), "Acme", StoreConfig("acme", "rest", config))
    return Shop(walker, TestClient(create_api(walker.context), raise_server_exceptions=False))


def test_a_customers_request_is_opened_vouched_for_and_searched_from_the_moment_it_came(shop: Shop) -> None:
    came_at = shop.walker.clock.now()
    answer = shop.tell("customers/data_request", asked(), "d-1")
    assert (answer.status_code, answer.content) == (204, b"")
    shop.walker.settle()
    (dsar,) = shop.requests()
    assert (dsar.type, dsar.channel, dsar.proven_level) == (RequestType.ACCESS, Channel.PLATFORM, 2)
    assert (dsar.received_at, dsar.is_verified) == (came_at, True)
    assert dsar.state is DsarState.IN_REVIEW
    assert not shop.walker.mails(), "nobody is asked for a code whom the platform vouches for"
    with shop.walker.context.database.reading("shop", shop.walker.clock.now()) as tx:
        trail = [(one.action, one.detail) for one in audit.list_audit_of(tx, "dsar", str(dsar.id))]
    assert ("dsar.asked_by_platform", {"store": "acme"}) in trail
    assert "anna" not in json.dumps(trail).lower()


def test_a_delivery_counts_once_by_its_number_and_once_by_what_it_says(shop: Shop) -> None:
    first = shop.tell("customers/data_request", asked(), "d-1")
    for again in (
        shop.tell("customers/data_request", asked(), "d-1"),
        shop.tell("customers/data_request", asked(), "d-2"),
        shop.tell("customers/data_request", asked()),
        shop.tell("customers/data_request", asked(9002), "d-1"),
    ):
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len(shop.requests()) == 1
    shop.walker.clock.advance(timedelta(days=400))
    assert shop.tell("customers/data_request", asked(), "d-9").status_code == 204
    assert len(shop.requests()) == 1, "who kept the message and sends it a year later opens nothing"
    assert shop.tell("customers/data_request", asked(9003), "d-3").status_code == 204
    assert len(shop.requests()) == 2, "a customer may ask again"


@on_one_engine
def test_what_is_not_proven_gets_nothing(shop: Shop) -> None:
    good = json.dumps(asked()).encode()
    of_good = base64.b64encode(hmac.digest(SECRET.encode(), good, "sha256")).decode()
    for answer in (
        shop.tell("customers/redact", asked(), secret="another"),
        shop.tell("customers/redact", asked(), store="nobody"),
        shop.tell("customers/redact", good, **{"X-Shopify-Hmac-Sha256": ""}),
        shop.tell("customers/redact", good + b" ", **{"X-Shopify-Hmac-Sha256": of_good}),
        shop.door.post("/hooks/acme", content=good, headers={"X-Shopify-Topic": "customers/redact"}),
    ):
        assert answer.status_code == 401
        assert "anna" not in answer.text.lower()
    assert not shop.requests()
    assert not shop.tasks()
    assert shop.tell("customers/redact", asked()).status_code == 204, "a refused delivery uses nothing up"


@on_one_engine
@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("customers/data_request", b""),
        ("customers/data_request", b"not json"),
        ("customers/data_request", b"\xff\xfe"),
        ("customers/data_request", b"[" * 5000),
        ("orders/create", json.dumps(asked()).encode()),
        ("", json.dumps(asked()).encode()),
        ("CUSTOMERS/REDACT", json.dumps(asked()).encode()),
    ],
)
def test_a_proven_body_that_cannot_be_read_or_is_about_something_else_is_told_so(
    shop: Shop, topic: str, body: bytes
) -> None:
    answer = shop.tell(topic, body)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/hook-not-taken"
    assert not shop.requests()
    assert not shop.tasks()


@on_one_engine
def test_who_has_no_mail_address_there_and_a_shop_that_left_are_a_persons_work(shop: Shop) -> None:
    odd: list[Any] = [asked(1, None), asked(2, ""), asked(3, "not an address"), {"customer": None}, [], None, 7]
    for at, body in enumerate(odd):
        assert shop.tell("customers/data_request", body, f"d-{at}").status_code == 204
    assert {one.code for one in shop.tasks()} == {"platform_without_address"}
    assert len(shop.tasks()) == len(odd)
    gone = {"shop_id": 7, "shop_domain": "acme.myshopify.com"}
    for _ in range(2):
        assert shop.tell("shop/redact", gone, "d-gone").status_code == 204
    (task,) = [one for one in shop.tasks() if one.code == "platform_uninstalled"]
    assert (task.owner_role, task.store) == ("dpo", "acme")
    assert not shop.requests()


@on_one_engine
def test_our_own_erasure_that_the_platform_passes_on_to_us_opens_nothing_the_first_time(shop: Shop) -> None:
    assert shop.tell("customers/redact", redact(), "d-1").status_code == 204
    shop.walker.settle()
    (dsar,) = shop.requests()
    assert (dsar.type, dsar.state) == (RequestType.ERASURE, DsarState.IN_REVIEW)
    erasure_plan.plan(shop.walker.as_staff("Ada", Role.ANALYST), dsar.id)
    shop.walker.settle()
    approved(shop.walker, dsar.id)
    assert only(shop.walker, dsar.id).state is ErasingState.PENDING
    shop.walker.clock.advance(timedelta(days=10))
    assert shop.tell("customers/redact", redact(orders=(11,)), "d-2").status_code == 204
    assert len(shop.requests()) == 1
    assert shop.tell("customers/redact", redact(BEN), "d-3").status_code == 204
    assert len(shop.requests()) == 2, "somebody else's is a request"
    assert shop.tell("customers/redact", redact(orders=(13,)), "d-4").status_code == 204
    assert len(shop.requests()) == 3, "the second word about the same person is meant"
