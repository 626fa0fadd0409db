"""What a server is told and asked when a connection to it is set up: SQL Server and Oracle Database."""

from dataclasses import dataclass
from typing import Any, Final

from connectors.sql.settings import Settings


@dataclass(frozen=True)
class Server:
    """What the server said when the connection was set up."""

    product: str
    version: str
    number: int
    folds_unicode: bool
    """PostgreSQL: `lower` knows more than ASCII in this database."""
    is_replica: bool
    schema: str
    folds_ascii: bool = True
    """PostgreSQL: False where the locale has its own idea of the letter I."""
    lock_wait: int = 2
    """Oracle Database: seconds that a lock is waited for, which only a statement itself can say there."""


MSSQL_SERVER: Final = (
    "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)), SCHEMA_NAME(),"
    " CASE WHEN DATABASEPROPERTYEX(DB_NAME(), 'Updateability') = 'READ_ONLY' THEN 1 ELSE 0 END"
)
ORACLE_SERVER: Final = (
    "SELECT version, SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA'),"
    " CASE WHEN SYS_CONTEXT('USERENV', 'DATABASE_ROLE') = 'PRIMARY' THEN 0 ELSE 1 END"
    " FROM product_component_version WHERE product LIKE 'Oracle%' AND ROWNUM = 1"
)
READ_ONLY_SINCE: Final = 23
"""The first Oracle Database whose sessions can be made read only as a whole."""


def mssql_settings(settings: Settings) -> str:
    """One batch. The time a statement may take is the driver's to watch; the server knows no such setting.

    Dates are read as they are written here whatever the login's language is; a transaction that meets an error is
    undone as a whole; the count of a change is asked for, so that no trigger's count is taken for it.
    """
    return (
        f"SET NOCOUNT ON; SET XACT_ABORT ON; SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON;"
        f" SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; SET QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF;"
        f" SET LANGUAGE us_english; SET DATEFORMAT ymd; SET LOCK_TIMEOUT {max(1, round(settings.lock_timeout * 1000))};"
        f" SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
    )


def oracle_settings() -> str:
    """One statement: texts are compared byte for byte, moments and numbers are written in one way."""
    return (
        "ALTER SESSION SET NLS_COMP = 'BINARY' NLS_SORT = 'BINARY' NLS_NUMERIC_CHARACTERS = '.,'"
        " NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS' NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6'"
        " NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6TZH:TZM' TIME_ZONE = '+00:00'"
    )


def greet_mssql(raw: Any, settings: Settings) -> Server:
    """No session can be told to read only: session.py lets no change through."""
    cursor = raw.cursor()
    try:
        cursor.execute(mssql_settings(settings))
        cursor.execute(MSSQL_SERVER)
        version, schema, read_only = cursor.fetchone()
    finally:
        cursor.close()
    return Server("SQL Server", str(version), _major(version), True, bool(read_only), str(schema or "dbo"))


def greet_oracle(raw: Any, settings: Settings, *, writes: bool) -> Server:
    """Before version 23 a session cannot be made read only; session.py lets no change through."""
    cursor = raw.cursor()
    try:
        cursor.execute(oracle_settings())
        cursor.execute(ORACLE_SERVER)
        version, schema, replica = cursor.fetchone()
        if not writes and _major(version) >= READ_ONLY_SINCE:
            cursor.execute("ALTER SESSION SET READ_ONLY = TRUE")
    finally:
        cursor.close()
    wait = max(1, round(settings.lock_timeout))
    return Server("Oracle Database", str(version), _major(version), True, bool(replica), str(schema), lock_wait=wait)


def _major(version: object) -> int:
    head = str(version).split(".")[0]
    return int(head) if head.isdigit() else 0
