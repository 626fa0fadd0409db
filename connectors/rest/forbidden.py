"""What is never sent: parameters and paths a manifest forbids, and those no manifest may send."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from connectors.rest.calls import parse_call
from privacyops.connector_sdk.declarative_acting import Forbid

NEVER: Final = frozenset({"delete_all", "delete_all_contacts", "deleteall", "all_contacts", "purge_all"})
"""Parameters that empty a whole account at some service. Refused whatever a manifest says."""


@dataclass(frozen=True)
class Forbidden:
    """Names of parameters, folded, and beginnings of paths."""

    params: frozenset[str]
    paths: tuple[str, ...]

    def in_call(self, call: str, body: Any) -> bool:
        """Whether a CALL of a manifest says something forbidden."""
        _, path, query = parse_call(call)
        return self.in_request(path, [name for name, _ in query], body)

    def in_request(self, path: str, params: Iterable[str], body: Any) -> bool:
        """Whether a request does, in path, query or anywhere in its body."""
        plain = _plain(path)
        if any(plain == each or plain.startswith(each + "/") for each in self.paths):
            return True
        return any(_folded(name) in self.params for name in (*params, *_names(body)))


def forbidden_of(rules: Iterable[Forbid]) -> Forbidden:
    """The rules together, and what is refused everywhere."""
    several = tuple(rules)
    params = frozenset(_folded(name) for rule in several for name in rule.params) | NEVER
    return Forbidden(params, tuple(_plain(path) for rule in several for path in rule.paths))


def joined(one: Forbidden, other: Forbidden) -> Forbidden:
    """What either forbids."""
    return Forbidden(one.params | other.params, (*one.paths, *other.paths))


def _plain(path: str) -> str:
    """The path as a server reads it: decoded, one slash at a time, in lower case, without one at the end."""
    parts = [part for part in unquote(path).lower().split("/") if part and part != "."]
    return "/" + "/".join(parts)


def _folded(name: str) -> str:
    return unquote(name).strip().lower().removesuffix("[]")


def _names(body: Any) -> list[str]:
    if isinstance(body, Mapping):
        return [name for key, part in body.items() for name in (str(key), *_names(part))]
    return [name for part in body for name in _names(part)] if isinstance(body, list | tuple) else []
