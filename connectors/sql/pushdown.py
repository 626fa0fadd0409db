"""A predicate as a WHERE clause: the same rows as `matches` selects, or a few more that `matches` then drops."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import sqlalchemy as sa

from connectors.sql.address import Brand
from connectors.sql.schema import Table
from connectors.sql.speech import Expression, Speech, bind
from connectors.sql.values import is_sendable, read_moment
from privacyops.connector_sdk import All, Any, FieldType, Leaf, Predicate, PredicateOp, Terminal, Value
from privacyops.connector_sdk.equality import fold, text_of
from privacyops.connector_sdk.predicate import digits_pattern, leaves, split_path

BINARY_INLINE = 4096
"""Bytes of a binary cell that is delivered; a longer one is a handle."""
TEXT_LIKE = frozenset({FieldType.TEXT, FieldType.OTHER, FieldType.ADDRESS, FieldType.DURATION})


@dataclass(frozen=True)
class Clause:
    """`exact`: the server selects what `matches` selects, so that it may count by itself."""

    sql: Expression
    exact: bool


NOTHING = Clause(sa.false(), True)


def columns_of(table: Table, where: Predicate) -> tuple[str, ...]:
    """The columns a predicate looks at. Raises: Terminal: an unknown one."""
    return tuple(dict.fromkeys(_column(table, leaf.field) for leaf in leaves(where)))


def compile_predicate(speech: Speech, table: Table, where: Predicate) -> Clause:
    """Raises: Terminal: an unknown field, or more values than one statement takes."""
    if isinstance(where, Leaf):
        clause = _leaf(speech, table, where)
        return clause if speech.is_proven else Clause(clause.sql, clause is NOTHING)
    parts = [compile_predicate(speech, table, part) for part in where.parts]
    exact = all(part.exact for part in parts)
    if isinstance(where, All):
        return Clause(sa.and_(sa.true(), *(part.sql for part in parts)), exact)
    return Clause(sa.or_(sa.false(), *(part.sql for part in parts)), exact)


def is_indexed(speech: Speech, table: Table, where: Predicate) -> bool:
    """Whether an index answers the predicate, so that the collection need not be read in slices."""
    if isinstance(where, All):
        return any(is_indexed(speech, table, part) for part in where.parts)
    if isinstance(where, Any):
        return all(is_indexed(speech, table, part) for part in where.parts)
    field = table.fields.get(where.field)
    if field is None:
        return False
    if where.op in {PredicateOp.EQ, PredicateOp.IN, PredicateOp.BETWEEN}:
        return field.indexed and (speech.brand is not Brand.SQLITE or not field.case_insensitive)
    if where.op not in {PredicateOp.EQ_CI, PredicateOp.IN_CI}:
        return False
    by_column = field.indexed and (
        field.type not in TEXT_LIKE or (speech.brand in {Brand.MYSQL, Brand.MSSQL} and field.case_insensitive)
    )
    return by_column or _has_folded_index(table, field.path)


def _has_folded_index(table: Table, path: str) -> bool:
    starts = (f"lower({path}", f"lower(({path}")
    return any((index.expression or "").replace('"', "").startswith(starts) for index in table.collection.indexes)


def _column(table: Table, path: str) -> str:
    if path in table.fields:
        return path
    column = split_path(path)[0]
    if column not in table.fields:
        raise Terminal("unknown_field")
    return column


def _leaf(speech: Speech, table: Table, leaf: Leaf) -> Clause:
    column = _column(table, leaf.field)
    if column != leaf.field or leaf.op in {PredicateOp.JSON_ANY, PredicateOp.ARRAY_HAS}:
        return _document(speech, table, column, leaf)
    if leaf.op in {PredicateOp.EQ, PredicateOp.EQ_CI, PredicateOp.IN, PredicateOp.IN_CI, PredicateOp.JSON_EQ}:
        several = leaf.op in {PredicateOp.IN, PredicateOp.IN_CI} and isinstance(leaf.value, tuple | list)
        wanted = list(leaf.value) if several and isinstance(leaf.value, tuple | list) else [leaf.value]
        if len(wanted) > speech.max_in:
            raise Terminal("too_many_values")
        ci = leaf.op in {PredicateOp.EQ_CI, PredicateOp.IN_CI, PredicateOp.JSON_EQ}
        return _equal(speech, table, column, [one for one in wanted if one is not None], ci=ci)
    if leaf.op is PredicateOp.BETWEEN:
        return _between(speech, table, column, leaf.value)
    return _text(speech, table, column, leaf)


def _text(speech: Speech, table: Table, column: str, leaf: Leaf) -> Clause:
    wanted = text_of(leaf.value)
    kind = table.fields[column].type
    is_plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    if kind is FieldType.BINARY and speech.brand is not Brand.SQLITE and not (is_plain and speech.spells_bytes):
        # these servers spell bytes in ways of their own; short cells are looked at here
        return Clause(speech.size(table, column) <= BINARY_INLINE, False)
    if not _can_hold(speech, wanted):
        return NOTHING
    exact = kind is FieldType.TEXT
    text = speech.text(table, column)
    if leaf.op is PredicateOp.DIGITS_END:
        pattern = digits_pattern(wanted)
        return NOTHING if pattern is None else Clause(speech.digits(text, pattern), exact)
    folded = fold(wanted)
    held = speech.folded(text, folded)
    push: Callable[[Expression, str], Expression] = (
        speech.starts if leaf.op is PredicateOp.PREFIX_CI else speech.contains
    )
    ways = push(held, folded)
    if kind is FieldType.INSTANT and "t" in folded:
        ways = sa.or_(ways, push(held, folded.replace("t", " ")))  # servers write a blank where ISO has its T
    return Clause(ways, exact)


def _equal(speech: Speech, table: Table, column: str, wanted: list[Value], *, ci: bool) -> Clause:
    field = table.fields[column]
    if not wanted:
        return NOTHING
    if speech.brand is Brand.SQLITE:
        return _equal_sqlite(speech, table, column, wanted, ci=ci)
    if field.type in {FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN}:
        numbers = [number for one in wanted if (number := _as_number(field.type, one)) is not None]
        sent = [typed for one in numbers if (typed := speech.typed(field, one)) is not None]
        return Clause(table.column(column).in_(sent), field.type is not FieldType.NUMBER) if sent else NOTHING
    if field.type in TEXT_LIKE:
        return _equal_text(speech, table, column, [text_of(one) for one in wanted], ci=ci)
    if field.type in {FieldType.JSON, FieldType.ARRAY}:
        parts = [_spelled(speech, table, column, one) for one in wanted]
        return Clause(sa.or_(*parts), False)
    return _equal_typed(speech, table, column, wanted)


def _equal_typed(speech: Speech, table: Table, column: str, wanted: list[Value]) -> Clause:
    """Dates, instants, ids and bytes: what does not read as the column's type equals nothing in it."""
    field = table.fields[column]
    if not speech.compares(field):
        return Clause(table.column(column).is_not(None), False)
    sent = []
    for one in wanted:
        text = text_of(one)
        if field.type is not FieldType.BINARY and not _reads_as(field.type, text):
            continue
        typed = speech.typed(field, one if field.type is FieldType.BINARY else text.replace("T", " "))
        if typed is not None:
            sent.append(typed)
    return Clause(table.column(column).in_(sent), False) if sent else NOTHING


def _equal_text(speech: Speech, table: Table, column: str, wanted: list[str], *, ci: bool) -> Clause:
    field = table.fields[column]
    wanted = [one for one in wanted if _can_hold(speech, one)]
    if not wanted:
        return NOTHING
    text = speech.text(table, column)
    if ci:
        folded = sorted({fold(one) for one in wanted})
        clause = speech.same_of(speech.folded(text, "".join(folded)), folded)
    else:
        clause = speech.same_of(text, wanted)
    if speech.narrows(field, ci=ci):
        clause = sa.and_(table.column(column).in_([bind(one) for one in wanted]), clause)
    return Clause(clause, field.type is FieldType.TEXT)


def _equal_sqlite(speech: Speech, table: Table, column: str, wanted: list[Value], *, ci: bool) -> Clause:
    held = table.column(column)
    texts = [text for one in wanted if is_sendable(text := text_of(one))]
    numbers = [number for one in wanted if (number := _as_number(FieldType.NUMBER, one)) is not None]
    ways: list[Expression] = []
    if ci and texts:
        folded = sorted({fold(one) for one in texts})
        ways.append(speech.folded(held, "".join(folded)).in_([bind(one) for one in folded]))
    elif texts:
        equal = held.collate("BINARY").in_([bind(one) for one in texts])
        # a numeric column would read "017" as 17 before it compares
        ways.append(
            equal if table.fields[column].type is FieldType.TEXT else sa.and_(sa.func.typeof(held) == "text", equal)
        )
    sent = [int(one) if one == one.to_integral_value() else float(one) for one in numbers]
    ways.extend(held == bind(one) for one in sent if not isinstance(one, int) or abs(one) < 2**63)
    if table.fields[column].type in {FieldType.BINARY, FieldType.OTHER}:
        ways.extend(held == bind(text.encode()) for text in texts)
        ways.extend(held == bind(one) for one in wanted if isinstance(one, bytes))
    return Clause(sa.or_(sa.false(), *ways), True)


def _between(speech: Speech, table: Table, column: str, value: Value) -> Clause:
    if not isinstance(value, tuple | list) or len(value) != 2 or None in value:
        return NOTHING
    kind, held = table.fields[column].type, table.column(column)
    numbers = [number for one in value if (number := _as_number(FieldType.NUMBER, one)) is not None]
    if kind in {FieldType.INTEGER, FieldType.NUMBER} or (speech.brand is Brand.SQLITE and len(numbers) == 2):
        if len(numbers) < 2:
            return NOTHING
        low, high = (float(one) for one in numbers) if speech.brand is Brand.SQLITE else numbers
        return Clause(held.between(bind(low), bind(high)), False)
    texts = [text_of(one) for one in value]
    if kind in TEXT_LIKE or speech.brand is Brand.SQLITE:
        if not all(_can_hold(speech, text) for text in texts):
            return NOTHING
        ordered = speech.ordered(table, column)
        return Clause(sa.and_(ordered >= bind(texts[0]), ordered <= bind(texts[1])), False)
    if kind in {FieldType.JSON, FieldType.ARRAY}:
        return Clause(held.is_not(None), False)
    typed = [
        one
        for text in texts
        if _reads_as(kind, text) and (one := speech.typed(table.fields[column], text.replace("T", " "))) is not None
    ]
    return Clause(held.between(typed[0], typed[1]), False) if len(typed) == 2 else NOTHING


def _document(speech: Speech, table: Table, column: str, leaf: Leaf) -> Clause:
    """A leaf that looks into a document or array. Only SQLite decides it alone; elsewhere the spelling narrows."""
    if speech.brand is Brand.SQLITE:
        value = json.dumps(leaf.value, default=text_of)
        path = leaf.field[len(column) :]
        held = sa.cast(table.column(column), sa.LargeBinary)
        return Clause(sa.func.privacyops_document(held, leaf.op.value, path, bind(value)) == 1, True)
    if leaf.op is PredicateOp.BETWEEN:
        return Clause(table.column(column).is_not(None), False)
    if leaf.op is PredicateOp.DIGITS_END:
        pattern = digits_pattern(text_of(leaf.value))
        if pattern is None:
            return NOTHING
        # a document may end in what is no digit but part of its own syntax, which the pattern allows
        return Clause(speech.digits(speech.text(table, column), pattern), False)
    wanted = leaf.value if isinstance(leaf.value, tuple | list) else [leaf.value]
    if len(wanted) > speech.max_in:
        raise Terminal("too_many_values")
    return Clause(sa.or_(sa.false(), *(_spelled(speech, table, column, one) for one in wanted)), False)


def _spelled(speech: Speech, table: Table, column: str, wanted: Value) -> Expression:
    """The document's text holds one of the spellings JSON allows for the value."""
    if table.fields[column].type is FieldType.BINARY and not speech.is_proven:
        return table.column(column).is_not(None)  # bytes are no text to these servers, and are looked at here
    text = speech.text(table, column)
    number = _as_number(FieldType.NUMBER, wanted)
    if number is not None:
        spelled = speech.digits(text, f"(^|[^0-9]){text_of(number).replace('.', '[.]')}([^0-9]|$)")
        word = {0: "false", 1: "true"}.get(int(number) if number in {0, 1} else -1)
        return sa.or_(spelled, speech.contains(speech.folded(text, word), word)) if word else spelled
    plain = fold(text_of(wanted))
    spellings = {
        plain,
        fold(json.dumps(text_of(wanted), ensure_ascii=False)[1:-1]),
        fold(json.dumps(text_of(wanted))[1:-1]),
        fold(json.dumps(text_of(wanted))[1:-1].replace("/", "\\/")),
        fold(json.dumps(text_of(wanted), ensure_ascii=False)[1:-1].replace("/", "\\/")),
    }
    usable = [one for one in sorted(spellings) if _can_hold(speech, one)]
    return sa.or_(sa.false(), *(speech.contains(speech.folded(text, one), one) for one in usable))


def _can_hold(speech: Speech, text: str) -> bool:
    return is_sendable(text) and not (speech.brand is Brand.POSTGRESQL and "\0" in text)


def _as_number(kind: FieldType, value: Value) -> Decimal | None:
    """The number a value is or spells; "017" spells none. Integers hold no fractions, booleans 0 and 1 only."""
    try:
        number = Decimal(text_of(value)) if not isinstance(value, bytes) else Decimal("NaN")
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) > Decimal(10) ** 60:
        return None
    if isinstance(value, str) and text_of(number) != value:
        return None
    if kind is FieldType.INTEGER and number != number.to_integral_value():
        return None
    return number if kind is not FieldType.BOOLEAN or number in {0, 1} else None


def _reads_as(kind: FieldType, text: str) -> bool:
    if kind is FieldType.UUID:
        stripped = text.replace("-", "").lower()
        return len(stripped) == 32 and all(letter in "0123456789abcdef" for letter in stripped)
    if kind is FieldType.INSTANT and len(text) == len("2026-01-01"):
        return not isinstance(read_moment(FieldType.DATE, text), str)
    return not isinstance(read_moment(kind, text), str)
