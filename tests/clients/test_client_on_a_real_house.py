"""The Python client against the real service, over a real socket: what it answers, and that it is never too late."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from privacyops_client import (
    Answer,
    AsyncClient,
    Choice,
    Client,
    CopyState,
    Identifier,
    Reason,
    Source,
    Unreachable,
    device,
    email,
)

from tests.clients.real_house import RealHouse, real_house, shared_house
from tests.serving import until

__all__ = ["shared_house"]
pytestmark = pytest.mark.slow
LETTER = ("newsletter", "email")


@pytest.fixture
def client(shared_house: RealHouse) -> Iterator[Client]:
    with Client(shared_house.url, shared_house.key, timeout=10) as held:
        yield held


@pytest.fixture
def local(shared_house: RealHouse) -> Iterator[Client]:
    with Client(shared_house.url, shared_house.key, local=True, timeout=10) as held:
        until(lambda: state_of(held) is CopyState.LIVE)
        yield held


def somebody() -> Identifier:
    return email(f"{uuid4().hex}@example.com")


def grants(client: Client, who: Identifier | str) -> str:
    return client.record(who, [Choice(*LETTER, "grant")], method="form", jurisdiction="DE").subject_id


def state_of(client: Client) -> CopyState:
    report = client.copy_report
    assert report is not None
    return report.state


def from_copy(client: Client, person: str) -> Answer:
    """The answer once the copy knows it."""
    until(lambda: client.allowed(person, *LETTER).source is Source.COPY, 10)
    return client.allowed(person, *LETTER)


def asks_every_time(client: Client, person: str) -> bool:
    """Whether a copy that is up to date never keeps what it is told about this one."""
    sources = {client.allowed(person, *LETTER).source for _ in range(3)}
    return sources == {Source.SERVICE} and state_of(client) is CopyState.LIVE


def test_a_choice_is_recorded_answered_withdrawn_and_read_back(client: Client) -> None:
    who = somebody()
    assert client.allowed(who, *LETTER).reason == "NO_CONSENT"
    written = client.record(who, [Choice(*LETTER, "grant")], method="form", jurisdiction="DE")
    granted = client.allowed(written.subject_id, *LETTER, at_least=written.token)
    assert (bool(granted), granted.reason) == (True, "GRANTED")
    assert granted.expires_at is not None
    stopped = client.withdraw(written.subject_id, method="preference_centre", purpose="newsletter", channel="email")
    assert stopped.token is not None
    told = client.allowed(who, *LETTER, at_least=stopped.token)
    assert (bool(told), told.reason) == (False, "WITHDRAWN")
    assert [item["type"] for item in client.history(written.subject_id).items] == [
        "consent.withdrawn", "consent.given",
    ]  # fmt: skip


def test_a_repeated_write_is_answered_as_before(client: Client) -> None:
    who, when, key = somebody(), datetime.now(UTC), uuid4().hex
    first, again = (
        client.record(who, [Choice(*LETTER, "refuse")], method="form", idempotency_key=key, occurred_at=when)
        for _ in range(2)
    )
    assert (first.is_replayed, again.is_replayed) == (False, True)
    assert first.events == again.events


def test_a_grant_that_was_lost_on_the_way_does_not_revive_what_was_withdrawn_meanwhile(client: Client) -> None:
    person = grants(client, somebody())
    chosen = datetime.now(UTC)
    client.withdraw(person, method="preference_centre")
    late = client.record(person, [Choice(*LETTER, "grant")], method="form", occurred_at=chosen)
    assert late.events[0]["applied"] is False
    assert client.allowed(person, *LETTER).reason == "WITHDRAWN"


def test_the_copy_answers_for_an_id_that_leads_to_nobody_what_the_service_answers(shared_house: RealHouse) -> None:
    """Conformance: silence allows this purpose to everybody else."""
    asked = ("service_messages", "email")
    with (
        Client(shared_house.url, shared_house.key, timeout=10) as service,
        Client(shared_house.url, shared_house.key, local=True, unknown="regime", timeout=10) as copy,
    ):
        until(lambda: state_of(copy) is CopyState.LIVE)
        told, repeated = (one.allowed("s_0000000000000000000000GONE", *asked) for one in (service, copy))
        assert (bool(told), bool(repeated), repeated.source) == (False, False, Source.COPY)
        assert service.allowed(somebody(), *asked)


def test_an_unknown_purpose_is_a_no_that_names_its_problem(client: Client) -> None:
    told = client.allowed(somebody(), "surprises", "email")
    assert (bool(told), told.problem) == (False, "/problems/unknown-purpose")


def test_many_are_asked_in_one_request(client: Client) -> None:
    yes, no = somebody(), somebody()
    grants(client, yes)
    assert [bool(one) for one in client.allowed_many([yes, no], *LETTER)] == [True, False]


@pytest.mark.parametrize(("emit", "rows"), [("allowed", ["1"]), ("denied", ["2"]), ("all", ["1", "2"])])
def test_a_list_comes_back_whole(client: Client, emit: str, rows: list[str]) -> None:
    yes, no = somebody(), somebody()
    grants(client, yes)
    people = [{"row": "1", "email": yes.value}, {"row": "2", "email": no.value}]
    told = client.scrub(people, *LETTER, emit=emit)  # type: ignore[arg-type]  # a parameter of the test
    assert [one["row"] for one in told.rows] == rows
    assert told.use_before > time.time()


def test_a_receipt_is_handed_out_for_a_grant(client: Client) -> None:
    written = client.record(somebody(), [Choice(*LETTER, "grant")], method="form", jurisdiction="DE")
    receipt = client.receipt(written.events[0]["event_id"])
    assert receipt.body.count(b".") == 2


def test_the_copy_answers_what_the_service_answers(client: Client, local: Client) -> None:
    yes, no, both = (grants(client, somebody()) for _ in range(3))
    client.withdraw(no, method="preference_centre")
    client.withdraw(both, method="preference_centre")
    grants(client, both)
    for person in (yes, no, both):
        assert bool(from_copy(local, person)) == bool(client.allowed(person, *LETTER))
    assert [bool(from_copy(local, person)) for person in (yes, no, both)] == [True, False, True]


def test_a_new_copy_begins_with_what_was_there(client: Client, shared_house: RealHouse) -> None:
    yes, no = grants(client, somebody()), grants(client, somebody())
    client.withdraw(no, method="preference_centre")
    with Client(shared_house.url, shared_house.key, local=True, timeout=10) as fresh:
        until(lambda: state_of(fresh) is CopyState.LIVE)
        answers = [fresh.allowed(person, *LETTER) for person in (yes, no)]
        assert [(bool(one), one.source) for one in answers] == [(True, Source.COPY), (False, Source.COPY)]


def test_a_withdrawal_by_somebody_else_reaches_the_copy_within_its_bound(client: Client, local: Client) -> None:
    person = grants(client, somebody())
    assert from_copy(local, person)
    client.withdraw(person, method="one_click_post")
    began = time.monotonic()
    until(lambda: not local.allowed(person, *LETTER), 5)
    assert time.monotonic() - began < 5


def test_an_own_withdrawal_and_a_token_are_seen_at_once(client: Client, local: Client) -> None:
    for _ in range(20):
        person = grants(client, somebody())
        assert from_copy(local, person)
        stopped = client.withdraw(person, method="preference_centre")
        assert not local.allowed(person, *LETTER, at_least=stopped.token)
        grants(client, person)
        until(lambda person=person: bool(local.allowed(person, *LETTER)), 5)  # type: ignore[misc]  # bound at once
        local.withdraw(person, method="preference_centre")
        assert not local.allowed(person, *LETTER)


def test_the_asynchronous_twin_walks_the_same_way(shared_house: RealHouse) -> None:
    async def walk() -> None:
        async with AsyncClient(shared_house.url, shared_house.key, local=True, timeout=10) as client:
            written = await client.record(somebody(), [Choice(*LETTER, "grant")], method="form", jurisdiction="DE")
            assert await client.allowed(written.subject_id, *LETTER)
            await client.withdraw(written.subject_id, method="preference_centre")
            assert not await client.allowed(written.subject_id, *LETTER)

    asyncio.run(walk())


@pytest.mark.fault
def test_killed_the_service_is_a_no_and_back_up_every_refusal_is_still_one(tmp_path: Path) -> None:
    with real_house(tmp_path) as house:
        plain = Client(house.url, house.key, timeout=10)
        local = Client(house.url, house.key, local=True, timeout=10, max_age=2.6)
        until(lambda: state_of(local) is CopyState.LIVE)
        refused = plain.record(somebody(), [Choice(*LETTER, "refuse")], method="form").subject_id
        granted = grants(plain, somebody())
        assert from_copy(local, granted)
        house.kill()
        with plain, local:
            assert plain.allowed(granted, *LETTER).reason == Reason.UNAVAILABLE
            with pytest.raises(Unreachable):
                plain.record(granted, [Choice(*LETTER, "refuse")], method="form")
            until(lambda: state_of(local) is CopyState.STALE, 4)
            cut_off = local.allowed(granted, *LETTER)
            assert (bool(cut_off), cut_off.reason) == (False, Reason.STALE)
            house.start()
            for client in (plain, local):
                assert client.allowed(refused, *LETTER).reason in {"REFUSED", Reason.COPIED}
                assert not client.allowed(refused, *LETTER)
                assert client.allowed(granted, *LETTER)
            until(lambda: state_of(local) is CopyState.LIVE)
            assert not from_copy(local, refused)
            assert from_copy(local, granted)


def _pairs(house: RealHouse, rounds: int, wrong: list[str]) -> None:
    """Write through one client, ask with its token through another one's copy, over and over."""
    with (
        Client(house.url, house.key, timeout=30) as writer,
        Client(house.url, house.key, local=True, timeout=30) as reader,
    ):
        person = grants(writer, somebody())
        for number in range(rounds):
            if number % 2:
                written = writer.record(person, [Choice(*LETTER, "grant")], method="form", jurisdiction="DE")
            else:
                written = writer.withdraw(person, method="preference_centre")
            told = reader.allowed(person, *LETTER, at_least=written.token)
            again = reader.allowed(person, *LETTER, at_least=written.token)
            if [bool(told), bool(again)] != [bool(number % 2)] * 2:
                wrong.append(f"round {number}: {told.reason} {told.source}, {again.reason} {again.source}")


def test_with_the_token_of_a_write_no_copy_ever_answers_as_before_it(shared_house: RealHouse) -> None:
    wrong: list[str] = []
    threads = [threading.Thread(target=_pairs, args=(shared_house, 150, wrong)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_device_tied_to_a_person_never_outlives_that_persons_withdrawal(
    client: Client, local: Client, shared_house: RealHouse
) -> None:
    phone = device(uuid4().hex)
    own, phone_of = grants(client, somebody()), grants(client, phone)
    assert from_copy(local, phone_of)
    tie = {"authorization": f"Bearer {shared_house.key}", "idempotency-key": uuid4().hex}
    url, body = (
        f"{shared_house.url}/v1/subjects/{own}/links",
        {"identifiers": [{"type": "device_id", "value": phone.value}]},
    )
    assert httpx.post(url, json=body, headers=tie, timeout=10).status_code == 200
    until(lambda: asks_every_time(local, phone_of), 10)
    assert local.allowed(phone_of, *LETTER)
    client.withdraw(own, method="preference_centre")
    assert not local.allowed(phone_of, *LETTER)
    with Client(shared_house.url, shared_house.key, local=True, timeout=10) as fresh:
        until(lambda: state_of(fresh) is CopyState.LIVE)
        grants(client, own)
        assert fresh.allowed(phone_of, *LETTER).source is Source.SERVICE
