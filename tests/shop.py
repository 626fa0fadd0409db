"""A shop's back end with a key, over HTTP."""

import json
from collections.abc import Collection
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient

from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.kernel.ids import AccountId
from privacyops.services import apikey
from privacyops.services.context import Context

KIM = {"identifiers": [{"type": "email", "value": "kim@example.com"}]}


class ShopClient:
    """A back end with a key of these scopes, which acknowledges for these systems."""

    def __init__(self, service: Context, *scopes: Scope, systems: Collection[str] = ()) -> None:
        controller = service.controller.key
        admin = staff(AccountId(uuid4()), controller, Role.ADMIN, step_up_at=service.clock.now())
        key = apikey.create(service.acting_as(admin), "shop", frozenset(scopes), systems=frozenset(systems))
        self._http = TestClient(create_api(service), raise_server_exceptions=False)
        self._headers = {"Authorization": f"Bearer {key}"}

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        headers = self._headers | {"Idempotency-Key": key or uuid4().hex, "Content-Type": "application/json"}
        return self._http.post(path, content=json.dumps(body), headers=headers)

    def get(self, path: str, **query: str) -> Any:
        return self._http.get(path, params=query, headers=self._headers)

    def delete(self, path: str) -> Any:
        return self._http.delete(path, headers=self._headers | {"Idempotency-Key": uuid4().hex})
