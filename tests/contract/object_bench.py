"""The seeded shop as two JSON Lines objects in a bucket, below a prefix of its own, with a photograph beside them."""

import json
import secrets
from abc import abstractmethod
from collections.abc import Mapping

from privacyops.connector_sdk import BlobRef, Leaf, PredicateOp, RowRef, Value
from privacyops.connector_sdk.testing.bench import hits_of
from privacyops.connector_sdk.testing.contract import Bench, ConnectorContract, Snapshot, Spy
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PHOTO, PURCHASE, PURCHASES, A


def line_of(row: Mapping[str, Value]) -> str:
    return json.dumps({name: value for name, value in row.items() if name != "photo"}, ensure_ascii=False) + "\n"


class ObjectBench(Bench):
    """What all buckets have in common; `read` and `write` go past the connector. The bucket stands before it begins."""

    def __init__(self) -> None:
        self.prefix = f"{secrets.token_hex(6)}/"
        self.names = {PERSON: f"{self.prefix}people/person.jsonl", PURCHASE: f"{self.prefix}orders/purchase.jsonl"}
        self.picture = f"{self.prefix}people/101.jpg"
        for name, rows in ((PERSON, PERSONS), (PURCHASE, PURCHASES)):
            self.write(self.names[name], "".join(map(line_of, rows)).encode())
        self.write(self.picture, PHOTO)

    @abstractmethod
    def read(self, key: str) -> bytes: ...

    @abstractmethod
    def write(self, key: str, content: bytes) -> None: ...

    def rows(self, collection: str) -> list[dict[str, Value]]:
        return [json.loads(line) for line in self.read(self.names[collection]).decode().splitlines()]

    def put_rows(self, collection: str, rows: list[dict[str, Value]]) -> None:
        self.write(self.names[collection], "".join(map(line_of, rows)).encode())

    def snapshot(self) -> Snapshot:
        return {
            (name, str(row["id"])): {path: None if cell is None else str(cell) for path, cell in row.items()}
            for name in (PERSON, PURCHASE)
            for row in self.rows(name)
        }

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        rows = self.rows(collection)
        for row in rows:
            if row["id"] == number:
                row[path] = value
        self.put_rows(collection, rows)

    def insert(self, number: int) -> None:
        row = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}", "phone": "", "note": ""}
        self.write(self.names[PERSON], self.read(self.names[PERSON]) + line_of(row).encode())

    def grow(self, rows: int) -> str:
        lines = (f'{{"id": {at}, "label": "label {at}"}}\n' for at in range(1, rows + 1))
        self.write(f"{self.prefix}bulk.jsonl", "".join(lines).encode())
        return f"{self.prefix}bulk.jsonl"


class BucketContract(ConnectorContract):
    """All 35. Number 16 takes an object as the binary part, since a line of JSON has no binary cell."""

    def test_16_only_asked_fields_come_and_blobs_come_as_handles(self, bench: Bench) -> None:
        assert isinstance(bench, ObjectBench)
        store, name = bench.open(), bench.name_of(PERSON)
        leaf = Leaf("x", "email", PredicateOp.EQ_CI, str(A["email"]))
        assert [set(hit.values) for hit in hits_of(store, name, leaf, fields=("name", "phone"))] == [{"name", "phone"}]
        [row] = store.fetch(Spy().call(), [RowRef("shop", "documents", {"path": bench.picture})], ("name", "file"))
        assert set(row.values) == {"name", "file"}
        photo = row.values["file"]
        assert isinstance(photo, BlobRef)
        assert photo.bytes == len(PHOTO)
        with store.open_blob(Spy().call(), photo) as stream:
            assert stream.read() == PHOTO
        store.close()
