"""The GCS connector keeps the contract on a compatible server.

That server keeps earlier generations but deletes none by number and knows no soft deletion; what the connector does
there is asked of a double that only records (named so), and of nobody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from connectors.formats.bucket import Bucket, State
from connectors.gcs import connector
from connectors.gcs.objects import GcsObjects
from privacyops.connector_sdk import (
    Connector,
    Json,
    Leaf,
    Misconfigured,
    Outcome,
    PredicateOp,
    Retriable,
    Set,
)
from privacyops.connector_sdk.plan import Constant
from privacyops.connector_sdk.testing.bench import Spy, applied, hits_of, op_on
from privacyops.connector_sdk.testing.contract import Bench, Broken, GivenSecrets
from privacyops.connector_sdk.testing.seed import PERSON, A
from tests.contract.object_bench import BucketContract, ObjectBench
from tests.servers import Server, free_port

pytestmark = pytest.mark.stores

BUCKET = "shop-objects"


class GcsBench(ObjectBench):
    entry = "connectors.gcs:connector"
    drivers = frozenset({"google.cloud.storage", "requests", "pypdf", "openpyxl"})

    def __init__(self, server: Server, bucket: str = BUCKET, *, keeps_versions: bool = False) -> None:
        self.address, self.bucket = f"http://127.0.0.1:{server.port}", bucket
        self.http = httpx.Client(base_url=self.address, timeout=60)
        made = {"name": bucket, "versioning": {"enabled": keeps_versions}}
        assert self.http.post("/storage/v1/b", json=made).status_code in {200, 409}
        super().__init__()

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        where = {"bucket": self.bucket, "prefix": self.prefix, "endpoint": self.address}
        return {"name": "shop", "anonymous": True, **where}

    def secrets(self) -> Mapping[str, str]:
        return {"hash_key": "a-key-of-this-test"}

    def read(self, key: str) -> bytes:
        found = self.http.get(f"/download/storage/v1/b/{self.bucket}/o/{quote(key, safe='')}?alt=media")
        return found.raise_for_status().content

    def write(self, key: str, content: bytes) -> None:
        to = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={quote(key, safe='')}"
        self.http.post(to, content=content, headers={"Content-Type": "text/plain"}).raise_for_status()

    def broken(self) -> Sequence[Broken]:
        given, held = self.config(), self.secrets()
        nobody = {**given, "endpoint": f"http://127.0.0.1:{free_port()}"}
        named = {name: value for name, value in given.items() if name != "anonymous"}
        return (
            Broken("no server", nobody, held, Retriable),
            Broken("no such bucket", {**given, "bucket": "no-such-bucket"}, held, Misconfigured, "bucket"),
            Broken("no credentials", named, held, Misconfigured, "credentials"),
            Broken("no key of an account", named, {**held, "credentials": "{}"}, Misconfigured, "credentials"),
        )


@pytest.fixture
def bench(gcs_server: Server) -> Iterator[GcsBench]:
    made = GcsBench(gcs_server)
    yield made
    made.http.close()


class TestGcs(BucketContract):
    @pytest.mark.long
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


def test_an_earlier_generation_is_found_and_counts_as_still_there(gcs_server: Server) -> None:
    bench = GcsBench(gcs_server, "shop-generations", keeps_versions=True)
    bench.put_rows(PERSON, [row for row in bench.rows(PERSON) if row["id"] != 101])
    store = bench.open()
    leaf = Leaf("x", "text", PredicateOp.CONTAINS_CI, str(A["email"]))
    [hit] = hits_of(store, "versions", leaf, fields=("path", "version"))
    assert hit.ref.key["path"] == bench.names[PERSON]
    store.close()
    bench.http.close()


def test_a_rewritten_object_keeps_its_type_and_metadata(bench: GcsBench) -> None:
    key = bench.names[PERSON]
    about = {"metadata": {"source": "crm"}, "contentType": "application/x-ndjson", "cacheControl": "no-store"}
    at = f"/storage/v1/b/{BUCKET}/o/{quote(key, safe='')}"
    bench.http.patch(at, json=about).raise_for_status()
    before = bench.http.get(at).json()
    store = bench.open_writing()
    assert store is not None
    plan = store.plan(Spy().call(), [op_on(bench, store, PERSON, 101, Set({"email": Constant("")}))])
    assert applied(store, plan)["person-101"].outcome is Outcome.DONE
    after = bench.http.get(at).json()
    assert after["generation"] != before["generation"]
    assert {name: after.get(name) for name in about} == {name: before.get(name) for name in about}
    assert after["metadata"] == about["metadata"]
    store.close()


def test_an_object_that_others_wrote_meanwhile_is_not_overwritten(bench: GcsBench) -> None:
    objects = GcsObjects(connector_settings(bench), GivenSecrets(bench.secrets()))
    state = objects.state(bench.names[PERSON])
    assert state is not None
    bench.change(PERSON, 103, "note", "written meanwhile")
    from io import BytesIO

    from connectors.formats.shelf import Changed

    with pytest.raises(Changed):
        objects.put(state, BytesIO(b"{}"))
    with pytest.raises(Changed):
        objects.delete(state)
    assert "written meanwhile" in bench.read(bench.names[PERSON]).decode()
    objects.close()


def connector_settings(bench: GcsBench) -> Any:
    from connectors.gcs.settings import read_settings

    return read_settings(bench.config())


class RecordingDouble:
    """A bucket service with two earlier generations of one object, which records what is asked of it."""

    def __init__(self, *, lingers: bool) -> None:
        self.deleted: list[str] = []
        self._lingers = lingers
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        self._states = [State("a.csv", 1, moment, str(n), str(n), is_latest=n == 3) for n in (1, 2, 3)]

    def keeps_versions(self) -> bool:
        return True

    def states(self, key: str | None = None) -> Iterator[State]:
        yield from (state for state in self._states if state.version not in self.deleted)

    def delete_state(self, state: State) -> None:
        self.deleted.append(state.version)

    def lingers(self, key: str) -> bool:
        return self._lingers


def test_every_earlier_generation_is_named_for_deletion_and_the_present_one_is_not() -> None:
    double: Any = RecordingDouble(lingers=False)
    bucket = Bucket(double, ())
    assert bucket.keeps_older("a.csv")
    assert bucket.settle(Spy().call(), "a.csv")
    assert double.deleted == ["1", "2"]
    assert not bucket.keeps_older("a.csv")


def test_what_is_deleted_softly_counts_as_still_there_until_its_time_is_over() -> None:
    double: Any = RecordingDouble(lingers=True)
    bucket = Bucket(double, ())
    bucket.settle(Spy().call(), "a.csv")
    assert bucket.keeps_older("a.csv")


def test_only_softly_deleted_objects_of_that_very_key_linger() -> None:
    gone = datetime(2026, 1, 1, tzinfo=UTC)
    objects = GcsObjects(SimpleNamespace(terms=SimpleNamespace(prefix="", bucket="b")), GivenSecrets({}))  # type: ignore[arg-type]  # what is asked of it
    listed = [
        SimpleNamespace(name="a.csv.bak", soft_delete_time=gone),
        SimpleNamespace(name="a.csv", soft_delete_time=None),
    ]
    objects._listed = lambda *_, **__: iter(listed)  # type: ignore[method-assign]
    assert not objects.lingers("a.csv")
    listed.append(SimpleNamespace(name="a.csv", soft_delete_time=gone))
    assert objects.lingers("a.csv")
