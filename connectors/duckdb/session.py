"""The connection to the engine, which runs in this process, and what its refusals mean."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from connectors.duckdb.settings import Settings
from privacyops.connector_sdk import Call, Misconfigured, Retriable, Terminal


class Session:
    """Opens its file for a call and lets go of it afterwards, since DuckDB has one writer a file: neither the shop's
    own program nor the other role of this store is kept out between two calls. For reading only, unless told otherwise.
    """

    def __init__(self, settings: Settings, *, write: bool = False) -> None:
        self._settings = settings
        self._write = write
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._users = 0

    def __repr__(self) -> str:
        return "Session()"

    def close(self) -> None:
        """May be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def cursor(self, call: Call) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor with the time the call has left; what runs longer is interrupted.

        Raises: Misconfigured, Retriable, Terminal.
        """
        call.check()
        with _classed(self._settings):
            cursor = self._opened().cursor()
            watchdog = threading.Timer(max(0.05, call.remaining()), cursor.interrupt)
            watchdog.daemon = True
            watchdog.start()
            self._users += 1
            try:
                yield cursor
            finally:
                watchdog.cancel()
                cursor.close()
                self._users -= 1
                if not self._users:
                    self.close()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            at = self._settings
            # nothing outside the named file or folder is read, nothing is fetched from a network
            options: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
            if at.database is not None:
                if not at.database.is_file():
                    raise Misconfigured("database", "missing")
                options["enable_external_access"] = False
                self._connection = duckdb.connect(str(at.database), read_only=not self._write, config=options)
            else:
                if at.folder is None or not at.folder.is_dir():
                    raise Misconfigured("folder", "missing")
                self._connection = duckdb.connect(":memory:", config=options)
        return self._connection


def rows(
    call: Call, cursor: duckdb.DuckDBPyConnection, statement: str, values: Sequence[object] = (), at_once: int = 500
) -> Iterator[list[tuple[Any, ...]]]:
    """The answer, piece by piece."""
    call.check()
    call.spend(requests=1)
    cursor.execute(statement, list(values))
    while piece := cursor.fetchmany(at_once):
        call.check()
        yield piece


def quoted(name: str) -> str:
    """An identifier, as it stands in the catalogue."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _classed(settings: Settings) -> Iterator[None]:
    """The engine's exceptions by what the host does next; their texts quote rows, so they go no further."""
    try:
        yield
    except duckdb.InterruptException:
        raise Retriable(None, "deadline") from None
    except duckdb.TransactionException:
        raise Retriable(None, "in_use") from None
    except duckdb.IOException as refusal:
        if "lock" in str(refusal).lower():
            raise Retriable(None, "in_use") from None
        raise Misconfigured("database" if settings.database else "folder", "not_readable") from None
    except duckdb.ConnectionException:
        raise Retriable(None, "in_use") from None  # open here already with another role
    except duckdb.Error:
        raise Terminal("refused_by_engine") from None
