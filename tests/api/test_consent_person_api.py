"""Confirmations, contacts, devices, objections, signals and suppressions over HTTP. On both engines."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.kernel.clock import ManualClock
from privacyops.services import apikey
from privacyops.store.uow import Database
from tests.ledger_shop import KIM, MINUTE, LedgerShop

BY_MAIL = {"purpose": "newsletter", "channel": "email"}
PERSON = {"identifiers": [{"type": "email", "value": KIM}]}
DEVICE = {"type": "device_id", "value": "dev-1"}
GRANT = {"subject": PERSON, "method": "form", "choices": [{**BY_MAIL, "choice": "grant"}]}


class Door:
    """A shop's back end over HTTP."""

    def __init__(self, shop: LedgerShop, *scopes: Scope) -> None:
        self.shop = shop
        key = apikey.create(shop.as_staff(Role.ADMIN), "shop", frozenset(scopes))
        self._http = TestClient(create_api(shop.machine), raise_server_exceptions=False)
        self.headers = {"Authorization": f"Bearer {key}"}

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        headers = self.headers | {"Idempotency-Key": key or uuid4().hex, "Content-Type": "application/json"}
        return self._http.post(path, content=json.dumps(body), headers=headers)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: str) -> Any:
        return self._http.get(path, params=query, headers=self.headers | (headers or {}))

    def delete(self, path: str) -> Any:
        return self._http.delete(path, headers=self.headers)

    def bare(self, method: str, path: str, **options: Any) -> Any:
        return self._http.request(method, path, **options)

    def reason(self, subject: str, **about: str) -> str:
        asked: dict[str, Any] = {**BY_MAIL, **about, "subject": subject}
        return str(self.get("/v1/check", **asked).json()["reason"])


@pytest.fixture
def door(database: Database, clock: ManualClock) -> Door:
    shop = LedgerShop.open(database, clock, gpc_since="2026-11-22")
    return Door(shop, Scope.CONSENT_WRITE, Scope.CONSENT_CHECK, Scope.CONSENT_READ)


def test_a_link_is_confirmed_once_and_says_so_the_second_time(door: Door) -> None:
    door.shop.with_double_opt_in()
    subject = door.post("/v1/consents", GRANT).json()["subject_id"]
    assert door.reason(subject) == "PENDING_CONFIRMATION"
    token = {"token": door.shop.token()}
    first, again = door.post("/v1/consents:confirm", token), door.post("/v1/consents:confirm", token)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["already_confirmed"] is False
    assert again.json() | {"token": None, "promise": None} == again.json()
    assert (again.json()["already_confirmed"], again.json()["event_id"]) == (True, first.json()["event_id"])
    assert door.reason(subject) == "GRANTED"


@pytest.mark.parametrize("token", ["pok_made_up", "x", "pok_" + "A" * 43])
def test_an_unknown_link_is_a_404(door: Door, token: str) -> None:
    answer = door.post("/v1/consents:confirm", {"token": token})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/token-unknown")


def test_a_third_resend_or_one_too_soon_is_a_409(door: Door) -> None:
    door.shop.with_double_opt_in()
    door.post("/v1/consents", GRANT)
    which = {"subject": PERSON, **BY_MAIL}
    assert door.post("/v1/consents:resend", which).json()["type"] == "/problems/resend-refused"
    door.shop.clock.advance(11 * MINUTE)
    assert door.post("/v1/consents:resend", which).status_code == 202


def test_a_changed_address_waits_for_its_owner(door: Door) -> None:
    subject = door.post("/v1/consents", GRANT).json()["subject_id"]
    new = {"contact": {"type": "email", "value": "kim.new@example.com"}, "method": "preference_centre"}
    changed = door.post(f"/v1/subjects/{subject}/contacts", new, key="once")
    assert changed.json()["events"][0]["type"] == "contact.changed"
    assert door.post(f"/v1/subjects/{subject}/contacts", new, key="once").headers["Idempotency-Replayed"] == "true"
    assert door.reason(subject) == "PENDING_CONFIRMATION"


def test_a_device_is_tied_refused_to_another_and_untied(door: Door) -> None:
    one = door.post("/v1/consents", GRANT).json()["subject_id"]
    other = {**GRANT, "subject": {"identifiers": [{"type": "email", "value": "lee@example.com"}]}}
    two = door.post("/v1/consents", other).json()["subject_id"]
    tied = door.post(f"/v1/subjects/{one}/links", {"identifiers": [DEVICE]})
    assert (tied.status_code, tied.json()["changed"]) == (200, True)
    refused = door.post(f"/v1/subjects/{two}/links", {"identifiers": [DEVICE]})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/identity-conflict")
    path = f"/v1/subjects/{one}/links/{tied.json()['linked_id']}"
    assert (door.delete(path).status_code, door.delete(path).status_code) == (200, 404)
    assert door.post(f"/v1/subjects/{two}/links", {"identifiers": [DEVICE]}).status_code == 200


def test_a_tie_without_the_shops_credentials_is_a_401(door: Door) -> None:
    """Case 26."""
    subject = door.post("/v1/consents", GRANT).json()["subject_id"]
    bare = door.bare("POST", f"/v1/subjects/{subject}/links", json={"identifiers": [DEVICE]})
    assert bare.status_code == 401
    assert door.bare("DELETE", f"/v1/subjects/{subject}/links/s_ANY").status_code == 401


def test_an_objection_to_advertising_denies_at_the_next_check(door: Door) -> None:
    subject = door.post("/v1/consents", GRANT).json()["subject_id"]
    door.shop.clock.advance(MINUTE)
    made = door.post("/v1/objections", {"subject": PERSON, "method": "phone"}, key="once")
    assert (made.status_code, made.json()["events"][0]["type"]) == (201, "objection.made")
    again = door.post("/v1/objections", {"subject": PERSON, "method": "phone"}, key="once")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert door.reason(subject) == "OBJECTED"
    wrong = door.post("/v1/objections", {"subject": PERSON, "method": "phone", "purpose": "service_messages"})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/nothing-to-object-to")


def test_a_signal_is_taken_once_and_shown_as_honoured(door: Door) -> None:
    """Cases 44 and 46."""
    body = {"subject": {"identifiers": [DEVICE]}, "sec_gpc": ["1"], "jurisdiction": "US-CA"}
    taken, again = door.post("/v1/signals/gpc", body), door.post("/v1/signals/gpc", body)
    assert (taken.json()["signal"], len(taken.json()["events"]), again.json()["events"]) == (True, 1, [])
    ignored = door.post("/v1/signals/gpc", body | {"sec_gpc": ["true", "0"]})
    assert ignored.json() == {"signal": False, "events": []}
    choice = {**GRANT, "subject": {"identifiers": [DEVICE]}, "choices": [
        {"purpose": "analytics", "channel": "web", "choice": "grant"}
    ]}  # fmt: skip
    device = door.post("/v1/consents", choice).json()["subject_id"]
    shown = door.get("/v1/gpc-status", subject=device, jurisdiction="US-CA").json()
    assert shown == {"signal": True, "honoured": True, "duty": True, "label": "Opt-Out Request Honored"}
    assert door.reason(device, purpose="advertising", channel="web", jurisdiction="US-CA") == "GPC_OPT_OUT"


def test_the_support_resource_needs_no_key(door: Door) -> None:
    answer = door.bare("GET", "/.well-known/gpc.json")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {"gpc": True, "lastUpdate": "2026-11-22"}


def test_a_prompt_within_twelve_months_of_an_opt_out_is_a_409(door: Door) -> None:
    """Case 47."""
    body = {"subject": {"identifiers": [DEVICE]}, "sec_gpc": ["1"], "jurisdiction": "US-CA"}
    door.post("/v1/signals/gpc", body)
    prompt = {
        "subject": {"identifiers": [DEVICE]}, "method": "banner", "jurisdiction": "US-CA",
        "choices": [{"purpose": "advertising", "channel": "web", "choice": "ask"}],
    }  # fmt: skip
    refused = door.post("/v1/consents", prompt)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/reask-blocked")
    assert refused.json()["until"] == "2027-11-22T10:00:00.000Z"


def test_a_childs_grant_without_a_guardian_is_a_422_and_its_stop_is_taken(door: Door) -> None:
    """Case 50."""
    refused = door.post("/v1/consents", {**GRANT, "age": 12, "jurisdiction": "DE"})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/guardian-required")
    stop = {**GRANT, "age": 12, "jurisdiction": "DE", "choices": [{**BY_MAIL, "choice": "refuse"}]}
    assert door.post("/v1/consents", stop).status_code == 201


def test_a_suppressed_contact_is_looked_up_denied_and_granted_nothing(door: Door) -> None:
    contact = {"contact": {"type": "email", "value": "KIM@example.com"}}
    added = door.post("/v1/suppressions", contact | {"reason": "complaint"})
    assert added.status_code == 201
    found = door.post("/v1/suppressions:lookup", contact).json()["items"]
    assert [(one["reason"], one["event_id"]) for one in found] == [("complaint", added.json()["event_id"])]
    refused = door.post("/v1/consents", GRANT)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/suppressed")
    narrow = door.post("/v1/suppressions", contact | {"reason": "complaint", "purpose": "newsletter"})
    assert narrow.json()["type"] == "/problems/suppression-malformed"
    nobody = {"contact": {"type": "customer_id", "value": "4711"}, "reason": "complaint"}
    assert door.post("/v1/suppressions", nobody).json()["type"] == "/problems/not-a-contact"


def test_a_soft_opt_in_names_its_sale(door: Door) -> None:
    body = {"subject": PERSON, "method": "api", **BY_MAIL}
    refused = door.post("/v1/consents:establish", body)
    assert (refused.status_code, refused.json()["missing"]) == (422, ["sale", "similar_products", "opt_out_offered"])


def test_consents_that_end_soon_are_listed(door: Door) -> None:
    choices = {"choices": [{"purpose": "analytics", "channel": "web", "choice": "grant"}]}
    subject = door.post("/v1/consents", GRANT | choices).json()["subject_id"]
    assert door.get("/v1/consents/ending", purpose="analytics").json() == {"items": [], "next": None}
    door.shop.clock.advance(160 * 24 * 60 * MINUTE)
    found = door.get("/v1/consents/ending", purpose="analytics").json()["items"]
    assert [one["subject_id"] for one in found] == [subject]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/consents:resend", {"subject": PERSON, **BY_MAIL}),
        ("/v1/consents:establish", {"subject": PERSON, "method": "api", **BY_MAIL}),
        ("/v1/subjects/s_ANY/contacts", {"contact": DEVICE, "method": "api"}),
        ("/v1/subjects/s_ANY/links", {"identifiers": [DEVICE]}),
        ("/v1/objections", {"subject": PERSON, "method": "api"}),
        ("/v1/signals/gpc", {"subject": PERSON, "sec_gpc": ["1"]}),
        ("/v1/suppressions", {"contact": DEVICE, "reason": "complaint"}),
    ],
)
def test_a_write_without_an_idempotency_key_is_refused(door: Door, path: str, body: dict[str, Any]) -> None:
    answer = door.bare("POST", path, json=body, headers=door.headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/idempotency-key-missing")
    assert not re.search("kim", answer.text)
