"""How SQL Server says it (2016 and newer). Compiled and reviewed, never run against a server.

Its texts compare by the column's collation: regardless of case mostly, of trailing blanks always. Equality is therefore
asked of the bytes, and order and containment under a binary collation.
"""

import re
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from connectors.sql.address import Brand
from connectors.sql.schema import Table
from connectors.sql.speech import Expression, StepByStep, bind, chained, fold_leftovers, named
from connectors.sql.values import is_sendable, plain, read_moment
from privacyops.connector_sdk import Field, FieldType, Value
from privacyops.connector_sdk.equality import text_of

BINARY: Final = "Latin1_General_100_BIN2"
"""By code unit. Any server since 2008 has it."""
FOLDING: Final = "Latin1_General_100_CI_AS_SC"
"""A letter case that is no language's own: with Turkish's, the I would not become an i."""
LONGEST_NEEDLE: Final = 2000
"""Characters CHARINDEX and LIKE look for: they take 8,000 bytes, and a character may have four."""
MOST_DIGITS: Final = 38
_TEXT: Final = sa.NVARCHAR(None)
_BYTES: Final = mssql.VARBINARY("max")  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
_UNCOMPARED: Final = frozenset(
    {"text", "ntext", "image", "xml", "json", "geography", "geometry", "hierarchyid", "sql_variant", "vector"}
)
"""Types that `=` is not defined for, or not for what is sent."""
_CAST: Final = {
    "datetime": "datetime2(3)",
    "smalldatetime": "datetime2(0)",
    "datetime2": "datetime2(6)",
    "datetimeoffset": "datetimeoffset(6)",
    "time": "time(6)",
    "date": "date",
}
"""Moments as far as they are read: to the microsecond."""


class Mssql(StepByStep):
    brand = Brand.MSSQL
    max_in = 400
    max_binds = 2000
    """A statement takes 2,100."""

    def text(self, table: Table, path: str) -> Expression:
        field, column = table.fields[path], table.column(path)
        if field.type in {FieldType.INSTANT, FieldType.DATE, FieldType.TIME, FieldType.UUID}:
            return self.readable(table, path)
        whole: Expression = sa.cast(column, _TEXT)
        return sa.func.rtrim(whole) if _is_padded(field) else whole

    def readable(self, table: Table, path: str) -> Expression:
        field, column = table.fields[path], table.column(path)
        head = _head(field)
        if field.type is FieldType.UUID:
            return sa.func.lower(sa.cast(column, sa.NVARCHAR(36)))
        if head in _CAST and field.type in {FieldType.INSTANT, FieldType.DATE, FieldType.TIME}:
            style = {FieldType.INSTANT: 126, FieldType.DATE: 23, FieldType.TIME: 121}[field.type]
            moment = sa.cast(column, named(_CAST[head]))
            return sa.func.convert(sa.literal_column("nvarchar(40)"), moment, sa.literal_column(str(style)))
        if field.type in {FieldType.TEXT, FieldType.JSON, FieldType.OTHER} and head in _UNCOMPARED:
            return self._printed(field, column)
        return column

    def _printed(self, field: Field, column: Expression) -> Expression:
        if _head(field) in {"geography", "geometry", "hierarchyid"}:
            return sa.func.convert(sa.literal_column("nvarchar(max)"), column)
        return sa.cast(column, _TEXT)

    def decode(self, field: Field, raw: Any) -> Value:
        if isinstance(raw, str):
            if field.type in {FieldType.INSTANT, FieldType.DATE, FieldType.TIME}:
                return read_moment(field.type, raw)
            if field.type is FieldType.UUID:
                return UUID(raw)
            if _is_padded(field):
                return raw.rstrip(" ")
        return super().decode(field, raw)

    def size(self, table: Table, path: str) -> Expression:
        """Bytes as the server keeps them: two a character of an `n` type."""
        return sa.func.datalength(table.column(path))

    def as_bytes(self, field: Field, whole: Expression) -> Expression:
        if field.type is FieldType.BINARY:
            return sa.cast(whole, _BYTES)
        # under a UTF-8 collation a varchar is kept as UTF-8 (2019 and newer)
        utf8 = sa.cast(whole, sa.NVARCHAR(None)).collate(f"{FOLDING}_UTF8")
        return sa.cast(sa.cast(utf8, sa.VARCHAR(None)), _BYTES)

    def piece(self, table: Table, path: str, start: int, length: int) -> Expression:
        field = table.fields[path]
        whole = table.column(path) if field.type is FieldType.BINARY else self.text(table, path)
        return sa.func.substring(self.as_bytes(field, whole), bind(start), bind(length))

    # --- comparisons ----------------------------------------------------------------------------------------

    def folded(self, text: Expression, wanted: str) -> Expression:
        return fold_leftovers(text.collate(FOLDING), wanted)

    def same(self, text: Expression, wanted: str) -> Expression:
        return self.same_of(text, [wanted])

    def same_of(self, text: Expression, wanted: list[str]) -> Expression:
        return self._bytes(text).in_([self._bytes(bind(one)) for one in wanted])

    def contains(self, text: Expression, wanted: str) -> Expression:
        if not wanted:
            return text.is_not(None)
        return sa.func.charindex(self._needle(wanted), text.collate(BINARY)) > 0

    def starts(self, text: Expression, wanted: str) -> Expression:
        if not wanted:
            return text.is_not(None)
        return sa.func.charindex(self._needle(wanted), text.collate(BINARY)) == 1

    def digits(self, text: Expression, pattern: str) -> Expression:
        """No regular expressions before 2025: the digits in their order, with anything between them."""
        wanted = re.sub(r"[^0-9]", "", re.sub(r"\[[^\]]*\]|\{[^}]*\}", "", pattern))[:200]
        return text.collate(BINARY).like(bind("%" + "%".join(wanted) + "%"))

    def ordered(self, table: Table, path: str) -> Expression:
        return self.text(table, path).collate(BINARY)

    def narrows(self, field: Field, *, ci: bool) -> bool:
        return (
            _head(field) in {"varchar", "nvarchar", "char", "nchar"}
            and field.indexed
            and (not ci or field.case_insensitive)
        )

    def compares(self, field: Field) -> bool:
        return _head(field) not in _UNCOMPARED

    def typed(self, field: Field, value: Value) -> Expression | None:
        if isinstance(value, str) and not is_sendable(value):
            return None
        if field.type is FieldType.BOOLEAN:
            return {"1": bind(1), "0": bind(0)}.get(text_of(value))
        if field.type is FieldType.BINARY:
            return sa.cast(bind(value if isinstance(value, bytes) else text_of(value).encode()), _BYTES)
        if field.type in {FieldType.INTEGER, FieldType.NUMBER}:
            return _number(value)
        head = _head(field)
        if field.type is FieldType.UUID:
            return sa.cast(bind(text_of(value)), named("uniqueidentifier"))
        if head in _CAST:
            text = str(plain(value))
            moment = sa.cast(bind(text), named(_CAST[head]))
            # a datetime is kept in three hundredths of a second; it equals only what was rounded alike
            return sa.cast(moment, named(head)) if head in {"datetime", "smalldatetime"} else moment
        return bind(plain(value))

    def is_same_cell(self, table: Table, path: str, value: Value) -> Expression:
        """Byte for byte for texts of rows without a key; a key's texts are as equal as its index says."""
        field, column = table.fields[path], table.column(path)
        if value is None:
            return column.is_(None)
        typed = self.typed(field, value)
        if typed is None:
            return sa.false()
        if field.type is FieldType.INSTANT and _head(field) in {"datetime2", "datetimeoffset"}:
            return sa.cast(column, named(_CAST[_head(field)])) == typed
        if field.type is FieldType.TIME:
            return sa.cast(column, named("time(6)")) == typed
        if field.type is FieldType.TEXT and path not in table.collection.key:
            return self.same(self.text(table, path), text_of(value))
        if not self.compares(field):
            return self.same(self.text(table, path), text_of(value))
        return column == typed

    # --- pages ----------------------------------------------------------------------------------------------

    def digest(self, table: Table) -> Expression:
        cells: list[Expression] = []
        for path, field in table.fields.items():
            as_text = sa.func.convert(sa.literal_column("nvarchar(max)"), table.column(path), sa.literal_column("2"))
            cell = as_text if field.type is FieldType.BINARY else self.text(table, path)
            cells.extend((sa.func.isnull(cell, sa.literal_column("N'~'")), sa.literal_column("N'|'")))
        whole = chained(cells, "+")
        hashed = sa.func.hashbytes(sa.literal_column("'SHA2_256'"), whole)
        return sa.func.convert(sa.literal_column("varchar(64)"), hashed, sa.literal_column("2")).collate(BINARY)

    def random(self) -> Expression:
        # RAND() alone is drawn once a statement
        return sa.func.rand(sa.func.checksum(sa.func.newid()))

    def fraction(self) -> Expression:
        return self.random()

    def locking(self, statement: sa.Select[Any], table: Table) -> sa.Select[Any]:
        return statement.with_hint(table.sql, "WITH (UPDLOCK, ROWLOCK)", "mssql")

    # --- inside ---------------------------------------------------------------------------------------------

    def _bytes(self, text: Expression) -> Expression:
        return sa.cast(sa.cast(text, _TEXT), _BYTES)

    def _needle(self, wanted: str) -> Expression:
        return sa.cast(bind(wanted[:LONGEST_NEEDLE]), sa.NVARCHAR(4000)).collate(BINARY)


def _head(field: Field) -> str:
    return field.native.partition("(")[0].strip().lower()


def _is_padded(field: Field) -> bool:
    return _head(field) in {"char", "nchar"}


def _number(value: Value) -> Expression | None:
    """None: no number, or longer than the server's longest."""
    try:
        number = Decimal(text_of(value))
    except ArithmeticError:
        return None
    if (
        not number.is_finite()
        or len(number.as_tuple().digits) > MOST_DIGITS
        or abs(number) >= Decimal(10) ** MOST_DIGITS
    ):
        return None
    return bind(int(number) if number == number.to_integral_value() and abs(number) < 2**63 else number)
