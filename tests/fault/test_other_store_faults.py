"""Stores that fall silent, and answers that are lost after their effect: buckets, documents, keys and indexes alike."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from privacyops.connector_sdk import EVERY_ROW, Outcome, Page, Retriable, Set, WriteStore
from privacyops.connector_sdk.testing.bench import Bench, GivenSecrets, Spy, op_on
from privacyops.connector_sdk.testing.faults import Fault, FaultProxy
from privacyops.connector_sdk.testing.seed import PERSON
from privacyops.connector_sdk.testing.writing_checks import CLEAN, SUCCESS
from tests.contract.redis_bench import RedisBench
from tests.contract.s3_bench import S3Bench, s3_client
from tests.contract.search_bench import SearchBench
from tests.contract.test_gcs_connector import GcsBench
from tests.contract.test_mongodb_connector import MongoBench
from tests.servers import Server

pytestmark = [pytest.mark.stores, pytest.mark.fault]


@pytest.fixture(params=["s3", "gcs", "mongodb", "redis", "search"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A seeded store of each kind."""
    kind: str = request.param
    server: Server = request.getfixturevalue(f"{kind}_server")
    made: Bench
    if kind == "s3":
        client = s3_client(server)
        with suppress(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket="shop-faults")
        made = S3Bench(server, "shop-faults")
    else:
        kinds: dict[str, Callable[[Server], Bench]] = {
            "gcs": GcsBench,
            "mongodb": MongoBench,
            "redis": RedisBench,
            "search": SearchBench,
        }
        made = kinds[kind](server)
    yield made
    close = getattr(made, "close", None) or getattr(getattr(made, "http", None), "close", None)
    if close is not None:
        close()


def port_of(bench: Bench) -> int:
    found = re.search(r"127\.0\.0\.1:(\d+)", f"{bench.config()} {bench.secrets()}")
    assert found is not None
    return int(found[1])


def through(bench: Bench, proxy: FaultProxy) -> WriteStore:
    """The store with its server behind the proxy."""
    real, behind = f"127.0.0.1:{port_of(bench)}", f"127.0.0.1:{proxy.port}"
    config = {
        name: each.replace(real, behind) if isinstance(each, str) else each for name, each in bench.config().items()
    }
    secrets = {name: each.replace(real, behind) for name, each in bench.secrets().items()}
    store = bench.connector().open({**config, "write": True}, GivenSecrets(secrets))
    assert isinstance(store, WriteStore)
    return store


@pytest.fixture
def proxy(bench: Bench) -> Iterator[FaultProxy]:
    with FaultProxy("127.0.0.1", port_of(bench)) as made:
        yield made


def test_a_store_that_falls_silent_is_given_up_within_the_hosts_patience(bench: Bench, proxy: FaultProxy) -> None:
    store, name = through(bench, proxy), bench.name_of(PERSON)
    assert list(store.find(Spy().call(), name, EVERY_ROW, (), Page(5)))
    proxy.behave(Fault.SILENT)
    began = time.monotonic()
    with pytest.raises(Retriable):
        list(store.find(Spy(seconds=1).call(), name, EVERY_ROW, (), Page(5)))
    assert time.monotonic() - began < 1 + 5
    proxy.behave(Fault.CUT)
    store.close()


def test_a_store_that_dies_and_comes_back_is_asked_again_on_a_new_connection(bench: Bench, proxy: FaultProxy) -> None:
    store, name = through(bench, proxy), bench.name_of(PERSON)
    proxy.behave(Fault.CUT)
    with pytest.raises(Retriable):
        list(store.find(Spy().call(), name, EVERY_ROW, (), Page(5)))
    proxy.behave(Fault.NONE)
    store.close()
    assert list(store.find(Spy().call(), name, EVERY_ROW, (), Page(5)))
    store.close()


def test_an_answer_that_is_lost_after_its_effect_is_done_already_when_it_is_repeated(
    bench: Bench, proxy: FaultProxy
) -> None:
    store = through(bench, proxy)
    plan = store.plan(Spy().call(), [op_on(bench, store, PERSON, 102, Set(CLEAN))])
    for after in (30, 200, 900, 2500, 12_000):
        proxy.behave(Fault.CUT_AFTER, after_bytes=after)
        try:
            outcomes = {each.outcome for each in store.apply(Spy(seconds=10).call(), plan, (), "1:1:1")}
        except Retriable:
            continue
        assert outcomes <= SUCCESS | {Outcome.RETRIABLE}
    proxy.behave(Fault.NONE)
    store.close()
    assert {each.outcome for each in store.apply(Spy().call(), plan, (), "1:1:1")} <= SUCCESS
    row = bench.snapshot()[PERSON, "102"]
    assert str(row["email"]).startswith("erased-")
    assert not row.get("phone")
    store.close()
