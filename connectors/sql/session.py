"""One connection to the store: opened late, set up once, counted, watched, and never left in a transaction."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import Dialect

from connectors.sql import functions
from connectors.sql.address import NEVER_RUN, Address, Brand
from connectors.sql.dialects import mssql, oracle
from connectors.sql.greeting import Server, greet_mssql, greet_oracle
from connectors.sql.refusals import translate, translate_connecting
from connectors.sql.settings import Settings
from connectors.sql.watchdog import Watchdog
from privacyops.connector_sdk import Call, Cancelled, Retriable, Terminal

Statement: TypeAlias = sa.Select[Any] | sa.Update | sa.Delete | sa.CompoundSelect[Any] | sa.TextClause
Record: TypeAlias = tuple[Any, ...]
FETCH_ROWS: Final = 100
_BEGIN: Final = {
    Brand.SQLITE: "BEGIN IMMEDIATE",
    Brand.MYSQL: "START TRANSACTION",
    Brand.POSTGRESQL: "BEGIN",
    Brand.MSSQL: "BEGIN TRANSACTION",
    Brand.ORACLE: "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
}
MSSQL_MOST_BINDS: Final = 2098
"""SQL Server takes 2,100 values, two of which are the statement and its description."""
POLITE_CANCEL: Final = 0.5
"""Seconds the server has to accept a cancel request."""


def _dialect(brand: Brand, driver: str) -> Dialect:
    if brand is Brand.POSTGRESQL:
        return PGDialect_psycopg(paramstyle="pyformat")  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
    if brand is Brand.MYSQL:
        return MySQLDialect_pymysql(paramstyle="pyformat")
    if brand is Brand.MSSQL:
        return mssql(driver)
    if brand is Brand.ORACLE:
        return oracle()
    return SQLiteDialect_pysqlite(paramstyle="named")


class Session:
    """Statements go through `run` and `stream`, one at a time. `statements` counts all of them."""

    def __init__(self, address: Address, settings: Settings, *, writes: bool = False) -> None:
        self.address = address
        self.brand = address.brand
        self.dialect = _dialect(address.brand, address.driver)
        self.statements = 0
        self._settings = settings
        self._writes = writes
        self._raw: Any = None
        self._server: Server | None = None
        self._watchdog = Watchdog()
        self._running: Any = None

    # --- statements -----------------------------------------------------------------------------------------

    def run(self, call: Call, statement: Statement, values: Mapping[str, object] | None = None) -> list[Record]:
        """All rows of a statement that is bounded by itself.

        Raises: Retriable, Misconfigured, Terminal: as refusals.py translates. Cancelled, BudgetSpent: from
        the call.
        """
        return list(self.stream(call, statement, values, batch=0))

    def stream(
        self,
        call: Call,
        statement: Statement,
        values: Mapping[str, object] | None = None,
        batch: int = FETCH_ROWS,
    ) -> Iterator[Record]:
        """The rows as the driver hands them out; closing the iterator closes the driver's cursor."""
        text, bound = self._compile(statement, values)
        cursor = None
        try:
            with self._watched(call):
                cursor = self._cursor(call, batch)
                cursor.execute(text, bound) if bound else cursor.execute(text)
                rows = [] if cursor.description is None else cursor.fetchmany(batch) if batch else cursor.fetchall()
            yield from map(tuple, rows)
            while batch and len(rows) == batch:
                with self._watched(call, statements=0):  # the same statement goes on
                    rows = cursor.fetchmany(batch)
                yield from map(tuple, rows)
        finally:
            if cursor is not None:
                with suppress(Exception):  # a cursor of a lost connection cannot be closed, nor need it
                    cursor.close()

    def change(self, call: Call, statement: Statement) -> int:
        """Rows a write touched. Raises: Terminal: the session only reads, and its server cannot be told so."""
        if self.brand in NEVER_RUN and not self._writes:
            raise Terminal("read_only")
        text, bound = self._compile(statement, None)
        asks = self.brand is Brand.MSSQL and not isinstance(statement, sa.TextClause)
        if asks:
            text += "; SELECT @@ROWCOUNT"  # the driver's count may be that of a trigger
        with self._watched(call):
            cursor = self._cursor(call)
            try:
                cursor.execute(text, bound) if bound else cursor.execute(text)
                return int(cursor.fetchone()[0]) if asks else int(cursor.rowcount)
            finally:
                cursor.close()

    @contextmanager
    def transaction(self, call: Call) -> Iterator[None]:
        """BEGIN, and COMMIT if nothing was raised and the call still stands; ROLLBACK otherwise."""
        self.change(call, sa.text(_BEGIN[self.brand]))
        try:
            yield
            call.check()  # a worker that lost its lease must not commit
            # from here on it is too late to cancel: a commit that was cut off leaves everybody guessing
            end = "COMMIT TRANSACTION" if self.brand is Brand.MSSQL else "COMMIT"
            self.change(replace(call, cancelled=lambda: False), sa.text(end))
        except BaseException:
            self._roll_back()
            raise

    def server(self, call: Call) -> Server:
        """Product, version and role, as learned when the connection was set up."""
        if self._server is None:
            with self._watched(call):
                self._connection(call)
        assert self._server is not None  # noqa: S101 - set by _connection
        return self._server

    def raw(self, call: Call) -> Any:
        """The driver's connection, for what only the driver can do (SQLite's incremental blobs)."""
        with self._watched(call):
            return self._connection(call)

    def drop(self) -> None:
        """Forget the connection; the next statement opens another."""
        raw, self._raw = self._raw, None
        if raw is not None:
            with suppress(Exception):  # closing a dead connection fails, and changes nothing
                raw.close()

    def close(self) -> None:
        """May be called twice."""
        self._watchdog.close()
        self.drop()

    # --- inside ---------------------------------------------------------------------------------------------

    def _compile(self, statement: Statement, values: Mapping[str, object] | None) -> tuple[str, Any]:
        """Text and values, by name or (ODBC) by position. Raises: Terminal: more values than a statement takes."""
        compiled: Any = statement.compile(dialect=self.dialect, compile_kwargs={"render_postcompile": True})
        spelled = compiled.escaped_bind_names or {}  # Oracle: a column's name may be none for a value
        bound = {spelled.get(name, name): value for name, value in {**compiled.params, **(values or {})}.items()}
        if self.brand is Brand.MSSQL and len(bound) > MSSQL_MOST_BINDS:
            raise Terminal("too_many_values")
        return str(compiled), tuple(bound[name] for name in compiled.positiontup) if compiled.positional else bound

    def _cursor(self, call: Call, batch: int = 0) -> Any:
        cursor = self._connection(call).cursor()
        if self.brand is Brand.ORACLE:
            cursor.arraysize = batch or FETCH_ROWS  # the driver fetches this many at once, however long they are
            cursor.prefetchrows = 0
        self._running = cursor
        return cursor

    def _roll_back(self) -> None:
        raw = self._raw
        if raw is None:
            return
        try:
            if self.brand is Brand.MSSQL:
                # the driver knows of no transaction: it was begun by a statement
                raw.cursor().execute("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION")
            elif self.brand in {Brand.MYSQL, Brand.ORACLE}:
                raw.rollback()
            else:
                raw.execute("ROLLBACK")
        except Exception:
            self.drop()

    @contextmanager
    def _watched(self, call: Call, statements: int = 1) -> Iterator[None]:
        call.check()
        call.spend(requests=statements)
        self.statements += statements
        self._watchdog.arm(call, self._cancel, self._cut)
        try:
            yield
            self._watchdog.disarm()
            if self._watchdog.ended_by:
                self.drop()  # the statement ended in the same moment; its connection may be cut
                self._ended()
        except (UnicodeEncodeError, OverflowError):
            raise Terminal("bad_value") from None
        except Exception as error:
            if not _is_driver_error(error):
                raise
            refusal = translate(self.brand, error)
            if isinstance(refusal, Retriable) and refusal.code == "connection":
                self.drop()
            self._ended()
            raise refusal from None
        finally:
            self._watchdog.disarm()

    def _ended(self) -> None:
        """Raises: Cancelled, Retriable: if the watchdog ended the statement."""
        if self._watchdog.ended_by == "cancelled":
            raise Cancelled from None
        if self._watchdog.ended_by == "deadline":
            raise Retriable(None, "deadline") from None

    def _connection(self, call: Call) -> Any:
        if self._raw is None:
            setting = "write_url" if self._settings.write else "url"
            try:
                raw = self.address.connect(min(self._settings.connect_timeout, max(1.0, call.remaining())))
            except Exception as error:
                if not _is_driver_error(error) and not isinstance(error, OSError):
                    raise
                raise translate_connecting(self.brand, setting, error) from None
            self._raw = raw
            try:
                self._server = self._set_up(raw)
            except Exception as error:
                self.drop()
                if self.brand is Brand.SQLITE and _is_driver_error(error):
                    raise translate_connecting(self.brand, setting, error) from None
                raise
        return self._raw

    def _set_up(self, raw: Any) -> Server:
        if self.brand is Brand.POSTGRESQL:
            return self._set_up_postgresql(raw)
        if self.brand is Brand.MYSQL:
            return self._set_up_mysql(raw)
        if self.brand is Brand.MSSQL:
            return greet_mssql(raw, self._settings)
        if self.brand is Brand.ORACLE:
            return greet_oracle(raw, self._settings, writes=self._writes)
        return self._set_up_sqlite(raw)

    def _set_up_postgresql(self, raw: Any) -> Server:
        options = {
            "statement_timeout": f"{round(self._settings.statement_timeout * 1000)}",
            "lock_timeout": f"{round(self._settings.lock_timeout * 1000)}",
            "idle_in_transaction_session_timeout": "60000",
            "default_transaction_read_only": "off" if self._writes else "on",
            "TimeZone": "UTC",
            "DateStyle": "ISO, YMD",
            "client_encoding": "UTF8",
            "extra_float_digits": "1",
        }
        sets = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in options.items())
        row = raw.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int,"
            f" lower('Ä') = 'ä', pg_is_in_recovery(), current_schema()::text, lower('I') = 'i', {sets}"
        ).fetchone()
        return Server("PostgreSQL", row[0], row[1], row[2], row[3], row[4] or "public", row[5])

    def _set_up_mysql(self, raw: Any) -> Server:
        with raw.cursor() as cursor:
            cursor.execute("SELECT VERSION(), @@global.read_only, DATABASE()")
            version, read_only, database = cursor.fetchone()
            is_mariadb = "mariadb" in version.lower()
            limit = self._settings.statement_timeout
            sets = [
                "time_zone = '+00:00'",
                f"innodb_lock_wait_timeout = {max(1, round(self._settings.lock_timeout))}",
                f"lock_wait_timeout = {max(1, round(self._settings.lock_timeout))}",
                f"max_statement_time = {limit:.3f}" if is_mariadb else f"max_execution_time = {round(limit * 1000)}",
                "group_concat_max_len = 1048576",
            ]
            cursor.execute("SET SESSION " + ", ".join(sets))
            if not self._writes:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
        number = int("".join(part.zfill(2) for part in version.split("-")[0].split(".")[:3]))
        return Server("MariaDB" if is_mariadb else "MySQL", version, number, True, bool(read_only), database)

    def _set_up_sqlite(self, raw: Any) -> Server:
        functions.register(raw)
        raw.text_factory = partial(str, encoding="utf-8", errors="replace")
        raw.execute(f"PRAGMA query_only = {'OFF' if self._writes else 'ON'}")
        # what is erased fires the shop's own triggers, which may write to its search tables; reading trusts nothing
        raw.execute(f"PRAGMA trusted_schema = {'ON' if self._writes else 'OFF'}")
        raw.execute("PRAGMA secure_delete = ON")  # else what was deleted stays readable in the file's free pages
        raw.execute("PRAGMA foreign_keys = ON")
        version = raw.execute("SELECT sqlite_version() FROM (SELECT count(*) FROM sqlite_master)").fetchone()[0]
        return Server("SQLite", version, 0, True, False, "main")

    def _cancel(self) -> None:
        raw = self._raw
        if self.brand is Brand.POSTGRESQL and raw is not None:
            raw.cancel_safe(timeout=POLITE_CANCEL)
        elif self.brand is Brand.SQLITE and raw is not None:
            raw.interrupt()
        elif self.brand is Brand.ORACLE and raw is not None:
            raw.cancel()
        elif self.brand is Brand.MSSQL and hasattr(self._running, "cancel"):
            self._running.cancel()  # pymssql has no such thing: its own time-out ends the statement
        else:
            self._cut()

    def _cut(self) -> None:
        raw = self._raw
        if raw is None or self.brand is Brand.SQLITE or self.brand in NEVER_RUN:
            return  # these drivers show no socket; their own time-outs end what a cancel request does not
        if self.brand is Brand.MYSQL:
            raw._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 - PyMySQL has no other way to end a read
            return
        with socket.socket(fileno=os.dup(raw.pgconn.socket)) as held:
            held.shutdown(socket.SHUT_RDWR)


def _is_driver_error(error: Exception) -> bool:
    """Whether this came out of a database driver, told by name so that no driver need be loaded."""
    return any(kind.__name__ in {"Error", "MySQLError"} and _from_driver(kind) for kind in type(error).__mro__)


def _from_driver(kind: type) -> bool:
    return kind.__module__.split(".")[0] in {"psycopg", "pymysql", "sqlite3", "pyodbc", "pymssql", "oracledb"}
