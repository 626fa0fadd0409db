"""Values on their way to a driver and back."""

import json
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from privacyops.connector_sdk import FieldType, Value
from privacyops.connector_sdk.equality import text_of
from privacyops.connector_sdk.records import MAX_JSON_DEPTH


def is_sendable(text: str) -> bool:
    """Whether the text can be encoded at all; lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def plain(value: Value) -> object:
    """What every driver takes: moments and ids as text, decimals as they are spelled."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time | UUID):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else text_of(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def read_moment(kind: FieldType, text: str) -> Value:
    """A date, instant or time out of PostgreSQL's ISO text; infinity and years before Christ stay text."""
    try:
        if kind is FieldType.DATE:
            return date.fromisoformat(text)
        return time.fromisoformat(text) if kind is FieldType.TIME else datetime.fromisoformat(text)
    except ValueError:
        return text


def read_json(text: str) -> Value:
    """The document; the text itself if it is none or nests deeper than the SDK allows."""
    try:
        document: Value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return document if _depth_fits(document, MAX_JSON_DEPTH) else text


def _depth_fits(value: object, left: int) -> bool:
    if isinstance(value, dict):
        return left > 0 and all(_depth_fits(part, left - 1) for part in value.values())
    if isinstance(value, list):
        return left > 0 and all(_depth_fits(part, left - 1) for part in value)
    return True
