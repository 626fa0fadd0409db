"""What a search asks of one row, and the one meaning of each operator.

`matches` is the reference: what a store pushes down must select the same rows, and what it cannot push down
the host filters with it. Case is folded by Unicode lower case; accents and blanks count, except where an
operator says otherwise.

A field may lead into JSON: `payload$.customer.id`, `payload$.items[*].sku`, `payload$[0]`. A column whose own
name looks like that is taken first.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Final, TypeAlias

from privacyops.connector_sdk.equality import OneOf, equal, equal_ci, fold, number_of, text_of
from privacyops.connector_sdk.records import MAX_JSON_DEPTH, Value


class PredicateOp(StrEnum):
    """The operators. Values are bound, never spliced."""

    EQ = "eq"
    """Equal. A number equals the text that spells it (17 and "17", not "017"); True equals 1."""
    EQ_CI = "eq_ci"
    """Equal texts without regard to case."""
    IN = "in"
    """`eq` with one of the values."""
    IN_CI = "in_ci"
    """`eq_ci` with one of the values."""
    PREFIX_CI = "prefix_ci"
    """The text begins with the value, without regard to case."""
    CONTAINS_CI = "contains_ci"
    """The text contains the value, without regard to case."""
    DIGITS_END = "digits_end"
    """The text holds a number that ends with the value's digits: up to four of `blank ( ) . / + -` may
    stand between two digits, and no digit follows. Meets `+55 (12) 3923-5555` with `551239235555` and with
    `39235555`, in a phone column and in running text. A value with fewer than four digits matches nothing.
    """
    JSON_EQ = "json_eq"
    """Some value at the field's path equals the given one as in `eq_ci` (text) or `eq` (all else)."""
    JSON_ANY = "json_any"
    """Some scalar anywhere in the document or array equals the given one, as in `json_eq`."""
    ARRAY_HAS = "array_has"
    """Some element of the array (or JSON array) equals the given one, as in `json_eq`."""
    BETWEEN = "between"
    """`low <= field <= high`, both ends included, of one type."""


@dataclass(frozen=True)
class All:
    """Every part holds. Without parts: every row."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True)
class Any:
    """Some part holds. Without parts: no row."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, repr=False)
class Leaf:
    """One comparison. `id` comes back in `Hit.matched`; `value` is a tuple for in, in_ci and between."""

    id: str
    field: str
    op: PredicateOp
    value: Value

    def __repr__(self) -> str:
        return f"Leaf({self.id!r}, {self.field!r}, {self.op.value})"

    @cached_property
    def one_of(self) -> OneOf:
        """The values of in and in_ci, made ready once for all rows."""
        return OneOf(_several(self.value), folds=self.op is PredicateOp.IN_CI)


Predicate: TypeAlias = All | Any | Leaf

EVERY_ROW: Final = All(())
"""The predicate that every row fits."""


def leaves(where: Predicate) -> Iterator[Leaf]:
    """Every leaf, in order."""
    if isinstance(where, Leaf):
        yield where
    else:
        for part in where.parts:
            yield from leaves(part)


def matches(where: Predicate, values: Mapping[str, Value]) -> bool:
    """Whether the row fits. A field that is absent or None fits no leaf."""
    if isinstance(where, All):
        return all(matches(part, values) for part in where.parts)
    if isinstance(where, Any):
        return any(matches(part, values) for part in where.parts)
    return _leaf_holds(where, values)


def matched(where: Predicate, values: Mapping[str, Value]) -> tuple[str, ...]:
    """The ids of the leaves that hold for this row, in order; empty does not mean that the row does not
    fit.
    """
    return tuple(leaf.id for leaf in leaves(where) if _leaf_holds(leaf, values))


@lru_cache(maxsize=4096)
def split_path(field: str) -> tuple[str, tuple[str | int, ...]]:
    """Column and steps of a field path: `p$.a[*].b` gives ("p", ("a", "*", "b")); `[0]` is the integer 0.

    A plain column has no steps. Steps that cannot be read leave the whole text as the column's name.
    """
    cut = min((at for at in (field.find("$."), field.find("$[")) if at > 0), default=-1)
    if cut < 0:
        return field, ()
    steps: list[str | int] = []
    rest = field[cut + 1 :]
    while rest:
        step = _STEP.match(rest)
        if step is None:
            return field, ()
        name, quoted, index = step.groups()
        steps.append(name if name is not None else json.loads(quoted) if quoted else _index(index))
        rest = rest[step.end() :]
    return field[:cut], tuple(steps)


_STEP = re.compile(r"""\.([^.\[\]"]+)|\.("(?:[^"\\]|\\.)*")|\[(\*|\d{1,9})\]""")


def _index(text: str) -> str | int:
    return text if text == "*" else int(text)


def join_path(column: str, steps: tuple[str | int, ...]) -> str:
    """The field path of column and steps; the inverse of `split_path`."""
    text = column + ("$" if steps else "")
    for step in steps:
        if step == "*" or isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"""[^.\[\]"]+""", step):
            text += f".{step}"
        else:
            text += f".{json.dumps(step)}"
    return text


def digits(text: str) -> str:
    """The decimal digits of a text, ASCII only."""
    return "".join(character for character in text if character in "0123456789")


SEPARATORS: Final = " ()./+-\u00a0"
"""What may stand between two digits of one phone number."""


def digits_pattern(value: str) -> str | None:
    """A regular expression for `digits_end`, in the dialect common to Python, PostgreSQL, MariaDB and MySQL.

    None: fewer than four digits, which matches nothing.
    """
    wanted = digits(value)
    if len(wanted) < 4:
        return None
    return "[ ()./+\u00a0-]{0,4}".join(wanted) + "([^0-9]|$)"


def _leaf_holds(leaf: Leaf, values: Mapping[str, Value]) -> bool:  # noqa: PLR0911 - one line an operator
    held = value_at(leaf.field, values)
    op, wanted = leaf.op, leaf.value
    if op is PredicateOp.EQ:
        return any(equal(one, wanted) for one in held)
    if op is PredicateOp.EQ_CI:
        return any(equal_ci(one, wanted) for one in held)
    if op is PredicateOp.IN:
        return any(leaf.one_of.has(one) for one in held)
    if op is PredicateOp.IN_CI:
        return any(leaf.one_of.has(one) for one in held)
    if op is PredicateOp.PREFIX_CI:
        return any(fold(text_of(one)).startswith(fold(text_of(wanted))) for one in held)
    if op is PredicateOp.CONTAINS_CI:
        return any(fold(text_of(wanted)) in fold(text_of(one)) for one in held)
    if op is PredicateOp.DIGITS_END:
        pattern = digits_pattern(text_of(wanted))
        return pattern is not None and any(re.search(pattern, text_of(one)) for one in held)
    if op is PredicateOp.BETWEEN:
        return any(_between(one, wanted) for one in held)
    if op is PredicateOp.JSON_EQ:
        return any(equal_ci(one, wanted) for one in held)
    deep = op is PredicateOp.JSON_ANY
    return any(equal_ci(each, wanted) for one in held for each in _elements(one, deep=deep))


def value_at(field: str, values: Mapping[str, Value]) -> tuple[Value, ...]:
    """The values that stand at a field path, None left out. A JSON text is parsed where the path leads into
    it.
    """
    if field in values:
        value = values[field]
        return () if value is None else (value,)
    column, steps = split_path(field)
    if not steps or values.get(column) is None:
        return ()
    return tuple(one for one in _walk(as_document(values[column]), steps) if one is not None)


def as_document(value: Value) -> Value:
    """A JSON text as the document it spells; any other value, and text that spells none, unchanged."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return value
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        document: Value = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return document


def _walk(value: Value, steps: tuple[str | int, ...]) -> Iterator[Value]:
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping) and isinstance(step, str) and step in value:
        yield from _walk(value[step], rest)
    elif isinstance(value, list | tuple) and step == "*":
        for part in value:
            yield from _walk(part, rest)
    elif isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        yield from _walk(value[step], rest)


def _elements(value: Value, *, deep: bool, depth: int = 0) -> Iterator[Value]:
    document = as_document(value) if depth == 0 else value
    if isinstance(document, Mapping):
        parts: Iterator[Value] = iter(document.values()) if deep else iter(())
    elif isinstance(document, list | tuple):
        parts = iter(document)
    else:
        if deep:
            yield document
        return
    for part in parts:
        if not isinstance(part, Mapping | list | tuple):
            yield part
        elif deep and depth < MAX_JSON_DEPTH:
            yield from _elements(part, deep=True, depth=depth + 1)


def _several(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _between(held: Value, wanted: Value) -> bool:
    if not isinstance(wanted, tuple | list) or len(wanted) != 2:
        return False
    one, low, high = number_of(held), number_of(wanted[0]), number_of(wanted[1])
    if one is not None and low is not None and high is not None:
        return low <= one <= high
    return _comparable(wanted[0]) <= _comparable(held) <= _comparable(wanted[1])


def _comparable(value: Value) -> str:
    return value.isoformat() if isinstance(value, datetime | date | time) else text_of(value)
