"""What an act makes of a cell: the new value, computed before anything is written, or the refusal to compute it."""

import ipaddress
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, assert_never

from privacyops.connector_sdk import (
    Act,
    BlobRef,
    Constant,
    Delete,
    DropPath,
    Fake,
    Field,
    FieldType,
    Generalise,
    GeneralKind,
    Given,
    Keep,
    Null,
    RandomToken,
    RedactSpan,
    RemoveElement,
    Replacement,
    Set,
    Tombstone,
    Unlink,
    Value,
    canonical,
)
from privacyops.connector_sdk.predicate import as_document, split_path

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
SHORTEST_TOKEN: Final = 6
"""Random characters below which two tokens could meet: 32^6 is a thousand million."""
BLACK: Final = "*"
"""What a redacted character becomes: one byte in every character set, so that the cell never grows."""


class NotPossible(Exception):
    """The act has no meaning for this cell; the code becomes a blocker."""

    def __init__(self, code: str, remedy: str = "") -> None:
        super().__init__(code)
        self.code, self.remedy = code, remedy


@dataclass(frozen=True)
class Token:
    """A value drawn when it is written."""

    template: str
    length: int

    def draw(self) -> str:
        return self.template.replace("{r}", "".join(secrets.choice(LETTERS) for _ in range(self.length)))

    def fits(self, value: Value) -> bool:
        """Whether the value is one this template could have drawn."""
        head, _, tail = self.template.partition("{r}")
        if not isinstance(value, str) or len(value) != len(head) + self.length + len(tail):
            return False
        middle = value[len(head) : len(value) - len(tail)]
        return value.startswith(head) and value.endswith(tail) and set(middle) <= set(LETTERS)


def touched(act: Act) -> tuple[str, ...]:
    """The fields an act changes; a delete changes none and takes all."""
    if isinstance(act, Set):
        return tuple(act.fields)
    if isinstance(act, Keep):
        return tuple(act.cut)
    if isinstance(act, Delete | Tombstone):
        return ()
    return (act.field,)


def new_value(act: Act, field: Field, held: Value) -> Value | Token:
    """What the cell becomes. Raises: NotPossible: see the code."""
    if isinstance(held, BlobRef) and not isinstance(act, Set | Keep | Unlink):
        raise NotPossible("too_long", "keep_or_delete")
    if isinstance(act, Set):
        return _replaced(act.fields[field.path], field, held)
    if isinstance(act, Keep):
        return _replaced(act.cut[field.path], field, held)
    if isinstance(act, Unlink):
        return act.to
    if isinstance(act, RedactSpan):
        return _redacted(held, act.spans)
    if isinstance(act, DropPath):
        return _dropped(held, act.path)
    if isinstance(act, RemoveElement):
        return _without(held, act.at)
    if isinstance(act, Delete | Tombstone):
        raise NotPossible("unsupported")
    assert_never(act)


def _replaced(replacement: Replacement, field: Field, held: Value) -> Value | Token:
    if isinstance(replacement, Null):
        return None
    if isinstance(replacement, Constant | Given):
        return replacement.value
    if isinstance(replacement, RandomToken):
        return _token(replacement, field)
    if isinstance(replacement, Generalise):
        return None if held is None else _general(replacement.kind, held)
    if isinstance(replacement, Fake):
        raise NotPossible("unsupported_replacement", "use_random_token")
    assert_never(replacement)


def _token(replacement: RandomToken, field: Field) -> Token:
    if field.type is not FieldType.TEXT or field.enum:
        raise NotPossible("type", "use_null_or_constant")
    if replacement.template.count("{r}") != 1:
        raise NotPossible("template")
    room = (field.max_length or 10_000) - len(replacement.template.replace("{r}", ""))
    length = min(replacement.length, room)
    if length < SHORTEST_TOKEN:
        raise NotPossible("too_long", "use_shorter_template")
    return Token(replacement.template, length)


def _general(kind: GeneralKind, held: Value) -> Value:
    try:
        if kind is GeneralKind.BIRTH_YEAR:
            return _birth_year(held)
        if kind is GeneralKind.POSTCODE_PREFIX:
            return str(held)[:2]
        if kind is GeneralKind.IP_PREFIX:
            address = ipaddress.ip_address(str(held))
            network = ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)
            return str(network.network_address)
        return _day(held)
    except (ValueError, TypeError):
        raise NotPossible("type", "use_null_or_constant") from None


def _birth_year(held: Value) -> Value:
    if isinstance(held, datetime | date):
        return (
            held.replace(month=1, day=1) if not isinstance(held, datetime) else _midnight(held.replace(month=1, day=1))
        )
    if isinstance(held, int):
        return held
    return _like(str(held), date.fromisoformat(str(held)[:10]).replace(month=1, day=1))


def _day(held: Value) -> Value:
    if isinstance(held, datetime):
        return _midnight(held)
    return held if isinstance(held, date) else _like(str(held), date.fromisoformat(str(held)[:10]))


def _midnight(moment: datetime) -> datetime:
    moved = moment.astimezone(UTC) if moment.tzinfo else moment
    return moved.replace(hour=0, minute=0, second=0, microsecond=0)


def _like(text: str, day: date) -> str:
    """The day in the form of the text: with a midnight if the text has a time."""
    return day.isoformat() + (text[10] + "00:00:00" if len(text) > 10 else "")


def _redacted(held: Value, spans: Sequence[tuple[int, int]]) -> Value:
    if not isinstance(held, str):
        raise NotPossible("type")
    end = 0
    for start, stop in sorted(spans):
        if start < end or stop <= start or stop > len(held):
            raise NotPossible("span")
        end = stop
    letters = list(held)
    for start, stop in spans:
        letters[start:stop] = BLACK * (stop - start)
    return "".join(letters)


def _dropped(held: Value, path: str) -> Value:
    steps = split_path("_" + path if path.startswith("$") else f"_$.{path}")[1]
    if not steps:
        raise NotPossible("path")
    return _edited(held, steps)


def _without(held: Value, at: int) -> Value:
    document = as_document(held)
    if not isinstance(document, list | tuple) or not 0 <= at < len(document):
        raise NotPossible("element")
    return _edited(held, (at,))


def _edited(held: Value, steps: Sequence[str | int]) -> Value:
    """The document without what the steps lead to; a text keeps its spelling elsewhere."""
    document = as_document(held)
    if not isinstance(document, list | tuple | Mapping):
        raise NotPossible("type")
    copy = json.loads(json.dumps(document, default=str))
    _remove(copy, steps)
    if not isinstance(held, str):
        return copy  # type: ignore[no-any-return]  # plain JSON
    for separators in ((", ", ": "), (",", ":"), (",", ": ")):
        for ascii_only in (False, True):
            if json.dumps(document, ensure_ascii=ascii_only, separators=separators) == held:
                return json.dumps(copy, ensure_ascii=ascii_only, separators=separators)
    raise NotPossible("spelling", "redact_span")


def _remove(node: Any, steps: Sequence[str | int]) -> None:
    step, rest = steps[0], steps[1:]
    places: list[Any] = []
    if step == "*" and isinstance(node, list):
        places = list(range(len(node)))[::-1]
    elif isinstance(node, dict):
        places = [step] if step in node else []
    elif isinstance(node, list) and isinstance(step, int) and step < len(node):
        places = [step]
    for place in places:
        if rest:
            _remove(node[place], rest)
        else:
            node.pop(place)


def act_text(part: object) -> str:
    """An act as text that differs when it differs; goes into the plan's hash and nowhere else."""
    if is_dataclass(part) and not isinstance(part, type):
        inside = ",".join(f"{each.name}={act_text(getattr(part, each.name))}" for each in fields(part))
        return f"{type(part).__name__}({inside})"
    if isinstance(part, Mapping):
        return "{" + ",".join(f"{name}:{act_text(part[name])}" for name in sorted(part)) + "}"
    return canonical(part)  # type: ignore[arg-type]  # what is left are values
