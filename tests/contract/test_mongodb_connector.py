"""The MongoDB connector keeps the contract on a compatible server."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import pymongo
import pytest
from bson.objectid import ObjectId

from connectors.mongodb import connector
from privacyops.connector_sdk import (
    EVERY_ROW,
    Collection,
    Connector,
    Delete,
    DropPath,
    FieldType,
    Json,
    Leaf,
    Misconfigured,
    Op,
    OpId,
    Outcome,
    PredicateOp,
    RemoveElement,
    Retriable,
    Set,
    Value,
)
from privacyops.connector_sdk.plan import Constant
from privacyops.connector_sdk.testing import manners_checks
from privacyops.connector_sdk.testing.bench import Spy, applied, catalogue_of, hits_of
from privacyops.connector_sdk.testing.contract import Bench, Broken, ConnectorContract, Snapshot
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PURCHASE, PURCHASES
from tests.servers import Server, free_port

pytestmark = pytest.mark.stores


class MongoBench(Bench):
    """Documents whose `_id` is the server's own and whose `id` is the shop's."""

    entry = "connectors.mongodb:connector"
    drivers = frozenset({"pymongo", "bson"})
    names: ClassVar[Mapping[str, str]] = {PERSON: "people", PURCHASE: "orders"}

    def __init__(self, server: Server) -> None:
        self.url = f"mongodb://127.0.0.1:{server.port}/?directConnection=true"
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.url)
        self.database = self.client[f"shop{secrets.token_hex(6)}"]
        for name, rows in ((PERSON, PERSONS), (PURCHASE, PURCHASES)):
            self.database[self.names[name]].insert_many([dict(row) for row in rows])
        self.database["people"].create_index("id")

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop", "database": self.database.name}

    def secrets(self) -> Mapping[str, str]:
        return {"url": self.url, "hash_key": "a-key-of-this-test"}

    def snapshot(self) -> Snapshot:
        return {
            (name, str(row["id"])): {path: None if cell is None else str(cell) for path, cell in row.items()}
            for name in (PERSON, PURCHASE)
            for row in self.database[self.names[name]].find({})
        }

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        self.database[self.names[collection]].update_one({"id": number}, {"$set": {path: value}})

    def insert(self, number: int) -> None:
        row = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}", "phone": "", "note": ""}
        self.database["people"].insert_one(row)

    def grow(self, rows: int) -> str:
        for start in range(1, rows + 1, 5000):
            upto = min(start + 5000, rows + 1)
            self.database["bulk"].insert_many(
                [{"_id": at, "id": at, "label": f"label {at}"} for at in range(start, upto)]
            )
        return "bulk"

    def broken(self) -> Sequence[Broken]:
        down = {"url": f"mongodb://127.0.0.1:{free_port()}/?directConnection=true"}
        return (
            Broken("server down", self.config(), down, Retriable),
            Broken("no address", self.config(), {"url": "http://127.0.0.1"}, Misconfigured, "url"),
            Broken("no url", self.config(), {}, Misconfigured, "url"),
        )

    def close(self) -> None:
        self.client.drop_database(self.database.name)
        self.client.close()


@pytest.fixture
def bench(mongodb_server: Server) -> Iterator[MongoBench]:
    made = MongoBench(mongodb_server)
    yield made
    made.close()


class TestMongodb(ConnectorContract):
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


def test_keys_of_every_type_are_scanned_and_each_once(bench: MongoBench) -> None:
    keys: list[Any] = [ObjectId(), "a", "b", 3, 10, 2.5]
    bench.database["mixed"].insert_many([{"_id": key, "at": at} for at, key in enumerate(keys)])
    store = bench.open()
    for size in (1, 2, 50):
        found = hits_of(store, "mixed", EVERY_ROW, size=size)
        assert sorted(int(str(hit.values["at"])) for hit in found) == list(range(len(keys)))
    rows = list(store.fetch(Spy().call(), [hit.ref for hit in hits_of(store, "mixed", EVERY_ROW)], ("at",)))
    assert len(rows) == len(keys)
    store.close()


def test_paths_into_documents_and_arrays_are_listed_found_and_changed_in_place(bench: MongoBench) -> None:
    order = {
        "customer": {"email": "Anna.Weber@example.com", "since": datetime(2020, 5, 1, tzinfo=UTC)},
        "items": [{"sku": "a", "to": "Anna Weber"}, {"sku": "b", "to": "Ben Okafor"}],
        "tags": ["vip", "Anna Weber"],
    }
    bench.database["carts"].insert_one({"_id": "c1", **order})
    store = bench.open_writing()
    assert store is not None
    carts = catalogue_of(store)["carts"]
    assert isinstance(carts, Collection)
    assert {"customer", "customer$.email", "items$[*].to", "tags"} <= {field.path for field in carts.fields}
    since = carts.field("customer$.since")
    assert since is not None
    assert since.type is FieldType.INSTANT
    leaf = Leaf("x", "customer$.email", PredicateOp.EQ_CI, "anna.weber@example.com")
    [hit] = hits_of(store, "carts", leaf)
    ops = [
        Op(OpId("1"), hit.ref, Set({"customer$.email": Constant("")})),
        Op(OpId("2"), hit.ref, DropPath("items", "$[*].to")),
        Op(OpId("3"), hit.ref, RemoveElement("tags", 1)),
    ]
    for op in ops:
        plan = store.plan(Spy().call(), [op])
        assert applied(store, plan)[op.id].outcome is Outcome.DONE
        assert applied(store, plan)[op.id].outcome is Outcome.ALREADY
    left = bench.database["carts"].find_one({"_id": "c1"})
    assert left == {
        "_id": "c1",
        "customer": {"email": "", "since": order["customer"]["since"].replace(tzinfo=None)},  # type: ignore[index]
        "items": [{"sku": "a"}, {"sku": "b"}],
        "tags": ["vip"],
    }
    store.close()


def test_an_indexed_question_is_asked_of_the_server_and_numbers_equal_their_texts(bench: MongoBench) -> None:
    bench.database["people"].insert_many([{"id": "77", "name": "as text"}, {"id": 77.0, "name": "as a fraction"}])
    store, spy = bench.open(), Spy()
    found = hits_of(store, "people", Leaf("x", "id", PredicateOp.EQ, 77), spy=spy)
    assert sorted(str(hit.values["name"]) for hit in found) == ["as a fraction", "as text"]
    assert sorted(
        str(hit.values["name"]) for hit in hits_of(store, "people", Leaf("x", "id", PredicateOp.IN, ("77",)))
    ) == [
        "as a fraction",
        "as text",
    ]
    store.close()


def test_a_document_written_between_read_and_write_is_left_alone(
    bench: MongoBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "people", Leaf("x", "id", PredicateOp.EQ, 102))
    plan = store.plan(Spy().call(), [Op(OpId("gone"), hit.ref, Delete())])
    from connectors.mongodb.documents import Documents

    read = Documents.held

    def read_then_written(self: Documents, *given: Any) -> Any:
        held = read(self, *given)
        bench.change(PERSON, 102, "note", "written a moment later")
        return held

    monkeypatch.setattr(Documents, "held", read_then_written)
    assert applied(store, plan)["gone"].outcome is Outcome.CONFLICT
    assert (PERSON, "102") in bench.snapshot()
    store.close()


@pytest.mark.parametrize("act", [Delete(), RemoveElement("tags", 1), Set({"customer$.email": Constant("")})])
def test_a_list_or_a_part_written_between_read_and_write_is_never_written_over(
    bench: MongoBench, monkeypatch: pytest.MonkeyPatch, act: Any
) -> None:
    carts = bench.database["carts"]
    carts.insert_one({"_id": "c1", "customer": {"email": "anna.weber@example.com"}, "tags": ["vip", "Anna Weber"]})
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "carts", Leaf("x", "customer$.email", PredicateOp.EQ_CI, "anna.weber@example.com"))
    plan = store.plan(Spy().call(), [Op(OpId("1"), hit.ref, act)])
    from connectors.mongodb.documents import Documents

    read = Documents.held
    later = {"customer": {"email": "anna@example.org", "vat": "new"}, "tags": ["vip", "Anna Weber", "new"]}

    def read_then_written(self: Documents, *given: Any) -> Any:
        held = read(self, *given)
        carts.update_one({"_id": "c1"}, {"$set": later})
        return held

    monkeypatch.setattr(Documents, "held", read_then_written)
    assert applied(store, plan)["1"].outcome is Outcome.CONFLICT
    assert carts.find_one({"_id": "c1"}) == {"_id": "c1", **later}
    store.close()


@pytest.mark.parametrize(("field", "later"), [("vat", {"vat": "new"}), ("customer$.vat", {"customer.vat": "new"})])
def test_a_cell_that_appeared_between_read_and_write_is_never_written_over(
    bench: MongoBench, monkeypatch: pytest.MonkeyPatch, field: str, later: dict[str, str]
) -> None:
    carts = bench.database["carts"]
    carts.insert_one({"_id": "c2", "customer": {"email": "anna.weber@example.com"}})
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "carts", Leaf("x", "customer$.email", PredicateOp.EQ_CI, "anna.weber@example.com"))
    plan = store.plan(Spy().call(), [Op(OpId("1"), hit.ref, Set({field: Constant("erased")}))])
    from connectors.mongodb.documents import Documents

    read = Documents.held

    def read_then_written(self: Documents, *given: Any) -> Any:
        held = read(self, *given)
        carts.update_one({"_id": "c2"}, {"$set": later})
        return held

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Documents, "held", read_then_written)
        assert applied(store, plan)["1"].outcome is Outcome.CONFLICT
    assert "erased" not in str(carts.find_one({"_id": "c2"}))
    again = store.plan(Spy().call(), [Op(OpId("1"), hit.ref, Set({field: Constant("erased")}))])
    assert applied(store, again)["1"].outcome is Outcome.DONE
    assert "erased" in str(carts.find_one({"_id": "c2"}))
    store.close()


WHEN = datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
WHO = ObjectId()
WHOLE: dict[str, Any] = {
    "email": "anna.weber@example.com",
    "userId": WHO,
    "at": WHEN,
    "note": None,
    "paid": True,
    "total": 9.5,
    "photo": b"\x00\x01",
    "cost": "$5",
    "customer": {"name": "Anna Weber", "by": WHO, "since": WHEN, "address": {"city": "Graz", "zip": None}},
    "items": [{"sku": "a", "by": WHO, "at": WHEN}, {"sku": "b", "sizes": [1, 2]}],
    "tags": ["vip", "new"],
    "none": {},
    "nothing": [],
    "a.b": "dotted",
    "$c": {"d.e": 1},
    "author": {"id": WHO, "of": {"id": "65a5afdb2b95924f49416b03", "rank": 7}},
    "lines": [{"_id": WHO, "sku": "a"}],
}
"""Every kind of value that the server takes. It has no place for a Decimal128."""


@pytest.mark.parametrize("act", [Delete(), Set({"email": Constant("")}), Set({"customer$.name": Constant("")})])
def test_a_document_with_documents_and_lists_in_it_is_changed_and_deleted(bench: MongoBench, act: Any) -> None:
    orders = bench.database["shipped"]
    for key in (ObjectId(), "s1"):
        orders.insert_one({"_id": key, **WHOLE})
        store = bench.open_writing()
        assert store is not None
        [hit] = hits_of(store, "shipped", Leaf("x", "email", PredicateOp.EQ, "anna.weber@example.com"))
        plan = store.plan(Spy().call(), [Op(OpId("1"), hit.ref, act)])
        assert applied(store, plan)["1"].outcome is Outcome.DONE
        assert applied(store, plan)["1"].outcome is Outcome.ALREADY
        left = orders.find_one({"_id": key})
        assert (left is None) == isinstance(act, Delete)
        if left is not None:
            assert "" in {left["email"], left["customer"]["name"]}
            assert list(left) == ["_id", *WHOLE]
            assert left["items"][0] == {**WHOLE["items"][0], "at": WHEN.replace(tzinfo=None)}
            orders.delete_one({"_id": key})
        store.close()


_LATER: Sequence[dict[str, Any]] = (
    {"customer": {**WHOLE["customer"], "vat": "new"}},
    {"customer": dict(reversed(WHOLE["customer"].items()))},
    {"customer": {**WHOLE["customer"], "address": {"city": "Graz", "zip": "8010"}}},
    {"customer": {**WHOLE["customer"], "address": {"zip": None, "city": "Graz"}}},
    {"customer": {**WHOLE["customer"], "address": {"city": "Graz"}}},
    {"customer": {**WHOLE["customer"], "since": datetime(2024, 1, 2, 3, 4, 5, 679000, tzinfo=UTC)}},
    {"items": WHOLE["items"][::-1]},
    {"items": [*WHOLE["items"], {"sku": "c"}]},
    {"items": [{**WHOLE["items"][0], "gift": True}, WHOLE["items"][1]]},
    {"items": [{**WHOLE["items"][0], "by": ObjectId()}, WHOLE["items"][1]]},
    {"items": [WHOLE["items"][0], {"sku": "b", "sizes": [2, 1]}]},
    {"at": datetime(2024, 1, 2, 3, 4, 5, 679000, tzinfo=UTC)},
    {"userId": ObjectId()},
    {"note": "written"},
    {"photo": b"\x00\x02"},
    {"total": 9.75},
    {"tags": ["new", "vip"]},
    {"none": {"a": 1}},
    {"nothing": ["a"]},
    {"a.b": "other"},
    {"author": {**WHOLE["author"], "id": ObjectId()}},
    {"author": {**WHOLE["author"], "of": {"id": "65a5afdb2b95924f49416b03", "rank": 8}}},
    {"author": "unknown"},
    {"lines": [{"_id": ObjectId(), "sku": "a"}]},
    {"$c": {"d.e": 2}},
    {"appeared": None},
)


@pytest.mark.parametrize("act", [Delete(), Set({"email": Constant("")})])
def test_whatever_somebody_else_wrote_into_a_document_since_it_was_read_stays(
    bench: MongoBench, monkeypatch: pytest.MonkeyPatch, act: Any
) -> None:
    """Behind the plan, and behind the last read before the write: there the server alone can tell."""
    from connectors.mongodb.documents import Documents

    orders, read = bench.database["shipped"], Documents.held

    def stands_as(document: dict[str, Any]) -> None:
        orders.delete_one({"_id": "s1"})  # this server takes the name `$c` for an operator when a document is replaced
        orders.insert_one(dict(document))

    stands_as({"_id": "s1", **WHOLE})
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "shipped", Leaf("x", "email", PredicateOp.EQ, "anna.weber@example.com"))
    plan = store.plan(Spy().call(), [Op(OpId("1"), hit.ref, act)])
    for later in (*_LATER, *({"gone": name} for name in WHOLE if name != "email")):
        changed = {"_id": "s1", **WHOLE, **later}
        if "gone" in later:
            changed = {name: held for name, held in {"_id": "s1", **WHOLE}.items() if name != later["gone"]}

        def read_then_written(self: Documents, *given: Any, into: dict[str, Any] = changed) -> Any:
            held = read(self, *given)
            stands_as(into)
            return held

        stands_as({"_id": "s1", **WHOLE})
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(Documents, "held", read_then_written)
            result = applied(store, plan)["1"]
        stands = orders.find_one({"_id": "s1"})
        assert (result.outcome, result.code) == (Outcome.CONFLICT, "row_changed"), later
        assert stands is not None, later
        assert stands["email"] == WHOLE["email"], later
    for later in ({"items": [*WHOLE["items"], {"sku": "c"}]}, {"customer": {**WHOLE["customer"], "vat": "new"}}):
        stands_as({"_id": "s1", **WHOLE, **later})
        assert applied(store, plan)["1"].outcome is Outcome.CONFLICT
    store.close()


def test_a_server_that_cannot_compare_a_document_is_told_apart_from_a_change(
    bench: MongoBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = bench.open_writing()
    assert store is not None
    [hit] = hits_of(store, "people", Leaf("x", "id", PredicateOp.EQ, 102))
    plan = store.plan(Spy().call(), [Op(OpId("1"), hit.ref, Delete())])
    for unknown, code in (
        ({"$expr": {"$eq": ["$id", "another"]}}, "not_comparable"),
        ({"id": {"$nope": 1}}, "refused"),
    ):
        monkeypatch.setattr(
            "connectors.mongodb.documents.as_read", lambda held, more=unknown: {"_id": held["_id"], **more}
        )
        result = applied(store, plan)["1"]
        assert (result.outcome, result.code) == (Outcome.FAILED, code)
        assert (PERSON, "102") in bench.snapshot()
    store.close()
