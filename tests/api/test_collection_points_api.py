"""Forms, tills and banners with a signed token, as a browser and a shop's back end meet them. On both databases."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from privacyops.api.app import create_api
from privacyops.domain.account.action import Scope
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.kernel.clock import ManualClock
from privacyops.services import purpose
from privacyops.services.context import Context
from privacyops.store.subject import OWN_ID
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentEventRow, SubjectIdentifierRow
from privacyops.store.uow import Database
from tests.shop import ShopClient
from tests.small_service import small_service
from tests.tampering import spoilt

SHOP, OTHER = "https://shop.example", "https://evil.example"
NOTICE = NoticeVersion(
    "signup", 1, {"de-DE": {part: f"Words about {part}" for part in Part}}, ("newsletter", "profiling", "analytics")
)
SHOWN = {"locale": "de-DE", "sha256": NOTICE.digest("de-DE")}
FORM = {
    "key": "footer", "kind": "form", "brand": "shop", "origins": [SHOP], "purposes": ["newsletter", "profiling"],
    "notice": {"id": "signup", "version": 1}, "clock": "client",
}  # fmt: skip
TILL = FORM | {"key": "till-3", "kind": "till", "origins": [], "clock": "offline"}
BANNER = FORM | {"key": "banner", "kind": "banner", "purposes": ["analytics"]}
KIM = {"type": "email", "value": "kim@example.com"}


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    purpose.publish_notice(ctx, NOTICE)
    return ctx


@pytest.fixture
def shop(service: Context) -> ShopClient:
    return ShopClient(service, Scope.CATALOGUE_MANAGE, Scope.CONSENT_CHECK, Scope.CONSENT_WRITE)


class Page:
    """A page in a browser, or a till: no key, only a token."""

    def __init__(self, service: Context, token: str, origin: str | None = SHOP) -> None:
        self.http = TestClient(create_api(service), raise_server_exceptions=False)
        self.token, self.origin = token, origin

    def send(self, about: str = "newsletter", choice: str = "grant", **body: Any) -> Any:
        channel = "web" if about == "analytics" else "email"
        told = {
            "client_event_id": uuid4().hex, "identifiers": [KIM], "notice": SHOWN,
            "choices": [{"purpose": about, "channel": channel, "choice": choice}], **body,
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers |= {"Origin": self.origin} if self.origin else {}
        return self.http.post("/v1/collect", content=json.dumps(told), headers=headers)


def minted(shop: ShopClient, point: dict[str, Any], origin: str | None = SHOP, **more: Any) -> str:
    """The token of a point that is registered for it."""
    shop.post("/v1/collection-points", point)
    answer = shop.post(f"/v1/collection-points/{point['key']}:token", {"origin": origin, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


@pytest.fixture
def page(service: Context, shop: ShopClient) -> Page:
    return Page(service, minted(shop, FORM))


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def decision(shop: ShopClient, about: str = "newsletter", value: str = "kim@example.com") -> str:
    asked = {"identifier": KIM | {"value": value}, "purpose": about, "channel": "email"}
    return str(shop.post("/v1/check", asked).json()["decision"])


def leaves(service: Context) -> Sequence[dict[str, Any]]:
    """The leaves of choices, oldest first."""
    event = table_of(ConsentEventRow)
    with service.database.reading("shop-group", service.clock.now()) as tx:
        found = [json.loads(row.leaf) for row in tx.run(select(event).order_by(event.c.id))]
    return [leaf for leaf in found if "channel" in leaf]


def test_a_page_records_a_choice_with_the_brand_method_and_notice_of_its_point(
    service: Context, shop: ShopClient, page: Page
) -> None:
    answer = page.send()
    assert (answer.status_code, answer.json()) == (202, {"received": True, "consent_id": None, "event_ids": None})
    assert decision(shop) == "allow"
    [leaf] = leaves(service)
    assert (leaf["actor_kind"], leaf["method"], leaf["brand"]) == ("collection_point", "form", "shop")
    assert leaf["notice"] == {"id": "signup", "v": 1, "locale": "de-DE", "sha256": SHOWN["sha256"]}


# --- bounds -----------------------------------------------------------------------------------------------------


def paged(service: Context, token: str, origin: str | None = SHOP, share: int = 3, **more: Any) -> Page:
    """A page behind a proxy that the service trusts, at a service that takes so many calls a minute."""
    page = Page(service, token, origin)
    app = create_api(service, trusted_proxies=["127.0.0.0/8"], collects_per_minute=share)
    page.http = TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 4711), **more)
    return page


def test_one_network_calls_a_point_only_so_often_and_the_page_may_read_when_to_come_back(
    service: Context, page: Page, clock: ManualClock
) -> None:
    visitor = paged(service, page.token, headers={"X-Forwarded-For": "203.0.113.7"})
    assert [visitor.send().status_code for _ in range(3)] == [202, 202, 202]
    refused = visitor.send()
    assert problem(refused) == (429, "rate-limited")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.headers["access-control-allow-origin"] == SHOP
    neighbour = paged(service, page.token, headers={"X-Forwarded-For": "203.0.113.200"})
    assert neighbour.send().status_code == 429
    clock.advance(timedelta(minutes=1))
    assert visitor.send().status_code == 202


def test_another_network_and_another_point_have_a_share_of_their_own(
    service: Context, shop: ShopClient, page: Page
) -> None:
    crowded = paged(service, page.token, headers={"X-Forwarded-For": "203.0.113.7"})
    assert [crowded.send().status_code for _ in range(4)][-1] == 429
    elsewhere = paged(service, page.token, headers={"X-Forwarded-For": "198.51.100.7"})
    assert elsewhere.send().status_code == 202
    other = paged(service, minted(shop, FORM | {"key": "header"}), headers={"X-Forwarded-For": "203.0.113.7"})
    assert other.send().status_code == 202


def test_an_address_that_no_trusted_proxy_has_added_gives_no_new_share(service: Context, page: Page) -> None:
    answers = []
    for number in range(4):
        liar = paged(service, page.token, headers={"X-Forwarded-For": f"198.51.{number}.7, 203.0.113.7"})
        answers.append(liar.send().status_code)
    assert answers == [202, 202, 202, 429]


def test_a_call_with_a_bad_token_uses_up_nobodys_share(service: Context, page: Page) -> None:
    visitor = paged(service, page.token)
    for _ in range(5):
        assert paged(service, spoilt(page.token)).send().status_code == 401
    assert visitor.send().status_code == 202


def test_a_till_hands_over_ten_times_as_much(service: Context, shop: ShopClient) -> None:
    till = paged(service, minted(shop, TILL, None), None, share=1)
    assert [till.send().status_code for _ in range(11)] == [202] * 10 + [429]


def test_a_page_sends_at_most_sixteen_kibibytes(service: Context, page: Page) -> None:
    assert page.send(evidence={"url": "x" * 10_000}).status_code == 202
    assert problem(page.send(evidence={"url": "x" * 17_000})) == (413, "body-too-large")

    def drips() -> Any:
        yield from [b'{"client_event_id":"' + b"x" * 9_000, b"x" * 9_000]

    for kind in ("application/json", "text/plain"):
        headers = {"Authorization": f"Bearer {page.token}", "Content-Type": kind, "Origin": SHOP}
        assert problem(page.http.post("/v1/collect", content=drips(), headers=headers)) == (413, "body-too-large")
    assert len(leaves(service)) == 1


# --- case 77 ----------------------------------------------------------------------------------------------------


def test_a_purpose_outside_the_token_is_refused_and_nothing_is_written(
    service: Context, shop: ShopClient, page: Page
) -> None:
    """Case 77."""
    outside = {"purpose": "advertising", "channel": "web", "choice": "grant"}
    inside = {"purpose": "newsletter", "channel": "email", "choice": "grant"}
    assert problem(page.send(choices=[inside, outside])) == (403, "purpose-outside-token")
    narrow = Page(service, minted(shop, FORM, purposes=["newsletter"]))
    assert problem(narrow.send("profiling")) == (403, "purpose-outside-token")
    assert leaves(service) == []


@pytest.mark.parametrize("origin", [OTHER, "https://shop.example:8443", "http://shop.example", "null", None])
def test_a_wrong_origin_is_refused_and_may_not_read_why(service: Context, page: Page, origin: str | None) -> None:
    """Case 77."""
    answer = Page(service, page.token, origin).send()
    assert problem(answer) == (403, "origin-not-allowed")
    assert "access-control-allow-origin" not in answer.headers
    assert leaves(service) == []


def test_a_token_for_a_foreign_origin_is_not_minted(shop: ShopClient, page: Page) -> None:
    for origin in (OTHER, None):
        assert problem(shop.post("/v1/collection-points/footer:token", {"origin": origin}))[1] == "origin-not-allowed"


# --- the token --------------------------------------------------------------------------------------------------


def test_a_forged_token_is_refused(service: Context, shop: ShopClient, page: Page) -> None:
    payload, version, mac = page.token.removeprefix("poc_").split(".")
    wide = minted(shop, FORM | {"key": "wide", "purposes": ["newsletter"]}).removeprefix("poc_").split(".")[0]
    for forged in (f"poc_{wide}.{version}.{mac}", f"poc_{payload}.{version}.", f"poc_{payload}.9.{mac}", "poc_", ""):
        assert problem(Page(service, forged).send()) == (401, "unauthenticated")
    assert page.http.post("/v1/collect", json={}, headers={"Origin": SHOP}).status_code == 401
    assert leaves(service) == []


def test_another_controllers_token_is_refused(service: Context, page: Page) -> None:
    other = replace(service, controller=replace(service.controller, key="other-group"))
    other = other.acting_as(replace(service.actor, controller="other-group"))
    assert problem(Page(other, page.token).send()) == (401, "unauthenticated")


def test_a_token_ends_after_an_hour(page: Page, clock: ManualClock) -> None:
    clock.advance(timedelta(minutes=59))
    assert page.send().status_code == 202
    clock.advance(timedelta(minutes=1))
    assert problem(page.send()) == (410, "collection-token-expired")


def test_a_point_that_is_switched_off_or_changed_ends_its_tokens_at_once(
    service: Context, shop: ShopClient, page: Page
) -> None:
    assert shop.post("/v1/collection-points/footer:disable", {}).json()["enabled"] is False
    assert problem(page.send()) == (403, "collection-point-disabled")
    assert problem(shop.post("/v1/collection-points/footer:token", {"origin": SHOP}))[0] == 403
    shop.post("/v1/collection-points/footer:enable", {})
    assert problem(page.send()) == (410, "collection-token-expired")
    assert Page(service, minted(shop, FORM)).send().status_code == 202


def test_a_token_is_no_key_of_the_api_and_a_key_is_no_token(service: Context, shop: ShopClient, page: Page) -> None:
    headers = {"Authorization": f"Bearer {page.token}"}
    assert page.http.get("/v1/collection-points", headers=headers).status_code == 401
    key = shop._headers["Authorization"].removeprefix("Bearer ")
    assert problem(Page(service, key).send()) == (401, "unauthenticated")


# --- browsers ---------------------------------------------------------------------------------------------------


def test_the_preflight_lists_the_origins_of_points_that_are_on_and_no_credentials(shop: ShopClient, page: Page) -> None:
    def asked(origin: str) -> Any:
        return page.http.options("/v1/collect", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})

    good, bad = asked(SHOP), asked(OTHER)
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (204, SHOP)
    assert good.headers["access-control-allow-headers"] == "Authorization, Content-Type"
    assert "access-control-allow-credentials" not in good.headers
    assert good.headers["vary"] == bad.headers["vary"] == "Origin"
    assert not [name for name in bad.headers if name.startswith("access-control")]
    shop.post("/v1/collection-points/footer:disable", {})
    assert "access-control-allow-origin" not in asked(SHOP).headers


def test_a_page_may_read_its_answers_and_its_refusals_and_gets_no_cookie(page: Page) -> None:
    for answer in (page.send(), page.send("advertising"), page.send(surprise=1)):
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert "set-cookie" not in answer.headers
    assert problem(page.send(brand="other")) == (422, "invalid-request")


def test_a_stranger_learns_nothing_from_the_answer(service: Context, shop: ShopClient, page: Page) -> None:
    first = page.send()
    both = {"identifiers": [{"type": "customer_id", "value": "7"}, KIM]}
    refusal = {"purpose": "newsletter", "channel": "email", "choice": "refuse"}
    shop.post("/v1/consents", {"subject": both, "method": "form", "choices": [refusal]})
    anna = {"type": "email", "value": "anna@example.com"}
    page.send(identifiers=[anna])
    two_people = page.send(identifiers=[KIM, {"type": "customer_id", "value": "7"}, anna])
    assert (two_people.status_code, two_people.json()) == (first.status_code, first.json())
    assert len(leaves(service)) == 3


# --- times and ids ----------------------------------------------------------------------------------------------


def test_an_id_is_unique_at_its_point_for_ever(
    service: Context, shop: ShopClient, page: Page, clock: ManualClock
) -> None:
    """Case 20, at a collection point."""
    once = uuid4().hex
    page.send(client_event_id=once)
    clock.advance(timedelta(days=8))
    again = Page(service, minted(shop, FORM))
    assert again.send(client_event_id=once).status_code == 202
    assert len(leaves(service)) == 1
    till = Page(service, minted(shop, TILL, None), None)
    assert till.send(client_event_id=once).status_code == 202
    assert len(leaves(service)) == 2


@pytest.mark.parametrize(("days", "status"), [(29, 202), (31, 422)])
def test_an_offline_till_hands_over_grants_of_up_to_thirty_days(
    service: Context, shop: ShopClient, clock: ManualClock, days: int, status: int
) -> None:
    till = Page(service, minted(shop, TILL, None), None)
    answer = till.send(occurred_at=(clock.now() - timedelta(days=days)).isoformat())
    assert answer.status_code == status
    assert (len(answer.json().get("event_ids") or ())) == (1 if status == 202 else 0)


def test_a_page_hands_over_grants_of_one_day_and_its_clock_is_foreign(
    service: Context, page: Page, clock: ManualClock
) -> None:
    late = page.send(occurred_at=(clock.now() - timedelta(hours=25)).isoformat())
    assert problem(late) == (422, "occurred-too-old")
    page.send(occurred_at=(clock.now() - timedelta(hours=1)).isoformat())
    assert [leaf["clock"] for leaf in leaves(service)] == ["client"]


def test_a_late_grant_from_a_till_never_lifts_a_withdrawal(
    service: Context, shop: ShopClient, page: Page, clock: ManualClock
) -> None:
    page.send()
    clock.advance(timedelta(minutes=1))
    page.send(choice="refuse")
    till = Page(service, minted(shop, TILL, None), None)
    assert till.send(occurred_at=(clock.now() - timedelta(days=3)).isoformat()).status_code == 202
    assert decision(shop) == "deny"


# --- anonymous proof --------------------------------------------------------------------------------------------


def test_a_banner_keeps_a_random_id_and_nothing_else_of_its_visitor(service: Context, shop: ShopClient) -> None:
    banner = Page(service, minted(shop, BANNER))
    once = uuid4().hex
    first = banner.send("analytics", identifiers=[], client_event_id=once).json()
    assert first == banner.send("analytics", identifiers=[], client_event_id=once).json()
    other = banner.send("analytics", identifiers=[]).json()
    assert first["consent_id"].startswith("c_")
    assert first["consent_id"] != other["consent_id"]
    kept = table_of(SubjectIdentifierRow)
    with service.database.reading("shop-group", service.clock.now()) as tx:
        kinds = {row.type for row in tx.run(select(kept))}
    assert kinds == {"device_id", OWN_ID}
    assert all("evidence" not in leaf and leaf["method"] == "banner" for leaf in leaves(service))


def test_a_visitor_changes_their_mind_under_the_same_id(service: Context, shop: ShopClient, clock: ManualClock) -> None:
    banner = Page(service, minted(shop, BANNER))
    mine = banner.send("analytics", identifiers=[]).json()["consent_id"]
    asked = {"identifier": {"type": "device_id", "value": mine}, "purpose": "analytics", "channel": "web"}
    assert shop.post("/v1/check", asked).json()["decision"] == "allow"
    clock.advance(timedelta(minutes=1))
    banner.send("analytics", "refuse", identifiers=[], consent_id=mine)
    assert shop.post("/v1/check", asked).json()["decision"] == "deny"


@pytest.mark.parametrize("extra", [{"identifiers": [KIM]}, {"evidence": {"ip": "192.0.2.1"}}, {"age": 30}])
def test_a_banner_takes_nothing_about_its_visitor(service: Context, shop: ShopClient, extra: dict[str, Any]) -> None:
    banner = Page(service, minted(shop, BANNER))
    assert problem(banner.send("analytics", **({"identifiers": []} | extra))) == (422, "anonymous-only")
    assert leaves(service) == []


# --- managing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"brand": "absent"}, (404, "unknown-brand")), ({"purposes": ["absent"]}, (404, "unknown-purpose")),
        ({"notice": {"id": "signup", "version": 2}}, (422, "notice-not-published")),
        ({"purposes": ["advertising"]}, (422, "notice-mismatch")),
        ({"origins": ["https://*.example"]}, (422, "collection-point-malformed")),
        ({"origins": ["https://shop.example/"]}, (422, "collection-point-malformed")),
        ({"origins": [SHOP], "clock": "trusted"}, (422, "collection-point-malformed")),
        ({"kind": "banner", "origins": []}, (422, "collection-point-malformed")),
        ({"purposes": ["newsletter", "newsletter"]}, (422, "collection-point-malformed")),
    ],
)  # fmt: skip
def test_a_point_that_could_not_be_used_is_not_registered(
    shop: ShopClient, change: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(shop.post("/v1/collection-points", FORM | change)) == expected
    assert shop.get("/v1/collection-points").json() == []


def test_a_second_click_registers_once_and_a_second_point_needs_a_key_of_its_own(shop: ShopClient) -> None:
    answers = [shop.post("/v1/collection-points", FORM, key="once") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert problem(shop.post("/v1/collection-points", FORM)) == (409, "collection-point-exists")
    assert len(shop.get("/v1/collection-points").json()) == 1


def test_only_the_catalogues_keeper_manages_points_and_a_back_end_mints_tokens(
    service: Context, shop: ShopClient, page: Page
) -> None:
    back_end = ShopClient(service, Scope.CONSENT_WRITE)
    assert problem(back_end.post("/v1/collection-points", TILL)) == (403, "forbidden")
    assert problem(back_end.post("/v1/collection-points/footer:disable", {})) == (403, "forbidden")
    assert back_end.post("/v1/collection-points/footer:token", {"origin": SHOP}).status_code == 200
    reader = ShopClient(service, Scope.CONSENT_READ)
    assert problem(reader.post("/v1/collection-points/footer:token", {"origin": SHOP})) == (403, "forbidden")
    assert problem(shop.post("/v1/collection-points/absent:token", {})) == (404, "collection-point-unknown")


def test_a_page_learns_what_it_may_ask_and_which_text_to_name(page: Page) -> None:
    headers = {"Authorization": f"Bearer {page.token}", "Origin": SHOP}
    answer = page.http.get("/v1/collect?lang=de", headers=headers)
    told = answer.json()
    assert [one["key"] for one in told["purposes"]] == ["newsletter", "profiling"]
    assert told["purposes"][0]["channels"] == ["email", "sms"]
    assert told["shown"] == SHOWN
    assert told["notice_url"].endswith("/notices/signup/1/de-DE")
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert page.http.get("/v1/collect", headers=headers | {"Origin": OTHER}).status_code == 403
    assert page.http.get("/v1/collect?lang=<b>", headers=headers).status_code == 422


def test_a_token_that_was_narrowed_offers_no_more(service: Context, shop: ShopClient) -> None:
    page = Page(service, minted(shop, FORM, purposes=["profiling"]))
    headers = {"Authorization": f"Bearer {page.token}", "Origin": SHOP}
    told = page.http.get("/v1/collect", headers=headers).json()
    assert [one["key"] for one in told["purposes"]] == ["profiling"]
