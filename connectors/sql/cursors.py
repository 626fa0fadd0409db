"""Page keys as a cursor's text, and back."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from privacyops.connector_sdk import Cursor, Terminal
from privacyops.connector_sdk.records import CursorTooLong

_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "n": Decimal,
    "b": bytes.fromhex,
    "i": datetime.fromisoformat,
    "d": date.fromisoformat,
    "t": time.fromisoformat,
    "u": UUID,
}


def seal(position: tuple[Any, ...] | None) -> Cursor:
    """The cursor of a page key; None is the end. Raises: Terminal: the key is longer than a cursor may be."""
    text = json.dumps(None if position is None else [_tagged(value) for value in position], ensure_ascii=False)
    try:
        return Cursor(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))
    except CursorTooLong:
        raise Terminal("key_too_long") from None


def unseal(cursor: Cursor) -> tuple[Any, ...] | None:
    """The page key. Raises: Terminal: this is no cursor of ours."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if parts is None:
            return None
        return tuple(_READERS[part[0]](part[1]) if isinstance(part, list) else part for part in parts)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        raise Terminal("cursor_unreadable") from None


def _tagged(value: Any) -> object:
    if isinstance(value, Decimal):
        return ["n", str(value)]
    if isinstance(value, bytes):
        return ["b", value.hex()]
    if isinstance(value, datetime):
        return ["i", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    if isinstance(value, time):
        return ["t", value.isoformat()]
    return ["u", str(value)] if isinstance(value, UUID) else value
