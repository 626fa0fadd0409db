"""The catalogue as the connector itself needs it: the SDK's collection, and how its rows are paged and
read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql import quoted_name

from connectors.sql.session import Record
from privacyops.connector_sdk import (
    UNKNOWN_COUNT,
    Certainty,
    Collection,
    Count,
    Field,
    FieldType,
    Terminal,
)

Run: TypeAlias = Callable[[str, Mapping[str, object]], list[Record]]
"""Runs one statement of the loader."""

COUNT_UP_TO: Final = 100_000
"""Collections without statistics are counted, but no further than this."""
NARROW: Final = 1000
"""Columns that can hold no more characters than this are read without asking for their length."""
ALL_WRITES: Final = frozenset({"delete", "set", "unlink", "redact_span", "drop_path", "remove_element"})
"""What a view refuses."""
COMPARED: Final = frozenset(FieldType) - {FieldType.JSON, FieldType.ARRAY, FieldType.OTHER}
"""What tells rows without a key apart. Bytes are among them: a table that only ties two rows by UUIDs kept as bytes
has little else.
"""


class Paging(StrEnum):
    """By what a collection is read in order."""

    KEY = "key"
    ROWID = "rowid"
    CTID = "ctid"
    DIGEST = "digest"
    """By a hash over the whole row, where there is nothing better: each page reads the collection once."""


@dataclass(frozen=True)
class Table:
    """One collection. `page_by` are the columns of `Paging.KEY`; `rights` are select, insert, update,
    delete. `relation` is its name in its schema where that is not the collection's.
    """

    collection: Collection
    schema: str | None
    paging: Paging
    page_by: tuple[str, ...] = ()
    rights: frozenset[str] = frozenset({"select", "insert", "update", "delete"})
    row_security: bool = False
    relation: str | None = None

    @property
    def name(self) -> str:
        return self.collection.name

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        return {field.path: field for field in self.collection.fields}

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """The key, or all columns of a row without one that can be compared."""
        if self.collection.key:
            return self.collection.key
        # a column without a type is one of SQLite's, where all can be compared
        return tuple(field.path for field in self.collection.fields if field.type in COMPARED or not field.native)

    @cached_property
    def sql(self) -> sa.TableClause:
        columns: list[sa.ColumnClause[Any]] = [sa.column(quoted_name(path, True)) for path in self.fields]
        schema = quoted_name(self.schema, True) if self.schema else None
        return sa.table(quoted_name(self.relation or self.name, True), *columns, schema=schema)

    def column(self, path: str) -> sa.ColumnElement[Any]:
        """Raises: Terminal: no such field."""
        if path not in self.fields:
            raise Terminal("unknown_field")
        return self.sql.c[path]

    def is_wide(self, path: str) -> bool:
        """Whether a cell may be too long to be read without looking."""
        field = self.fields[path]
        if field.type in {FieldType.JSON, FieldType.ARRAY, FieldType.BINARY, FieldType.OTHER}:
            return True
        return field.type is FieldType.TEXT and not field.enum and not 0 < (field.max_length or 0) <= NARROW


Schema: TypeAlias = Mapping[str, Table]


def with_counts(tables: list[Table], counted: Mapping[str, int]) -> dict[str, Table]:
    """The tables by name, with the counts that statistics did not give."""
    found: dict[str, Table] = {}
    for table in sorted(tables, key=lambda each: each.name):
        n = counted.get(table.name)
        if n is None:
            found[table.name] = table
            continue
        certainty = Certainty.EXACT if n <= COUNT_UP_TO else Certainty.ESTIMATE
        found[table.name] = replace(table, collection=replace(table.collection, rows=Count(n, certainty)))
    return found


def count_uncounted(tables: list[Table], run: Run, quote: Callable[[Table], str]) -> dict[str, int]:
    """How many rows the tables without statistics hold, in one statement; COUNT_UP_TO + 1 means more."""
    unknown = [
        table
        for table in tables
        if table.collection.rows == UNKNOWN_COUNT and table.collection.kind not in {"view"} and "select" in table.rights
    ]
    counted: dict[str, int] = {}
    for start in range(0, len(unknown), 200):
        slices = unknown[start : start + 200]
        parts = [
            f"SELECT {at} AS n, (SELECT count(*) FROM"  # noqa: S608 - quoted names out of the catalogue, own numbers
            f" (SELECT 1 FROM {quote(table)} LIMIT {COUNT_UP_TO + 1}) AS s)"
            for at, table in enumerate(slices)
        ]
        for at, n in run(" UNION ALL ".join(parts), {}):
            counted[slices[at].name] = int(n)
    return counted
