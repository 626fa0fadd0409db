"""The problem types that the service may answer with, as a page."""

import contextlib
import importlib
import pkgutil
from collections.abc import Iterator

from privacyops.kernel.errors import Problem

_HEAD = """\
# Problem types

Every error of the JSON door is a problem document (RFC 9457). `type` is stable; decide by it and by `status`, show
`title`, and send us `request_id`. Generated from the code by `privacyops openapi --write`.

| type | status | title |
|---|---|---|
"""


def as_markdown() -> str:
    """One row for each type, by name."""
    _load_what_may_answer()
    rows = sorted({(one.type, one.status, one.title) for one in _subclasses(Problem) if one.type != "about:blank"})
    return _HEAD + "".join(f"| `{type_}` | {status} | {title} |\n" for type_, status, title in rows)


def _load_what_may_answer() -> None:
    """The doors, and what they load only when it is first needed: a problem is known once its module is."""
    importlib.import_module("privacyops.main")
    for name in ("privacyops.adapters", "privacyops.store"):
        for found in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            with contextlib.suppress(ModuleNotFoundError):  # an extra that is not installed answers nothing
                importlib.import_module(found.name)


def _subclasses(of: type[Problem]) -> Iterator[type[Problem]]:
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)
