"""Connections to the product's own database: SQLite (embedded) or PostgreSQL.

SQLite: one writing connection for the whole process, so that commits queue in Python instead of failing with
SQLITE_BUSY, and so that only one connection ever checkpoints; readers are read-only and never block it.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

WRITER_WAIT_S: Final = 10
_WRITER_PRAGMAS: Final = (
    "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON",
    "busy_timeout=5000", "wal_autocheckpoint=1000", "trusted_schema=0",
    "cache_size=-32768", "temp_store=MEMORY",
)  # fmt: skip
_READER_PRAGMAS: Final = (
    "query_only=1", "busy_timeout=5000", "wal_autocheckpoint=0", "recursive_triggers=ON", "trusted_schema=0",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Engines:
    """One engine that writes and one that only reads; on PostgreSQL they are the same pool."""

    writer: Engine
    reader: Engine

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.writer.dialect.name

    def dispose(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


def count_statements(engines: Engines) -> Callable[[], int]:
    """Count every statement from now on; the returned function tells how many there were. For benchmarks."""
    seen = itertools.count()
    told = [0]

    def _count(*_: Any) -> None:
        told[0] = next(seen) + 1

    for engine in {engines.writer, engines.reader}:
        event.listen(engine, "before_cursor_execute", _count)
    return lambda: told[0]


def connect(url: str, *, statement_timeout_s: int = 5, pool_size: int = 5) -> Engines:
    """Engines for `url`: a SQLAlchemy URL of SQLite or PostgreSQL. Opens no connection yet.

    `statement_timeout_s` bounds one statement on PostgreSQL (5 web, 60 worker).
    Raises: ValueError: the URL names another database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size)
    if parsed.get_backend_name() == "postgresql":
        engine = _postgresql(parsed, statement_timeout_s, pool_size)
        return Engines(writer=engine, reader=engine)
    raise ValueError("the database must be SQLite or PostgreSQL")


def _sqlite(url: URL, pool_size: int) -> Engines:
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file: readers and the writer are separate connections")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": 5}
    writer = create_engine(
        url, connect_args=arguments, poolclass=QueuePool, pool_size=1, max_overflow=0,
        pool_timeout=WRITER_WAIT_S, hide_parameters=True,
    )  # fmt: skip
    reader = create_engine(
        url, connect_args=arguments, poolclass=QueuePool, pool_size=pool_size, max_overflow=pool_size,
        hide_parameters=True,
    )  # fmt: skip
    _prepare_sqlite(writer, _WRITER_PRAGMAS, "BEGIN IMMEDIATE")
    _prepare_sqlite(reader, _READER_PRAGMAS, "BEGIN")
    return Engines(writer=writer, reader=reader)


def _prepare_sqlite(engine: Engine, pragmas: tuple[str, ...], begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver must not open transactions of its own
        cursor = dbapi.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)


def _postgresql(url: URL, statement_timeout_s: int, pool_size: int) -> Engine:
    options = (
        f"-c statement_timeout={statement_timeout_s}s -c lock_timeout=2s "
        "-c idle_in_transaction_session_timeout=15s -c timezone=UTC"
    )
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": 5, "options": options, "application_name": "privacyops"},
        pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, hide_parameters=True,
    )  # fmt: skip
