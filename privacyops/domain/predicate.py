"""What the core asks of a row. The host translates it for a store and filters what the store cannot do itself.

A field may lead into a document: `payload$.customer.id`, `payload$.items[*].sku`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from privacyops.domain.record import Value


class PredicateOp(StrEnum):
    """The operators; their meaning is fixed once, in the connector SDK."""

    EQ = "eq"
    EQ_CI = "eq_ci"
    IN = "in"
    IN_CI = "in_ci"
    PREFIX_CI = "prefix_ci"
    CONTAINS_CI = "contains_ci"
    DIGITS_END = "digits_end"
    JSON_EQ = "json_eq"
    JSON_ANY = "json_any"
    ARRAY_HAS = "array_has"
    BETWEEN = "between"


@dataclass(frozen=True, slots=True, repr=False)
class Leaf:
    """One comparison; `id` comes back with every row that fits it. `value` is a tuple for in, in_ci and between."""

    id: str
    field: str
    op: PredicateOp
    value: Value

    def __repr__(self) -> str:
        return f"Leaf({self.id!r}, {self.field!r}, {self.op.value})"


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts, every row fits."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Some part holds; without parts, no row fits."""

    parts: tuple["Predicate", ...]


Predicate: TypeAlias = All | Any | Leaf


def any_of(parts: Iterable[Predicate]) -> Predicate:
    """The parts OR-ed; a single part is itself."""
    several = tuple(parts)
    return several[0] if len(several) == 1 else Any(several)


def fields_of(where: Predicate) -> Iterator[str]:
    """Every field the predicate looks at, with repeats."""
    if isinstance(where, Leaf):
        yield where.field
    else:
        for part in where.parts:
            yield from fields_of(part)


def column_of(path: str) -> str:
    """The column a path begins in: `payload` for `payload$.user.email`."""
    cut = min((at for at in (path.find("$."), path.find("$[")) if at > 0), default=-1)
    return path if cut < 0 else path[:cut]
