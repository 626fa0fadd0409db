"""Consent over HTTP, as a shop's back end meets it. On both engines."""

import json
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.services import apikey, purpose
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.small_service import small_service

KIM = {"identifiers": [{"type": "email", "value": "kim@example.com"}]}
GRANT = {
    "subject": KIM, "method": "checkout_checkbox", "jurisdiction": "DE",
    "choices": [{"purpose": "newsletter", "channel": "email", "choice": "grant"}],
    "evidence": {"url": "https://shop.example/checkout", "variant": "b"},
}  # fmt: skip
ASK = {"identifier": {"type": "email", "value": "kim@example.com"}, "purpose": "newsletter", "channel": "email"}


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


def minted(service: Context, *scopes: Scope) -> str:
    admin = staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=service.clock.now())
    return apikey.create(service.acting_as(admin), "shop", frozenset(scopes))


class Shop:
    """A back end with a key."""

    def __init__(self, service: Context, *scopes: Scope) -> None:
        self._http = TestClient(create_api(service), raise_server_exceptions=False)
        self._headers = {"Authorization": f"Bearer {minted(service, *scopes)}"}

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        headers = self._headers | {"Idempotency-Key": key or uuid4().hex, "Content-Type": "application/json"}
        text = body if isinstance(body, str) else json.dumps(body)
        return self._http.post(path, content=text, headers=headers)

    def get(self, path: str, **query: str) -> Any:
        return self._http.get(path, params=query, headers=self._headers)

    def bare(self, method: str, path: str, **options: Any) -> Any:
        return self._http.request(method, path, **options)


@pytest.fixture
def shop(service: Context) -> Shop:
    return Shop(service, Scope.CONSENT_WRITE, Scope.CONSENT_CHECK, Scope.CONSENT_READ)


def test_a_choice_is_recorded_checked_withdrawn_and_read_back(shop: Shop) -> None:
    written = shop.post("/v1/consents", GRANT)
    assert written.status_code == 201
    body = written.json()
    assert body["recorded_at"] == "2026-11-22T10:00:00.000Z"
    assert body["events"][0] | {"event_id": "", "leaf_hash": ""} == {
        "event_id": "", "leaf_hash": "", "type": "consent.given", "purpose": "newsletter", "channel": "email",
        "brand": "shop", "state": "ConsentGiven", "applied": True, "awaiting": None,
    }  # fmt: skip
    subject = body["subject_id"]
    granted = shop.get("/v1/check", subject=subject, purpose="newsletter", channel="email")
    assert granted.status_code == 200
    assert granted.json() == {
        "decision": "allow", "reason": "GRANTED", "basis": "consent", "regime": "opt_in", "jurisdiction": "DE",
        "purpose": "newsletter", "purpose_version": 1, "channel": "email", "brand": "shop", "state": "ConsentGiven",
        "granted_at": "2026-11-22T10:00:00.000Z", "expires_at": "2028-11-22T10:00:00.000Z", "notice": None,
        "event_id": body["events"][0]["event_id"], "state_version": 1, "as_of": "2026-11-22T10:00:00.000Z",
        "age_ms": 0, "ttl_s": 5, "stale": False,
    }  # fmt: skip
    assert granted.headers["cache-control"] == "no-store"
    scope = {"purpose": "newsletter", "channel": "email"}
    stop = {"subject": {"id": subject}, "scope": scope, "method": "preference_centre"}
    assert shop.post("/v1/consents:withdraw", stop).status_code == 200
    denied = shop.post("/v1/check", ASK).json()
    assert (denied["decision"], denied["reason"], denied["state"]) == ("deny", "WITHDRAWN", "ConsentWithdrawn")
    assert (denied["granted_at"], denied["expires_at"]) == (None, None)
    past = shop.get(f"/v1/subjects/{subject}/history").json()
    assert [item["type"] for item in past["items"]] == ["consent.withdrawn", "consent.given"]
    assert past["items"][1]["actor"] == {"kind": "api_key"}
    assert past["next"] is None
    now = shop.get(f"/v1/subjects/{subject}/consents").json()
    assert [(item["state"], item["decision"], item["reason"]) for item in now["items"]] == [
        ("ConsentWithdrawn", "deny", "WITHDRAWN")
    ]


def test_unsubscribing_from_everything_needs_one_word(shop: Shop) -> None:
    shop.post("/v1/consents", GRANT)
    stop = shop.post("/v1/consents:withdraw", {"subject": KIM, "scope": "all", "method": "mail_unsubscribe"})
    assert [event["type"] for event in stop.json()["events"]] == ["stop.all"]
    assert shop.post("/v1/check", ASK).json()["reason"] == "WITHDRAWN"
    items = shop.get(f"/v1/subjects/{stop.json()['subject_id']}/consents").json()["items"]
    assert {item["kind"] for item in items} == {"choice", "stop_all"}


def test_the_past_state_is_read_by_its_moment(shop: Shop, clock: ManualClock) -> None:
    subject = shop.post("/v1/consents", GRANT).json()["subject_id"]
    before = shop.get(f"/v1/subjects/{subject}/consents", at="2026-11-22T09:59:59Z").json()
    assert before["items"] == []
    then = shop.get(f"/v1/subjects/{subject}/consents", at="2026-11-22T11:00:00+01:00").json()
    assert [item["state"] for item in then["items"]] == ["ConsentGiven"]
    assert shop.get(f"/v1/subjects/{subject}/consents", at="2026-11-22T10:00:00").status_code == 400


@pytest.mark.parametrize(
    ("change", "type_"),
    [({"purpose": "surprises"}, "unknown-purpose"), ({"channel": "fax"}, "unknown-channel"),
     ({"brand": "elsewhere"}, "unknown-brand")],
)  # fmt: skip
def test_what_is_not_known_is_a_404_and_never_a_yes(shop: Shop, change: dict[str, str], type_: str) -> None:
    answer = shop.post("/v1/check", ASK | change)
    assert (answer.status_code, answer.json()["type"]) == (404, f"/problems/{type_}")
    assert "allow" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_same_key_and_body_is_answered_alike_and_another_body_is_refused(shop: Shop) -> None:
    first, again = shop.post("/v1/consents", GRANT, "k1"), shop.post("/v1/consents", GRANT, "k1")
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    other = shop.post("/v1/consents", GRANT | {"method": "form"}, "k1")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_a_member_that_stands_twice_is_refused_before_anybody_reads_it(shop: Shop, service: Context) -> None:
    headers = {
        "Authorization": f"Bearer {minted(service, Scope.CONSENT_WRITE)}", "Idempotency-Key": "twice",
        "Content-Type": "application/json",
    }  # fmt: skip
    text = json.dumps(GRANT)
    twice = text.replace('"choices":', '"choices": [], "choices":', 1)
    answer = shop.bare("POST", "/v1/consents", content=twice.encode(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/member-twice")
    assert shop.bare("POST", "/v1/consents", content=text.encode(), headers=headers).status_code == 201


def test_a_length_that_is_no_length_is_refused_without_an_error(shop: Shop) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "0" * 5_000 + "2"}
    answer = shop.bare("POST", "/v1/consents", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")


def test_a_write_without_a_key_is_refused(shop: Shop, service: Context) -> None:
    headers = {"Authorization": f"Bearer {minted(service, Scope.CONSENT_WRITE)}"}
    answer = shop.bare("POST", "/v1/consents", json=GRANT, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/idempotency-key-missing")


@pytest.mark.parametrize(
    ("change", "status", "type_"),
    [
        ({"occurred_at": "2026-11-22T10:05:01Z"}, 422, "occurred-in-future"),
        ({"occurred_at": "2026-11-14T10:00:00Z"}, 422, "occurred-too-old"),
        ({"choices": [GRANT["choices"][0], GRANT["choices"][0]]}, 422, "duplicate-choice"),  # type: ignore[index]  # a list
        ({"notice": {"id": "n", "version": 1, "locale": "en", "sha256": "0" * 64}}, 422, "notice-not-published"),
        ({"indicated_by": "guardian"}, 422, "guardian-required"),
        ({"evidence": {"share": 0.5}}, 422, "evidence-malformed"),
        ({"evidence": {"flag": None}}, 422, "evidence-malformed"),
        ({"subject": {"identifiers": [{"type": "email", "value": "kim"}]}}, 422, "identifier-malformed"),
        ({"subject": {"id": "s_NOBODY"}}, 404, "subject-unknown"),
        ({"subject": {}}, 422, "invalid-request"),
        ({"occurred_at": "2026-11-22T10:00:00"}, 422, "invalid-request"),
        ({"method": "telepathy"}, 422, "invalid-request"),
        ({"choices": []}, 422, "invalid-request"),
        ({"client_event_id": "a\u0000b"}, 422, "invalid-request"),
        ({"surprise": 1}, 422, "invalid-request"),
        ({"brand": "elsewhere"}, 404, "unknown-brand"),
    ],
)  # fmt: skip
def test_a_refusal_names_its_kind_and_writes_nothing(
    shop: Shop, change: dict[str, Any], status: int, type_: str
) -> None:
    answer = shop.post("/v1/consents", GRANT | change)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{type_}")
    assert "kim" not in answer.text
    assert shop.post("/v1/check", ASK).json()["reason"] == "NO_CONSENT"


@pytest.mark.parametrize(
    "body",
    ['{"subject":', '[]', '{"evidence": "\\ud800"}', json.dumps(GRANT | {"evidence": {"x": "\ud800"}}),
     json.dumps(GRANT | {"evidence": {"x": float("nan")}}), json.dumps(GRANT).replace("kim@", "\\ud800@"),
     '{"subject":{"identifiers":[{"type":"email","value":"a\\u0000@example.com"}]},"scope":"all","method":"form"}'],
)  # fmt: skip
def test_hostile_bodies_are_refused_and_not_a_bug(shop: Shop, body: str) -> None:
    for path in ("/v1/consents", "/v1/consents:withdraw", "/v1/check"):
        assert 400 <= shop.post(path, body).status_code < 500


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [(Scope.CONSENT_CHECK, "POST", "/v1/consents"), (Scope.CONSENT_CHECK, "POST", "/v1/consents:withdraw"),
     (Scope.CONSENT_WRITE, "POST", "/v1/check"), (Scope.CONSENT_WRITE, "GET", "/v1/subjects/s_X/history"),
     (Scope.CONSENT_WRITE, "GET", "/v1/subjects/s_X/consents"), (Scope.DSAR_READ, "POST", "/v1/check")],
)  # fmt: skip
def test_a_key_without_the_scope_is_refused(service: Context, scope: Scope, method: str, path: str) -> None:
    shop = Shop(service, scope)
    body = {"/v1/consents": GRANT, "/v1/check": ASK}.get(path, {"subject": KIM, "scope": "all", "method": "form"})
    answer = shop.post(path, body) if method == "POST" else shop.get(path)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


def test_without_a_key_nothing_is_answered(shop: Shop) -> None:
    answer = shop.bare("POST", "/v1/check", json=ASK)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_person_is_answered_by_the_regime(shop: Shop) -> None:
    answer = shop.get("/v1/check", subject="s_NOBODY", purpose="newsletter", channel="email").json()
    assert (answer["decision"], answer["reason"], answer["state"]) == ("deny", "NO_CONSENT", "ConsentUnknown")
    assert shop.get("/v1/subjects/s_NOBODY/history").status_code == 404
