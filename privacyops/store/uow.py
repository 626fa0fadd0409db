"""The unit of work: the only place that commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import StaleState, Unavailable
from privacyops.store.engine import Engines


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

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    def run(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute one Core statement."""
        return self.connection.execute(statement, parameters)

    def move(self, statement: Executable) -> None:
        """Execute a compare-and-set UPDATE or DELETE. Raises: StaleState: it met no row."""
        if self.connection.execute(statement).rowcount != 1:
            raise StaleState


class Database:
    """Opens transactions on the engines of store/engine.py."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines

    @contextmanager
    def transaction(self, controller: str, now: Instant) -> Iterator[Tx]:
        """A writing transaction: committed when the block ends, rolled back when it raises.

        Raises: DatabaseUnavailable, DatabaseFull: nothing was changed.
        """
        with _translated():
            connection = self.engines.writer.connect()
            try:
                with connection.begin() as transaction:
                    yield Tx(connection, controller, now)
                    transaction.commit()
            finally:
                connection.close()

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


def is_contention(error: BaseException) -> bool:
    """Whether running the whole use case again is safe and likely to help (serialisation failure, deadlock)."""
    cause = error.__cause__ if isinstance(error, DatabaseUnavailable) else error
    state = getattr(getattr(cause, "orig", None), "sqlstate", None)
    return state in {"40001", "40P01"}


@contextmanager
def _translated() -> Iterator[None]:
    """Driver errors that concern the database as a whole become problems; the rest are bugs and pass."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable("no connection became free in time") from error
    except OperationalError as error:
        text = str(error.orig)
        if "disk is full" in text or "No space left" in text or "disk I/O" in text:
            raise DatabaseFull from error
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable from error
        raise
