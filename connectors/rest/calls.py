"""CALL and body of a manifest, filled in. Values are bound: encoded in paths and queries, whole in bodies."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from connectors.rest.paths import MISSING, every, one
from privacyops.connector_sdk import Terminal
from privacyops.connector_sdk.records import number_text

_HOLE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.\[\]*-]*)((?:\|[a-z0-9]+)*)\}")
_SPOKEN: Final = ("value", "row.", "config.", "result.", "parent.")
"""What a placeholder in a body begins with; bare names are for paths and queries, for bodies may be full of braces."""
CHANGES: Final[Mapping[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "sha256": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "quoted": lambda text: text.replace("\\", "\\\\").replace('"', '\\"'),
}
"""What may be done to a value on its way, `{value|lower|md5}`; `quoted` is for search languages with quoted texts."""


@dataclass(frozen=True, repr=False)
class Binding:
    """What placeholders stand for. `rows` are the rows of a batch; `row` is the first."""

    value: Any = None
    rows: tuple[Mapping[str, Any], ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    region: Mapping[str, str] = field(default_factory=dict)
    result: Any = None

    def of(self, name: str, row: int = 0) -> Any:
        """What a placeholder stands for. Raises: Terminal: nothing does (code `value_missing`)."""
        found = self._find(name, row)
        if found is MISSING or found is None or isinstance(found, Mapping | list | tuple):
            raise Terminal("value_missing")
        return found

    def _find(self, name: str, row: int) -> Any:
        held = self.rows[row] if row < len(self.rows) else {}
        head, _, rest = name.partition(".")
        if name == "value":
            return self.value if self.value is not None else MISSING
        if head == "row":
            return _cell(held, rest)
        if head == "config":
            return self.region.get(rest, self.config.get(rest, MISSING))
        if head == "result":
            return one(rest, self.result)
        found = _cell(held, name)
        return found if found is not MISSING else self.region.get(name, self.config.get(name, MISSING))


def _cell(row: Mapping[str, Any], name: str) -> Any:
    return row.get(name, MISSING)


@dataclass(frozen=True, repr=False)
class Exchange:
    """One request, ready but for its address and credentials. `target` is the encoded path with its query."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    bucket: str = "default"
    headers: tuple[tuple[str, str], ...] = ()
    via: str = ""

    def with_query(self, name: str, value: str) -> "Exchange":
        """With one parameter set anew."""
        kept = tuple(pair for pair in self.query if pair[0] != name)
        return replace(self, query=(*kept, (name, value)))

    def with_body(self, path: str, value: Any) -> "Exchange":
        """With one member of the body set, at a dotted path."""
        return replace(self, body=_set(self.body or {}, path.split("."), value))


def fill(
    call: str,
    body: Any,
    binding: Binding,
    *,
    bucket: str = "default",
    headers: Sequence[tuple[str, str]] = (),
    via: str = "",
) -> Exchange:
    """The exchange that a CALL and its body make with these values. Raises: Terminal: a value is missing or unfit."""
    method, path, query = parse_call(call)
    filled = "/".join(_segment(part, binding) for part in path.split("/"))
    pairs = tuple((_text(name, binding), _text(value, binding)) for name, value in query)
    return Exchange(method, filled, pairs, bodied(body, binding), bucket, tuple(headers), via)


@lru_cache(maxsize=1024)
def parse_call(call: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Method, path and query of a CALL, with their placeholders."""
    method, _, target = call.partition(" ")
    path, _, query = target.partition("?")
    pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part))
    return method, path, pairs


def holes(call: str, body: Any = None) -> set[str]:
    """The names of all placeholders."""
    found = {match[1] for match in _HOLE.finditer(call)}
    for text in _texts(body):
        found |= {match[1] for match in _HOLE.finditer(text) if _is_spoken(match[1])}
    return found


def changes_of(call: str, body: Any = None) -> set[str]:
    """The names of everything that is done to values."""
    texts = [call, *_texts(body)]
    return {change for text in texts for match in _HOLE.finditer(text) for change in match[2].split("|") if change}


def bodied(body: Any, binding: Binding) -> Any:
    """The body with its placeholders filled. A list of one text, and a key that ends in `[]`, repeat for a batch."""
    if isinstance(body, Mapping):
        return {
            name: [_whole(part, binding, at) for at in range(len(binding.rows))]
            if name.endswith("[]") and isinstance(part, str) and _speaks_of_rows(part)
            else bodied(part, binding)
            for name, part in body.items()
        }
    if isinstance(body, list | tuple):
        if len(body) == 1 and any(_speaks_of_rows(text) for text in _texts(body[0])):
            return [_per_row(body[0], binding, at) for at in range(len(binding.rows))]
        return [bodied(part, binding) for part in body]
    return _whole(body, binding, 0) if isinstance(body, str) else body


def _per_row(part: Any, binding: Binding, at: int) -> Any:
    return bodied(part, replace(binding, rows=(binding.rows[at],)))


def _speaks_of_rows(text: str) -> bool:
    return any(match[1].startswith("row.") for match in _HOLE.finditer(text))


def _whole(text: str, binding: Binding, at: int) -> Any:
    """A text that is one placeholder keeps the value's type."""
    alone = _HOLE.fullmatch(text)
    if alone and _is_spoken(alone[1]) and not alone[2]:
        return binding.of(alone[1], at)
    return _HOLE.sub(lambda hole: _changed(hole, binding, at) if _is_spoken(hole[1]) else hole[0], text)


def _is_spoken(name: str) -> bool:
    return name.startswith(_SPOKEN)


def _text(text: str, binding: Binding) -> str:
    return _HOLE.sub(lambda hole: _changed(hole, binding, 0), text)


def _changed(hole: "re.Match[str]", binding: Binding, at: int) -> str:
    text = _spelled(binding.of(hole[1], at))
    for change in hole[2].split("|"):
        text = CHANGES[change](text) if change else text
    return text


def _segment(part: str, binding: Binding) -> str:
    """A piece of the path. A value can neither end it nor climb out of it."""
    filled = _HOLE.sub(lambda hole: quote(_changed(hole, binding, 0), safe=""), part)
    if part != filled and filled in {"", ".", ".."}:
        raise Terminal("value_unfit")
    return filled


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float | Decimal) else str(value)


def _texts(body: Any) -> list[str]:
    if isinstance(body, str):
        return [body]
    if isinstance(body, Mapping):
        return [text for name, part in body.items() for text in (name, *_texts(part))]
    return [text for part in body for text in _texts(part)] if isinstance(body, list | tuple) else []


def _set(node: Any, steps: Sequence[str], value: Any) -> Any:
    inside = dict(node) if isinstance(node, Mapping) else {}
    inside[steps[0]] = value if len(steps) == 1 else _set(inside.get(steps[0]), steps[1:], value)
    return inside


def placed(document: Any, path: str, changes: Mapping[str, Any]) -> Any:
    """The body with changes put in at a dotted path (empty: at its top)."""
    held = document or {}
    for name, value in changes.items():
        held = _set(held, [*(path.split(".") if path else ()), *name.split(".")], value)
    return held


def rows_in(answer: Any, path: str) -> list[Mapping[str, Any]]:
    """The rows of an answer: the list at the path, or each that a path with `[*]` leads to; a single object is one."""
    found = every(path, answer)
    rows = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    return [row for row in rows if isinstance(row, Mapping)]
