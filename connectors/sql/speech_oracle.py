"""How Oracle Database says it (12.2 and newer). Compiled and reviewed, never run against a server.

Three things are unlike everywhere else: an empty text is NULL, a DATE has a time of day, and a long text (CLOB) knows
no `=`. The session compares byte for byte (greeting.py), so that texts are equal only if all of them is.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import oracle

from connectors.sql.address import Brand
from connectors.sql.schema import Paging, Table
from connectors.sql.speech import Expression, StepByStep, bind, chained, fold_leftovers
from connectors.sql.values import is_sendable, plain, read_moment
from privacyops.connector_sdk import Field, FieldType, Terminal, Value
from privacyops.connector_sdk.equality import text_of

LONGEST_NEEDLE: Final = 1000
"""Characters of a bound text: a statement takes 4,000 bytes of one, and a character may have four."""
LONGEST_PATTERN: Final = 500
"""Bytes of a regular expression; 512 are the limit."""
MOST_DIGITS: Final = 38
HASHED_TOGETHER: Final = 50
"""Columns in one hash of a row: a text of 4,000 bytes holds their 64 signs each."""
_LONG_TEXT: Final = frozenset({"CLOB", "NCLOB"})
_UNCOMPARED: Final = frozenset({"CLOB", "NCLOB", "BLOB", "BFILE", "LONG", "LONG RAW", "XMLTYPE", "JSON", "VECTOR"})
_MASKS: Final = {
    "DATE": "YYYY-MM-DD HH24:MI:SS",
    "TIMESTAMP": "YYYY-MM-DD HH24:MI:SS.FF6",
    "ZONED": "YYYY-MM-DD HH24:MI:SS.FF6TZH:TZM",
}


class Oracle(StepByStep):
    brand = Brand.ORACLE
    max_in = 1000
    """A list takes no more before version 23."""

    def text(self, table: Table, path: str) -> Expression:
        """Raises: Terminal: a LONG, which no statement can look into."""
        field, column = table.fields[path], table.column(path)
        head = _head(field)
        if head in {"LONG", "LONG RAW", "BFILE"}:
            raise Terminal("unsupported")
        if field.type is FieldType.TEXT and field.case_insensitive:
            column = column.op("COLLATE")(sa.literal_column("BINARY"))
        if head in _LONG_TEXT:
            return sa.type_coerce(column, oracle.NCLOB() if head == "NCLOB" else sa.CLOB())
        if head in {"XMLTYPE", "JSON"}:
            return sa.type_coerce(self._printed(head, column), sa.CLOB())
        if _mask(field) or field.type is FieldType.BINARY:
            return self.readable(table, path)
        if head in {"CHAR", "NCHAR"}:
            return sa.func.rtrim(column)
        if field.type in {FieldType.INTEGER, FieldType.NUMBER}:
            shortest = sa.func.to_char(column, sa.literal_column("'TM9'"))  # which leaves out the zero before a point
            return sa.func.regexp_replace(shortest, sa.literal_column(r"'^(-?)\.'"), sa.literal_column(r"'\10.'"))
        if field.type is FieldType.BOOLEAN:
            return sa.func.to_char(sa.func.to_number(column))
        return column if field.type is FieldType.TEXT else sa.func.to_char(column)

    def _printed(self, head: str, column: Expression) -> Expression:
        way = "xmlserialize(content %s as clob)" if head == "XMLTYPE" else "json_serialize(%s returning clob)"
        before, after = way.split("%s")
        # these two have a grammar of their own between the brackets
        return sa.literal_column(before).op("")(column).op("")(sa.literal_column(after.strip()))

    def readable(self, table: Table, path: str) -> Expression:
        field, column = table.fields[path], table.column(path)
        mask = _mask(field)
        if mask:
            if mask == "ZONED":
                column = sa.func.sys_extract_utc(column)
                mask = "TIMESTAMP"
            return sa.func.to_char(column, sa.literal_column(f"'{_MASKS[mask]}'"))
        if _head(field) in {"XMLTYPE", "JSON"}:
            return self._printed(_head(field), column)
        return sa.func.to_char(column) if field.type is FieldType.DURATION else column

    def decode(self, field: Field, raw: Any) -> Value:
        if isinstance(raw, str):
            mask = _mask(field)
            if mask:
                moment = read_moment(FieldType.INSTANT, raw)
                return moment.replace(tzinfo=UTC) if mask == "ZONED" and isinstance(moment, datetime) else moment
            if _head(field) in {"CHAR", "NCHAR"}:
                return raw.rstrip(" ")
        if isinstance(raw, Decimal) and raw == raw.to_integral_value():
            return int(raw)
        return super().decode(field, raw)

    def size(self, table: Table, path: str) -> Expression:
        """Bytes of the cell; of a long text its characters, which is all the server tells quickly.

        Raises: Terminal: a LONG, which no statement can look into.
        """
        field, column = table.fields[path], table.column(path)
        head = _head(field)
        if head in {"LONG", "LONG RAW"}:
            raise Terminal("unsupported")
        if head in _LONG_TEXT | {"BLOB", "BFILE"}:
            return sa.func.dbms_lob.getlength(column)
        if head in {"XMLTYPE", "JSON"}:
            return sa.func.dbms_lob.getlength(self._printed(head, column))
        return sa.func.utl_raw.length(column) if field.type is FieldType.BINARY else sa.func.lengthb(column)

    def piece(self, table: Table, path: str, start: int, length: int) -> Expression:
        """Raises: Terminal: a text; the server cuts texts by characters, and a handle counts bytes."""
        if _head(table.fields[path]) != "BLOB":
            raise Terminal("unsupported")
        return sa.func.dbms_lob.substr(table.column(path), bind(min(length, 32767)), bind(start))

    # --- comparisons ----------------------------------------------------------------------------------------

    def folded(self, text: Expression, wanted: str) -> Expression:
        return sa.type_coerce(fold_leftovers(text, wanted), text.type)

    def same(self, text: Expression, wanted: str) -> Expression:
        return self.same_of(text, [wanted])

    def same_of(self, text: Expression, wanted: list[str]) -> Expression:
        """An empty text equals nothing. What is too long to be bound is met by its beginning, and judged here."""
        usable = [one for one in wanted if one]
        short = [one for one in usable if len(one) <= LONGEST_NEEDLE]
        ways: list[Expression] = [self.starts(text, one) for one in usable if len(one) > LONGEST_NEEDLE]
        if _is_long(text):
            as_long = sa.func.to_nclob if isinstance(text.type, oracle.NCLOB) else sa.func.to_clob
            ways.extend(sa.func.dbms_lob.compare(text, as_long(bind(one))) == 0 for one in short)
        elif short:
            ways.append(text.in_([bind(one) for one in short]))
        return sa.or_(sa.false(), *ways)

    def contains(self, text: Expression, wanted: str) -> Expression:
        return sa.func.instr(text, bind(wanted[:LONGEST_NEEDLE])) > 0 if wanted else text.is_not(None)

    def starts(self, text: Expression, wanted: str) -> Expression:
        return sa.func.instr(text, bind(wanted[:LONGEST_NEEDLE])) == 1 if wanted else text.is_not(None)

    def digits(self, text: Expression, pattern: str) -> Expression:
        if len(pattern.encode()) <= LONGEST_PATTERN:
            return sa.func.regexp_like(text, bind(pattern))
        wanted = re.sub(r"[^0-9]", "", re.sub(r"\[[^\]]*\]|\{[^}]*\}", "", pattern))[:200]
        return text.like(bind("%" + "%".join(wanted) + "%"))

    def ordered(self, table: Table, path: str) -> Expression:
        text = self.text(table, path)
        return sa.func.dbms_lob.substr(text, LONGEST_NEEDLE, 1) if _is_long(text) else text

    def compares(self, field: Field) -> bool:
        return _head(field) not in _UNCOMPARED and field.type not in {FieldType.ARRAY, FieldType.OTHER}

    def stored(self, value: Value) -> Value:
        """An empty text is NULL here."""
        return None if value == "" else value

    def typed(self, field: Field, value: Value) -> Expression | None:
        if isinstance(value, str) and not is_sendable(value):
            return None
        if value == "":
            return sa.null()
        mask = _mask(field)
        if mask:
            return _moment(mask, value)
        if field.type is FieldType.BOOLEAN:
            return {"1": bind(True), "0": bind(False)}.get(text_of(value))
        if field.type is FieldType.BINARY:
            return bind(value if isinstance(value, bytes) else text_of(value).encode())
        if field.type in {FieldType.INTEGER, FieldType.NUMBER}:
            return _number(value)
        return bind(plain(value))

    def is_same_cell(self, table: Table, path: str, value: Value) -> Expression:
        """Raises: Terminal: a long cell without which the row cannot be told apart."""
        value = self.stored(value)
        if value is None:
            return table.column(path).is_(None)
        field = table.fields[path]
        if field.type is FieldType.TEXT:
            if _head(field) in _LONG_TEXT and len(text_of(value)) > LONGEST_NEEDLE:
                raise Terminal("key_too_long")
            text = self.text(table, path)
            if _is_long(text):
                return self.same(text, text_of(value))
            return text == bind(text_of(value))
        if not self.compares(field):
            raise Terminal("key_too_long")
        typed = self.typed(field, value)
        if typed is None:
            return sa.false()
        mask = _mask(field)
        if mask:
            # to the microsecond, which is all that was read
            return self.readable(table, path) == bind(_written("TIMESTAMP" if mask == "ZONED" else mask, value))
        return table.column(path) == typed

    # --- pages ----------------------------------------------------------------------------------------------

    def page_by(self, table: Table) -> list[Expression]:
        if table.paging is Paging.ROWID:
            return [sa.literal_column("ROWID")]
        return super().page_by(table)

    def page_value(self, table: Table, at: int, value: Any) -> Expression:
        if table.paging is Paging.ROWID:
            return sa.func.chartorowid(bind(value))
        return super().page_value(table, at, value)

    def page_readable(self, table: Table) -> list[Expression]:
        if table.paging is Paging.ROWID:
            return [sa.func.rowidtochar(sa.literal_column("ROWID"))]
        return super().page_readable(table)

    def digest(self, table: Table) -> Expression:
        cells = [self._hashed(table, path) for path in table.fields]
        while len(cells) > 1:
            groups = [cells[at : at + HASHED_TOGETHER] for at in range(0, len(cells), HASHED_TOGETHER)]
            cells = [_sha256(chained(group, "||")) for group in groups]
        return cells[0]

    def _hashed(self, table: Table, path: str) -> Expression:
        field, column = table.fields[path], table.column(path)
        head = _head(field)
        if head in _LONG_TEXT | {"BLOB"}:
            start = sa.func.dbms_lob.substr(column, sa.literal_column("1000"), sa.literal_column("1"))
            length = sa.func.to_char(sa.func.dbms_lob.getlength(column))
            return (
                _sha256(start).op("||")(length) if head != "BLOB" else _sha256(sa.func.rawtohex(start)).op("||")(length)
            )
        if not self.compares(field):
            return sa.literal_column("'~'")
        return _sha256(self.readable(table, path))

    def random(self) -> Expression:
        return sa.func.dbms_random.value()

    def fraction(self) -> Expression:
        return self.random()

    def locking(self, statement: sa.Select[Any], table: Table) -> sa.Select[Any]:
        # FETCH FIRST and FOR UPDATE exclude each other (ORA-02014); the references bound the rows as well
        return statement.limit(None).with_for_update().suffix_with(sa.text(f"WAIT {self.server.lock_wait}"))


def _is_long(text: Expression) -> bool:
    return isinstance(text.type, sa.CLOB | oracle.NCLOB)


def _head(field: Field) -> str:
    return field.native.partition("(")[0].strip().upper()


def _mask(field: Field) -> str:
    """How a moment of this column is written; empty: the column holds none. A DATE has a time of day."""
    native = field.native.upper()
    if native == "DATE":
        return "DATE"
    if not native.startswith("TIMESTAMP"):
        return ""
    return "ZONED" if "TIME ZONE" in native else "TIMESTAMP"


def _written(mask: str, value: Value) -> str | None:
    """The moment as the mask writes it; None: it is none."""
    moment = value if isinstance(value, date) else read_moment(FieldType.INSTANT, text_of(value))
    if not isinstance(moment, date):
        return None
    whole = moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - a column without a zone
    if whole.tzinfo is not None:
        whole = whole.astimezone(UTC).replace(tzinfo=None)
    return whole.isoformat(" ", "seconds" if mask == "DATE" else "microseconds")


def _moment(mask: str, value: Value) -> Expression | None:
    text = _written(mask, value)
    if text is None:
        return None
    if mask == "DATE":
        return sa.func.to_date(bind(text), sa.literal_column(f"'{_MASKS[mask]}'"))
    plain_moment = sa.func.to_timestamp(bind(text), sa.literal_column(f"'{_MASKS['TIMESTAMP']}'"))
    return sa.func.from_tz(plain_moment, sa.literal_column("'UTC'")) if mask == "ZONED" else plain_moment


def _number(value: Value) -> Expression | None:
    """None: no number, or longer than the server's longest."""
    try:
        number = Decimal(text_of(value))
    except ArithmeticError:
        return None
    if not number.is_finite() or len(number.as_tuple().digits) > MOST_DIGITS:
        return None
    return bind(int(number) if number == number.to_integral_value() and abs(number) < 2**63 else number)


def _sha256(cell: Expression) -> Expression:
    return sa.func.rawtohex(sa.func.standard_hash(cell, sa.literal_column("'SHA256'")))
