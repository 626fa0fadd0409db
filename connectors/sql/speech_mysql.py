"""How MariaDB and MySQL say it: texts compare by their collation, so that equality is asked of the bytes."""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from connectors.sql.address import Brand
from connectors.sql.schema import Table
from connectors.sql.speech import Expression, StepByStep, bind, fold_leftovers
from privacyops.connector_sdk import Field, FieldType, Value


class Mysql(StepByStep):
    brand = Brand.MYSQL

    def text(self, table: Table, path: str) -> Expression:
        if table.fields[path].type is FieldType.BINARY:
            # what is no UTF-8 would be no text at all, and Latin-1 reads every byte: a hard blank as two signs
            return sa.func.replace(sa.cast(table.column(path), mysql.CHAR(charset="latin1")), "\u00c2\u00a0", "\u00a0")
        return sa.cast(self.readable(table, path), mysql.CHAR(charset="utf8mb4"))

    def readable(self, table: Table, path: str) -> Expression:
        # bits come as bytes out of a table, and as the digits of a number out of a statement about a statement
        is_bits = table.fields[path].native.startswith("bit")
        return sa.cast(table.column(path), mysql.INTEGER(unsigned=True)) if is_bits else table.column(path)

    def size(self, table: Table, path: str) -> Expression:
        return sa.func.octet_length(table.column(path))

    def folded(self, text: Expression, wanted: str) -> Expression:
        return fold_leftovers(text, wanted)

    def same(self, text: Expression, wanted: str) -> Expression:
        return sa.cast(text, sa.LargeBinary) == sa.cast(bind(wanted), sa.LargeBinary)

    def same_of(self, text: Expression, wanted: list[str]) -> Expression:
        return sa.cast(text, sa.LargeBinary).in_([sa.cast(bind(one), sa.LargeBinary) for one in wanted])

    def contains(self, text: Expression, wanted: str) -> Expression:
        return sa.func.locate(sa.cast(bind(wanted), sa.LargeBinary), sa.cast(text, sa.LargeBinary)) > 0

    def digits(self, text: Expression, pattern: str) -> Expression:
        return text.op("REGEXP")(bind(pattern))

    def ordered(self, table: Table, path: str) -> Expression:
        return sa.cast(self.text(table, path), sa.LargeBinary)

    def typed(self, field: Field, value: Value) -> Expression | None:
        if field.type is FieldType.BINARY and isinstance(value, str):
            return bind(value.encode("utf-8", "replace"))
        return super().typed(field, value)

    def digest(self, table: Table) -> Expression:
        cells = [sa.func.ifnull(sa.func.hex(column), "~") for column in table.sql.c]
        return sa.func.md5(sa.func.concat_ws("|", *cells))

    def narrows(self, field: Field, *, ci: bool) -> bool:
        return not field.enum and (not ci or field.case_insensitive)

    def random(self) -> Expression:
        return sa.func.rand()
