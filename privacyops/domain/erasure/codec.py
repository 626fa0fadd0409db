"""Intents and plans as JSON and back, so that what was approved lies beside its request until it is done.

They hold keys and values of the subject: seal them where they are stored.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from privacyops.domain.erasure import operation as o
from privacyops.domain.erasure.deciding import Undecided
from privacyops.domain.erasure.intent import Intent, Stance
from privacyops.domain.finding.model import FindingTier
from privacyops.domain.record import RowRef, decode, decode_key, encode, encode_key
from privacyops.kernel.errors import Unprocessable

VERSION: Final = 1
_TAGGED: Final[Mapping[str, Any]] = {
    kind.__name__: kind
    for kind in (o.Null, o.Constant, o.RandomToken, o.Generalise, o.Given, o.Delete, o.Set, o.Unlink, o.RedactSpan,
                 o.DropPath, o.RemoveElement, o.Keep, o.Op, o.PlannedOp, o.Cascade, o.Blocker, o.StorePlan, o.OpResult,
                 o.Ticket, o.Verdict, Intent, Undecided)
}  # fmt: skip
_ENUMS: Final[Mapping[str, Any]] = {kind.__name__: kind for kind in (o.Outcome, o.Read, Stance, FindingTier)}
_VALUES: Final = frozenset({("Constant", "value"), ("Given", "value"), ("Unlink", "to")})
"""Members that hold a value of a store, of whatever type."""


class PlanUnreadable(Unprocessable):
    """The plan was written by another version, or is none; the erasure has to be planned anew."""

    type = "/problems/erasure-plan-unreadable"
    title = "The plan of this erasure cannot be read"


def to_json(part: Any) -> Any:
    """Anything of an intent, a plan or a result as plain JSON values."""
    if isinstance(part, RowRef):
        return {"$": "RowRef", "v": [part.store, part.collection, encode_key(part.key), part.version]}
    if isinstance(part, Enum):
        return {"$": type(part).__name__, "v": part.value}
    if is_dataclass(part) and not isinstance(part, type):
        name = type(part).__name__
        held = {one.name: _value(name, one.name, getattr(part, one.name)) for one in fields(part)}
        return {"$": name, "v": held}
    if isinstance(part, datetime | date):
        return {"$": "datetime" if isinstance(part, datetime) else "date", "v": part.isoformat()}
    if isinstance(part, frozenset):
        return {"$": "set", "v": sorted(part)}
    if isinstance(part, tuple | list):
        return [to_json(one) for one in part]
    if isinstance(part, Mapping):
        return {"$": "map", "v": {name: to_json(one) for name, one in part.items()}}
    return part


def _value(kind: str, name: str, part: Any) -> Any:
    if (kind, name) in _VALUES:
        return {"$": "value", "v": encode(part)}
    if kind == "Intent" and name == "values":
        return {"$": "values", "v": {path: encode(value) for path, value in part.items()}}
    return to_json(part)


def from_json(data: Any) -> Any:
    """The inverse of `to_json`. Raises: PlanUnreadable."""
    try:
        return _read(data)
    except (KeyError, TypeError, ValueError, IndexError):
        raise PlanUnreadable from None


def _read(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_read(one) for one in data)
    if not isinstance(data, Mapping):
        return data
    kind, held = data["$"], data["v"]
    if kind == "RowRef":
        return RowRef(held[0], held[1], decode_key(held[2]), held[3])
    if kind in _ENUMS:
        return _ENUMS[kind](held)
    if kind in _TAGGED:
        return _TAGGED[kind](**{name: _read(one) for name, one in held.items()})
    return _PLAIN[kind](held)


_PLAIN: Final[Mapping[str, Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "set": frozenset,
    "map": lambda held: {name: _read(one) for name, one in held.items()},
    "value": decode,
    "values": lambda held: {path: decode(value) for path, value in held.items()},
}
