"""What the cluster may filter by itself: equality on fields that are indexed exactly as they were written."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from connectors.search.shapes import WHOLE_NUMBERS
from privacyops.connector_sdk import All, Leaf, Predicate, PredicateOp, Value
from privacyops.connector_sdk import Any as AnyOf

LONGEST_LIST: Final = 1000
LONGEST_TERM: Final = 8000
_SPELT: Final = frozenset({"true", "false"})


def query_of(where: Predicate, exact: Mapping[str, str]) -> Mapping[str, Any] | None:
    """A query that selects the same documents or more; None: there is none."""
    if isinstance(where, Leaf):
        return _leaf(where, exact)
    parts = [query_of(part, exact) for part in where.parts]
    pushed = [part for part in parts if part is not None]
    if isinstance(where, All):
        return {"bool": {"filter": pushed}} if pushed else None
    assert isinstance(where, AnyOf)  # noqa: S101 - the last of three, for the type checker
    whole = bool(pushed) and len(pushed) == len(parts)
    return {"bool": {"should": pushed, "minimum_should_match": 1}} if whole else None


def _leaf(leaf: Leaf, exact: Mapping[str, str]) -> Mapping[str, Any] | None:
    kind = exact.get(leaf.field)
    if kind is None or leaf.op not in {PredicateOp.EQ, PredicateOp.IN}:
        return None
    wanted = leaf.value if isinstance(leaf.value, tuple | list) else (leaf.value,)
    terms = [_term(each, kind) for each in wanted]
    if not terms or len(terms) > LONGEST_LIST or any(term is None for term in terms):
        return None
    return {"terms": {leaf.field: terms}}


def _term(wanted: Value, kind: str) -> str | int | None:
    """How the index spells a value that `eq` takes for equal; None: in more than one way, or none."""
    if kind in WHOLE_NUMBERS:
        whole = isinstance(wanted, int) and not isinstance(wanted, bool)
        is_digits = isinstance(wanted, str) and wanted.isascii() and wanted.isdigit() and len(wanted) < 18
        return int(str(wanted)) if (whole and abs(int(str(wanted))) < 2**31) or is_digits else None
    if not isinstance(wanted, str) or wanted in _SPELT or not wanted or len(wanted.encode()) > LONGEST_TERM:
        return None
    try:
        Decimal(wanted)
    except InvalidOperation:
        return wanted
    return None  # a number has several spellings
