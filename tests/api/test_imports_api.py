"""Older lists over HTTP. On both engines."""

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

LIST = (
    "email,choice,occurred_at,wording,method,confirmed_at\nkim@example.com,granted,2025-11-01,text 3,form,2025-11-02\n"
)
ABOUT = {"purpose": "newsletter", "channel": "email", "jurisdiction": "DE"}


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


class Importer:
    """A back end with a key."""

    def __init__(self, service: Context, *scopes: Scope) -> None:
        admin = staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=service.clock.now())
        key = apikey.create(service.acting_as(admin), "shop", frozenset(scopes))
        self._headers = {"Authorization": f"Bearer {key}"}
        self._http = TestClient(create_api(service), raise_server_exceptions=False)

    def send(self, path: str, text: str, **query: str) -> Any:
        headers = self._headers | {"Content-Type": "text/csv"}
        return self._http.post(path, params=ABOUT | query, content=text.encode(), headers=headers)

    def get(self, path: str) -> Any:
        return self._http.get(path, headers=self._headers)

    def check(self) -> str:
        body = {
            "identifier": {"type": "email", "value": "kim@example.com"},
            "purpose": "newsletter",
            "channel": "email",
        }
        reason: str = self._http.post("/v1/check", json=body, headers=self._headers).json()["reason"]
        return reason


@pytest.fixture
def shop(service: Context) -> Importer:
    return Importer(service, Scope.CONSENT_IMPORT, Scope.CONSENT_CHECK)


def test_a_list_is_tried_then_taken_over_and_can_be_looked_up(shop: Importer) -> None:
    tried = shop.send("/v1/imports:dry-run", LIST)
    assert (tried.status_code, tried.json()["state"]) == (200, "fresh")
    assert shop.check() == "NO_CONSENT"
    done = shop.send("/v1/imports", LIST, digest=tried.json()["digest"])
    assert (done.status_code, done.json()["counts"]["stored"]) == (201, 1)
    assert shop.check() == "GRANTED"
    assert shop.get(f"/v1/imports/{done.json()['id']}").json() == done.json()


def test_a_second_click_changes_nothing(shop: Importer) -> None:
    digest = shop.send("/v1/imports:dry-run", LIST).json()["digest"]
    first, second = (shop.send("/v1/imports", LIST, digest=digest) for _ in range(2))
    assert first.json() == second.json()


def test_another_file_than_the_tried_one_is_refused(shop: Importer) -> None:
    digest = shop.send("/v1/imports:dry-run", LIST).json()["digest"]
    refused = shop.send("/v1/imports", LIST + "lee@example.com,granted,,,,\n", digest=digest)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/import-digest-mismatch")
    assert shop.check() == "NO_CONSENT"


def test_what_is_no_list_is_a_clear_problem(shop: Importer) -> None:
    refused = shop.send("/v1/imports:dry-run", "name\nKim\n")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/import-malformed")
    assert shop.get(f"/v1/imports/{uuid4()}").status_code == 404


def test_importing_needs_its_own_right(service: Context) -> None:
    assert Importer(service, Scope.CONSENT_WRITE).send("/v1/imports:dry-run", LIST).status_code == 403
