"""The seeded shop as hashes in a real Redis."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import redis

from connectors.redis import connector
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


class RedisBench(Bench):
    """Hashes under `person:101` and `order:1001`."""

    entry = "connectors.redis:connector"
    drivers = frozenset({"redis"})
    names: ClassVar[Mapping[str, str]] = {PERSON: "person:*", PURCHASE: "order:*"}

    def __init__(self, server: Server) -> None:
        self.server, self.password = server, server.extra["password"]
        self.url = f"redis://:{self.password}@127.0.0.1:{server.port}/3"
        self.client: Any = redis.Redis(host="127.0.0.1", port=server.port, password=self.password, db=3)
        self.client.flushdb()
        for name, rows in ((PERSON, PERSONS), (PURCHASE, PURCHASES)):
            for row in rows:
                cells = {path: cell for path, cell in row.items() if cell is not None}
                self.client.hset(self.key(name, row["id"]), mapping=cells)

    def key(self, collection: str, number: Value) -> str:
        return self.names[collection].replace("*", str(number))

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop"}

    def secrets(self) -> Mapping[str, str]:
        return {"url": self.url, "hash_key": "a-key-of-this-test"}

    def snapshot(self) -> Snapshot:
        return {
            (name, key.decode().split(":")[1]): {
                path.decode(): cell.decode("utf-8", "replace") for path, cell in self.client.hgetall(key).items()
            }
            for name in (PERSON, PURCHASE)
            for key in self.client.keys(self.names[name])
        }

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        self.client.hset(self.key(collection, number), path, str(value))

    def insert(self, number: int) -> None:
        row = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}", "phone": "", "note": ""}
        self.client.hset(self.key(PERSON, number), mapping=row)

    def grow(self, rows: int) -> str:
        pipe = self.client.pipeline(transaction=False)
        for at in range(1, rows + 1):
            pipe.hset(f"bulk:{at}", mapping={"id": at, "label": f"label {at}"})
            if at % 10_000 == 0 or at == rows:
                pipe.execute()
        return "bulk:*"

    def broken(self) -> Sequence[Broken]:
        at = f"127.0.0.1:{self.server.port}"
        return (
            Broken("server down", self.config(), {"url": f"redis://127.0.0.1:{free_port()}"}, Retriable),
            Broken("wrong password", self.config(), {"url": f"redis://:wrong@{at}/3"}, Misconfigured, "url"),
            Broken("no password", self.config(), {"url": f"redis://{at}/3"}, Misconfigured, "url"),
            Broken("no address", self.config(), {"url": "http://127.0.0.1"}, Misconfigured, "url"),
            Broken("no database", {**self.config(), "database": 99}, self.secrets(), Misconfigured, "database"),
        )

    def connections(self) -> list[Mapping[str, str]]:
        mine = str(self.client.client_id())
        return [each for each in self.client.client_list() if each["id"] != mine]

    def close(self) -> None:
        self.client.flushdb()
        self.client.close()

    def held(self) -> int:
        """Connections inside a transaction, or watching a key."""
        return sum(each["multi"] != "-1" or each.get("watch", "0") != "0" for each in self.connections())
