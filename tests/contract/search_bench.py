"""The seeded shop as two indexes of a compatible server."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from connectors.search import connector
from privacyops.connector_sdk import (
    Connector,
    Json,
    Misconfigured,
    Retriable,
    Value,
)
from privacyops.connector_sdk.testing.contract import Bench, Broken, Snapshot
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PURCHASE, PURCHASES
from tests.servers import Server, free_port

KEYWORD = {"type": "keyword"}
PEOPLE: Mapping[str, Any] = {
    "id": {"type": "long"},
    "email": KEYWORD,
    "name": {"type": "text", "fields": {"raw": KEYWORD}},
    "phone": KEYWORD,
    "note": {"type": "text"},
    "photo": {"type": "binary"},
}
ORDERS: Mapping[str, Any] = {"id": {"type": "long"}, "person_id": {"type": "long"}, "remark": {"type": "text"}}


class SearchBench(Bench):
    """Two indexes; the ids of documents are not those of the shop."""

    entry = "connectors.search:connector"
    drivers = frozenset({"opensearchpy", "urllib3"})
    names: ClassVar[Mapping[str, str]] = {PERSON: "people", PURCHASE: "orders"}

    def __init__(self, server: Server) -> None:
        self.address = f"http://127.0.0.1:{server.port}"
        self.http = httpx.Client(base_url=self.address, timeout=120)
        for index, fields, rows in (("people", PEOPLE, PERSONS), ("orders", ORDERS, PURCHASES)):
            self.create(index, fields)
            self.bulk(index, [(f"doc-{row['id']}", row) for row in rows])

    def create(self, index: str, fields: Mapping[str, Any]) -> None:
        self.http.put(f"/{index}", json={"mappings": {"properties": fields}}).raise_for_status()

    def bulk(self, index: str, documents: Sequence[tuple[str, Mapping[str, Value]]]) -> None:
        lines = []
        for name, row in documents:
            plain = {path: b64encode(cell).decode() if isinstance(cell, bytes) else cell for path, cell in row.items()}
            lines += [json.dumps({"index": {"_id": name}}), json.dumps(plain)]
        sent = self.http.post(
            f"/{index}/_bulk?refresh=true",
            content="\n".join([*lines, ""]),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert not sent.raise_for_status().json()["errors"]

    def source(self, index: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/{index}/_doc/{name}").json()["_source"]
        return found

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop"}

    def secrets(self) -> Mapping[str, str]:
        return {"url": self.address, "hash_key": "a-key-of-this-test"}

    def snapshot(self) -> Snapshot:
        asked = {"size": 1000, "query": {"match_all": {}}}
        return {
            (name, str(hit["_source"]["id"])): {
                path: None if cell is None else str(cell) for path, cell in hit["_source"].items()
            }
            for name in (PERSON, PURCHASE)
            for hit in self.http.post(f"/{self.names[name]}/_search", json=asked).json()["hits"]["hits"]
        }

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        index, name = self.names[collection], f"doc-{number}"
        self.http.put(f"/{index}/_doc/{name}?refresh=true", json={**self.source(index, name), path: value})

    def insert(self, number: int) -> None:
        row = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}", "phone": "", "note": ""}
        self.bulk("people", [(f"doc-{number}", row)])

    def grow(self, rows: int) -> str:
        self.create("bulk", {"id": {"type": "long"}, "label": KEYWORD})
        for start in range(1, rows + 1, 5000):
            numbers = range(start, min(start + 5000, rows + 1))
            self.bulk("bulk", [(f"{at:07}", {"id": at, "label": f"label {at}"}) for at in numbers])
        return "bulk"

    def broken(self) -> Sequence[Broken]:
        down = {"url": f"http://127.0.0.1:{free_port()}"}
        return (
            Broken("server down", self.config(), down, Retriable),
            Broken("no address", self.config(), {"url": "127.0.0.1"}, Misconfigured, "url"),
            Broken("no url", self.config(), {}, Misconfigured, "url"),
        )

    def close(self) -> None:
        self.http.delete("/*")
        self.http.close()
