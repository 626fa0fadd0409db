"""How each brand says the same thing: text of a column, case, binary equality, phone digits, lengths, pages.

Values are always bound without a type of SQLAlchemy's, and cast to the column's own type where the server must know
it.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from connectors.sql.address import NEVER_RUN, Brand
from connectors.sql.greeting import Server
from connectors.sql.schema import Paging, Table
from connectors.sql.values import is_sendable, plain, read_json, read_moment
from privacyops.connector_sdk import Field, FieldType, Value
from privacyops.connector_sdk.equality import text_of

Expression: TypeAlias = sa.ColumnElement[Any]

_MOMENTS: Final = frozenset({FieldType.DATE, FieldType.INSTANT, FieldType.TIME})
_AS_TEXT: Final = frozenset({FieldType.OTHER, FieldType.DURATION, FieldType.ADDRESS, FieldType.JSON}) | _MOMENTS


class _Untyped(sa.types.UserDefinedType[Any]):
    """Keeps SQLAlchemy from lending a bound value the type of whatever it is compared with."""

    cache_ok = True


_UNTYPED: Final = _Untyped()


def bind(value: object) -> Expression:
    """A bound value; the driver, not SQLAlchemy, decides how it is sent."""
    return sa.bindparam(None, value, type_=_UNTYPED, unique=True)


class Speech:
    """What all brands share; SQLite's ways, where they differ."""

    brand: Brand = Brand.SQLITE
    max_in: int = 1000
    """Values in one leaf."""
    max_binds: int = 30_000
    """Values in one statement; the drivers' limits are 32,766 and 65,535."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def spells_bytes(self) -> bool:
        """Whether `text` of a cell of bytes shows at least its plain ASCII as it is."""
        return self.is_proven

    @property
    def is_proven(self) -> bool:
        """Whether a server of this brand was seen to decide as `matches` does, so that its word may stand alone."""
        return self.brand not in NEVER_RUN

    # --- columns --------------------------------------------------------------------------------------------

    def text(self, table: Table, path: str) -> Expression:
        """The cell as text."""
        return sa.cast(table.column(path), sa.Text)

    def readable(self, table: Table, path: str) -> Expression:
        """The cell in the form `decode` takes."""
        return table.column(path)

    def decode(self, field: Field, raw: Any) -> Value:
        """The cell as the SDK's value."""
        if raw is None or type(raw) is int:
            return raw
        if isinstance(raw, memoryview | bytearray):
            return bytes(raw)
        if field.type in {FieldType.JSON, FieldType.ARRAY} and isinstance(raw, str):
            return read_json(raw)
        return raw  # type: ignore[no-any-return]  # a scalar the driver made

    def size(self, table: Table, path: str) -> Expression:
        """Bytes of the cell."""
        return sa.func.length(sa.cast(table.column(path), sa.LargeBinary))

    def piece(self, table: Table, path: str, start: int, length: int) -> Expression:
        """Bytes of the cell from `start`, counted from 1; a text's are those of UTF-8."""
        whole = table.column(path) if table.fields[path].type is FieldType.BINARY else self.text(table, path)
        return sa.func.substr(self.as_bytes(table.fields[path], whole), bind(start), bind(length))

    def as_bytes(self, field: Field, whole: Expression) -> Expression:
        """A cell's text in UTF-8; bytes as they are."""
        return whole if field.type is FieldType.BINARY else sa.cast(whole, sa.LargeBinary)

    # --- comparisons ----------------------------------------------------------------------------------------

    def folded(self, text: Expression, wanted: str) -> Expression:
        """The text without regard to case; `wanted` is the folded text it will be compared with."""
        if wanted.isascii():
            return sa.func.lower(text)
        # as bytes, since a text that is no UTF-8 cannot be handed to a function as text
        return sa.func.privacyops_fold(sa.cast(text, sa.LargeBinary))

    def same(self, text: Expression, wanted: str) -> Expression:
        """Equal, byte for byte."""
        return text == bind(wanted)

    def same_of(self, text: Expression, wanted: list[str]) -> Expression:
        """Equal to one of them, byte for byte."""
        return text.in_([bind(one) for one in wanted])

    def contains(self, text: Expression, wanted: str) -> Expression:
        return sa.func.instr(text, bind(wanted)) > 0

    def starts(self, text: Expression, wanted: str) -> Expression:
        return self.same(sa.func.substr(text, 1, len(wanted)), wanted)

    def digits(self, text: Expression, pattern: str) -> Expression:
        return sa.func.privacyops_digits(sa.cast(text, sa.LargeBinary), bind(pattern)) == 1

    def ordered(self, table: Table, path: str) -> Expression:
        """The text in the order of its code points."""
        return self.text(table, path).collate("BINARY")

    def narrows(self, field: Field, *, ci: bool) -> bool:
        """Whether the column's own comparison is wider than ours, and is the one an index knows."""
        return False

    def compares(self, field: Field) -> bool:
        """Whether `=` is defined for the column's type."""
        return True

    def stored(self, value: Value) -> Value:
        """The value as the server will give it back."""
        return value

    def typed(self, field: Field, value: Value) -> Expression | None:
        """The value as the column's own type; None: the column cannot hold it."""
        if isinstance(value, str) and not is_sendable(value):
            return None
        return bind(plain(value))

    def array(self, field: Field, value: Sequence[Value]) -> Expression:
        """A list as the column's array type; brands without arrays keep JSON text."""
        return bind(plain(tuple(value)))

    # --- pages ----------------------------------------------------------------------------------------------

    def page_by(self, table: Table) -> list[Expression]:
        """What the collection is ordered by."""
        if table.paging is Paging.KEY:
            return [table.column(path) for path in table.page_by]
        if table.paging is Paging.ROWID:
            taken = {path.lower() for path in table.fields}
            return [sa.literal_column(next(name for name in ("rowid", "_rowid_", "oid") if name not in taken))]
        return [self.digest(table)]

    def page_value(self, table: Table, at: int, value: Any) -> Expression:
        """A page key's value as it is compared with `page_by`."""
        if table.paging is Paging.KEY:
            typed = self.typed(table.fields[table.page_by[at]], value)
            return sa.null() if typed is None else typed
        return bind(value)

    def page_readable(self, table: Table) -> list[Expression]:
        """`page_by` in the form that goes into a cursor."""
        if table.paging is Paging.KEY:
            return [self.readable(table, path) for path in table.page_by]
        return self.page_by(table)

    def digest(self, table: Table) -> Expression:
        """A hash over the row."""
        return sa.func.privacyops_digest(*table.sql.c)

    def after(self, columns: list[Expression], values: list[Expression]) -> Expression:
        """`columns > values`, compared from left to right."""
        if len(columns) == 1:
            return columns[0] > values[0]
        return sa.tuple_(*columns) > sa.tuple_(*values)

    def up_to(self, columns: list[Expression], values: list[Expression]) -> Expression:
        """`columns <= values`."""
        if len(columns) == 1:
            return columns[0] <= values[0]
        return sa.tuple_(*columns) <= sa.tuple_(*values)

    def random(self) -> Expression:
        return sa.func.random()

    def fraction(self) -> Expression:
        """A random number from 0 to below 1."""
        return sa.cast(self.random(), sa.Numeric)

    # --- rows -----------------------------------------------------------------------------------------------

    def locking(self, statement: sa.Select[Any], table: Table) -> sa.Select[Any]:
        """The statement, holding the rows it reads until the transaction ends."""
        return statement.with_for_update()

    def refs_at_once(self, table: Table, wanted: int) -> int:
        """How many rows one statement may name, `wanted` at most."""
        return max(1, min(wanted, self.max_binds // max(1, len(table.identity))))

    def is_same_cell(self, table: Table, path: str, value: Value) -> Expression:
        """The cell equals the value, empty being equal to empty."""
        typed = self.typed(table.fields[path], value) if value is not None else None
        column = table.column(path)
        if typed is None:
            return column.is_(None) if value is None else sa.false()
        return column.is_not_distinct_from(typed)


class Postgresql(Speech):
    brand = Brand.POSTGRESQL

    def readable(self, table: Table, path: str) -> Expression:
        field, column = table.fields[path], table.column(path)
        if field.type is FieldType.ARRAY:
            return sa.cast(sa.func.to_json(column), sa.Text)
        if field.native.startswith("inet"):
            full = sa.case((sa.func.family(column) == 4, 32), else_=128)
            host = sa.func.host(column)
            return sa.case((sa.func.masklen(column) == full, host), else_=sa.func.text(column))
        return sa.cast(column, sa.Text) if field.type in _AS_TEXT else column

    def text(self, table: Table, path: str) -> Expression:
        field, column = table.fields[path], table.column(path)
        if field.type is FieldType.BINARY:  # the hard blank, which stands in phone numbers, is no ASCII
            return sa.func.replace(sa.func.encode(column, "escape"), "\\302\\240", "\u00a0")
        if field.type is FieldType.BOOLEAN:
            return sa.cast(sa.cast(column, sa.Integer), sa.Text)
        if field.type in {FieldType.ARRAY, FieldType.ADDRESS}:
            return self.readable(table, path)
        if field.type is FieldType.TEXT and _is_plain_text(field):
            return column
        return sa.cast(column, sa.Text)

    def decode(self, field: Field, raw: Any) -> Value:
        if field.type in _MOMENTS and isinstance(raw, str):
            return read_moment(field.type, raw)
        if isinstance(raw, str) and field.native.startswith(("character(", '"char"')):
            return raw.rstrip(" ")
        return super().decode(field, raw)

    def size(self, table: Table, path: str) -> Expression:
        if table.fields[path].type is FieldType.BINARY:
            return sa.func.octet_length(table.column(path))
        return sa.func.octet_length(self.text(table, path))

    def folded(self, text: Expression, wanted: str) -> Expression:
        if not self.server.folds_ascii or not (self.server.folds_unicode or wanted.isascii()):
            text = text.collate("und-x-icu")
        return fold_leftovers(text, wanted)

    def as_bytes(self, field: Field, whole: Expression) -> Expression:
        if field.type is FieldType.BINARY:
            return whole
        return sa.func.convert_to(sa.cast(whole, sa.Text), "UTF8")

    def contains(self, text: Expression, wanted: str) -> Expression:
        return sa.func.strpos(text, bind(wanted)) > 0

    def starts(self, text: Expression, wanted: str) -> Expression:
        return sa.func.starts_with(text, bind(wanted))

    def digits(self, text: Expression, pattern: str) -> Expression:
        return text.op("~")(bind(pattern))

    def ordered(self, table: Table, path: str) -> Expression:
        return self.text(table, path).collate("C")

    def typed(self, field: Field, value: Value) -> Expression | None:
        if isinstance(value, str) and ("\0" in value or not is_sendable(value)):
            return None
        if field.type is FieldType.BOOLEAN:
            return {"1": sa.true(), "0": sa.false()}.get(text_of(value))
        if field.type is FieldType.BINARY:
            return bind(value if isinstance(value, bytes) else text_of(value).encode())
        if field.type is FieldType.TEXT and _is_plain_text(field):
            return bind(text_of(value))
        if field.type in {FieldType.INTEGER, FieldType.NUMBER} and isinstance(value, int):
            return bind(value)
        sent = json.dumps(value, ensure_ascii=False, default=str) if field.type is FieldType.JSON else text_of(value)
        return sa.cast(bind(sent), _native(field))

    def array(self, field: Field, value: Sequence[Value]) -> Expression:
        return sa.cast(bind([None if one is None else text_of(one) for one in value]), _native(field))

    def page_by(self, table: Table) -> list[Expression]:
        if table.paging is Paging.CTID:
            return [sa.literal_column("ctid")]
        return super().page_by(table)

    def page_value(self, table: Table, at: int, value: Any) -> Expression:
        if table.paging is Paging.CTID:
            return sa.cast(bind(value), _Named("tid"))
        return super().page_value(table, at, value)

    def page_readable(self, table: Table) -> list[Expression]:
        if table.paging is Paging.CTID:
            return [sa.cast(sa.literal_column("ctid"), sa.Text)]
        return super().page_readable(table)

    def digest(self, table: Table) -> Expression:
        return sa.func.md5(sa.cast(sa.func.row(*table.sql.c), sa.Text))


class StepByStep(Speech):
    """Brands without row values, or with ones that miss the index: the comparison is written out."""

    def after(self, columns: list[Expression], values: list[Expression]) -> Expression:
        ways = [
            sa.and_(*(columns[before] == values[before] for before in range(at)), columns[at] > values[at])
            for at in range(len(columns))
        ]
        return sa.or_(*ways)

    def up_to(self, columns: list[Expression], values: list[Expression]) -> Expression:
        return sa.not_(self.after(columns, values))


class _Named(sa.types.UserDefinedType[Any]):
    """A type by the server's own name, for casts."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


def chained(cells: Sequence[Expression], sign: str) -> Expression:
    """The cells with a sign between them, in pairs of pairs: a chain of many would be too deep to be written."""
    if len(cells) == 1:
        return cells[0]
    half = len(cells) // 2
    return chained(cells[:half], sign).op(sign)(chained(cells[half:], sign))


def named(name: str) -> sa.types.TypeEngine[Any]:
    """A type by the server's own name."""
    return _Named(name)


def _native(field: Field) -> _Named:
    """The column's type without its length: a cast to varchar(20) would cut what it compares."""
    head, bracket, rest = field.native.partition("(")
    name = head.rstrip() + rest.partition(")")[2] if bracket else field.native
    return _Named("bpchar" if name in {"character", "char"} else name)


def fold_leftovers(text: Expression, wanted: str) -> Expression:
    """`lower`, and what it does differently from `predicate.fold`: the last sigma, and the dotted capital I."""
    if "i\u0307" in wanted:
        text = sa.func.replace(text, "\u0130", "i\u0307")
    lowered: Expression = sa.func.lower(text)
    return sa.func.replace(lowered, "ς", "σ") if "σ" in wanted else lowered


def _is_plain_text(field: Field) -> bool:
    return not field.enum and not field.case_insensitive and field.native.startswith(("text", "character varying"))
