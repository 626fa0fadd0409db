"""PATH and CONDITION of a manifest: where something stands in an answer, and whether it holds. No functions."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

_STEP: Final = re.compile(r"([^.\[\]\s]+)|\[(\*|-?\d{1,6})\]")
_TEST: Final = re.compile(
    r"""\s*((?:[^\s\[\]=!<>()]|\[(?:\*|-?\d+)\])+)\s*(?:(=|!=|<|>|in\b|exists\b)\s*(\([^()]*\)|"[^"]*"|[^\s()]+)?)\s*"""
)
MISSING: Final = object()


class PathMalformed(ValueError):
    """The text is no PATH or CONDITION."""


@lru_cache(maxsize=2048)
def steps_of(path: str) -> tuple[str | int, ...]:
    """The steps of a PATH; `*` is every element. Raises: PathMalformed."""
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        if path[at] == "." and at:
            at += 1
        step = _STEP.match(path, at)
        if step is None:
            raise PathMalformed(f"{path!r} is no path")
        name, index = step.groups()
        steps.append(name if name is not None else "*" if index == "*" else int(index))
        at = step.end()
    return tuple(steps)


def every(path: str, document: Any) -> list[Any]:
    """What stands at the path, each; an empty path is the document itself."""
    return list(_walk(steps_of(path), document))


def one(path: str, document: Any) -> Any:
    """The first that stands at the path, or None."""
    return next(_walk(steps_of(path), document), None)


def is_there(path: str, document: Any) -> bool:
    """Whether the path leads anywhere, to null too."""
    return next(_walk(steps_of(path), document), MISSING) is not MISSING


def _walk(steps: tuple[str | int, ...], node: Any) -> Iterator[Any]:
    if not steps:
        yield node
        return
    step, rest = steps[0], steps[1:]
    if step == "*":
        if isinstance(node, list | tuple):
            for part in node:
                yield from _walk(rest, part)
    elif isinstance(step, int):
        if isinstance(node, list | tuple) and -len(node) <= step < len(node):
            yield from _walk(rest, node[step])
    elif isinstance(node, Mapping) and step in node:
        yield from _walk(rest, node[step])


@dataclass(frozen=True)
class Test:
    """One comparison."""

    path: str
    op: str
    values: tuple[Any, ...] = ()

    def holds(self, document: Any) -> bool:
        """Whether some value at the path compares so; `!=`: none is equal."""
        found = every(self.path, document)
        if self.op == "exists":
            return any(value is not None for value in found)
        if self.op == "!=":
            return not any(_same(value, self.values[0]) for value in found)
        return any(self._compares(value) for value in found)

    def _compares(self, value: Any) -> bool:
        if self.op in {"=", "in"}:
            return any(_same(value, wanted) for wanted in self.values)
        try:
            return bool(value < self.values[0] if self.op == "<" else value > self.values[0])
        except TypeError:
            return False


@dataclass(frozen=True)
class Condition:
    """`path[tests]`: some element of the list fits every test; `$[tests]` where the answer itself is the list.

    Without brackets: the tests hold on the document.
    """

    within: str
    tests: tuple[Test, ...]

    def holds(self, document: Any) -> bool:
        """Whether it holds on this document."""
        if not self.within:
            return all(test.holds(document) for test in self.tests)
        parts = every("[*]" if self.within == "$" else f"{self.within}[*]", document)
        return any(all(test.holds(part) for test in self.tests) for part in parts)

    def can_be_told(self, document: Any) -> bool:
        """Whether the document says anything on it: a list that is missing is not an empty one."""
        if self.within == "$":
            return isinstance(document, list)
        paths = [self.within] if self.within else [test.path for test in self.tests]
        return all(is_there(path, document) for path in paths)


@lru_cache(maxsize=512)
def condition(text: str) -> Condition:
    """Raises: PathMalformed."""
    outer = re.fullmatch(r"\s*([^\s\[\]]+)\[([^\[\]]*)\]\s*", text)
    within, inside = (outer[1], outer[2]) if outer else ("", text)
    tests = tuple(_test(part) for part in re.split(r"\s+and\s+", inside))
    steps_of(within)
    return Condition(within, tests)


def _test(text: str) -> Test:
    match = _TEST.fullmatch(text)
    if match is None:
        raise PathMalformed(f"{text!r} is no condition")
    path, op, value = match.groups()
    steps_of(path)
    if (op == "exists") != (value is None) or (op == "in") != bool(value and value.startswith("(")):
        raise PathMalformed(f"{text!r} is no condition")
    if op == "in":
        return Test(path, op, tuple(_literal(part.strip()) for part in value[1:-1].split(",") if part.strip()))
    return Test(path, op, () if value is None else (_literal(value),))


def _literal(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    if text == "null":
        return None
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text):
        return float(text)
    return text[1:-1] if text[:1] == '"' else text


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool) or value is None or wanted is None:
        return value is wanted
    return bool(value == wanted) or (isinstance(wanted, int | str) and str(value) == str(wanted))
