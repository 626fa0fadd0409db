"""What the gate does by itself, since no middleware stands before it: limits, methods, keys, buckets, what it tells."""

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from starlette.types import Message

from privacyops.adapters.telemetry import JsonTelemetry
from privacyops.api.app import create_api
from privacyops.api.check_fast import MAX_BODY, CheckDoor, Gate
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.state import Method
from privacyops.domain.purpose import PurposeVersion
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId
from privacyops.services import apikey, purpose
from privacyops.services.consent import writing
from privacyops.services.consent.checking import Checker
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Written
from privacyops.services.consent.terms import Scope as Stop
from privacyops.services.context import Context
from privacyops.services.health import VERSION
from privacyops.store.check_reader import source_for
from privacyops.store.uow import Database
from tests.small_service import small_service
from tests.tampering import spoilt

ASK = {"identifier": {"type": "email", "value": "kim@example.com"}, "purpose": "newsletter", "channel": "email"}


class Shop:
    """A back end before the gate. `told` is what the operator's log got."""

    def __init__(self, ctx: Context, url: str, clock: ManualClock, told: io.StringIO, rate: int = 1000) -> None:
        self.ctx, self.clock, self.told = ctx, clock, told
        self.admin = ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=clock.now()))
        self.key = apikey.create(self.admin, "checks", frozenset({Scope.CONSENT_CHECK}))
        self.checker = Checker(ctx, source_for(url, clock.boot_seconds), checks_per_second=rate)
        self.gate = Gate(create_api(ctx), CheckDoor(self.checker, clock, ctx.ports.telemetry))

    def ask(self, body: Any = None, *, key: str | None = None, method: str = "POST", **change: Any) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps((body or ASK) | change).encode()
        return self.call([raw], key=key, method=method)

    def call(
        self, parts: list[bytes], *, key: str | None = None, method: str = "POST", path: str = "/v1/check",
        announces: bool = True, hangs: bool = False,
    ) -> Any:  # fmt: skip
        async def run() -> Any:
            sent: list[Message] = []
            waiting = list(parts)

            async def receive() -> Message:
                if not waiting:
                    await asyncio.sleep(60 if hangs else 0)
                    return {"type": "http.disconnect"}
                return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or hangs}

            async def send(message: Message) -> None:
                sent.append(message)

            headers = [
                (b"authorization", b"Bearer " + (key or self.key).encode()),
                (b"content-type", b"application/json"),
            ]
            if announces:
                headers.append((b"content-length", str(sum(map(len, parts))).encode()))
            scope = {
                "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
                "headers": headers, "root_path": "", "scheme": "http", "http_version": "1.1",
                "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "asgi": {"version": "3.0"},
            }  # fmt: skip
            await self.gate(scope, receive, send)
            return Reply(sent)

        return asyncio.run(run())

    def grant(self, address: str = "kim@example.com", about: str = "newsletter") -> Written:
        choice = Choice(about, "email", ChoiceAnswer.GRANT)
        return writing.record_choices(
            self.ctx, self.whom(address), [choice], Circumstances(Method.FORM, jurisdiction="DE")
        )

    def whom(self, address: str = "kim@example.com") -> Whom:
        return Whom.of(self.ctx, None, [(IdentifierType.EMAIL, address)])


class Reply:
    def __init__(self, sent: list[Message]) -> None:
        self.is_empty = not sent
        if sent:
            self.status = sent[0]["status"]
            self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
            self.body = json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture
def told() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def ctx(database: Database, clock: ManualClock, told: io.StringIO) -> Context:
    made = small_service(database, clock, telemetry=JsonTelemetry(clock, told))
    purpose.install_shipped(made)
    return made


@pytest.fixture
def shop(ctx: Context, database_url: str, clock: ManualClock, told: io.StringIO) -> Iterator[Shop]:
    made = Shop(ctx, database_url, clock, told)
    yield made
    made.gate.close()
    made.checker.close()


# --- never stale --------------------------------------------------------------------------------------------------


def test_a_withdrawal_counts_in_the_very_next_answer(shop: Shop, clock: ManualClock) -> None:
    shop.grant()
    assert shop.ask().body["reason"] == "GRANTED"
    clock.advance(timedelta(seconds=1))
    writing.withdraw(shop.ctx, shop.whom(), Stop("newsletter", "email"), Circumstances(Method.PREFERENCE_CENTRE))
    answer = shop.ask()
    assert (answer.status, answer.body["decision"], answer.body["reason"]) == (200, "deny", "WITHDRAWN")


def test_a_key_made_just_now_opens_and_a_revoked_one_does_not(shop: Shop) -> None:
    assert shop.ask().status == 200
    fresh = apikey.create(shop.admin, "second", frozenset({Scope.CONSENT_CHECK}))
    assert shop.ask(key=fresh).status == 200
    made = next(one for one in apikey.all_keys(shop.admin) if one.name == "second")
    apikey.revoke(shop.admin, made.id)
    answer = shop.ask(key=fresh)
    assert (answer.status, answer.body["type"]) == (401, "/problems/unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert shop.ask().status == 200


def test_a_key_ends_on_its_day_without_anybody_doing_anything(shop: Shop, clock: ManualClock) -> None:
    assert shop.ask().status == 200
    clock.advance(timedelta(days=366))
    assert shop.ask().status == 401


def test_a_purpose_published_just_now_is_known_and_a_material_change_counts(shop: Shop, clock: ManualClock) -> None:
    assert shop.ask(purpose="surprises").status == 404
    body = purpose.shipped_catalogue().purposes[0].to_json() | {"key": "surprises", "version": 1}
    purpose.publish_purpose(shop.ctx, PurposeVersion.of_json(body | {"channels": ["email"], "confirmed_in": {}}))
    assert shop.ask(purpose="surprises").status == 200
    shop.grant(about="surprises")
    assert shop.ask(purpose="surprises").body["reason"] == "GRANTED"
    changed = {"version": 2, "material": "yes", "material_reason": "a new recipient"}
    purpose.publish_purpose(
        shop.ctx, PurposeVersion.of_json(body | {"channels": ["email"], "confirmed_in": {}} | changed)
    )
    assert shop.ask(purpose="surprises").body["reason"] == "NOTICE_OUTDATED"


def test_a_token_of_a_write_that_was_lost_is_answered_with_stale(shop: Shop, ctx: Context) -> None:
    token = shop.grant().token
    assert shop.ask(mode="at_least", token=token).body["reason"] == "GRANTED"
    with ctx.database.transaction("shop-group", ctx.clock.now()) as tx:
        tx.run(
            text("UPDATE consent_state SET state_version = 0 WHERE kind = 'head'")
        )  # a restore from before the write
    answer = shop.ask(mode="at_least", token=token).body
    assert (answer["decision"], answer["reason"], answer["stale"]) == ("deny", "STALE", True)
    assert shop.ask(mode="strict").body["reason"] == "GRANTED"


def test_a_forged_token_or_that_of_another_person_asks_for_nothing_it_may_not(shop: Shop) -> None:
    token = shop.grant().token
    shop.grant("lee@example.com")
    lee = {"identifier": {"type": "email", "value": "lee@example.com"}}
    assert shop.ask(mode="at_least", token=token, **lee).body["reason"] == "GRANTED"
    forged = shop.ask(mode="at_least", token=spoilt(token))
    assert (forged.status, forged.body["type"]) == (422, "/problems/consistency-token-malformed")
    assert shop.ask(token=token).body["type"] == "/problems/freshness-malformed"


def test_a_database_that_cannot_be_read_is_a_no(shop: Shop, ctx: Context) -> None:
    shop.grant()
    assert shop.ask().status == 200
    with ctx.database.transaction("shop-group", ctx.clock.now()) as tx:
        tx.run(text("ALTER TABLE suppression RENAME TO suppression_gone"))
    answer = shop.ask()
    assert (answer.status, answer.body["type"]) == (503, "/problems/decision-unavailable")
    assert (answer.body["decision"], answer.body["reason"]) == ("deny", "UNAVAILABLE")
    with ctx.database.transaction("shop-group", ctx.clock.now()) as tx:
        tx.run(text("ALTER TABLE suppression_gone RENAME TO suppression"))
    assert shop.ask().body["reason"] == "GRANTED"


# --- limits -------------------------------------------------------------------------------------------------------


def test_another_method_is_refused_with_those_there_are(shop: Shop) -> None:
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        answer = shop.ask(method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("announces", [True, False])
def test_a_body_over_four_kibibytes_is_refused_whether_announced_or_not(shop: Shop, announces: bool) -> None:
    answer = shop.call([b" " * 2000] * 3, announces=announces)
    assert (answer.status, answer.body["type"]) == (413, "/problems/body-too-large")
    padded = json.dumps(ASK).encode()
    assert shop.call([padded + b" " * (MAX_BODY - len(padded))]).status == 200


def test_a_body_that_comes_in_pieces_is_one_body(shop: Shop) -> None:
    raw = json.dumps(ASK).encode()
    assert shop.call([raw[:10], raw[10:40], raw[40:]]).status == 200


def test_a_body_that_never_ends_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacyops.api.check_fast.READ_S", 0.05)
    assert shop.call([b'{"purpose":'], announces=False, hangs=True).status == 408


def test_a_caller_who_leaves_in_mid_sentence_gets_nothing(shop: Shop) -> None:
    assert shop.call([]).is_empty


def test_a_member_that_stands_twice_is_refused(shop: Shop) -> None:
    raw = json.dumps(ASK).encode()[:-1] + b',"purpose":"essential"}'
    answer = shop.ask(raw)
    assert (answer.status, answer.body["type"]) == (400, "/problems/member-twice")


@pytest.mark.parametrize(
    "raw", [b"[" * 4000, b'{"identifier":' * 250 + b"1", b"\x00", b'{"purpose":"newsletter"}', b"null"]
)
def test_bad_bodies_are_refusals_and_never_a_fault(shop: Shop, raw: bytes) -> None:
    assert 400 <= shop.ask(raw).status < 500


def test_a_key_has_a_bucket_of_its_own(ctx: Context, database_url: str, clock: ManualClock, told: io.StringIO) -> None:
    shop = Shop(ctx, database_url, clock, told, rate=3)
    other = apikey.create(shop.admin, "other", frozenset({Scope.CONSENT_CHECK}))
    assert [shop.ask().status for _ in range(4)] == [200, 200, 200, 429]
    assert shop.ask().headers["retry-after"] == "1"
    assert shop.ask(key=other).status == 200
    clock.advance(timedelta(seconds=1))
    assert [shop.ask().status for _ in range(4)] == [200, 200, 200, 429]
    shop.gate.close()
    shop.checker.close()


# --- what it tells ------------------------------------------------------------------------------------------------


def test_no_log_line_and_no_metric_says_about_whom_a_question_was(shop: Shop, told: io.StringIO) -> None:
    subject = shop.grant().subject_id
    shop.ask()
    shop.call([json.dumps({"subject": subject, "purpose": "newsletter", "channel": "email"}).encode()])
    shop.ask(purpose="surprises")
    shop.gate.door.tell()
    spoken = told.getvalue() + shop.ctx.ports.telemetry.metrics().decode()
    assert "check.answered" in told.getvalue()
    assert "check.refused" in told.getvalue()
    assert 'privacyops_consent_decisions_total{mode="bounded",reason="GRANTED"} 2.0' in spoken
    for secret in ("kim", "example.com", subject, shop.key):
        assert secret not in spoken


def test_every_answer_has_an_id_of_its_own_and_the_policy_headers(shop: Shop) -> None:
    answers = [shop.ask(), shop.ask(), shop.ask(purpose="surprises"), shop.ask(method="PUT")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answers[3].body["request_id"] == answers[3].headers["x-request-id"]


def test_what_is_not_the_check_goes_through_unchanged(shop: Shop) -> None:
    answer = shop.call([b""], method="GET", path="/version")
    assert (answer.status, answer.body["version"]) == (200, VERSION)
