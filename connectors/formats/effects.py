"""What an act makes of a cell, computed before anything is written, or the reason why it cannot be done here."""

import ipaddress
import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from privacyops.connector_sdk import (
    Act,
    BlobRef,
    Constant,
    Delete,
    Generalise,
    GeneralKind,
    Given,
    Keep,
    Null,
    RandomToken,
    RedactSpan,
    Replacement,
    Set,
    Unlink,
    Value,
)
from privacyops.connector_sdk.effects import BLACK, NotPossible, Token

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def touched(act: Act) -> tuple[str, ...]:
    """The fields an act changes; a delete takes the row. Raises: NotPossible: an act that files do not take."""
    if isinstance(act, Delete):
        return ()
    if isinstance(act, Set):
        return tuple(act.fields)
    if isinstance(act, Keep):
        return tuple(act.cut)
    if isinstance(act, Unlink | RedactSpan):
        return (act.field,)
    raise NotPossible("unsupported", "delete_or_redact")


def new_value(act: Act, field: str, held: Value) -> Value:
    """What the cell becomes; random tokens are drawn anew. Raises: NotPossible: see the code."""
    if isinstance(act, RedactSpan):
        return redacted(held, act.spans)
    if isinstance(act, Unlink):
        return act.to
    return _replaced(_replacement(act, field), held)


def is_done(act: Act, field: str, held: Value) -> bool:
    """Whether the cell is as the act leaves cells, so that doing it again would change nothing."""
    if isinstance(act, RedactSpan):
        return isinstance(held, str) and redacted(held, act.spans) == held
    if isinstance(act, Unlink):
        return _same(held, act.to)
    replacement = _replacement(act, field)
    if isinstance(replacement, RandomToken):
        return Token(replacement.template, replacement.length).fits(held)
    try:
        return _same(_replaced(replacement, held), held)
    except NotPossible:
        return False


def _same(one: Value, other: Value) -> bool:
    """A CSV file cannot tell an empty cell from an empty text, nor a number from its digits."""
    return one == other or ("" if one is None else str(one)) == ("" if other is None else str(other))


def _replacement(act: Act, field: str) -> Replacement:
    if isinstance(act, Set):
        return act.fields[field]
    if isinstance(act, Keep):
        return act.cut[field]
    raise NotPossible("unsupported", "delete_or_redact")


def _replaced(replacement: Replacement, held: Value) -> Value:
    if isinstance(replacement, Null):
        return None
    if isinstance(replacement, Constant | Given):
        if isinstance(replacement.value, BlobRef | bytes):
            raise NotPossible("type", "use_a_text")
        return replacement.value
    if isinstance(replacement, RandomToken):
        if replacement.template.count("{r}") != 1 or replacement.length < 6:
            raise NotPossible("template", "use_a_longer_token")
        return Token(replacement.template, replacement.length).draw()
    if isinstance(replacement, Generalise):
        return held if held in (None, "") else _general(replacement.kind, held)
    raise NotPossible("unsupported_replacement", "use_random_token")


def _general(kind: GeneralKind, held: Value) -> Value:
    text = str(held)
    try:
        if kind is GeneralKind.POSTCODE_PREFIX:
            return text[:2]
        if kind is GeneralKind.IP_PREFIX:
            address = ipaddress.ip_address(text)
            bits = 24 if address.version == 4 else 48
            return str(ipaddress.ip_network((address, bits), strict=False).network_address)
        if kind is GeneralKind.BIRTH_YEAR and re.fullmatch(r"\d{4}", text):
            return held
        if not _DAY.match(text):
            raise NotPossible("type", "use_null_or_constant")
        day = date.fromisoformat(text[:10])
        day = day.replace(month=1, day=1) if kind is GeneralKind.BIRTH_YEAR else day
        return day.isoformat() + (f"{text[10]}00:00:00" if len(text) > 10 else "")
    except ValueError:
        raise NotPossible("type", "use_null_or_constant") from None


def redacted(held: Value, spans: tuple[tuple[int, int], ...]) -> str:
    """The text with each span blacked out. Raises: NotPossible: no text, or a span outside of it."""
    if not isinstance(held, str):
        raise NotPossible("type", "delete")
    end = 0
    for start, stop in sorted(spans):
        if start < end or stop <= start or stop > len(held):
            raise NotPossible("span")
        end = stop
    letters = list(held)
    for start, stop in spans:
        letters[start:stop] = BLACK * (stop - start)
    return "".join(letters)


def respelt(line: str, values: Mapping[str, Value]) -> str:
    """The JSON line with other values, in the spelling it had. Raises: NotPossible: no common spelling."""
    body = line.strip()
    old = json.loads(body)
    for separators in ((", ", ": "), (",", ":"), (",", ": ")):
        for ascii_only in (False, True):
            if json.dumps(old, ensure_ascii=ascii_only, separators=separators) == body:
                new = json.dumps(_plain(values), ensure_ascii=ascii_only, separators=separators)
                return line.replace(body, new, 1)
    raise NotPossible("spelling", "delete")


def _plain(value: Value) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value / timedelta(seconds=1)) if isinstance(value, timedelta) else str(value)
