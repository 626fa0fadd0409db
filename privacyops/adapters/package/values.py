"""One value in each of the formats. JSON keeps it exactly; CSV keeps it safe; pages keep it readable."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from privacyops.domain.package.contents import Value

_EXACT_INTEGER: Final = 2**53 - 1  # above it JavaScript and many other readers round
_LONGEST_INTEGER: Final = 4_000  # bits; Python refuses to write larger ones in decimal digits
_LONGEST_DECIMAL: Final = 60


def exact(value: Value) -> Any:
    """`value` in JSON terms, nothing lost: dates in ISO 8601, bytes in base 64, exact numbers as digits in a string
    where a JSON number would be rounded by common readers.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_INTEGER else _digits(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return decimal_digits(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(name): exact(item) for name, item in value.items()}
    return [exact(item) for item in value]


def kind_of(value: Value) -> dict[str, Any]:
    """The JSON Schema of what `exact` makes of `value`."""
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer"} if abs(value) <= _EXACT_INTEGER else {"type": "string", "format": "integer"}
    if isinstance(value, float):
        return {"type": "number"} if math.isfinite(value) else {"type": "string"}
    simple: tuple[tuple[type, dict[str, Any]], ...] = (
        (str, {"type": "string"}),
        (Decimal, {"type": "string", "format": "decimal"}),
        (datetime, {"type": "string", "format": "date-time"} if _zoned(value) else {"type": "string"}),
        (date, {"type": "string", "format": "date"}),
        (time, {"type": "string"}),
        (bytes, {"type": "string", "contentEncoding": "base64"}),
        (type(None), {"type": "null"}),
        (Mapping, {"type": "object"}),
    )
    return next((schema for of, schema in simple if isinstance(value, of)), {"type": "array"})


def json_text(value: Any) -> str:
    """Compact JSON in UTF-8; a lone surrogate, which UTF-8 cannot carry, is escaped and so survives."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text


def decimal_digits(value: Decimal) -> str:
    """All digits without an exponent, unless that would be absurdly long."""
    if not value.is_finite() or abs(value.adjusted()) > _LONGEST_DECIMAL:
        return str(value)
    return format(value, "f")


def plain(value: Value) -> tuple[str, bool]:
    """`value` as one line of text for a cell, and True if it is a number, which needs no guard."""
    if value is None:
        return "", False
    if isinstance(value, bool):
        return ("true" if value else "false"), False
    if isinstance(value, int):
        return _digits(value), value.bit_length() <= _LONGEST_INTEGER
    if isinstance(value, float):
        return repr(value), math.isfinite(value)
    if isinstance(value, Decimal):
        return decimal_digits(value), value.is_finite() and abs(value.adjusted()) <= _LONGEST_DECIMAL
    made = exact(value)
    return (made if isinstance(made, str) else json_text(made)), False


def _digits(value: int) -> str:
    return str(value) if value.bit_length() <= _LONGEST_INTEGER else hex(value)


def _zoned(value: Value) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None
