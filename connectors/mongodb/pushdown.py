"""What the server may filter by itself: equality on indexed fields. Everything else is read and matched here.

Texts are compared by the server byte by byte, as the contract wants it; without regard to case the two differ for some
letters, so such questions are not pushed down.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from bson.decimal128 import Decimal128

from privacyops.connector_sdk import All, Leaf, Predicate, PredicateOp, Value
from privacyops.connector_sdk import Any as AnyOf
from privacyops.connector_sdk.equality import number_of, text_of
from privacyops.connector_sdk.records import number_text

LONGEST_LIST: Final = 2000


def filter_of(where: Predicate, indexed: frozenset[str]) -> Mapping[str, Any] | None:
    """A filter that selects the same documents or more, answered from indexes; None: there is none."""
    if isinstance(where, Leaf):
        return _leaf(where, indexed)
    parts = [filter_of(part, indexed) for part in where.parts]
    if isinstance(where, All):
        pushed = [part for part in parts if part is not None]
        return {"$and": pushed} if pushed else None
    assert isinstance(where, AnyOf)  # noqa: S101 - the last of three, for the type checker
    pushed = [part for part in parts if part is not None]
    return {"$or": pushed} if pushed and len(pushed) == len(parts) else None


def _leaf(leaf: Leaf, indexed: frozenset[str]) -> Mapping[str, Any] | None:
    if leaf.field not in indexed or leaf.field == "_id" or leaf.op not in {PredicateOp.EQ, PredicateOp.IN}:
        return None
    wanted = leaf.value if isinstance(leaf.value, tuple | list) else (leaf.value,)
    spelt: list[Any] = []
    for each in wanted:
        some = _spellings(each)
        if some is None:
            return None
        spelt += some
    return {leaf.field: {"$in": spelt}} if len(spelt) <= LONGEST_LIST else None


def _spellings(wanted: Value) -> list[Any] | None:
    """Every stored value that `eq` takes for equal; None: they cannot be told."""
    if isinstance(wanted, str):
        number = _number(wanted)
        return [wanted] if number is None else [wanted, *_numbers(number)]
    if isinstance(wanted, bool | int | float | Decimal):
        exact = number_of(wanted)
        if exact is None or (isinstance(wanted, float) and not math.isfinite(wanted)):
            return None
        return [text_of(wanted), *_numbers(exact)]
    return [wanted, wanted.isoformat()] if isinstance(wanted, datetime) else None


def _number(text: str) -> Decimal | None:
    """The number that has exactly this text."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number_text(number) == text else None


def _numbers(number: Decimal) -> list[Any]:
    found: list[Any] = [float(number)]
    if number == int(number) and abs(number) < 2**63:
        found.append(int(number))
    if number in {0, 1}:
        found.append(bool(number))
    try:
        found.append(Decimal128(number))
    except (InvalidOperation, ValueError):
        return found
    return found
