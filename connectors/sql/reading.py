"""Rows out of a table in bounded memory: one statement's answer never holds more than a few megabytes.

A cell over 1 MB is not selected at all; the server tells its length, and the row carries a handle. Where cells can be
long, a running sum of lengths ends the answer before it grows too large.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from connectors.sql.address import Brand
from connectors.sql.pushdown import BINARY_INLINE
from connectors.sql.schema import Table
from connectors.sql.session import Record, Session
from connectors.sql.speech import Expression, Speech
from privacyops.connector_sdk import BlobRef, Call, FieldType, RowRef, Value, row_hash
from privacyops.connector_sdk.records import MAX_ROW_BYTES, MAX_VALUE_BYTES

ANSWER_BYTES: Final = 8_000_000
"""Cells of one statement's answer."""
NARROW_ROW: Final = 64
"""Bytes a cell of fixed size is taken for."""

_HANDED_OUT: Final = frozenset({Brand.SQLITE, Brand.MSSQL, Brand.ORACLE})
"""Brands whose drivers fetch row by row; the others hold a whole answer before they give its first row."""


@dataclass(frozen=True)
class Read:
    """One row: its page key, its values (handles for long cells), and their size."""

    position: tuple[Any, ...]
    values: Mapping[str, Value]
    bytes: int


@dataclass(frozen=True)
class Answer:
    """`complete`: the statement's limit, not the byte sum, ended it."""

    rows: tuple[Read, ...]
    complete: bool


class Reader:
    """Reads some columns of one table, always together with its identity."""

    def __init__(self, session: Session, speech: Speech, table: Table, store: str, paths: Iterable[str]) -> None:
        self.session, self.speech, self.table, self.store = session, speech, table, store
        self.paths = tuple(dict.fromkeys((*table.identity, *paths)))
        self.wide = tuple(path for path in self.paths if table.is_wide(path))
        self._positions = len(speech.page_by(table))
        self._fields = tuple(table.fields[path] for path in self.paths)
        self._keyless = table.collection.no_key

    @property
    def rows_at_once(self) -> int:
        """How many rows of narrow columns alone fit the answer at their longest."""
        longest = sum(
            4 * (self.table.fields[path].max_length or 0) or NARROW_ROW for path in self.paths if path not in self.wide
        )
        return max(50, min(5000, 4 * ANSWER_BYTES // max(1, longest)))

    def read(
        self, call: Call, where: Expression, limit: int, order: Sequence[Expression] | None = None, lock: bool = False
    ) -> Answer:
        """Up to `limit` rows in page order (or `order`), fewer if their cells are long."""
        ordered = self.speech.page_by(self.table) if order is None else list(order)
        statement = sa.select(*self._columns()).select_from(self.table.sql).where(where).limit(limit)
        statement = statement.order_by(*ordered) if ordered else statement
        if lock and self.session.brand is not Brand.SQLITE:
            return self._collect(self.session.run(call, self.speech.locking(statement, self.table)), complete=True)
        if not self.wide:
            return self._collect(self.session.run(call, statement), complete=True)
        if self.session.brand in _HANDED_OUT:
            return self._cut_short(call, statement)
        return self._summed(call, statement)

    def ref(self, values: Mapping[str, Value]) -> RowRef:
        """The row's reference: by key, or by all columns that can be compared, with their hash as version."""
        key = {path: values[path] for path in self.table.identity}
        if self._keyless:
            key = {path: value for path, value in key.items() if not isinstance(value, BlobRef)}
        return RowRef(self.store, self.table.name, key, row_hash(key) if self._keyless else None)

    # --- inside ---------------------------------------------------------------------------------------------

    def _columns(self) -> list[Expression]:
        chosen: list[Expression] = [
            column.label(f"p{at}") for at, column in enumerate(self.speech.page_readable(self.table))
        ]
        for at, path in enumerate(self.paths):
            cell = self.speech.readable(self.table, path)
            if path in self.wide:
                fits = self.speech.size(self.table, path) <= _inline(self.table, path)
                cell = sa.case((fits, cell), else_=sa.null())
            chosen.append(cell.label(f"c{at}"))
        sizes = [self.speech.size(self.table, path) for path in self.wide]
        chosen.extend(size.label(f"n{at}") for at, size in enumerate(sizes))
        return chosen

    def _summed(self, call: Call, statement: sa.Select[Any]) -> Answer:
        inner = statement.subquery("inner_rows")
        lengths: Expression = sa.literal(0)
        for at in range(len(self.wide)):
            length = inner.c[f"n{at}"]
            lengths = lengths + sa.case((length <= MAX_VALUE_BYTES, length), else_=0)
        number = sa.func.row_number().over().label("number")
        counted = sa.select(*inner.c, lengths.label("length"), number, sa.func.count().over().label("total"))
        middle = counted.subquery("middle_rows")
        running = sa.func.sum(middle.c.length).over(order_by=middle.c.number, rows=(None, 0)).label("running")
        outer = sa.select(*middle.c, running).subquery("outer_rows")
        names = [column.name for column in inner.c]
        final = (
            sa.select(*(outer.c[name] for name in names), outer.c.total)
            .where(outer.c.running - outer.c.length <= ANSWER_BYTES)
            .order_by(outer.c.number)
        )
        records = self.session.run(call, final)
        total = int(records[0][-1]) if records else 0
        return self._collect(records, complete=len(records) == total)

    def _cut_short(self, call: Call, statement: sa.Select[Any]) -> Answer:
        rows: list[Read] = []
        size = 0
        stream = self.session.stream(call, statement, batch=8)
        try:
            for record in stream:
                rows.append(self._row(record))
                size += rows[-1].bytes
                if size > ANSWER_BYTES:
                    return Answer(tuple(rows), complete=False)
        finally:
            stream.close()  # type: ignore[attr-defined]  # a generator, typed as the iterator it is used as
        return Answer(tuple(rows), complete=True)

    def _collect(self, records: list[Record], *, complete: bool) -> Answer:
        return Answer(tuple(map(self._row, records)), complete)

    def _row(self, record: Record) -> Read:
        cells = record[self._positions : self._positions + len(self.paths)]
        if not self.wide:
            decode = self.speech.decode
            plain = {field.path: decode(field, raw) for field, raw in zip(self._fields, cells, strict=True)}
            return Read(record[: self._positions], plain, NARROW_ROW * len(cells))
        lengths = dict(zip(self.wide, record[self._positions + len(self.paths) :], strict=False))
        values: dict[str, Value] = {}
        size = 0
        for path, raw in zip(self.paths, cells, strict=True):
            length = lengths.get(path)
            size += NARROW_ROW if length is None else int(length) if raw is not None else 0
            is_handle = raw is None and length is not None
            values[path] = None if is_handle else self.speech.decode(self.table.fields[path], raw)
        handles = {path: int(lengths[path]) for path in self.wide if values[path] is None and lengths[path] is not None}
        for path in sorted(self.wide, key=lambda each: -int(lengths[each] or 0)):
            if size <= MAX_ROW_BYTES:
                break
            if path not in handles and lengths[path]:
                handles[path] = int(lengths[path])
                size -= handles[path]
        if handles:
            values.update(dict.fromkeys(handles))
            ref = self._bare_ref(values, handles)
            values.update({path: self._handle(ref, path, length) for path, length in handles.items()})
        return Read(record[: self._positions], values, size)

    def _bare_ref(self, values: Mapping[str, Value], handles: Mapping[str, int]) -> RowRef:
        key = {path: values[path] for path in self.table.identity if path not in handles}
        version = row_hash(key) if self.table.collection.no_key else None
        return RowRef(self.store, self.table.name, key, version)

    def _handle(self, ref: RowRef, path: str, length: int) -> BlobRef:
        kind = self.table.fields[path].type
        media = {FieldType.JSON: "application/json", FieldType.BINARY: "application/octet-stream"}
        return BlobRef(ref, path, path, media.get(kind, "text/plain; charset=utf-8"), length)


def _inline(table: Table, path: str) -> int:
    return BINARY_INLINE if table.fields[path].type is FieldType.BINARY else MAX_VALUE_BYTES


def by_refs(speech: Speech, table: Table, refs: Sequence[RowRef]) -> Expression:
    """The rows of these references. A cell that is missing from a keyless reference is not compared."""
    key = table.collection.key
    if len(key) == 1:
        field = table.fields[key[0]]
        sent = [speech.typed(field, ref.key.get(key[0])) for ref in refs if ref.key.get(key[0]) is not None]
        return table.column(key[0]).in_([one for one in sent if one is not None])
    return sa.or_(
        sa.false(),
        *(
            sa.and_(
                sa.true(),
                *(speech.is_same_cell(table, path, ref.key[path]) for path in table.identity if path in ref.key),
            )
            for ref in refs
            if ref.key
        ),
    )


def batches(refs: Sequence[RowRef], size: int) -> Iterator[Sequence[RowRef]]:
    """Slices of the references."""
    for start in range(0, len(refs), size):
        yield refs[start : start + size]
