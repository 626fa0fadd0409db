"""Rows and what points at them, as the core sees them, and their one JSON form.

Values are those a store returns. The JSON form keeps types (an instant stays an instant), so that a search that
was stopped can go on with the same keys.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from string import hexdigits
from typing import Any, Final, TypeAlias
from uuid import UUID

Scalar: TypeAlias = bool | int | float | Decimal | str | bytes | datetime | date | time | timedelta | UUID | None
UUID_BYTES: Final = 16

Value: TypeAlias = "Scalar | Blob | tuple[Value, ...] | Mapping[str, Value]"
Key: TypeAlias = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, repr=False)
class Blob:
    """A cell that is too large or too opaque to be a value: it is read as a stream, through its store.

    `bytes` is None where the store does not tell the size without reading.
    """

    field: str
    name: str
    media_type: str
    bytes: int | None

    def __repr__(self) -> str:
        return f"Blob({self.field!r}, {self.media_type!r}, {self.bytes})"


@dataclass(frozen=True, repr=False)
class RowRef:
    """One row of one store by its key; a row without a key is named by all its scalar columns.

    `repr` shows the names of the key's columns and never their values.
    """

    store: str
    collection: str
    key: Key
    version: str | None = None

    @cached_property
    def id(self) -> str:
        """Names the row within its store: equal rows have equal ids, whatever driver brought them."""
        return row_id(self.collection, self.key)

    def __repr__(self) -> str:
        return f"RowRef({self.store!r}, {self.collection!r}, key of {', '.join(name for name, _ in self.key)})"


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """A row with the fields that were asked for; `matched` are the ids of the leaves it fits."""

    ref: RowRef
    values: Mapping[str, Value]
    matched: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Row({self.ref!r}, {', '.join(self.values)})"


def row_id(collection: str, key: Key) -> str:
    """32 hex characters that stand for a row; nothing of the key can be read from them."""
    return blake2b(canonical((collection, tuple(sorted(key)))).encode(), digest_size=16).hexdigest()


def canonical(value: Value) -> str:
    """The one text of a value: 17, 17.0 and Decimal("17.00") are one, text stays text."""
    return json.dumps(_plain(value), ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def is_empty(value: Value) -> bool:
    """Whether a cell holds nothing, or a text without letters."""
    return value is None or value == ""


def spelled(value: Value) -> str:
    """The text a comparison of keys sees: "17" and 17 are one, as between a text and a number column."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes) and len(value) == UUID_BYTES:
        return str(UUID(bytes=value))  # kept as bytes in one table and written out in the next
    if isinstance(value, tuple | Mapping | bytes):
        return canonical(value)
    return "" if value is None else str(value)


def uuid_bytes(text: str) -> bytes | None:
    """The bytes of a UUID that is written out, with dashes or without; None: it is none."""
    form = dashed(text)
    try:
        return UUID(form).bytes if form.count("-") == 4 else None
    except ValueError:
        return None


def dashed(text: str) -> str:
    """A UUID written without its dashes or in capitals as `spelled` writes those kept as bytes; others as they are."""
    plain = text.replace("-", "") if len(text) == len(str(UUID(int=0))) else text
    if len(plain) != 2 * UUID_BYTES or not all(sign in hexdigits for sign in plain):
        return text
    return str(UUID(plain))


def encode(value: Value) -> Any:
    """`value` as JSON that `decode` turns back into an equal value of the same type."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {"$": "map", "v": {name: encode(part) for name, part in value.items()}}
    if isinstance(value, tuple | list):
        return {"$": "list", "v": [encode(part) for part in value]}
    if isinstance(value, Blob):
        return {"$": "blob", "v": [value.field, value.name, value.media_type, value.bytes]}
    if isinstance(value, bytes):
        return {"$": "bytes", "v": value.hex()}
    if isinstance(value, timedelta):
        return {"$": "timedelta", "v": value / timedelta(microseconds=1)}
    if isinstance(value, datetime | date | time):
        return {"$": type(value).__name__, "v": value.isoformat()}
    return {"$": "decimal" if isinstance(value, Decimal) else "uuid", "v": str(value)}


def decode(value: Any) -> Value:
    """The inverse of `encode`."""
    if not isinstance(value, dict):
        plain: Value = value
        return plain
    kind, inner = value["$"], value["v"]
    if kind == "map":
        return {name: decode(part) for name, part in inner.items()}
    if kind == "list":
        return tuple(decode(part) for part in inner)
    if kind == "blob":
        return Blob(*inner)
    scalar: Value = _SCALARS[kind](inner)
    return scalar


_SCALARS: Mapping[str, Any] = {
    "bytes": bytes.fromhex,
    "timedelta": lambda text: timedelta(microseconds=text),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
}


def encode_key(key: Key) -> list[list[Any]]:
    """A key as JSON."""
    return [[name, encode(value)] for name, value in key]


def decode_key(key: list[list[Any]]) -> Key:
    """The inverse of `encode_key`."""
    return tuple((name, decode(value)) for name, value in key)


def _plain(value: Value) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float | Decimal):
        return ["n", _number(value)]
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return ["a", [_plain(part) for part in value]]
    if isinstance(value, bytes):
        return ["b", value.hex()]
    if isinstance(value, datetime | date | time):
        return ["t", value.isoformat()]
    if isinstance(value, Blob):
        return ["blob", value.field, value.name, value.bytes]
    return ["o", str(value)]


def _number(value: int | float | Decimal) -> str:
    if isinstance(value, int):
        return str(value)
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return str(exact)
    text = format(exact, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
