"""The files connector passes the shipped contract: on a folder with JSON Lines, and its reading half on CSV too."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.files import connector
from privacyops.connector_sdk import (
    BlobRef,
    Connector,
    Json,
    Leaf,
    Misconfigured,
    PredicateOp,
    Retriable,
    RowRef,
    Value,
)
from privacyops.connector_sdk.testing.bench import hits_of
from privacyops.connector_sdk.testing.contract import Bench, Broken, ConnectorContract, Snapshot, Spy
from privacyops.connector_sdk.testing.seed import PERSON, PERSONS, PHOTO, PURCHASE, PURCHASES, A


def _line(row: Mapping[str, Value]) -> str:
    return json.dumps({name: value for name, value in row.items() if name != "photo"}, ensure_ascii=False)


class LinesBench(Bench):
    """Two JSON Lines files. The photograph of a person, which is no JSON, lies beside them as a file of its own."""

    entry = "connectors.files:connector"
    drivers = frozenset({"pypdf", "openpyxl", "docx", "lxml", "email.parser"})
    names: ClassVar[Mapping[str, str]] = {PERSON: "people/person.jsonl", PURCHASE: "orders/purchase.jsonl"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, rows in ((PERSON, PERSONS), (PURCHASE, PURCHASES)):
            path = self.folder / self.names[name]
            path.parent.mkdir()
            path.write_text("".join(_line(row) + "\n" for row in rows), encoding="utf-8")
        (self.folder / "people" / "101.jpg").write_bytes(PHOTO)

    def connector(self) -> Connector:
        return connector

    def config(self) -> Mapping[str, Json]:
        return {"name": "shop", "folder": str(self.folder)}

    def secrets(self) -> Mapping[str, str]:
        return {"hash_key": "a-key-of-this-test"}

    def _rows(self, collection: str) -> list[dict[str, Value]]:
        text = (self.folder / self.names[collection]).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def snapshot(self) -> Snapshot:
        return {
            (name, str(row["id"])): {path: None if cell is None else str(cell) for path, cell in row.items()}
            for name in (PERSON, PURCHASE)
            for row in self._rows(name)
        }

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        rows = self._rows(collection)
        for row in rows:
            if row["id"] == number:
                row[path] = value
        lines = "".join(_line(row) + "\n" for row in rows)
        (self.folder / self.names[collection]).write_text(lines, encoding="utf-8")

    def insert(self, number: int) -> None:
        row = {"id": number, "email": f"new{number}@example.org", "name": f"New {number}", "phone": "", "note": ""}
        with (self.folder / self.names[PERSON]).open("a", encoding="utf-8") as file:
            file.write(_line(row) + "\n")

    def grow(self, rows: int) -> str:
        with (self.folder / "bulk.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(f'{{"id": {at}, "label": "label {at}"}}\n' for at in range(1, rows + 1))
        return "bulk.jsonl"

    def broken(self) -> Sequence[Broken]:
        missing = {"folder": str(self.folder / "nowhere")}
        unmounted = {"folder": str(self.folder), "must_contain": "share.id"}
        a_file = {"folder": str(self.folder / self.names[PERSON])}
        return (
            Broken("a folder that does not exist", missing, {}, Misconfigured, "folder"),
            Broken("a file in the place of the folder", a_file, {}, Misconfigured, "folder"),
            Broken("a share that is not mounted", unmounted, {}, Retriable),
        )

    def held(self) -> int:
        """Descriptors of this process that point into the folder."""
        links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return sum(str(_target(path)).startswith(str(self.folder)) for path in links)


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:  # closed meanwhile
        return ""


class TestFilesConnector(ConnectorContract):
    """All 35 checks."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> LinesBench:
        return LinesBench(tmp_path)

    def test_16_only_asked_fields_come_and_blobs_come_as_handles(self, bench: Bench) -> None:
        """As in the contract, but the binary part is the file itself: a line of JSON has no binary cell."""
        store, name = bench.open(), bench.name_of(PERSON)
        leaf = Leaf("x", "email", PredicateOp.EQ_CI, str(A["email"]))
        assert [set(hit.values) for hit in hits_of(store, name, leaf, fields=("name", "phone"))] == [{"name", "phone"}]
        [row] = store.fetch(Spy().call(), [RowRef("shop", "documents", {"path": "people/101.jpg"})], ("name", "file"))
        assert set(row.values) == {"name", "file"}
        photo = row.values["file"]
        assert isinstance(photo, BlobRef)
        assert photo.bytes == len(PHOTO)
        with store.open_blob(Spy().call(), photo) as stream:
            assert stream.read() == PHOTO
        store.close()

    @pytest.mark.slow
    def test_34_many_rows_in_flat_memory_and_close_may_come_twice(self, bench: Bench) -> None:
        super().test_34_many_rows_in_flat_memory_and_close_may_come_twice(bench)


class CsvBench(LinesBench):
    """The same rows as CSV, where every cell is text."""

    names: ClassVar[Mapping[str, str]] = {PERSON: "people/person.csv", PURCHASE: "orders/purchase.csv"}

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, rows in ((PERSON, PERSONS), (PURCHASE, PURCHASES)):
            (self.folder / self.names[name]).parent.mkdir()
            self._write(name, [dict(row) for row in rows])
        (self.folder / "people" / "101.jpg").write_bytes(PHOTO)

    def _write(self, collection: str, rows: list[dict[str, Value]]) -> None:
        with (self.folder / self.names[collection]).open("w", encoding="utf-8", newline="") as file:
            columns = [name for name in rows[0] if name != "photo"]
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([row.get(name) for name in columns] for row in rows)

    def _rows(self, collection: str) -> list[dict[str, Value]]:
        with (self.folder / self.names[collection]).open(encoding="utf-8", newline="") as file:
            return [dict(row) for row in csv.DictReader(file)]

    def change(self, collection: str, number: int, path: str, value: Value) -> None:
        rows = self._rows(collection)
        for row in rows:
            if row["id"] == str(number):
                row[path] = value
        self._write(collection, rows)

    def insert(self, number: int) -> None:
        with (self.folder / self.names[PERSON]).open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow([number, f"new{number}@example.org", f"New {number}", "", ""])

    def grow(self, rows: int) -> str:
        with (self.folder / "bulk.csv").open("w", encoding="utf-8") as file:
            file.write("id,label\n")
            file.writelines(f"{at},label {at}\n" for at in range(1, rows + 1))
        return "bulk.csv"


class TestFilesConnectorOnCsv(TestFilesConnector):
    """All 35 once more."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> CsvBench:
        return CsvBench(tmp_path)
