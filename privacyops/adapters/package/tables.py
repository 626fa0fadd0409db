"""The files of one collection: JSON with everything, its schema, CSV that no spreadsheet computes, linked data."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from privacyops.adapters.package.archive import Archive, Steps
from privacyops.adapters.package.values import exact, json_text, kind_of, plain
from privacyops.adapters.package.watch import CsvWatch
from privacyops.domain.package.contents import Collection, Column, Element, PackageContents, ShownRecord, Store
from privacyops.domain.package.hostile_text import formula_safe

_ROWS_A_FLUSH: Final = 200
_CHARACTERS_A_FLUSH: Final = 256 * 1024


@dataclass(slots=True)
class Observed:
    """What the first reading of a collection showed: kinds of value of each field, and elements that are held."""

    kinds: dict[str, dict[tuple[tuple[str, Any], ...], dict[str, Any]]] = field(default_factory=dict)
    held: set[Element] = field(default_factory=set)

    def note(self, column: str, schema: dict[str, Any]) -> None:
        """Remember that `column` had a value of this kind."""
        self.kinds.setdefault(column, {})[tuple(schema.items())] = schema

    def options(self, column: str) -> list[dict[str, Any]]:
        """All kinds that `column` had, in a fixed order."""
        kinds = self.kinds.get(column, {})
        return [kinds[key] for key in sorted(kinds)]


class Pass:
    """One reading of a collection: how many records came and a hash of their keys, to compare readings."""

    def __init__(self, records: Iterable[ShownRecord]) -> None:
        self._records = records
        self._keys = hashlib.blake2b(digest_size=16)
        self.count = 0

    def __iter__(self) -> Iterator[ShownRecord]:
        for record in self._records:
            self.count += 1
            self._keys.update(record.key.encode("utf-8", "surrogatepass") + b"\0")
            yield record

    @property
    def seen(self) -> tuple[int, bytes]:
        """Equal for two readings that gave the same records in the same order."""
        return self.count, self._keys.digest()


def write_json(
    archive: Archive, path: str, contents: PackageContents, store: Store, collection: Collection, records: Pass
) -> Steps[Observed]:
    """One record a line, nothing lost. Returns what was seen on the way, for the schema and the index."""
    observed = Observed()
    head = {"store": store.label, "collection": collection.label, "reference": contents.reference}
    with archive.entry(path, "application/json") as entry:
        entry.write_text("{\n" + f'"about":{json_text(head)},\n"records":[')
        lines: list[str] = []
        size = 0
        for record in records:
            data: dict[str, Any] = {}
            withheld: list[dict[str, Any]] = []
            for column, cell in record.cells:
                observed.note(column.name, kind_of(cell.value))
                data[column.name] = exact(cell.value)
                if cell.held:
                    observed.held.add(cell.held)
                    withheld.append({"field": column.name, "state": "held_not_shown", "element": cell.held.value})
                elif cell.codes:
                    withheld.append({"field": column.name, "state": "redacted", "codes": list(cell.codes)})
            line = json_text({"key": record.key, "data": data} | ({"withheld": withheld} if withheld else {}))
            lines.append(("\n" if records.count == 1 else ",\n") + line)
            size += len(line)
            if size > _CHARACTERS_A_FLUSH:
                entry.write_text("".join(lines))
                lines, size = [], 0
                yield
        entry.write_text("".join(lines) + f'\n],\n"record_count":{records.count}\n}}\n')
        entry.rows = records.count
    return observed


def write_schema(archive: Archive, path: str, columns: Sequence[Column], observed: Observed) -> None:
    """The JSON Schema (2020-12) of one file: the fields, what they mean, and the kinds of value they have."""
    fields = {}
    for column in columns:
        options = observed.options(column.name)
        said = {"title": column.label, "description": column.meaning, "x-codes": dict(column.codes)}
        kind = options[0] if len(options) == 1 else {"anyOf": options} if options else {}
        fields[column.name] = {name: value for name, value in said.items() if value} | kind
    withheld = {
        "type": "array",
        "items": {"type": "object", "required": ["field", "state"], "properties": {"field": {"type": "string"}}},
    }
    record = {
        "type": "object",
        "required": ["key", "data"],
        "additionalProperties": False,
        "properties": {
            "key": {"type": "string"},
            "data": {
                "type": "object",
                "properties": fields,
                "required": [column.name for column in columns],
                "additionalProperties": False,
            },
            "withheld": withheld,
        },
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["about", "records", "record_count"],
        "properties": {
            "about": {"type": "object"},
            "record_count": {"type": "integer", "minimum": 0},
            "records": {"type": "array", "items": record},
        },
    }
    with archive.entry(path, "application/schema+json") as entry:
        entry.write_text(json.dumps(schema, indent=2) + "\n")


def write_csv(archive: Archive, path: str, columns: Sequence[Column], records: Pass, held: str) -> Steps[None]:
    """RFC 4180 with a byte order mark; texts are formula-safe, numbers stay numbers; `held` says "held" in words."""
    names = tuple(column.name for column in columns)
    with archive.entry(path, "text/csv; charset=utf-8; header=present", CsvWatch(names)) as entry:
        buffer = io.StringIO(newline="")
        rows = csv.writer(buffer, lineterminator="\r\n")
        buffer.write("\ufeff")
        rows.writerow([formula_safe(name) for name in names])
        for record in records:
            rows.writerow([_cell(held if cell.held else cell.value) for _, cell in record.cells])
            if records.count % _ROWS_A_FLUSH == 0 or buffer.tell() > _CHARACTERS_A_FLUSH:
                entry.write_text(buffer.getvalue())
                buffer.seek(0)
                buffer.truncate()
                yield
        entry.write_text(buffer.getvalue())
        entry.rows = records.count


def _cell(value: Any) -> str:
    text, is_number = plain(value)
    return text if is_number else formula_safe(text)


def write_linked_data(archive: Archive, path: str, collection: Collection, records: Pass) -> Steps[None]:
    """What the person provided as JSON-LD: fields with a schema.org term under it, others as named properties."""
    with archive.entry(path, "application/ld+json") as entry:
        entry.write_text('{\n"@context":"https://schema.org",\n"@graph":[')
        for record in records:
            node: dict[str, Any] = {"@type": collection.term or "Thing"}
            extra = []
            for column, cell in record.cells:
                if cell.held or cell.value is None:
                    continue
                if column.term and column.term not in node:
                    node[column.term] = exact(cell.value)
                else:
                    extra.append({"@type": "PropertyValue", "name": column.name, "value": exact(cell.value)})
            if extra:
                node["additionalProperty"] = extra
            entry.write_text(("\n" if records.count == 1 else ",\n") + json_text(node))
            yield
        entry.write_text("\n]\n}\n")
        entry.rows = records.count
