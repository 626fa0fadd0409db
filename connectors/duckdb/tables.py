"""Tables of a database and Parquet files of a folder, in the words of the contract."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from connectors.duckdb.session import quoted
from connectors.duckdb.settings import Settings
from privacyops.connector_sdk import (
    Collection,
    CollectionKind,
    Count,
    DeclaredLink,
    Field,
    FieldType,
    Index,
    LinkAction,
    Misconfigured,
    Value,
)

BESIDE: Final = ".privacyops-"
"""How the file begins that is written beside another before the two are exchanged. After a kill it may be cut."""
ROW: Final = "_row"
"""A Parquet file has no key: its rows are numbered, and told by their content."""
HASH: Final = "_hash"
_TYPES: Final[Mapping[str, FieldType]] = {
    "BOOLEAN": FieldType.BOOLEAN,
    "TINYINT": FieldType.INTEGER,
    "SMALLINT": FieldType.INTEGER,
    "INTEGER": FieldType.INTEGER,
    "BIGINT": FieldType.INTEGER,
    "HUGEINT": FieldType.INTEGER,
    "UTINYINT": FieldType.INTEGER,
    "USMALLINT": FieldType.INTEGER,
    "UINTEGER": FieldType.INTEGER,
    "UBIGINT": FieldType.INTEGER,
    "UHUGEINT": FieldType.INTEGER,
    "FLOAT": FieldType.NUMBER,
    "DOUBLE": FieldType.NUMBER,
    "VARCHAR": FieldType.TEXT,
    "DATE": FieldType.DATE,
    "TIMESTAMP": FieldType.INSTANT,
    "TIMESTAMP WITH TIME ZONE": FieldType.INSTANT,
    "TIME": FieldType.TIME,
    "INTERVAL": FieldType.DURATION,
    "UUID": FieldType.UUID,
    "BLOB": FieldType.BINARY,
    "JSON": FieldType.JSON,
}


@dataclass(frozen=True)
class Table:
    """One collection: what it is in the contract, and how a statement names it."""

    collection: Collection
    source: str
    path: Path | None = None
    """The file, if it is one."""

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a statement may name."""
        return tuple(field.path for field in self.collection.fields if field.path not in {ROW, HASH})

    @property
    def order(self) -> tuple[str, ...]:
        """What rows are ordered and resumed by: the key, or the row's place where there is none."""
        if self.path is not None:
            return ("file_row_number",)
        return ("rowid",) if self.collection.no_key else tuple(quoted(each) for each in self.collection.key)


def tables_of(cursor: duckdb.DuckDBPyConnection, settings: Settings) -> list[Table]:
    """Every table, view or file, by name."""
    if settings.folder is not None:
        found = [_file(cursor, settings.folder, path) for path in files_of(settings.folder)]
        return sorted(found, key=lambda table: table.name)
    return _database(cursor, settings.schema)


def files_of(folder: Path) -> list[Path]:
    """The Parquet files of a folder; a link to one of them is left out.

    Raises: Misconfigured: a link leads elsewhere: writing would put a file in the link's place and leave the data.
    """
    found = [path for path in sorted(folder.rglob("*.parquet")) if not path.name.startswith(BESIDE)]
    files = [path for path in found if not path.is_symlink()]
    real = {path.resolve() for path in files}
    if any(path.resolve() not in real for path in found):
        raise Misconfigured("folder", "link_leads_out")
    return files


def _database(cursor: duckdb.DuckDBPyConnection, schema: str) -> list[Table]:
    columns: dict[str, list[Field]] = {}
    found = cursor.execute(
        "SELECT table_name, column_name, data_type, is_nullable, column_default, is_generated FROM duckdb_columns()"
        " WHERE schema_name = ? AND database_name = current_database() AND NOT internal"
        " ORDER BY table_name, column_index",
        [schema],
    ).fetchall()
    for table, column, native, nullable, default, generated in found:
        field = _field(column, native, nullable=nullable, default=default, generated=bool(generated))
        columns.setdefault(table, []).append(field)
    views: dict[str, str] = dict(
        cursor.execute(
            "SELECT view_name, sql FROM duckdb_views()"
            " WHERE schema_name = ? AND database_name = current_database() AND NOT internal",
            [schema],
        ).fetchall()
    )
    sizes: dict[str, int] = dict(
        cursor.execute(
            "SELECT table_name, estimated_size FROM duckdb_tables()"
            " WHERE schema_name = ? AND database_name = current_database()",
            [schema],
        ).fetchall()
    )
    constraints = cursor.execute(
        "SELECT table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names,"
        " constraint_name FROM duckdb_constraints() WHERE schema_name = ? AND database_name = current_database()",
        [schema],
    ).fetchall()
    source = quoted(schema)
    return [
        _view(cursor, name, tuple(fields), views[name], source)
        if name in views
        else _table(name, tuple(fields), [row[1:] for row in constraints if row[0] == name], sizes.get(name), source)
        for name, fields in sorted(columns.items())
    ]


def _view(cursor: duckdb.DuckDBPyConnection, name: str, fields: tuple[Field, ...], sql: str, schema: str) -> Table:
    query = sql.partition(" AS ")[2].strip().rstrip(";")
    sources = tuple(sorted(cursor.get_table_names(query)))
    collection = Collection(name, CollectionKind.VIEW, fields, no_key=True, derived_from=sources)
    return Table(collection, f"{schema}.{quoted(name)}")


def _table(
    name: str, fields: tuple[Field, ...], constraints: list[tuple[Any, ...]], size: int | None, schema: str
) -> Table:
    key: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = []
    links = []
    for kind, columns, to, to_columns, label in constraints:
        if kind == "PRIMARY KEY":
            key = tuple(columns)
        if kind in {"PRIMARY KEY", "UNIQUE"}:
            unique.append(tuple(columns))
        if kind == "FOREIGN KEY":
            links.append(DeclaredLink(label, tuple(columns), to, tuple(to_columns), LinkAction.RESTRICT))
    alone = {each[0] for each in unique if len(each) == 1}
    shown = tuple(replace(each, unique=each.path in alone, indexed=each.path in alone) for each in fields)
    indexes = tuple(Index("_".join(each), each, unique=True, method="art") for each in unique)
    rows = Count(0) if size is None else Count(size)
    collection = Collection(
        name,
        CollectionKind.TABLE,
        shown,
        key,
        no_key=not key,
        links=tuple(links),
        indexes=indexes,
        rows=rows,
        refuses=frozenset() if key else frozenset({"set", "unlink", "redact_span", "delete"}),
    )
    return Table(collection, f"{schema}.{quoted(name)}")


def _file(cursor: duckdb.DuckDBPyConnection, folder: Path, path: Path) -> Table:
    # the engine takes a name for a pattern; what was meant by its author as a plain sign stands in brackets
    text = "'" + re.sub(r"[*?[]", r"[\g<0>]", str(path)).replace("'", "''") + "'"
    source = f"read_parquet({text}, file_row_number = true)"
    found = cursor.execute(f"DESCRIBE SELECT * FROM read_parquet({text})").fetchall()
    count = cursor.execute(f"SELECT count(*) FROM read_parquet({text})").fetchone()
    place = Field(ROW, FieldType.INTEGER, "number in the file", nullable=False)
    digest = Field(HASH, FieldType.TEXT, "keyed hash of the row", nullable=False)
    fields = (place, digest, *(_field(column[0], column[1]) for column in found))
    name = path.relative_to(folder).as_posix()
    collection = Collection(
        name,
        CollectionKind.TABLE,
        fields,
        (ROW, HASH),
        rows=Count(int(count[0]) if count else 0),
        bytes=path.stat().st_size,
    )
    return Table(collection, source, path)


def _field(
    name: str, native: str, *, nullable: bool = True, default: str | None = None, generated: bool = False
) -> Field:
    if native.endswith("]"):
        element = _TYPES.get(native.rpartition("[")[0], FieldType.OTHER)
        return Field(name, FieldType.ARRAY, native, nullable=nullable, default=default, element=element)
    if native.startswith(("STRUCT", "MAP", "UNION")):
        return Field(name, FieldType.JSON, native, nullable=nullable, default=default)
    plain = native.partition("(")[0]
    kind = FieldType.NUMBER if plain == "DECIMAL" else _TYPES.get(plain, FieldType.OTHER)
    if plain == "ENUM":
        allowed = tuple(json.loads("[" + native[5:-1].replace("'", '"') + "]")) if "\\" not in native else ()
        return Field(name, FieldType.TEXT, "ENUM", nullable=nullable, default=default, enum=allowed)
    return Field(name, kind, native, nullable=nullable, default=default, generated=generated)


def value_of(raw: Any) -> Value:
    """A cell as the contract's value."""
    if isinstance(raw, list | tuple):
        return tuple(value_of(each) for each in raw)
    if isinstance(raw, Mapping):
        return {str(name): value_of(each) for name, each in raw.items()}
    if isinstance(raw, bytearray | memoryview):
        return bytes(raw)
    return raw  # type: ignore[no-any-return]  # a scalar the driver made
