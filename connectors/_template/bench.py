"""The seeded shop in the made-up server: what the contract suite needs to test this connector."""

import secrets
from collections.abc import Mapping, Sequence

from connectors._template import connector
from connectors._template.memory import SERVERS, Cells, Server, Table
from privacyops.connector_sdk import Connector, DeclaredLink, Field, FieldType, Json, LinkAction, Misconfigured, Value
from privacyops.connector_sdk.testing.contract import Bench, Broken, Snapshot
from privacyops.connector_sdk.testing.seed import PERSONS, PURCHASES

PERSON_FIELDS = (
    Field("id", FieldType.INTEGER, nullable=False, unique=True, indexed=True),
    Field("email", FieldType.TEXT, nullable=False, unique=True),
    Field("name", FieldType.TEXT),
    Field("phone", FieldType.TEXT),
    Field("note", FieldType.TEXT),
    Field("photo", FieldType.BINARY),
)
PURCHASE_FIELDS = (
    Field("id", FieldType.INTEGER, nullable=False, unique=True, indexed=True),
    Field("person_id", FieldType.INTEGER),
    Field("total", FieldType.INTEGER, nullable=False),
    Field("remark", FieldType.TEXT),
)
BOUGHT_BY = DeclaredLink("bought_by", ("person_id",), "person", ("id",), LinkAction.RESTRICT)


def _number(row: Mapping[str, Value]) -> int:
    return int(str(row["id"]))


class MemoryBench(Bench):
    entry = "connectors._template:connector"

    def __init__(self) -> None:
        self.address = f"server-{secrets.token_hex(4)}"
        self.server = Server(f"password-{secrets.token_hex(4)}")
        people: dict[int, Cells] = {_number(row): dict(row) for row in PERSONS}
        bought: dict[int, Cells] = {_number(row): dict(row) for row in PURCHASES}
        self.server.tables["person"] = Table(PERSON_FIELDS, (), people)
        self.server.tables["purchase"] = Table(PURCHASE_FIELDS, (BOUGHT_BY,), bought)
        SERVERS[self.address] = self.server

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop", "server": self.address}

    def secrets(self) -> Mapping[str, str]:
        return {"password": self.server.password}

    def snapshot(self) -> Snapshot:
        return {
            (name, str(number)): {path: None if cell is None else str(cell) for path, cell in cells.items()}
            for name, table in self.server.tables.items()
            for number, cells in table.rows.items()
        }

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        self.server.tables[collection].rows[number][path] = value

    def insert(self, number: int) -> None:
        row: Cells = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}"}
        self.server.tables["person"].rows[number] = {**row, "phone": "", "note": "", "photo": None}

    def grow(self, rows: int) -> str:
        fields = (Field("id", FieldType.INTEGER), Field("label", FieldType.TEXT))
        bulk: dict[int, Cells] = {at: {"id": at, "label": f"label {at}"} for at in range(1, rows + 1)}
        self.server.tables["bulk"] = Table(fields, (), bulk)
        return "bulk"

    def broken(self) -> Sequence[Broken]:
        return (
            Broken("wrong password", self.config(), {"password": "not-it"}, Misconfigured, "password"),
            Broken("no server", {"name": "shop", "server": "nowhere"}, self.secrets(), Misconfigured, "server"),
        )
