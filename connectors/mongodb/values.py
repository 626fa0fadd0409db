"""Values of documents and of the contract: what a document holds as the host sees it, and back again."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from bson import json_util
from bson.binary import Binary
from bson.decimal128 import Decimal128
from bson.errors import InvalidId
from bson.int64 import Int64
from bson.objectid import ObjectId

from privacyops.connector_sdk import BlobRef, FieldType, Terminal, Value

OTHER_KEY: Final = "bson:"
"""How a key begins that is none of the contract's values: a document, or a value of a rare type."""
SMALLEST: Final[tuple[tuple[Any, tuple[type, ...]], ...]] = (
    (-math.inf, (int, float, Decimal128)),
    ("", (str,)),
    ({}, (dict,)),
    (Binary(b""), (bytes, UUID)),
    (ObjectId("0" * 24), (ObjectId,)),
    (False, (bool,)),
    (datetime(1, 1, 1, tzinfo=UTC), (datetime,)),
)
"""The least value of each type a key may have, in the order in which the server sorts types, and the types in Python.

A comparison meets values of its own type only, so a scan goes through one type after the other.
"""


def value_of(held: Any) -> Value:
    """A document's value as one of the contract's."""
    if held is None or isinstance(held, bool | str | float | datetime | UUID):
        return held
    if isinstance(held, int):
        return int(held)
    if isinstance(held, Decimal128):
        return held.to_decimal()
    if isinstance(held, bytes):
        return bytes(held)
    if isinstance(held, Mapping):
        return {str(name): value_of(part) for name, part in held.items()}
    if isinstance(held, list | tuple):
        return tuple(value_of(part) for part in held)
    return str(held)


def row_of(document: Mapping[str, Any]) -> dict[str, Value]:
    """All fields of a document; its key as in a reference."""
    return {name: key_of(held) if name == "_id" else value_of(held) for name, held in document.items()}


def native(value: Value) -> Any:
    """A value of the contract as the driver writes it."""
    if isinstance(value, Decimal):
        return Decimal128(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Int64(value) if abs(value) > 2**31 else value
    if isinstance(value, datetime) or value is None or isinstance(value, bool | str | float | bytes | UUID):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, time | timedelta):
        return str(value)
    if isinstance(value, Mapping):
        return {name: native(part) for name, part in value.items()}
    if isinstance(value, BlobRef):
        raise Terminal("type")
    return [native(part) for part in value]


def key_of(held: Any) -> Value:
    """A document's `_id` for a reference."""
    if isinstance(held, ObjectId):
        return str(held)
    if isinstance(held, bool | str | int | float | datetime | UUID | Decimal128):
        return value_of(held)
    return OTHER_KEY + json_util.dumps(held, json_options=json_util.CANONICAL_JSON_OPTIONS)


def natives_of(key: Value) -> list[Any]:
    """What `_id` may be that a reference names: a text of 24 hexadecimal digits may stand for either kind."""
    if isinstance(key, str) and key.startswith(OTHER_KEY):
        return [json_util.loads(key.removeprefix(OTHER_KEY), json_options=json_util.CANONICAL_JSON_OPTIONS), key]
    if isinstance(key, str):
        try:
            return [ObjectId(key), key]
        except (InvalidId, TypeError):
            return [key]
    return [native(key)]


def place_of(held: Any) -> str:
    """A document's `_id` for a cursor, in full."""
    return json_util.dumps(held, json_options=json_util.CANONICAL_JSON_OPTIONS)


def read_place(text: str) -> Any:
    """Raises: Terminal: the cursor is not ours."""
    try:
        return json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS)
    except (ValueError, TypeError, KeyError):
        raise Terminal("cursor") from None


_TYPES: Final[tuple[tuple[type | tuple[type, ...], FieldType], ...]] = (
    (bool, FieldType.BOOLEAN),
    (int, FieldType.INTEGER),
    ((float, Decimal128), FieldType.NUMBER),
    ((str, ObjectId), FieldType.TEXT),
    (datetime, FieldType.INSTANT),
    (UUID, FieldType.UUID),
    (bytes, FieldType.BINARY),
    (Mapping, FieldType.JSON),
    ((list, tuple), FieldType.ARRAY),
)


def type_of(held: Any) -> FieldType:
    """The family of a value's type."""
    return next((found for kind, found in _TYPES if isinstance(held, kind)), FieldType.OTHER)
