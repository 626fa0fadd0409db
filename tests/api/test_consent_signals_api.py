"""Consent Mode and consent strings over HTTP. On both engines."""

from dataclasses import replace
from typing import Any

import pytest

from privacyops.domain.account.action import Scope
from privacyops.kernel.clock import ManualClock
from privacyops.services import purpose
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.consent_strings import TcFields
from tests.shop import ShopClient
from tests.small_service import small_service

DEVICE = {"identifiers": [{"type": "device_id", "value": "d-1"}]}


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


@pytest.fixture
def shop(service: Context) -> ShopClient:
    return ShopClient(service, Scope.CONSENT_CHECK, Scope.CONSENT_WRITE, Scope.CONSENT_READ)


def banner(choice: str, **evidence: Any) -> dict[str, Any]:
    choices = [{"purpose": key, "channel": "web", "choice": choice} for key in ("advertising", "analytics")]
    return {"subject": DEVICE, "method": "banner", "jurisdiction": "DE", "choices": choices, "evidence": evidence}


def test_before_a_choice_a_page_denies_all_but_what_is_necessary(shop: ShopClient) -> None:
    mode = shop.get("/v1/consent-mode").json()
    everywhere, america = mode["default"]
    assert everywhere == {
        "ad_storage": "denied", "ad_user_data": "denied", "ad_personalization": "denied",
        "analytics_storage": "denied", "functionality_storage": "denied", "personalization_storage": "denied",
        "security_storage": "granted", "wait_for_update": 500,
    }  # fmt: skip
    assert america["region"] == ["US"]
    assert america["ad_storage"] == "granted"
    assert mode["update"] is None


def test_after_a_choice_the_page_updates_what_was_chosen(shop: ShopClient) -> None:
    person = shop.post("/v1/consents", banner("grant")).json()["subject_id"]
    update = shop.get("/v1/consent-mode", subject=person).json()["update"]
    assert (update["ad_storage"], update["analytics_storage"]) == ("granted", "granted")
    assert (update["functionality_storage"], update["security_storage"]) == ("denied", "granted")
    withdrawn = {"subject": {"id": person}, "scope": {"purpose": "advertising"}, "method": "preference_centre"}
    assert shop.post("/v1/consents:withdraw", withdrawn).status_code == 200
    update = shop.get("/v1/consent-mode", subject=person).json()["update"]
    assert (update["ad_storage"], update["ad_user_data"], update["analytics_storage"]) == (
        "denied",
        "denied",
        "granted",
    )


def test_a_configured_map_decides_which_purpose_answers(service: Context) -> None:
    mapped = replace(service, controller=replace(service.controller, consent_mode={"ad_storage": "analytics"}))
    shop = ShopClient(mapped, Scope.CONSENT_CHECK)
    assert shop.get("/v1/consent-mode").json()["purposes"]["ad_storage"] == "analytics"


def test_an_unknown_brand_is_a_problem_and_a_key_without_the_scope_is_refused(
    service: Context, shop: ShopClient
) -> None:
    assert shop.get("/v1/consent-mode", subject="s_NOBODY", brand="elsewhere").status_code == 404
    assert ShopClient(service, Scope.CONSENT_WRITE).get("/v1/consent-mode").status_code == 403


def test_a_grant_with_a_readable_string_is_recorded(shop: ShopClient) -> None:
    evidence = {"tcf": TcFields(purposes={1}, disclosed={3}).text(), "gpp": "DBABLA~BVVVAAAAAgA.YA"}
    answer = shop.post("/v1/consents", banner("grant", **evidence))
    assert answer.status_code == 201
    assert [event["state"] for event in answer.json()["events"]] == ["ConsentGiven", "ConsentGiven"]


@pytest.mark.parametrize("evidence", [{"tcf": "garbage"}, {"gpp": "DBABLA"}, {"tcf": ""}, {"gpp": 7}])
def test_a_grant_with_an_unreadable_string_is_refused_and_nothing_is_written(
    shop: ShopClient, evidence: dict[str, Any]
) -> None:
    answer = shop.post("/v1/consents", banner("grant", **evidence))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/consent-string-undecodable")
    assert answer.json()["code"]
    asked = {"identifier": DEVICE["identifiers"][0], "purpose": "advertising", "channel": "web"}
    assert shop.post("/v1/check", asked).json()["reason"] == "NO_CONSENT"


def test_a_refusal_is_recorded_whatever_its_string_says(shop: ShopClient) -> None:
    answer = shop.post("/v1/consents", banner("refuse", tcf="garbage"))
    assert answer.status_code == 201
    assert answer.json()["events"][0]["state"] == "ConsentRefused"
