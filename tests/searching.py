"""Searches for tests: a made-up SQLite or PostgreSQL shop, one person, and the rows that came back by tier."""

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privacyops.adapters.connector_host import Connectors
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.finding.model import Finding, SearchState
from privacyops.domain.identity.identifier import Identifier, IdentifierKind
from privacyops.domain.record import spelled
from privacyops.ports.connector_host import StoreConfig
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import search_store

RowName = tuple[str, str]
"""Collection and key, the key's parts joined by a slash: ("orders", "7")."""


@dataclass(frozen=True)
class Found:
    """A finished search in the words of a test."""

    drawn: DataMap
    state: SearchState
    findings: tuple[Finding, ...]
    statements: int

    def rows(self, tier: str = "owned") -> set[RowName]:
        return {name_of(one) for one in self.findings if one.tier.value == tier}

    def fields(self, collection: str, key: object) -> set[str]:
        return set(self.one(collection, key).fields)

    def one(self, collection: str, key: object) -> Finding:
        return next(one for one in self.findings if name_of(one) == (collection, str(key)))

    @property
    def contradicted(self) -> set[RowName]:
        return {
            (one.ref.collection, "/".join(spelled(value) for _, value in one.ref.key))
            for one in self.state.contradictions.values()
        }


def name_of(one: Finding) -> RowName:
    return one.collection, "/".join(spelled(value) for _, value in one.key)


def identifiers(**given: str | Sequence[str]) -> tuple[Identifier, ...]:
    """`email=`, `phone=`, `name=`, `customer_id=`: one value or several."""
    return tuple(
        Identifier(IdentifierKind(kind), value)
        for kind, values in given.items()
        for value in ([values] if isinstance(values, str) else values)
    )


def host_over(url: str, *, name: str = "shop", **more: Any) -> Connectors:
    """A host with one SQL store at `url`; the address reaches it through the environment, as in production."""
    variable = f"TEST_STORE_{abs(hash((url, name)))}"
    os.environ[variable] = url
    return Connectors([StoreConfig(name, "sql", {"url": f"env:{variable}", **more.pop("config", {})}, **more)])


def search(
    url: str,
    written: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    **given: str | Sequence[str],
) -> Found:
    """Scans, infers and searches, as the command line does. `config`: further settings of the store."""
    host = host_over(url, map=written, config=config or {})
    try:
        drawn = draw_map(host, "shop")
        before = host.usage("shop").statements
        run = search_store(host, drawn, identifiers(**given), time.monotonic)
        if run.problem is not None:
            raise run.problem
        return Found(drawn, run.state, run.findings, host.usage("shop").statements - before)
    finally:
        host.close()


class Shop:
    """A SQLite file that a test fills with its own schema."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    def holds(self, script: str) -> "Shop":
        with sqlite3.connect(self.path) as connection:
            connection.executescript(script)
        connection.close()
        return self

    def search(self, written: Mapping[str, Any] | None = None, **given: str | Sequence[str]) -> Found:
        return search(self.url, written, **given)
