"""The Redis connector keeps the contract on a real server, and what is Redis's own is read and changed in place."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.redis import connector
from connectors.redis.records import Records
from privacyops.connector_sdk import (
    EVERY_ROW,
    Delete,
    HealthState,
    Leaf,
    Misconfigured,
    Op,
    OpId,
    Outcome,
    Page,
    PredicateOp,
    RedactSpan,
    RemoveElement,
    Set,
    Terminal,
    WriteStore,
)
from privacyops.connector_sdk.plan import Constant
from privacyops.connector_sdk.records import Mark
from privacyops.connector_sdk.testing.bench import Spy, applied, catalogue_of, hits_of
from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract, GivenSecrets
from privacyops.connector_sdk.testing.seed import PERSON
from tests.contract.redis_bench import RedisBench
from tests.servers import Server

pytestmark = pytest.mark.stores


@pytest.fixture
def bench(redis_server: Server) -> Iterator[RedisBench]:
    made = RedisBench(redis_server)
    yield made
    made.close()


class TestRedis(ConnectorContract):
    @pytest.mark.long
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


def test_a_closed_store_holds_no_connection(bench: RedisBench) -> None:
    before = {each["id"] for each in bench.connections()}
    store = bench.open()
    hits_of(store, "person:*", EVERY_ROW)
    ours = {each["id"] for each in bench.connections()} - before
    assert ours
    store.close()
    until = time.monotonic() + 5
    while ours & {each["id"] for each in bench.connections()} and time.monotonic() < until:  # it notices in a moment
        time.sleep(0.01)
    assert not ours & {each["id"] for each in bench.connections()}


def test_keys_of_every_type_are_found_by_what_they_hold(bench: RedisBench) -> None:
    mail = "Anna.Weber@example.com"
    bench.client.set("cache:101", '{"customer": {"email": "Anna.Weber@example.com"}, "n": 1}')
    bench.client.rpush("recent:101", "shoes", mail)
    bench.client.sadd("letters", mail, "ben.okafor@example.org")
    bench.client.zadd("ranking", {mail: 3, "ben.okafor@example.org": 9})
    bench.client.xadd("events", {"email": mail, "did": "login"})
    store = bench.open()
    found = catalogue_of(store)
    assert {"cache:*", "recent:*", "letters", "ranking", "events", "person:*", "order:*"} == set(found)
    asked = {
        "cache:*": Leaf("x", "value$.customer.email", PredicateOp.EQ_CI, mail),
        "recent:*": Leaf("x", "items", PredicateOp.ARRAY_HAS, mail),
        "letters": Leaf("x", "items", PredicateOp.ARRAY_HAS, mail),
        "ranking": Leaf("x", "items", PredicateOp.ARRAY_HAS, mail),
        "events": Leaf("x", "entries", PredicateOp.JSON_ANY, mail),
    }
    assert {name: len(hits_of(store, name, leaf)) for name, leaf in asked.items()} == dict.fromkeys(asked, 1)
    store.close()


def test_members_of_lists_and_sets_go_alone_and_texts_keep_their_expiry(bench: RedisBench) -> None:
    bench.client.rpush("recent:101", "same", "Anna Weber", "same")
    bench.client.sadd("letters", "Anna Weber", "Ben Okafor")
    bench.client.zadd("ranking", {"Anna Weber": 3, "Ben Okafor": 9})
    bench.client.set("note:101", "Ring Anna Weber", ex=1000)
    store = bench.open_writing()
    assert store is not None
    ops = []
    for name, act in (
        ("recent:*", RemoveElement("items", 1)),
        ("letters", RemoveElement("items", 0)),
        ("ranking", RemoveElement("items", 0)),
        ("note:*", RedactSpan("value", ((5, 15),))),
    ):
        [hit] = hits_of(store, name, EVERY_ROW)
        ops.append(Op(OpId(name), hit.ref, act))
    plan = store.plan(Spy().call(), ops)
    assert not plan.blockers
    assert {result.outcome for result in applied(store, plan).values()} == {Outcome.DONE}
    assert bench.client.lrange("recent:101", 0, -1) == [b"same", b"same"]
    assert bench.client.smembers("letters") == {b"Ben Okafor"}
    assert bench.client.zrange("ranking", 0, -1) == [b"Ben Okafor"]
    assert bench.client.get("note:101") == b"Ring **********"
    assert 0 < bench.client.ttl("note:101") <= 1000
    again = {name: result.outcome for name, result in applied(store, plan).items()}
    assert again == dict.fromkeys(again, Outcome.ALREADY)
    store.close()


def test_what_cannot_be_changed_in_place_is_blocked_with_a_remedy(bench: RedisBench) -> None:
    bench.client.xadd("events", {"email": "Anna.Weber@example.com"})
    bench.client.set("cache:101", '{"email": "Anna.Weber@example.com"}')
    store = bench.open_writing()
    assert store is not None
    refs = {name: hits_of(store, name, EVERY_ROW)[0].ref for name in ("events", "cache:*", "person:*")}
    plan = store.plan(
        Spy().call(),
        [
            Op(OpId("1"), refs["events"], Set({"entries": Constant("")})),
            Op(OpId("2"), refs["cache:*"], Set({"value$.email": Constant("")})),
            Op(OpId("3"), refs["person:*"], Set({"_key": Constant("")})),
        ],
    )
    assert [(each.op, each.code, each.remedy) for each in plan.blockers] == [
        ("2", "path", "redact_or_delete"),
        ("1", "append_only", "delete"),
        ("3", "key", "delete"),
    ]
    store.close()


def test_patterns_of_the_operator_go_before_words_and_ignored_keys_are_not_read(bench: RedisBench) -> None:
    bench.client.set("user/anna/token", "1")
    bench.client.set("tmp:1", "x")
    config = {**bench.config(), "patterns": ["user/*/token"], "ignore": ["tmp:*"]}
    bench.config = lambda: config  # type: ignore[method-assign]
    store = bench.open()
    assert set(catalogue_of(store)) == {"user/*/token", "person:*", "order:*"}
    assert len(hits_of(store, "user/*/token", EVERY_ROW)) == 1
    store.close()


def test_more_keys_than_fit_in_memory_take_further_passes_and_none_is_lost(bench: RedisBench) -> None:
    name = bench.grow(1000)
    config = {**bench.config(), "keys_in_memory": 70}
    bench.config = lambda: config  # type: ignore[method-assign]
    store = bench.open()
    found = [str(hit.values["id"]) for hit in hits_of(store, name, EVERY_ROW, size=33)]
    assert sorted(found, key=int) == [str(at) for at in range(1, 1001)]
    store.close()


def test_keys_that_are_no_text_are_found_and_deleted_under_their_digits(bench: RedisBench) -> None:
    bench.client.set(b"\xff\xfe raw", "Anna Weber")
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "hex:*", Leaf("x", "value", PredicateOp.EQ, "Anna Weber"))
    plan = store.plan(Spy().call(), [Op(OpId("raw"), hit.ref, Delete())])
    assert applied(store, plan)["raw"].outcome is Outcome.DONE
    assert not bench.client.exists(b"\xff\xfe raw")
    store.close()


def test_a_key_too_large_to_read_never_passes_for_searched_even_after_a_resume(
    bench: RedisBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.redis.records.MOST_PARTS", 3)
    for at, members in enumerate((["a"], list("abcdef"), ["a"], ["a"])):
        bench.client.rpush(f"list:{at}", *members)
    store = bench.open()
    first = list(store.find(Spy().call(), "list:*", EVERY_ROW, (), Page(2)))
    mark = first[-1]
    assert isinstance(mark, Mark)
    fresh = bench.open()
    with pytest.raises(Terminal, match="keys_not_read"):
        list(fresh.find(Spy().call(), "list:*", EVERY_ROW, (), Page(50, mark.after)))
    store.close()
    fresh.close()


def test_a_key_written_between_look_and_write_is_left_alone(bench: RedisBench, monkeypatch: pytest.MonkeyPatch) -> None:
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "person:*", Leaf("x", "id", PredicateOp.EQ, 102))
    plan = store.plan(Spy().call(), [Op(OpId("gone"), hit.ref, Delete())])
    read = Records.held

    def read_then_written(self: Records, *given: Any) -> Any:
        held = read(self, *given)
        bench.change(PERSON, 102, "note", "written a moment later")
        return held

    monkeypatch.setattr(Records, "held", read_then_written)
    assert applied(store, plan)["gone"].outcome is Outcome.CONFLICT
    assert (PERSON, "102") in bench.snapshot()
    store.close()


def _account(bench: RedisBench, name: str, commands: list[str]) -> str:
    bench.client.acl_setuser(name, enabled=True, passwords=[f"+{name}-word"], keys=["*"], commands=commands, reset=True)
    return f"redis://{name}:{name}-word@127.0.0.1:{bench.server.port}/3"


def test_the_documented_rights_suffice_and_the_reading_ones_do_not_write(bench: RedisBench) -> None:
    reading = ["+@read", "+info", "+dbsize", "+scan", "+ping", "+select"]
    writing = [*reading, "+@write", "+watch", "+unwatch", "+multi", "+exec"]
    given = {"hash_key": "k", "url": _account(bench, "reader", reading)}
    store = connector.open({"name": "shop", "write": True}, GivenSecrets(given))
    store.health(Spy().call())
    assert set(catalogue_of(store)) == {"person:*", "order:*"}
    [hit] = hits_of(store, "person:*", Leaf("x", "id", PredicateOp.EQ, 102))
    assert isinstance(store, WriteStore)
    plan = store.plan(Spy().call(), [Op(OpId("gone"), hit.ref, Delete())])
    with pytest.raises(Misconfigured):
        applied(store, plan)
    store.close()
    store = connector.open(
        {"name": "shop", "write": True}, GivenSecrets({**given, "write_url": _account(bench, "writer", writing)})
    )
    assert isinstance(store, WriteStore)
    assert applied(store, plan)["gone"].outcome is Outcome.DONE
    store.close()


def test_a_host_of_a_container_network_is_reached_where_the_operator_opened_the_network(
    bench: RedisBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = socket.getaddrinfo

    def by_the_containers(host: Any, *given: Any, **named: Any) -> Any:
        return ask("127.0.0.1" if host == "redis" else host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", by_the_containers)
    secrets = GivenSecrets({"url": bench.url.replace("127.0.0.1", "redis"), "hash_key": "k"})
    closed, opened = connector.open({}, secrets), connector.open({"networks": ["127.0.0.0/8"]}, secrets)
    with pytest.raises(Misconfigured, match="plain_text_over_a_network"):
        closed.health(Spy().call())
    assert opened.health(Spy().call()).state is HealthState.OK
    elsewhere = connector.open({"networks": ["172.18.0.0/16"]}, secrets)
    assert elsewhere.health(Spy().call()).state is HealthState.OK, "this machine is not a network"
    closed.close()
    opened.close()
    elsewhere.close()
