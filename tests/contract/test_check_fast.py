"""The gate and the documented route answer alike: status, media type, headers and body, whatever is asked.

`as_of`, `age_ms` and the request's id may differ. What only the gate refuses (size, methods, a member twice) is in
tests/api/test_check_gate.py.
"""

import asyncio
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from privacyops.adapters.telemetry import JsonTelemetry
from privacyops.api.app import create_api
from privacyops.api.check_fast import CheckDoor, Gate
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import staff
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import Method, RowKind
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.ids import AccountId, EventId, uuid7
from privacyops.services import apikey, purpose
from privacyops.services.consent import subjects, writing
from privacyops.services.consent.checking import Checker
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances
from privacyops.services.consent.terms import Scope as Stop
from privacyops.services.context import Context
from privacyops.store import consent as consents
from privacyops.store.check_reader import source_for
from privacyops.store.uow import Database
from tests.small_service import CONTROLLER, small_service

PURPOSES = ("newsletter", "order_updates", "analytics", "essential", "profiling", "surprises", "")
CHANNELS = ("email", "sms", "web", "post", "fax")
PLACES = (None, "DE", "US-CA", "US", "XX", "de", "US-CALIF")
CONTACTS = ("kim@example.com", "s_@", "+49 30 901820", "0160/1234567", "4711")
ADDRESSES = [f"p{number}@example.com" for number in range(12)]


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def comparable(self) -> tuple[int, dict[str, str], Any]:
        """Everything but what may differ; the body as bytes with these parts cut out."""
        headers = {
            name: value for name, value in self.headers.items() if name not in {"x-request-id", "content-length"}
        }
        told = json.loads(self.body)
        text = self.body.decode()
        for name in ("as_of", "request_id"):
            if name in told:
                text = text.replace(f'"{name}":{json.dumps(told[name])}', f'"{name}":"-"')
        return self.status, headers, text


def called(
    app: ASGIApp, method: str, query: str, headers: dict[str, str], body: bytes, path: str = "/v1/check"
) -> Reply:
    """One call to an application, without a server between."""

    async def run() -> Reply:
        told: list[Message] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            told.append(message)

        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode("latin-1"), "root_path": "",
            "headers": [*raw, (b"content-length", str(len(body)).encode())], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }  # fmt: skip
        await app(scope, receive, send)
        start, rest = told[0], b"".join(message.get("body", b"") for message in told[1:])
        return Reply(start["status"], {n.decode().lower(): v.decode() for n, v in start["headers"]}, rest)

    return asyncio.run(run())


@dataclass
class Pair:
    """One house with both doors, and what a caller may know of it."""

    slow: ASGIApp
    fast: ASGIApp
    keys: list[str]
    people: list[str]
    tokens: list[str]


@pytest.fixture
def doors(database: Database, database_url: str, clock: ManualClock) -> Iterator[Pair]:
    telemetry = JsonTelemetry(clock, io.StringIO())
    ctx = small_service(database, clock, telemetry=telemetry)
    purpose.install_shipped(ctx)
    admin = ctx.acting_as(staff(AccountId(uuid4()), "shop-group", Role.ADMIN, step_up_at=clock.now()))
    keys = [
        apikey.create(admin, "checks", frozenset({Scope.CONSENT_CHECK})),
        apikey.create(admin, "writes only", frozenset({Scope.CONSENT_WRITE})),
    ]
    people, tokens = populated(ctx, clock)
    checker = Checker(ctx, source_for(database_url, clock.boot_seconds))
    slow = create_api(ctx)
    gate = Gate(create_api(ctx), CheckDoor(checker, clock, telemetry))
    yield Pair(slow, gate, keys, people, tokens)
    gate.close()
    checker.close()


def populated(ctx: Context, clock: ManualClock) -> tuple[list[str], list[str]]:
    """People with every kind of history: grants that run out, refusals, stops, suppressed addresses."""
    dice = random.Random(20261122)
    people, tokens = [], []
    clock.set(clock.now() - timedelta(days=900))
    for number, address in enumerate(ADDRESSES):
        whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, address)])
        for _ in range(1 + number % 4):
            answer = dice.choice(list(ChoiceAnswer))
            about, channel = dice.choice([("newsletter", "email"), ("newsletter", "sms"), ("analytics", "web")])
            place = dice.choice(["DE", "US-CA", None])
            how = Circumstances(Method.FORM, jurisdiction=place)
            written = writing.record_choices(ctx, whom, [Choice(about, channel, answer)], how)
            clock.advance(timedelta(days=dice.randrange(1, 60)))
        if number % 5 == 4:
            written = writing.withdraw(ctx, whom, Stop(), Circumstances(Method.MAIL_UNSUBSCRIBE))
        if number % 3 == 2:
            suppressed(ctx, address, dice.choice(["hard_bounce", "complaint", "erased_opt_out", "stop_keyword"]))
        people.append(written.subject_id)
        tokens.append(written.token)
    clock.set(clock.now() + timedelta(days=300))
    return people, tokens


def suppressed(ctx: Context, address: str, reason: str) -> None:
    whom = Whom.of(ctx, None, [(IdentifierType.EMAIL, address)])
    now = ctx.clock.now()
    with ctx.database.transaction("shop-group", now) as tx:
        row = StateRow(RowKind.SUPPRESSION, None, None, None, reason, now, now, EventId(uuid7(now)))
        names = purpose.catalogue(ctx, tx)
        consents.add_suppression(tx, subjects.suppression_refs(ctx, whom, "email")[0], row, names)


# --- what is asked ------------------------------------------------------------------------------------------------

words = st.one_of(st.text(max_size=70), st.sampled_from(["", " newsletter", "e\u0301mail", "\ud800", "a\x00b"]))
identifiers = st.one_of(
    st.fixed_dictionaries({"type": st.just("email"), "value": st.sampled_from([*ADDRESSES, "P1@Example.COM", "x@"])}),
    st.fixed_dictionaries({"type": st.sampled_from([*map(str, IdentifierType), "shoe"]), "value": words}),
    st.sampled_from([None, [], {"type": "email"}, {"type": "email", "value": 7, "more": 1}]),
)


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """A question, mostly a good one; every member may be wrong or absent."""
    asked: dict[str, Any] = {
        "purpose": draw(st.one_of(st.sampled_from(PURPOSES), st.sampled_from(PURPOSES[:2]), words)),
        "channel": draw(st.one_of(st.sampled_from(CHANNELS), st.just("email"), words)),
    }
    for name, values in (
        ("brand", st.sampled_from(["shop", None, "elsewhere", ""])),
        ("jurisdiction", st.sampled_from(PLACES)),
        ("mode", st.sampled_from(["bounded", "strict", "at_least", "loose", None, 3])),
        ("max_staleness_ms", st.sampled_from([0, 1000, 60001, -1, "5", 1.5, True, None])),
    ):
        if draw(st.integers(0, 3)) == 0:
            asked[name] = draw(values)
    if draw(st.integers(0, 15)) == 0:
        asked.pop(draw(st.sampled_from(sorted(asked))))
    if draw(st.integers(0, 15)) == 0:
        asked["surplus"] = 1
    return asked


class Caller:
    """Draws a call for both doors."""

    def __init__(self, pair: Pair, data: st.DataObject) -> None:
        self._pair, self._data = pair, data

    def headers(self) -> dict[str, str]:
        key = self._data.draw(st.sampled_from([*[self._pair.keys[0]] * 5, self._pair.keys[1], "po_live_nothing", ""]))
        scheme = self._data.draw(st.sampled_from(["Bearer ", "Bearer ", "Bearer ", "bearer ", "Basic "]))
        return {"authorization": scheme + key} if key else {}

    def get(self) -> tuple[str, str, dict[str, str], bytes]:
        asked = self._data.draw(questions())
        person = st.sampled_from([*self._pair.people, "s_NOBODY", "x", "s_%41", *CONTACTS])
        asked["subject"] = self._data.draw(person)
        self._token(asked)
        pairs = [f"{name}={_escaped(str(value))}" for name, value in asked.items() if value is not None]
        return "GET", "&".join(pairs), self.headers(), b""

    def post(self) -> tuple[str, str, dict[str, str], bytes]:
        asked = self._data.draw(questions())
        if self._data.draw(st.booleans()):
            asked["identifier"] = self._data.draw(identifiers)
        else:
            asked["subject"] = self._data.draw(st.sampled_from([*self._pair.people, "s_NOBODY", "x", 7, *CONTACTS]))
        self._token(asked)
        kind = self._data.draw(
            st.sampled_from([*["application/json"] * 6, "application/json; charset=utf-8", "text/plain"])
        )
        body = json.dumps(asked, ensure_ascii=self._data.draw(st.booleans())).encode("utf-8", "surrogatepass")
        body = self._data.draw(st.sampled_from([*[body] * 12, body[:-2], b"", b"[]", b"\xff" + body]))
        return "POST", "", self.headers() | {"content-type": kind}, body

    def _token(self, asked: dict[str, Any]) -> None:
        if asked.get("mode") == "at_least" or self._data.draw(st.integers(0, 20)) == 0:
            asked["token"] = self._data.draw(st.sampled_from([*self._pair.tokens, "ct1.forged", "x", None]))


def _escaped(text: str) -> str:
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else _percent(sign) for sign in text)


def _percent(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "surrogatepass"))


def demand_equal(pair: Pair, data: st.DataObject) -> None:
    caller = Caller(pair, data)
    call = caller.get() if data.draw(st.booleans()) else caller.post()
    slow, fast = called(pair.slow, *call), called(pair.fast, *call)
    assert fast.comparable == slow.comparable
    assert len(fast.body) == int(fast.headers["content-length"])


RELAXED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)


@settings(max_examples=150, suppress_health_check=RELAXED, phases=[Phase.generate])
@given(data=st.data())
def test_both_doors_give_equal_answers(doors: Pair, data: st.DataObject) -> None:
    demand_equal(doors, data)


@pytest.mark.long
@settings(max_examples=10_000, suppress_health_check=RELAXED, phases=[Phase.generate])
@given(data=st.data())
def test_both_doors_give_equal_answers_to_ten_thousand_calls(doors: Pair, data: st.DataObject) -> None:
    demand_equal(doors, data)


def test_every_member_of_the_documented_answer_is_given_by_the_gate(doors: Pair) -> None:
    headers = {"authorization": f"Bearer {doors.keys[0]}"}
    seen = set()
    for person in doors.people:
        for about, channel in (("newsletter", "email"), ("newsletter", "sms"), ("analytics", "web")):
            call = ("GET", f"subject={person}&purpose={about}&channel={channel}", headers, b"")
            slow, fast = called(doors.slow, *call), called(doors.fast, *call)
            assert fast.comparable == slow.comparable
            seen.add(json.loads(fast.body)["reason"])
    assert {"GRANTED", "WITHDRAWN", "NO_CONSENT", "EXPIRED"} <= seen


def test_blanks_around_a_key_are_the_same_to_both_doors(doors: Pair) -> None:
    key, told = doors.keys[0], []
    for header in (
        f"Bearer {key}",
        f"Bearer  {key}",
        f"Bearer {key}  ",
        f" Bearer {key}",
        f"Bearer\t{key}",
        "Bearer  ",
    ):
        call = ("GET", f"subject={doors.people[0]}&purpose=newsletter&channel=email", {"authorization": header}, b"")
        slow, fast = called(doors.slow, *call), called(doors.fast, *call)
        assert fast.comparable == slow.comparable, header
        told.append(fast.status)
    assert told == [200, 200, 200, 401, 401, 401]


@pytest.mark.parametrize("subject", ["kim@example.com", "kim%40example.com", "+4930901820", "%2B49%2030%20901820"])
def test_an_address_or_number_in_the_url_is_refused_at_both_doors_and_not_repeated(doors: Pair, subject: str) -> None:
    headers = {"authorization": f"Bearer {doors.keys[0]}"}
    call = ("GET", f"subject={subject}&purpose=newsletter&channel=email", headers, b"")
    slow, fast = called(doors.slow, *call), called(doors.fast, *call)
    assert fast.comparable == slow.comparable
    told = json.loads(fast.body)
    assert (fast.status, told["type"]) == (422, "/problems/subject-is-contact")
    assert "POST" in told["title"]
    assert b"example.com" not in fast.body
    assert b"901820" not in fast.body


def test_parameters_that_the_url_does_not_know_are_named_at_both_doors_and_their_values_are_not(doors: Pair) -> None:
    headers = {"authorization": f"Bearer {doors.keys[0]}"}
    query = f"subject={doors.people[0]}&purpose=newsletter&channel=email&email=kim@example.com&lee@example.com=1"
    slow, fast = called(doors.slow, "GET", query, headers, b""), called(doors.fast, "GET", query, headers, b"")
    assert fast.comparable == slow.comparable
    told = json.loads(fast.body)
    assert (fast.status, told["type"]) == (422, "/problems/invalid-request")
    assert [one["at"] for one in told["errors"]] == ["query/email", "query/(a name that is not repeated here)"]
    assert b"example.com" not in fast.body


@pytest.mark.parametrize("is_found", [False, True])
def test_a_key_of_another_controller_is_refused_at_both_doors(
    doors: Pair, database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, is_found: bool
) -> None:
    """The store finds no foreign key; and if one day it did, whose it is would still be asked."""
    other = replace(small_service(database, clock), controller=replace(CONTROLLER, key="other-group"))
    admin = other.acting_as(staff(AccountId(uuid4()), "other-group", Role.ADMIN, step_up_at=clock.now()))
    foreign = apikey.create(admin, "checks", frozenset({Scope.CONSENT_CHECK}))
    [theirs] = apikey.all_keys(admin)
    if is_found:
        monkeypatch.setattr("privacyops.services.apikey.accounts.find_api_key", lambda _, __: theirs)
    headers = {"authorization": f"Bearer {foreign}"}
    call = ("GET", f"subject={doors.people[0]}&purpose=newsletter&channel=email", headers, b"")
    slow, fast = called(doors.slow, *call), called(doors.fast, *call)
    assert fast.comparable == slow.comparable
    assert fast.status == (403 if is_found else 401)
