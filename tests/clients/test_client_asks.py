"""The Python client as it asks and writes: nothing but a good answer is a yes. Against a double of the service."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from privacyops_client import (
    AsyncClient,
    Choice,
    Client,
    Reason,
    Refused,
    ScrubIncomplete,
    Source,
    SubjectMalformed,
    Unreachable,
    customer,
    email,
)

from tests.clients.documented_service import KEY, DocumentedService, served_double
from tests.servers import free_port

KIM = "s_KIM"
ASK = ("newsletter", "email")


@pytest.fixture
def service() -> Iterator[DocumentedService]:
    with served_double() as held:
        yield held


@pytest.fixture
def client(service: DocumentedService) -> Iterator[Client]:
    with Client(service.url, KEY) as held:
        yield held


def good(body: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


YES = {"decision": "allow", "reason": "GRANTED", "purpose": "newsletter", "channel": "email", "brand": "shop",
       "state_version": 1, "expires_at": None}  # fmt: skip


def test_a_grant_is_true_and_a_refusal_is_false_with_its_reason(client: Client, service: DocumentedService) -> None:
    service.decide(KIM, "allow")
    answer = client.allowed(KIM, *ASK)
    assert answer
    assert (answer.reason, answer.source, answer.state_version) == ("GRANTED", Source.SERVICE, 1)
    service.decide(KIM, "deny", "WITHDRAWN")
    denied = client.allowed(KIM, *ASK)
    assert not denied
    assert denied.reason == "WITHDRAWN"


def test_an_address_goes_into_the_body_and_never_into_the_url(client: Client, service: DocumentedService) -> None:
    client.allowed(email("kim@example.com"), *ASK)
    method, path, body = service.asked[-1]
    assert (method, path) == ("POST", "/v1/check")
    assert body["identifier"] == {"type": "email", "value": "kim@example.com"}
    assert "kim" not in repr(email("kim@example.com"))


def test_a_plain_text_that_is_no_id_is_refused_before_it_is_sent(client: Client, service: DocumentedService) -> None:
    with pytest.raises(SubjectMalformed) as raised:
        client.allowed("kim@example.com", *ASK)
    assert "kim" not in str(raised.value)
    assert service.asked == []


def test_a_token_asks_for_an_answer_that_shows_its_write(client: Client, service: DocumentedService) -> None:
    client.allowed(KIM, *ASK, at_least="ct1.x")
    assert {"mode": "at_least", "token": "ct1.x"}.items() <= service.asked[-1][2].items()


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"content-type": "application/json"}, json.dumps(YES).encode()),
        (203, {"content-type": "text/html"}, json.dumps(YES).encode()),
        (302, {"location": "/elsewhere", "content-type": "application/json"}, b"{}"),
        (200, {"content-type": "application/json"}, b'{"decision":"allow"'),
        (200, {"content-type": "application/json"}, b"[]"),
        (200, {"content-type": "application/json"}, b"\xff\xfe"),
        good(YES | {"decision": "maybe"}),
        good(YES | {"decision": True}),
        good(YES | {"decision": "Allow"}),
        good(YES | {"reason": None}),
        good(YES | {"purpose": "analytics"}),
        good(YES | {"channel": "sms"}),
        good(YES | {"state_version": None}),
        good(YES | {"expires_at": "soon"}),
        good({"problem": {"type": "/problems/unknown-purpose"}} | YES),
    ],
)
def test_nothing_but_a_well_formed_answer_to_this_question_is_a_yes(
    client: Client, service: DocumentedService, answer: tuple[int, dict[str, str], bytes]
) -> None:
    service.answers["/v1/check"] = answer
    told = client.allowed(KIM, *ASK)
    assert not told
    assert told.reason == Reason.UNAVAILABLE


def test_the_answer_those_were_made_from_is_a_yes(client: Client, service: DocumentedService) -> None:
    service.answers["/v1/check"] = good(YES)
    assert client.allowed(KIM, *ASK)


def test_an_answer_for_another_brand_is_no_answer(client: Client, service: DocumentedService) -> None:
    service.answers["/v1/check"] = good(YES)
    assert not client.allowed(KIM, *ASK, "other")


def test_a_refused_question_names_its_problem(client: Client, service: DocumentedService) -> None:
    problem = {"type": "/problems/unknown-purpose", "title": "Unknown", "status": 404}
    service.answers["/v1/check"] = (404, {"content-type": "application/problem+json"}, json.dumps(problem).encode())
    told = client.allowed(KIM, *ASK)
    assert (bool(told), told.reason, told.problem) == (False, Reason.UNAVAILABLE, "/problems/unknown-purpose")


def test_a_wrong_key_is_a_no(service: DocumentedService) -> None:
    service.decide(KIM, "allow")
    with Client(service.url, "po_test_wrong") as stranger:
        told = stranger.allowed(KIM, *ASK)
    assert (bool(told), told.problem) == (False, "/problems/unauthenticated")


def test_a_service_that_is_down_is_a_no_and_back_up_a_refusal_is_still_one(service: DocumentedService) -> None:
    port = free_port()
    with Client(f"http://127.0.0.1:{port}", KEY) as client:
        assert client.allowed(KIM, *ASK).reason == Reason.UNAVAILABLE
        service.decide(KIM, "deny", "REFUSED")
        with served_double(port, service):
            assert client.allowed(KIM, *ASK).reason == "REFUSED"


def test_a_service_that_never_answers_is_a_no_in_time(service: DocumentedService) -> None:
    def stalls(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("stalled", request=request)

    with Client(service.url, KEY, http=httpx.Client(transport=httpx.MockTransport(stalls))) as client:
        assert client.allowed(KIM, *ASK).reason == Reason.UNAVAILABLE


WRITTEN = {"subject_id": KIM, "state_version": 1, "events": [], "recorded_at": "2026-11-22T10:00:00.000Z",
           "token": "ct1.t", "promise": None}  # fmt: skip


class Tries:
    """A transport that fails as told, then answers, and keeps what was sent."""

    def __init__(self, *outcomes: Callable[[httpx.Request], httpx.Response]) -> None:
        self.sent: list[httpx.Request] = []
        self._outcomes = list(outcomes)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self._outcomes.pop(0)(request)

    def client(self) -> Client:
        return Client("http://service.example", KEY, http=httpx.Client(transport=httpx.MockTransport(self)))


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


def busy(_: httpx.Request) -> httpx.Response:
    problem = {"type": "/problems/unavailable", "title": "Not now"}
    return httpx.Response(503, headers={"content-type": "application/problem+json", "retry-after": "0"}, json=problem)


def written(_: httpx.Request) -> httpx.Response:
    return httpx.Response(201, json=WRITTEN)


def test_a_lost_write_is_sent_again_with_its_key_and_its_first_moment() -> None:
    tries = Tries(lost, busy, written)
    with tries.client() as client:
        told = client.record(email("kim@example.com"), [Choice(*ASK, "grant")], method="form")
    assert (told.subject_id, told.token) == (KIM, "ct1.t")
    assert len({request.headers["idempotency-key"] for request in tries.sent}) == 1
    assert len({request.content for request in tries.sent}) == 1
    assert "occurred_at" in json.loads(tries.sent[0].content)


def test_a_write_that_stays_lost_names_the_key_to_repeat_it_with() -> None:
    tries = Tries(lost, lost, lost)
    with tries.client() as client, pytest.raises(Unreachable) as raised:
        client.record(customer("4711"), [Choice(*ASK, "grant")], method="form")
    assert raised.value.idempotency_key == tries.sent[0].headers["idempotency-key"]


def test_a_refused_write_is_not_repeated() -> None:
    def refuses(_: httpx.Request) -> httpx.Response:
        problem = {"type": "/problems/duplicate-choice", "title": "Twice"}
        return httpx.Response(422, headers={"content-type": "application/problem+json"}, json=problem)

    tries = Tries(refuses)
    with tries.client() as client, pytest.raises(Refused) as raised:
        client.record(KIM, [Choice(*ASK, "grant")] * 2, method="form")
    assert (raised.value.type, len(tries.sent)) == ("/problems/duplicate-choice", 1)


def test_a_stop_carries_no_time_of_its_own_and_reaches_every_brand_unless_one_is_named() -> None:
    tries = Tries(written, written)
    http = httpx.Client(transport=httpx.MockTransport(tries))
    with Client("http://service.example", KEY, brand="shop-a", http=http) as client:
        client.withdraw(KIM, method="preference_centre")
        client.withdraw(KIM, method="preference_centre", channel="email", brand="shop-a")
    first, second = (json.loads(request.content) for request in tries.sent)
    assert first == {"subject": {"id": KIM}, "scope": "all", "method": "preference_centre", "indicated_by": "subject"}
    assert (second["scope"], second["brand"]) == ({"channel": "email"}, "shop-a")


def test_many_are_asked_at_once_and_what_is_not_answered_is_a_no(client: Client, service: DocumentedService) -> None:
    told = [{"ref": "0", "decision": "allow", "reason": "GRANTED"},
            {"ref": "1", "problem": {"type": "/problems/unknown-purpose"}}]  # fmt: skip
    service.answers["/v1/check:batch"] = good({"as_of": "2026-11-22T10:00:00Z", "items": told})
    answers = client.allowed_many([KIM, "s_BEA", email("c@example.com")], *ASK)
    assert [bool(one) for one in answers] == [True, False, False]
    assert answers[1].problem == "/problems/unknown-purpose"
    assert [item["ref"] for item in service.asked[-1][2]["items"]] == ["0", "1", "2"]


def scrubbed(*rows: dict[str, Any], altered: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """What comes back; summaries are given the hash of the lines before them."""
    lines, digest = [], hashlib.sha256()
    for row in rows:
        told = {"summary": row["summary"] | {"sha256": digest.hexdigest()}} if "summary" in row else row
        lines.append(json.dumps(told).encode() + b"\n")
        if "summary" not in row:
            digest.update(lines[-1])
    return 200, {"content-type": "application/x-ndjson"}, b"".join(lines).replace(b'"1"', altered or b'"1"')


LIST = [{"row": "1", "email": "kim@example.com"}, {"row": "2", "email": "bea@example.com"}]
FIRST = {"row": "1", "decision": "allow", "reason": "GRANTED"}
SUMMARY = {"rows": 2, "allowed": 1, "denied": {"WITHDRAWN": 1}, "use_before": "2026-11-22T11:00:00.000Z"}


def test_a_whole_list_comes_back_with_its_summary(client: Client, service: DocumentedService) -> None:
    service.answers["/v1/scrub"] = scrubbed(FIRST, {"summary": SUMMARY})
    told = client.scrub(iter(LIST), *ASK)
    assert (told.allowed, told.summary["denied"], told.use_before) == (["1"], {"WITHDRAWN": 1}, 1795345200.0)
    assert service.asked[-1][2] == LIST


@pytest.mark.parametrize(
    "rows",
    [
        (FIRST,),
        (),
        ({"summary": SUMMARY},),
        (FIRST, {"summary": SUMMARY | {"rows": 3}}),
        (FIRST, FIRST, {"summary": SUMMARY}),
        ({"summary": SUMMARY}, FIRST),
    ],
)
def test_a_list_that_does_not_add_up_is_not_given_out(
    client: Client, service: DocumentedService, rows: tuple[dict[str, Any], ...]
) -> None:
    service.answers["/v1/scrub"] = scrubbed(*rows)
    with pytest.raises(ScrubIncomplete):
        client.scrub(iter(LIST), *ASK)


def test_a_list_of_which_a_line_was_altered_is_not_given_out(client: Client, service: DocumentedService) -> None:
    service.answers["/v1/scrub"] = scrubbed(FIRST, {"summary": SUMMARY}, altered=b'"3"')
    with pytest.raises(ScrubIncomplete):
        client.scrub(iter(LIST), *ASK)


def test_the_denied_and_all_come_back_when_asked_for(client: Client, service: DocumentedService) -> None:
    second = {"row": "2", "decision": "deny", "reason": "WITHDRAWN"}
    service.answers["/v1/scrub"] = scrubbed(second, {"summary": SUMMARY})
    assert client.scrub(iter(LIST), *ASK, emit="denied").rows == [second]
    service.answers["/v1/scrub"] = scrubbed(FIRST, second, {"summary": SUMMARY})
    assert client.scrub(iter(LIST), *ASK, emit="all").allowed == ["1"]


def test_a_receipt_comes_in_the_form_that_was_asked_for_or_not_at_all(
    client: Client, service: DocumentedService
) -> None:
    service.answers["/v1/receipts/e1"] = (200, {"content-type": "application/jose"}, b"a.b.c")
    assert client.receipt("e1").body == b"a.b.c"
    with pytest.raises(Unreachable):
        client.receipt("e1", "application/pdf")
    with pytest.raises(Refused):
        client.receipt("../../admin")
    assert service.paths()[-1] == "/v1/receipts/..%2F..%2Fadmin"


def test_history_and_confirmation_are_read(client: Client, service: DocumentedService) -> None:
    service.answers[f"/v1/subjects/{KIM}/history"] = good({"items": [{"type": "consent.given"}], "next": "7"})
    page = client.history(KIM, before="9", limit=1)
    assert (page.next, page.items[0]["type"], service.asked[-1][2]) == (
        "7",
        "consent.given",
        {"limit": "1", "before": "9"},
    )
    confirmed = {"event_id": "e", "state": "ConsentGiven", "already_confirmed": False, "token": "ct1.t"}
    service.answers["/v1/consents:confirm"] = good(confirmed)
    assert client.confirm("secret").state == "ConsentGiven"


def test_the_asynchronous_twin_does_the_same(service: DocumentedService) -> None:
    service.answers["/v1/scrub"] = scrubbed(FIRST, {"summary": SUMMARY})
    service.answers["/v1/consents"] = (201, {"content-type": "application/json"}, json.dumps(WRITTEN).encode())
    service.decide(KIM, "allow")

    async def walk() -> None:
        async with AsyncClient(service.url, KEY) as client:
            assert await client.allowed(KIM, *ASK)
            assert (await client.scrub(iter(LIST), *ASK)).allowed == ["1"]
            assert (await client.record(KIM, [Choice(*ASK, "grant")], method="form")).token == "ct1.t"
            with pytest.raises(Refused):
                await client.history(KIM)
        async with AsyncClient(f"http://127.0.0.1:{free_port()}", KEY) as client:
            assert (await client.allowed(KIM, *ASK)).reason == Reason.UNAVAILABLE

    asyncio.run(walk())


def test_both_twins_offer_the_same_calls() -> None:
    def calls(one: type) -> set[str]:
        return {name for name in vars(one) if not name.startswith("_")} - {"begin_in_child"}

    assert calls(Client) == calls(AsyncClient)
