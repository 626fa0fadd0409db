"""What the description of the API promises to generated clients: names, required keys, examples that work."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from privacyops.adapters.webhook_sender import GuardedWebhookSender
from privacyops.api.app import create_api
from privacyops.api.description import EXAMPLES, NAMES
from privacyops.connector_sdk.guard import Guard
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.services import apikey, purpose
from privacyops.services.context import Context
from privacyops.store.uow import Database
from tests.small_service import small_service

VERBS = {
    "acknowledge", "answer", "change", "check", "collect", "confirm", "connect", "decide", "disable", "download",
    "draft", "enable", "establish", "export", "find", "get", "link", "lint", "list", "make", "mark", "mint", "prove",
    "publish", "receive", "record", "register", "replace", "replay", "request", "resend", "retire", "rotate", "run",
    "scan", "scrub", "stop", "submit", "suppress", "try", "unlink", "withdraw",
}  # fmt: skip


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock, webhooks=GuardedWebhookSender(Guard))
    purpose.install_shipped(ctx)
    return ctx


@pytest.fixture
def app(service: Context) -> FastAPI:
    return create_api(service)


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_every_operation_is_named_by_a_verb_and_a_noun_and_once(app: FastAPI) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(app)]
    assert len(ids) == len(set(ids))
    assert len(set(NAMES.values())) == len(NAMES)
    assert {
        one for one in ids if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", one) or one.split("_")[0] not in VERBS
    } == set()
    assert {f"{method} {path}" for method, path, _ in operations(app)} <= set(NAMES)


def test_every_example_is_taken_and_a_key_that_is_shown_as_required_is_demanded(service: Context, app: FastAPI) -> None:
    admin = service.acting_as(staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=service.clock.now()))
    client = TestClient(app, headers={"Authorization": f"Bearer {apikey.create(admin, 'all', frozenset(Scope))}"})
    tried = 0
    for method, path, operation in operations(app):
        example = EXAMPLES.get(operation["operationId"])
        if example is None:
            continue
        url = re.sub(r"\{subject_id\}", "s_7QM0Z6K3N8XV4T1R5BCD9EFGHJ", path)
        url = re.sub(r"\{[a-z_]+\}", str(uuid4()) if "webhooks" in path or "dsars" in path else "newsletter", url)
        required = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header" and one["required"]}
        if "Idempotency-Key" in required:
            answer = client.request(method, url, json=example)
            assert (answer.status_code, answer.json()["type"]) == (400, "/problems/idempotency-key-missing"), path
            tried += 1
        answer = client.request(method, url, json=example, headers={"Idempotency-Key": uuid4().hex})
        assert answer.status_code < 500, (path, answer.text)
        assert "/problems/invalid-request" not in answer.text, (path, answer.text)
    assert tried > 15
