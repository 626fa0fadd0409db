"""When two values are equal, whatever driver brought them: a number equals the text that spells it, 17 equals 17.0."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

from privacyops.connector_sdk.records import Value, number_text


def fold(text: str) -> str:
    """How case is disregarded: Unicode lower case, with one small sigma."""
    return text.lower().replace("\u03c2", "\u03c3")


def text_of(value: Value) -> str:
    """The text a comparison sees: numbers without trailing zeros, instants in ISO form, documents as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float | Decimal):
        return number_text(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def number_of(value: Value) -> Decimal | None:
    """The finite number that the value is; None: it is none. True is 1; a float is what its shortest text spells."""
    if not isinstance(value, bool | int | float | Decimal):
        return None
    if isinstance(value, float):
        number = Decimal(repr(value))
    else:
        number = value if isinstance(value, Decimal) else Decimal(value)
    return number if number.is_finite() else None


def equal(held: Value, wanted: Value) -> bool:
    """The operator `eq`. None equals nothing."""
    if held is None or wanted is None:
        return False
    if isinstance(held, str) and isinstance(wanted, str):
        return held == wanted
    one, other = number_of(held), number_of(wanted)
    if one is not None and other is not None:
        return one == other
    if isinstance(held, datetime) and isinstance(wanted, datetime):
        return (held.tzinfo is None) == (wanted.tzinfo is None) and held == wanted
    if isinstance(held, UUID) or isinstance(wanted, UUID):
        return fold(text_of(held)) == fold(text_of(wanted))
    return text_of(held) == text_of(wanted)


def equal_ci(held: Value, wanted: Value) -> bool:
    """The operator `eq_ci`: two texts without regard to case, all else as in `equal`."""
    if isinstance(held, str) and isinstance(wanted, str):
        return fold(held) == fold(wanted)
    return equal(held, wanted)


class OneOf:
    """Whether a value equals one of many, at the cost of one look-up for texts and numbers.

    The same answer as `equal` (or `equal_ci`) with each in turn, which a search asks of thousands of rows.
    """

    def __init__(self, wanted: Iterable[Value], *, folds: bool) -> None:
        self._each = tuple(one for one in wanted if one is not None)
        self._folds = folds
        self._texts = {fold(one) if folds else one for one in self._each if isinstance(one, str)}
        numbers = {number for one in self._each if (number := number_of(one)) is not None}
        self._numbers = numbers
        plain = [one for one in self._each if not isinstance(one, UUID)]
        self._spelt_beside_text = {text_of(one) for one in plain if not isinstance(one, str)}
        self._spelt_beside_number = {text_of(one) for one in plain if number_of(one) is None}
        self._ids = {fold(text_of(one)) for one in self._each if isinstance(one, UUID)}

    def has(self, held: Value) -> bool:
        """Whether `held` is one of them."""
        if isinstance(held, str):
            known = fold(held) if self._folds else held
            return known in self._texts or held in self._spelt_beside_text or self._is_id(held)
        number = number_of(held)
        if number is not None:
            if number in self._numbers:
                return True
            text = text_of(held)
            return text in self._spelt_beside_number or self._is_id(text)
        return any(equal(held, one) for one in self._each)

    def _is_id(self, text: str) -> bool:
        return bool(self._ids) and fold(text) in self._ids
