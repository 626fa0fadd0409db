"""What SQLite lacks: folding beyond ASCII, phone digits, JSON comparison and a row's digest, as SQL
functions.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import md5
from typing import Any, Final

from privacyops.connector_sdk import Leaf, PredicateOp, Value, matches
from privacyops.connector_sdk.equality import fold, text_of
from privacyops.connector_sdk.predicate import as_document


def _fold(value: Value) -> str | None:
    return None if value is None else fold(text_of(value))


def _digits(value: Value, pattern: str) -> int:
    return int(value is not None and re.search(pattern, text_of(value)) is not None)


def _document(value: Value | None, op: str, path: str, wanted: str) -> int:
    if value is None:
        return 0
    held: Value | None = value
    if path and isinstance(value, str):
        needle = _needle(wanted)
        if needle and "\\" not in value and needle not in fold(value):
            return 0
        held = _parsed(value)
    return int(matches(_leaf(op, path, wanted), {"_": held}))


@lru_cache(maxsize=256)
def _needle(wanted: str) -> str:
    """What stands, folded, in every document without escapes that holds the wanted text; empty: nothing need.

    A number may be spelled in several ways, and what looks like a document is compared as one.
    """
    text = json.loads(wanted)
    is_plain = isinstance(text, str) and any(map(str.isalpha, text)) and text[0] not in "[{" and text.isprintable()
    return fold(text) if is_plain and not set(text) & set('"\\') else ""


@lru_cache(maxsize=256)
def _leaf(op: str, path: str, wanted: str) -> Leaf:
    """The comparison that a statement asks of every row."""
    return Leaf("", "_" + path, PredicateOp(op), json.loads(wanted))


@lru_cache(maxsize=4)
def _parsed(text: str) -> Value:
    """A statement asks several things of one document, one after another: it is parsed once."""
    return as_document(text)


def _digest(*values: object) -> str:
    return md5(repr(values).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


FUNCTIONS: Final[Mapping[str, tuple[int, Callable[..., object]]]] = {
    "privacyops_fold": (1, _fold),
    "privacyops_digits": (2, _digits),
    "privacyops_document": (4, _document),
    "privacyops_digest": (-1, _digest),
}


def register(connection: Any) -> None:
    """Makes the functions known to one sqlite3 connection."""
    for name, (count, function) in FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)
