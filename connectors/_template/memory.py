"""The store behind the template: a made-up server in this process, with keys, links and unique columns.

Your connector has a real server here. What the template needs of it is what any store has to offer somehow: rows in
the order of a key, an all-or-nothing write, and a memory of which writes it has seen.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final

from privacyops.connector_sdk import DeclaredLink, Field, Misconfigured, Value

Cells = dict[str, Value]


@dataclass
class Table:
    """Rows by their key, an integer `id`."""

    fields: tuple[Field, ...]
    links: tuple[DeclaredLink, ...] = ()
    rows: dict[int, Cells] = field(default_factory=dict)


@dataclass
class Server:
    """One made-up server. `seen` are the writes it has done, by the caller's key."""

    password: str
    tables: dict[str, Table] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, and nobody else meanwhile."""
        with self.lock:
            before = {name: deepcopy(table.rows) for name, table in self.tables.items()}
            seen = set(self.seen)
            try:
                yield
            except BaseException:
                for name, rows in before.items():
                    self.tables[name].rows = rows
                self.seen = seen
                raise


SERVERS: Final[dict[str, Server]] = {}
"""The network, so to say."""


def connect(name: str, password: str) -> Server:
    """Raises: Misconfigured: no such server, or the wrong password; names the setting, never its value."""
    server = SERVERS.get(name)
    if server is None:
        raise Misconfigured("server", "host")
    if server.password != password:
        raise Misconfigured("password", "credentials")
    return server


def pointing(server: Server, collection: str, cells: Mapping[str, Value]) -> Iterator[tuple[str, int, DeclaredLink]]:
    """Every row that points at this one."""
    for name, table in server.tables.items():
        for link in table.links:
            if link.to != collection:
                continue
            wanted = [cells.get(path) for path in link.to_fields]
            for number, row in table.rows.items():
                if None not in wanted and [row.get(path) for path in link.fields] == wanted:
                    yield name, number, link
