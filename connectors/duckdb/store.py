"""The reading half: rows in the order of their key, judged here."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, BinaryIO, Final
from uuid import UUID

import duckdb

from connectors.duckdb.session import Session, quoted, rows
from connectors.duckdb.settings import Settings
from connectors.duckdb.tables import HASH, ROW, Table, tables_of, value_of
from privacyops.connector_sdk import (
    EVERY_ROW,
    All,
    BlobRef,
    Call,
    Capabilities,
    Certainty,
    Collection,
    ConditionalWrite,
    Count,
    Cursor,
    FieldType,
    Health,
    HealthState,
    Hit,
    Leaf,
    Mark,
    Page,
    Predicate,
    PredicateOp,
    Rate,
    Right,
    Row,
    RowRef,
    Sampling,
    Secrets,
    Terminal,
    TextSearch,
    TransactionScope,
    Value,
    WriteAct,
    matched,
    matches,
)
from privacyops.connector_sdk.delivering import catalogued
from privacyops.connector_sdk.planning import hash_key, keyed_hash
from privacyops.connector_sdk.predicate import leaves, split_path
from privacyops.connector_sdk.records import MAX_VALUE_BYTES

INLINE: Final = 4096
"""A longer binary cell comes as a handle."""
MARK_EVERY: Final = 1000
MARK_SECONDS: Final = 0.5
_ASKED: Final = frozenset({PredicateOp.EQ, PredicateOp.IN, PredicateOp.EQ_CI, PredicateOp.IN_CI})


class TablesStore:
    """Reads one database or one folder."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self.secrets = secrets
        self.session = Session(settings, write=settings.write)
        self._known: dict[str, Table] | None = None

    def capabilities(self, call: Call) -> Capabilities:
        with self.session.cursor(call):
            pass
        acts = {WriteAct.DELETE, WriteAct.SET, WriteAct.UNLINK, WriteAct.REDACT_SPAN}
        return Capabilities(
            predicates=frozenset(PredicateOp),
            text_search=TextSearch.SCAN,
            declared_links=self.settings.database is not None,
            transactions=TransactionScope.NONE,
            writes=frozenset(acts) if self.may_write() else frozenset(),
            conditional_write=ConditionalWrite.BEFORE_IMAGE,
            bulk=1000,
            rate=Rate(per_second=200.0, burst=200, concurrency=1),
            sampling=frozenset({Sampling.FIRST}),
        )

    def health(self, call: Call) -> Health:
        began = time.monotonic()
        with self.session.cursor(call) as cursor:
            tables_of(cursor, self.settings)
        rights = {Right.READ, Right.WRITE} if self.may_write() else {Right.READ}
        latency = timedelta(seconds=time.monotonic() - began)
        return Health(HealthState.OK, "DuckDB", duckdb.__version__, latency, frozenset(rights))

    def catalogue(self, call: Call, after: Cursor | None = None) -> Iterator[Collection | Mark]:
        self._known = None
        found = self.tables(call)
        yield from catalogued(list(found), after, lambda name: found[name].collection)

    def sample(self, call: Call, collection: str, fields: Sequence[str], n: int, how: Sampling) -> Iterator[Row]:
        if how is not Sampling.FIRST:
            raise Terminal("unsupported")
        table = self.table(call, collection, fields)
        for _, held in self._read(call, table, fields, limit=n):
            yield self._row(call, table, held, fields)

    def count(self, call: Call, collection: str, where: Predicate) -> Count:
        paths = tuple(leaf.field for leaf in leaves(where))
        table = self.table(call, collection, paths)
        if where == EVERY_ROW:
            with self.session.cursor(call) as cursor:
                call.spend(requests=1)
                found = cursor.execute(f"SELECT count(*) FROM {table.source}").fetchone()
            return Count(int(found[0]) if found else 0, Certainty.EXACT)
        n = sum(matches(where, held) for _, held in self._read(call, table, paths, where=where))
        return Count(n, Certainty.EXACT)

    def find(
        self, call: Call, collection: str, where: Predicate, fields: Sequence[str], page: Page
    ) -> Iterator[Hit | Mark]:
        """Rows in the order of their key; a file's and a keyless table's in the order they stand in."""
        paths = tuple(leaf.field for leaf in leaves(where))
        table = self.table(call, collection, (*fields, *paths))
        last: Sequence[Any] | None = _place_of(page.after)
        of = table.collection.rows
        hits = scanned = 0
        marked = time.monotonic()
        asked = () if not fields else (*fields, *paths)
        for place, held in self._read(call, table, asked, after=last, where=where):
            last, scanned = place, scanned + 1
            if matches(where, held):
                row = self._row(call, table, held, fields)
                yield Hit(row.ref, row.values, matched(where, held))
                hits += 1
                if hits >= page.size:
                    break
            if scanned % MARK_EVERY == 0 or time.monotonic() - marked > MARK_SECONDS:
                yield Mark(_cursor(last), scanned, of)
                marked = time.monotonic()
        yield Mark(_cursor(last), scanned, of)

    def fetch(self, call: Call, refs: Sequence[RowRef], fields: Sequence[str]) -> Iterator[Row]:
        for ref in refs:
            table = self.table(call, ref.collection, fields)
            with self.session.cursor(call) as cursor:
                held = self.read_one(call, cursor, table, ref)
            if held is not None:
                yield self._row(call, table, held, fields)

    @contextmanager
    def open_blob(self, call: Call, blob: BlobRef) -> Iterator[BinaryIO]:
        """A long cell, a text in UTF-8. Raises: Terminal: `gone`."""
        table = self.table(call, blob.ref.collection, (blob.field,))
        with self.session.cursor(call) as cursor:
            held = self.read_one(call, cursor, table, blob.ref)
        value = held.get(blob.field) if held is not None else None
        if not isinstance(value, bytes | str):
            raise Terminal("gone")
        yield BytesIO(value if isinstance(value, bytes) else value.encode("utf-8", "replace"))

    def close(self) -> None:
        self._known = None
        self.session.close()

    def may_write(self) -> bool:
        return self.settings.write

    # --- for both halves ------------------------------------------------------------------------------------

    def tables(self, call: Call) -> dict[str, Table]:
        if self._known is None:
            with self.session.cursor(call) as cursor:
                call.spend(requests=1)
                self._known = {table.name: table for table in tables_of(cursor, self.settings)}
        return self._known

    def table(self, call: Call, name: str, fields: Sequence[str] = ()) -> Table:
        """Raises: Terminal: no such collection or field."""
        call.check()
        table = self.tables(call).get(name)
        if table is None:
            raise Terminal("unknown_collection")
        known = {field.path for field in table.collection.fields}
        if any(path not in known and split_path(path)[0] not in known for path in fields):
            raise Terminal("unknown_field")
        return table

    def read_one(
        self, call: Call, cursor: duckdb.DuckDBPyConnection, table: Table, ref: RowRef
    ) -> dict[str, Value] | None:
        """The row of this reference, or None: it is gone. Of a file: the row with that content, wherever it stands."""
        if table.path is not None:
            return self._in_file(call, cursor, table, ref)
        names = table.collection.key or tuple(ref.key)
        if set(names) - set(table.columns) or set(names) - set(ref.key):
            raise Terminal("unknown_reference")
        where = " AND ".join(f"{quoted(name)} IS NOT DISTINCT FROM ?" for name in names)
        columns = ", ".join(quoted(name) for name in table.columns)
        statement = f"SELECT {columns} FROM {table.source} WHERE {where} LIMIT 1"
        for piece in rows(call, cursor, statement, [ref.key[name] for name in names], 1):
            return dict(zip(table.columns, map(value_of, piece[0]), strict=True))
        return None

    def digest(self, held: Mapping[str, Value]) -> str:
        """Keyed hash of a row without what was added to it: a plain one can be guessed."""
        own = {name: value for name, value in held.items() if name not in {ROW, HASH}}
        return keyed_hash(hash_key(self.secrets), own)[:32]

    def scan_file(
        self, call: Call, cursor: duckdb.DuckDBPyConnection, table: Table
    ) -> Iterator[tuple[int, dict[str, Value]]]:
        """Every row of a file with its number."""
        columns = ", ".join(quoted(name) for name in table.columns)
        statement = f"SELECT file_row_number, {columns} FROM {table.source} ORDER BY file_row_number"
        for piece in rows(call, cursor, statement):
            for row in piece:
                held = dict(zip(table.columns, map(value_of, row[1:]), strict=True))
                yield row[0], {ROW: row[0], HASH: self.digest(held), **held}

    # --- inside ---------------------------------------------------------------------------------------------

    def _in_file(
        self, call: Call, cursor: duckdb.DuckDBPyConnection, table: Table, ref: RowRef
    ) -> dict[str, Value] | None:
        number, digest = ref.key.get(ROW), ref.key.get(HASH)
        if not isinstance(number, int) or not isinstance(digest, str):
            raise Terminal("unknown_reference")
        columns = ", ".join(quoted(name) for name in table.columns)
        statement = f"SELECT {columns} FROM {table.source} WHERE file_row_number = ?"
        for piece in rows(call, cursor, statement, [number], 1):
            held = dict(zip(table.columns, map(value_of, piece[0]), strict=True))
            if self.digest(held) == digest:
                return {ROW: number, HASH: digest, **held}
        return next((held for _, held in self.scan_file(call, cursor, table) if held[HASH] == digest), None)

    def _read(
        self,
        call: Call,
        table: Table,
        fields: Sequence[str],
        *,
        after: Sequence[Any] | None = None,
        where: Predicate = EVERY_ROW,
        limit: int | None = None,
    ) -> Iterator[tuple[tuple[Any, ...], dict[str, Value]]]:
        """Rows behind a place, with that place; narrowed by what the engine may be asked."""
        wanted = {split_path(path)[0] if path not in table.columns else path for path in fields}
        is_whole = not fields or table.path is not None or table.collection.no_key
        needed = set(table.columns) if is_whole else (wanted | set(table.collection.key))
        names = [name for name in table.columns if name in needed]
        order = ", ".join(table.order)
        parts, values = _narrowed(where, table)
        if after is not None:
            parts.append(f"({order}) > ({', '.join('?' for _ in after)})")
            values += after
        condition = f" WHERE {' AND '.join(parts)}" if parts else ""
        columns = ", ".join([*table.order, *(quoted(name) for name in names)])
        ending = "" if limit is None else f" LIMIT {int(limit)}"
        is_view = table.collection.kind.value == "view"
        place = "row_number() OVER () - 1 AS rowid, *" if is_view else ""
        source = f"(SELECT {place} FROM {table.source}) AS numbered" if is_view else table.source
        statement = f"SELECT {columns} FROM {source}{condition} ORDER BY {order}{ending}"
        width = len(table.order)
        with self.session.cursor(call) as cursor:
            for piece in rows(call, cursor, statement, values):
                for row in piece:
                    held = dict(zip(names, map(value_of, row[width:]), strict=True))
                    if table.path is not None:
                        held = {ROW: row[0], HASH: self.digest(held), **held}
                    yield tuple(row[:width]), held

    def _row(self, call: Call, table: Table, held: Mapping[str, Value], fields: Sequence[str]) -> Row:
        ref = self.ref(table, held)
        known = [field.path for field in table.collection.fields]
        values = {path: _handled(ref, path, held[path]) for path in fields or known if path in held}
        call.spend(rows=1, bytes=sum(len(each) for each in values.values() if isinstance(each, str | bytes)))
        return Row(ref, values)

    def ref(self, table: Table, held: Mapping[str, Value]) -> RowRef:
        """The row's reference; of a keyless table all its scalar columns, with the row's hash as version."""
        if table.collection.no_key:
            plain = {FieldType.JSON, FieldType.ARRAY, FieldType.BINARY}
            names = [field.path for field in table.collection.fields if field.type not in plain]
            return RowRef(self.settings.name, table.name, {name: held[name] for name in names}, self.digest(held))
        return RowRef(self.settings.name, table.name, {name: held[name] for name in table.collection.key})


def _narrowed(where: Predicate, table: Table) -> tuple[list[str], list[Any]]:
    """What the engine may be asked of a predicate: texts in ASCII in text columns, whole numbers in columns of them.

    For anything else its idea of case or of equality differs from the contract's, and a row would be missed.
    """
    said = _said(where, table)
    return ([said[0]], said[1]) if said is not None else ([], [])


def _said(where: Predicate, table: Table) -> tuple[str, list[Any]] | None:
    if isinstance(where, Leaf):
        return _leaf(where, table)
    parts = [_said(part, table) for part in where.parts]
    known = [part for part in parts if part is not None]
    if not known or (not isinstance(where, All) and len(known) < len(parts)):
        return None
    word = " AND " if isinstance(where, All) else " OR "
    return f"({word.join(part[0] for part in known)})", [value for part in known for value in part[1]]


def _leaf(leaf: Leaf, table: Table) -> tuple[str, list[Any]] | None:
    field = table.collection.field(leaf.field)
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    if field is None or leaf.field not in table.columns or leaf.op not in _ASKED or not values:
        return None
    marks = ", ".join("?" for _ in values)
    if field.type is FieldType.TEXT and all(isinstance(each, str) and each.isascii() for each in values):
        name = f"lower(CAST({quoted(leaf.field)} AS VARCHAR))"
        return f"{name} IN ({marks})", [str(each).lower() for each in values]
    if field.type is FieldType.INTEGER and all(type(each) is int and abs(each) < 2**62 for each in values):
        return f"{quoted(leaf.field)} IN ({marks})", list(values)
    return None


_FROM_TEXT: Final[Mapping[str, Any]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "Decimal": Decimal,
    "UUID": UUID,
}


def _cursor(place: Sequence[Any] | None) -> Cursor:
    parts = [[type(each).__name__, each if isinstance(each, int | str | float) else str(each)] for each in place or ()]
    return Cursor(json.dumps(parts))


def _place_of(after: Cursor | None) -> list[Any] | None:
    if after is None:
        return None
    try:
        parts = json.loads(str(after))
        return [_FROM_TEXT.get(kind, lambda each: each)(value) for kind, value in parts] or None
    except (ValueError, TypeError, ArithmeticError):
        raise Terminal("unknown_cursor") from None


def _handled(ref: RowRef, path: str, value: Value) -> Value:
    if isinstance(value, bytes) and len(value) > INLINE:
        return BlobRef(ref, path, path, "application/octet-stream", len(value))
    if (
        isinstance(value, str)
        and len(value) > MAX_VALUE_BYTES // 4
        and len(value.encode("utf-8", "replace")) > (MAX_VALUE_BYTES)
    ):
        size = len(value.encode("utf-8", "replace"))
        return BlobRef(ref, path, path, "text/plain; charset=utf-8", size)
    return value
