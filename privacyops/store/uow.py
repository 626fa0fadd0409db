"""The unit of work: the only place that commits."""

import functools
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import StaleState, Unavailable
from privacyops.store.engine import Engines
from privacyops.store.group_commit import GroupCommit, GroupLost
from privacyops.store.server_errors import and_servers

R = TypeVar("R")


class DatabaseUnavailable(Unavailable):
    type = "/problems/database-unavailable"
    title = "The database does not answer; nothing was changed"


class DatabaseFull(Unavailable):
    type = "/problems/database-full"
    title = "The database has no space left; nothing was changed"


@dataclass(frozen=True, slots=True)
class Tx:
    """One open transaction of one controller at one moment. `now` is read once, so a use case has one time."""

    connection: Connection
    controller: str
    now: Instant
    dialect: str = field(init=False)
    """`sqlite` or `postgresql`."""
    _driver: Any = field(init=False, repr=False, compare=False)
    _listeners: tuple[Any, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # asked by every statement of a transaction, and slow to ask
        object.__setattr__(self, "dialect", self.connection.dialect.name)
        object.__setattr__(self, "_driver", self.connection.connection.driver_connection)
        object.__setattr__(self, "_listeners", tuple(self.connection.engine.dispatch.before_cursor_execute))

    def run(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute one Core statement."""
        return self.connection.execute(statement, parameters)

    def raw(self, sql: str, parameters: Mapping[str, Any] | tuple[Any, ...]) -> Sequence[Any]:
        """Execute hand-written SQL with `:name` parameters on the driver itself; all rows, as plain tuples.

        On SQLite also with `?` and a tuple. For the few statements that carry the load: building and compiling them
        anew would cost more than they do.
        Values go over as the driver takes them: no column type of store/types.py is in between.
        """
        self._told(sql, many=False)
        rows: Sequence[Any]
        if self.dialect == "sqlite":
            rows = self._driver.execute(sql, parameters).fetchall()
            return rows
        cursor = self._driver.execute(_spelled(sql), parameters)
        rows = cursor.fetchall() if cursor.description else ()
        return rows

    def raw_each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute one statement for every row, with `?` parameters: one call on SQLite, one pipeline on PostgreSQL."""
        if not rows:
            return
        self._told(sql, many=True)
        if self.dialect == "sqlite":
            self._driver.executemany(sql, rows)
        else:
            with self._driver.cursor() as cursor:
                cursor.executemany(sql.replace("?", "%s"), rows)

    def _told(self, sql: str, *, many: bool) -> None:
        """Whoever counts statements sees these too."""
        for listener in self._listeners:
            listener(self.connection, None, sql, None, None, many)

    def move(self, statement: Executable) -> None:
        """Execute a compare-and-set UPDATE or DELETE. Raises: StaleState: it met no row."""
        if self.connection.execute(statement).rowcount != 1:
            raise StaleState


class Database:
    """Opens transactions on the engines of store/engine.py."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self._groups = GroupCommit(self._writing)
        self._listeners: tuple[Callable[[], None], ...] = ()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit of this process, on the thread that committed; it must not wait."""
        self._listeners = (*self._listeners, listener)

    @contextmanager
    def transaction(self, controller: str, now: Instant) -> Iterator[Tx]:
        """A writing transaction: committed when the block ends, rolled back when it raises.

        Raises: DatabaseUnavailable, DatabaseFull: nothing was changed.
        """
        with _translated(), self._writing() as connection:
            yield Tx(connection, controller, now)

    def grouped(self, controller: str, now: Instant, work: Callable[[Tx], R]) -> R:
        """Do `work` in a transaction; on SQLite in one that it shares with whoever writes at the same time.

        What `work` raises rolls back its own changes and nobody else's. It may run on another caller's thread.
        Raises: DatabaseUnavailable, DatabaseFull: nothing was changed.
        """
        if self.engines.dialect != "sqlite":
            with self.transaction(controller, now) as tx:
                return work(tx)
        with _translated():
            return self._groups.run(lambda connection: work(Tx(connection, controller, now)))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        connection = self.engines.writer.connect()
        try:
            with connection.begin() as transaction:
                yield connection
                transaction.commit()
        finally:
            connection.close()
        for listener in self._listeners:
            listener()

    @contextmanager
    def reading(self, controller: str, now: Instant) -> Iterator[Tx]:
        """A transaction that only reads, from one snapshot on SQLite; it is always rolled back."""
        with _translated():
            connection = self.engines.reader.connect()
            try:
                with connection.begin() as transaction:
                    yield Tx(connection, controller, now)
                    transaction.rollback()
            finally:
                connection.close()


@functools.lru_cache(maxsize=256)
def _spelled(sql: str) -> str:
    """The statement with parameters as PostgreSQL's driver spells them; casts (`::bytea[]`) stay."""
    return re.sub(r"(?<!:):(\w+)", r"%(\1)s", sql)


def is_contention(error: BaseException) -> bool:
    """Whether running the whole use case again is safe and likely to help (serialisation failure, deadlock)."""
    cause = error.__cause__ if isinstance(error, DatabaseUnavailable) else error
    state = getattr(getattr(cause, "orig", cause), "sqlstate", None)  # raw statements raise the driver's own
    return state in {"40001", "40P01"}


@contextmanager
def _translated() -> Iterator[None]:
    """Driver errors that concern the database as a whole become problems; the rest are bugs and pass."""
    try:
        try:
            yield
        except GroupLost as lost:
            raise (lost.__cause__ or lost) from None
    except PoolTimeout as error:
        raise DatabaseUnavailable("no connection became free in time") from error
    except and_servers("OperationalError", OperationalError, sqlite3.OperationalError) as error:
        text = str(error.orig if isinstance(error, OperationalError) else error)
        if "is full" in text or "No space left" in text or "disk I/O" in text:
            raise DatabaseFull from error
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable from error
        raise
