"""The gate of writes and the documented route answer alike: status, headers and body, whatever is sent."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from privacyops.api import write_fast
from privacyops.api.app import create_api
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.services import apikey, purpose
from privacyops.services.context import Context
from privacyops.store import account as accounts
from privacyops.store.purpose import raise_ver
from privacyops.store.uow import Database
from tests.contract.test_check_fast import Reply, called
from tests.small_service import small_service

GRANT: dict[str, Any] = {
    "subject": {"identifiers": [{"type": "email", "value": "p0@example.com"}]}, "method": "form",
    "jurisdiction": "DE", "choices": [{"purpose": "newsletter", "channel": "email", "choice": "grant"}],
}  # fmt: skip
STOP: dict[str, Any] = {"subject": GRANT["subject"], "method": "form", "scope": "all"}
CHOICE = GRANT["choices"][0]
CONSENTS, WITHDRAW = "/v1/consents", "/v1/consents:withdraw"


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


TAKEN = [
    (CONSENTS, GRANT),
    (CONSENTS, GRANT | {"evidence": {"url": "https://shop.example/", "n": 3}, "brand": "shop"}),
    (CONSENTS, GRANT | {"choices": [CHOICE | {"choice": "refuse"}, CHOICE | {"channel": "sms", "choice": "defer"}]}),
    (CONSENTS, GRANT | {"brand": " shop ", "age": "41", "occurred_at": "2026-11-22T10:00:00+00:00"}),
    (CONSENTS, GRANT | {"client_event_id": "till-7", "indicated_by": "agent", "evidence": {"mandate": "m-1"}}),
    (WITHDRAW, STOP),
    (WITHDRAW, STOP | {"scope": {"purpose": "newsletter"}, "brand": "shop"}),
]
REFUSED = [
    (CONSENTS, GRANT | {"choices": [CHOICE, CHOICE]}),
    (CONSENTS, GRANT | {"choices": [CHOICE | {"purpose": "surprises"}]}),
    (CONSENTS, GRANT | {"choices": [CHOICE | {"channel": "fax"}]}),
    (CONSENTS, GRANT | {"choices": []}),
    (CONSENTS, GRANT | {"brand": "other"}),
    (CONSENTS, GRANT | {"subject": {"id": "s_nobody"}}),
    (CONSENTS, GRANT | {"subject": {}}),
    (CONSENTS, GRANT | {"subject": {"identifiers": [{"type": "email", "value": "kim"}]}}),
    (CONSENTS, GRANT | {"occurred_at": "2026-11-22T10:10:00Z"}),
    (CONSENTS, GRANT | {"occurred_at": "2026-11-22T10:00:00"}),
    (CONSENTS, GRANT | {"evidence": {"n": 0.5}}),
    (CONSENTS, GRANT | {"evidence": {"text": "\ud800"}}),
    (CONSENTS, GRANT | {"notice": {"id": "n", "version": 1, "locale": "de", "sha256": "0" * 64}}),
    (CONSENTS, GRANT | {"indicated_by": "guardian"}),
    (CONSENTS, GRANT | {"age": True, "method": 7}),
    (CONSENTS, GRANT | {"more": 1}),
    (CONSENTS, without(GRANT, "method")),
    (CONSENTS, [GRANT]),
    (CONSENTS, None),
    (WITHDRAW, STOP | {"scope": {}}),
    (WITHDRAW, STOP | {"scope": {"purpose": "surprises"}}),
    (WITHDRAW, STOP | {"scope": "everything"}),
]


class Doors:
    """The same application with its gate and without."""

    def __init__(self, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ctx, self._patch = ctx, monkeypatch
        self.admin = ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=ctx.clock.now()))
        self.key = apikey.create(self.admin, "shop", frozenset({Scope.CONSENT_WRITE}))
        self._app = create_api(ctx)

    def post(self, path: str, body: Any, *, gate: bool, **headers: str | None) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {
            "authorization": f"Bearer {self.key}", "content-type": "application/json", "idempotency-key": uuid4().hex,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }  # fmt: skip
        given = {name: value for name, value in sent.items() if value is not None}
        with self._patch.context() as patch:
            if not gate:
                patch.setattr(write_fast, "_ROUTES", {})
            return called(self._app, "POST", "", given, raw, path)

    def same(self, path: str, body: Any, **headers: str | None) -> Reply:
        """Both answers, compared."""
        fast, slow = (self.post(path, body, gate=gate, **headers) for gate in (True, False))
        assert shown(fast) == shown(slow), (path, body, headers)
        return fast


def shown(reply: Reply) -> tuple[int, dict[str, str], str]:
    """Everything but what is made anew for each call."""
    headers = {name: value for name, value in reply.headers.items() if name not in {"x-request-id", "content-length"}}
    made = r'("(?:event_id|leaf_hash|subject_id|token|promise|request_id)":)"[^"]*"|("state_version":)\d+'
    return reply.status, headers, re.sub(made, r"\1\2-", reply.body.decode())


@pytest.fixture
def doors(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return Doors(ctx, monkeypatch)


def test_what_is_written_is_told_alike(doors: Doors) -> None:
    for number, (path, body) in enumerate(TAKEN):
        replies = []
        for gate in (True, False):
            name = f"p{number}{'ab'[gate]}@example.com"
            own = body | {"subject": {"identifiers": [{"type": "email", "value": name}]}}
            if "client_event_id" in own:
                own["client_event_id"] += name[:3]
            replies.append(doors.post(path, own, gate=gate))
        assert replies[0].status in (200, 201), replies[0].body
        assert shown(replies[0]) == shown(replies[1]), body


def test_what_is_refused_is_refused_in_the_same_words(doors: Doors) -> None:
    for path, body in REFUSED:
        assert doors.same(path, body).status >= 400, body
    for raw in (b"", b"{", b"\xff", b'{"a":1,"a":2}', json.dumps(GRANT).encode()[:-1] + b',"age":1e999}'):
        assert doors.same(CONSENTS, raw).status >= 400, raw


def test_keys_that_do_not_open_are_refused_in_the_same_words(doors: Doors) -> None:
    for header in (None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer po_live_x", f"Bearer {doors.key[:-1]}0"):
        assert doors.same(CONSENTS, GRANT, authorization=header).status == 401, header
    for key in (None, "", "  ", "k" * 129):
        assert doors.same(CONSENTS, GRANT, idempotency_key=key).status in (400, 422), key
    for kind in (None, "text/plain", "application/json; charset=utf-8"):
        doors.same(CONSENTS, GRANT | {"choices": [CHOICE, CHOICE]}, content_type=kind)
    spaced = (f"Bearer  {doors.key}", f"bearer   {doors.key} ", f" Bearer {doors.key}", f"Bearer\t{doors.key}")
    elsewhere = GRANT | {"brand": "other"}
    assert [doors.same(CONSENTS, elsewhere, authorization=one).status for one in spaced] == [404, 404, 401, 401]
    assert doors.post(CONSENTS, GRANT, gate=True, authorization=f"Bearer  {doors.key}").status == 201
    reader = apikey.create(doors.admin, "reader", frozenset({Scope.CONSENT_READ}))
    assert doors.same(CONSENTS, GRANT, authorization=f"Bearer {reader}").status == 403


@pytest.mark.parametrize("first", [True, False])
def test_a_call_that_was_answered_by_one_is_known_to_the_other(doors: Doors, *, first: bool) -> None:
    told = doors.post(CONSENTS, GRANT, gate=first, idempotency_key="k")
    for gate in (True, False):
        again = doors.post(CONSENTS, GRANT, gate=gate, idempotency_key="k")
        assert (again.status, again.body) == (told.status, told.body)
        assert again.headers["idempotency-replayed"] == "true"
        assert doors.post(CONSENTS, GRANT | {"age": 3}, gate=gate, idempotency_key="k").status == 422
    assert "idempotency-replayed" not in told.headers


def test_a_key_in_memory_opens_nothing_once_it_is_revoked_or_over(doors: Doors, clock: ManualClock) -> None:
    assert doors.post(CONSENTS, GRANT, gate=True).status == 201
    purpose.add_brand(doors.ctx, "outlet", "Outlet")  # what is published changes: the key is looked up again
    assert doors.post(CONSENTS, GRANT | {"brand": "shop"}, gate=True).status == 201
    key = apikey.all_keys(doors.admin)[0]
    apikey.revoke(doors.admin, key.id)
    assert doors.same(CONSENTS, GRANT | {"brand": "shop"}).status == 401
    doors.key = apikey.create(doors.admin, "shop", frozenset({Scope.CONSENT_WRITE}), timedelta(hours=1))
    assert doors.post(CONSENTS, GRANT | {"brand": "shop"}, gate=True).status == 201
    clock.advance(timedelta(hours=1))
    assert doors.same(CONSENTS, GRANT | {"brand": "shop"}).status == 401


def test_what_is_refused_before_the_write_opens_is_not_judged_under_a_key_of_before(doors: Doors) -> None:
    early: list[dict[str, Any]] = [
        GRANT | {"subject": {"identifiers": [{"type": "email", "value": "kim"}]}},
        GRANT | {"evidence": {"n": 0.5}},
    ]
    for body in early:
        assert doors.post(CONSENTS, GRANT, gate=True).status == 201
        assert doors.same(CONSENTS, body).status in (400, 422), body
        apikey.revoke(doors.admin, apikey.all_keys(doors.admin)[0].id)
        assert doors.same(CONSENTS, body).status == 401, body
        doors.key = apikey.create(doors.admin, "shop", frozenset({Scope.CONSENT_WRITE}))


def test_a_key_that_may_not_write_is_judged_by_what_it_may_now(doors: Doors) -> None:
    doors.key = apikey.create(doors.admin, "reader", frozenset({Scope.CONSENT_READ}))
    key = apikey.all_keys(doors.admin)[0].id
    assert doors.same(CONSENTS, GRANT).status == 403
    with doors.ctx.database.transaction("shop-group", doors.ctx.clock.now()) as tx:
        accounts.settle_scopes(tx, key, frozenset({Scope.CONSENT_WRITE}))
        raise_ver(tx)
    assert doors.post(CONSENTS, GRANT, gate=True).status == 201
    with doors.ctx.database.transaction("shop-group", doors.ctx.clock.now()) as tx:
        accounts.settle_scopes(tx, key, frozenset({Scope.CONSENT_READ}))
        raise_ver(tx)
    assert doors.same(CONSENTS, GRANT).status == 403
    apikey.revoke(doors.admin, key)
    assert doors.same(CONSENTS, GRANT).status == 401
