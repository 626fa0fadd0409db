"""What SQLite lacks: folding beyond ASCII, phone digits, JSON comparison and a row's digest, as SQL
functions.
"""

import json
import re
from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Any, Final

from privacyops.connector_sdk import Leaf, PredicateOp, Value, matches
from privacyops.connector_sdk.predicate import fold, text_of


def _fold(value: Value) -> str | None:
    return None if value is None else fold(text_of(value))


def _digits(value: Value, pattern: str) -> int:
    return int(value is not None and re.search(pattern, text_of(value)) is not None)


def _document(value: Value, op: str, path: str, wanted: str) -> int:
    if value is None:
        return 0
    leaf = Leaf("", "_" + path, PredicateOp(op), json.loads(wanted))
    return int(matches(leaf, {"_": value}))


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
