"""The search connector keeps the contract on a compatible server."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.search import connector
from connectors.search.documents import Documents
from connectors.search.pushdown import query_of
from privacyops.connector_sdk import (
    EVERY_ROW,
    Delete,
    DropPath,
    FieldType,
    Leaf,
    Misconfigured,
    Op,
    OpId,
    Outcome,
    PredicateOp,
    RemoveElement,
    Set,
    Terminal,
)
from privacyops.connector_sdk.plan import Constant
from privacyops.connector_sdk.testing import manners_checks
from privacyops.connector_sdk.testing.bench import Spy, applied, catalogue_of, hits_of
from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract
from privacyops.connector_sdk.testing.seed import PERSON
from tests.contract.search_bench import SearchBench
from tests.servers import Server

pytestmark = pytest.mark.stores


@pytest.fixture
def bench(search_server: Server) -> Iterator[SearchBench]:
    made = SearchBench(search_server)
    yield made
    made.close()


class TestSearch(ConnectorContract):
    @pytest.mark.long
    def test_33_deadline_and_cancel_end_a_long_scan_and_nothing_stays_open(self, bench: Bench) -> None:
        super().test_33_deadline_and_cancel_end_a_long_scan_and_nothing_stays_open(bench)

    @pytest.mark.long
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a tenth of the rows: this server takes minutes for all of them."""
        monkeypatch.setattr(manners_checks, "MANY", 20_000)
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


def test_paths_and_elements_are_listed_found_and_changed_while_all_else_stays(bench: SearchBench) -> None:
    cart = {
        "customer": {"email": "Anna.Weber@example.com", "level": 2.0},
        "items": [{"sku": "a", "to": "Anna Weber"}, {"sku": "b", "to": "Ben Okafor"}],
        "tags": ["vip", "Anna Weber"],
    }
    bench.http.put("/carts/_doc/c%2F1?refresh=true", json=cart).raise_for_status()
    store = bench.open_writing()
    assert store is not None
    carts = catalogue_of(store)["carts"]
    level = carts.field("customer$.level")
    assert level is not None
    assert level.type is FieldType.NUMBER
    [hit] = hits_of(store, "carts", Leaf("x", "customer$.email", PredicateOp.EQ_CI, "anna.weber@example.com"))
    for at, act in enumerate(
        (Set({"customer$.email": Constant("")}), DropPath("items", "$[*].to"), RemoveElement("tags", 1))
    ):
        plan = store.plan(Spy().call(), [Op(OpId(str(at)), hit.ref, act)])
        assert applied(store, plan)[str(at)].outcome is Outcome.DONE
        assert applied(store, plan)[str(at)].outcome is Outcome.ALREADY
    assert bench.source("carts", "c%2F1") == {
        "customer": {"email": "", "level": 2.0},
        "items": [{"sku": "a"}, {"sku": "b"}],
        "tags": ["vip"],
    }
    store.close()


def test_a_document_with_routing_is_read_and_deleted_where_it_lies(bench: SearchBench) -> None:
    row = {"email": "Anna.Weber@example.com"}
    bench.http.put("/carts/_doc/r1?refresh=true&routing=anna", json=row).raise_for_status()
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "carts", EVERY_ROW)
    assert hit.ref.key == {"_id": "r1", "_routing": "anna"}
    plan = store.plan(Spy().call(), [Op(OpId("r"), hit.ref, Delete())])
    assert applied(store, plan)["r"].outcome is Outcome.DONE
    assert bench.http.get("/carts/_doc/r1?routing=anna").status_code == 404
    store.close()


def test_only_what_is_indexed_as_written_is_asked_of_the_cluster(bench: SearchBench) -> None:
    mail = Leaf("x", "email", PredicateOp.EQ, "Anna.Weber@example.com")
    shape = {"email": "keyword", "id": "long"}
    assert query_of(mail, shape) == {"terms": {"email": ["Anna.Weber@example.com"]}}
    assert query_of(Leaf("x", "email", PredicateOp.EQ_CI, "a@example.com"), shape) is None
    assert query_of(Leaf("x", "email", PredicateOp.EQ, "101"), shape) is None  # 101, 101.0 and "101" are equal
    assert query_of(Leaf("x", "id", PredicateOp.EQ, "101"), shape) == {"terms": {"id": [101]}}
    store = bench.open()
    assert len(hits_of(store, "people", mail)) == 1
    store.close()


def test_an_alias_is_no_collection_and_an_index_of_the_cluster_itself_is_not_read(bench: SearchBench) -> None:
    bench.http.post("/_aliases", json={"actions": [{"add": {"index": "people", "alias": "customers"}}]})
    bench.http.put("/.internal", json={})
    store = bench.open()
    assert set(catalogue_of(store)) == {"people", "orders"}
    for name in ("customers", ".internal", "no_such", "people,orders", "peo*"):
        with pytest.raises(Terminal, match="unknown_collection"):
            hits_of(store, name, EVERY_ROW)
    store.close()


def test_a_field_that_two_documents_share_cannot_stand_in_for_the_id(bench: SearchBench) -> None:
    config = {**bench.config(), "order_by": "person_id"}
    bench.config = lambda: config  # type: ignore[method-assign]
    store = bench.open()
    with pytest.raises(Terminal, match="order_not_unique"):
        hits_of(store, "orders", EVERY_ROW)
    store.close()


def test_a_document_written_between_read_and_write_is_left_alone(
    bench: SearchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "people", Leaf("x", "id", PredicateOp.EQ, 102))
    plan = store.plan(Spy().call(), [Op(OpId("gone"), hit.ref, Delete())])
    read = Documents.held

    def read_then_written(self: Documents, *given: Any) -> Any:
        held = read(self, *given)
        bench.change(PERSON, 102, "note", "written a moment later")
        return held

    monkeypatch.setattr(Documents, "held", read_then_written)
    assert applied(store, plan)["gone"].outcome is Outcome.CONFLICT
    assert (PERSON, "102") in bench.snapshot()
    store.close()


def test_credentials_of_the_address_are_sent_and_a_refusal_names_the_setting(httpserver_401: str) -> None:
    from privacyops.connector_sdk.testing.contract import GivenSecrets

    store = connector.open({"name": "shop"}, GivenSecrets({"url": httpserver_401}))
    with pytest.raises(Misconfigured) as refused:
        store.health(Spy().call())
    assert refused.value.setting == "url"
    assert "hunter2" not in repr(refused.value)
    store.close()


@pytest.fixture
def httpserver_401() -> Iterator[str]:
    """A double that knows one answer: 401, and only if credentials came; else 400."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401 if "Authorization" in self.headers else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refuses)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://shop:hunter2@127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)
