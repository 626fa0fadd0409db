"""What all table-like files have in common: records, names of columns, and keys of rows.

A row is known by its place and its content: `_row` counts records from 1, `_hash` is a keyed hash of the values.
If rows before it go, the hash still finds it.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.connector_sdk import Field, FieldType, Value, canonical

ROW: Final = "_row"
HASH: Final = "_hash"
KEY: Final = (ROW, HASH)
KEY_FIELDS: Final = (
    Field(ROW, FieldType.INTEGER, "record number", nullable=False, unique=True, generated=True),
    Field(HASH, FieldType.TEXT, "hash of the record", nullable=False, generated=True),
)
RAW: Final = "_raw"
"""The column that holds a record that could not be parsed, so that its text is searched all the same."""
MAX_CELL: Final = 4_000_000
"""Characters of one cell; a longer one ends the reading of its file."""
MAX_LINE: Final = 8_000_000
_DATA_LIKE: Final = re.compile(r"\s*|.*@.*|[+\-\d][\d\s.,:/()+\-]*", re.DOTALL)


@dataclass(frozen=True, repr=False)
class Record:
    """One record of a table; `raw` is its exact text in the file and `at` its first byte, where these are known."""

    number: int
    values: Mapping[str, Value]
    raw: str = ""
    at: int = -1


def row_key(record: Record, secret: bytes) -> dict[str, Value]:
    """The record's key."""
    return {ROW: record.number, HASH: record_hash(record.values, secret)}


def record_hash(values: Mapping[str, Value], secret: bytes) -> str:
    """32 hexadecimal digits that tell equal records from different ones and nothing else."""
    return hashlib.blake2b(canonical(values).encode(), key=secret[:64], digest_size=16).hexdigest()


def column_names(first: Sequence[object]) -> tuple[str, ...] | None:
    """The names in a first row, made unique, or None if it is no heading.

    It is one if no cell is empty, holds `@` or looks like a number, a date or a telephone number. A single
    trailing run of empty cells, as office programs leave them, does not count.
    """
    cells = ["" if cell is None else str(cell).strip() for cell in first]
    while cells and not cells[-1]:
        cells.pop()
    if not cells or any(_DATA_LIKE.fullmatch(cell) for cell in cells):
        return None
    return unique_names(cells)


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names with `_2`, `_3` behind those that stood before."""
    taken: dict[str, int] = {}
    result: list[str] = []
    for name in names:
        count = taken[name] = taken.get(name, 0) + 1
        result.append(name if count == 1 else f"{name}_{count}")
    return tuple(result)


def named(columns: Sequence[str], cells: Sequence[Value]) -> dict[str, Value]:
    """Cells by column; those beyond the heading are `column_7` and so on, missing ones are absent."""
    values: dict[str, Value] = dict(zip(columns, cells, strict=False))
    for at in range(len(columns), len(cells)):
        if cells[at] not in ("", None):
            values[f"column_{at + 1}"] = cells[at]
    return values


def field_type(value: Value) -> FieldType:  # noqa: PLR0911 - one line a type
    """The family of a value as it was read."""
    if isinstance(value, bool):
        return FieldType.BOOLEAN
    if isinstance(value, int):
        return FieldType.INTEGER
    if isinstance(value, float):
        return FieldType.NUMBER
    if isinstance(value, Mapping):
        return FieldType.JSON
    if isinstance(value, tuple):
        return FieldType.JSON if any(isinstance(each, Mapping | tuple) for each in value) else FieldType.ARRAY
    if hasattr(value, "hour") and hasattr(value, "year"):
        return FieldType.INSTANT
    if hasattr(value, "year"):
        return FieldType.DATE
    if hasattr(value, "hour"):
        return FieldType.TIME
    return FieldType.TEXT


def fields_of(records: Iterable[Record]) -> tuple[Field, ...]:
    """Key and columns as these records show them; a column with several types is text."""
    types: dict[str, FieldType | None] = {}
    for record in records:
        for name, value in record.values.items():
            seen = types.get(name)
            here = None if value is None else field_type(value)
            types[name] = here if seen is None else seen if here in {None, seen} else FieldType.TEXT
    return KEY_FIELDS + tuple(
        Field(
            name,
            kind or FieldType.TEXT,
            (kind or FieldType.TEXT).value,
            element=FieldType.TEXT if kind is FieldType.ARRAY else None,
        )
        for name, kind in types.items()
    )
