"""The store's address: which driver, which options, and what is refused before anything is opened.

A connection string can name files (`passfile`, `service`, `sslkey`, `read_default_file`), and a hostile
server can ask a MySQL client for local ones, so options are an allow-list and everything else is refused by
name.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from connectors.sql.drivers import check_host, oracledb_connect, pymssql_connect, pyodbc_connect
from connectors.sql.settings import Settings
from privacyops.connector_sdk import Misconfigured, Secrets


class Brand(StrEnum):
    """Families of servers that are spoken to alike."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    """MariaDB too."""
    SQLITE = "sqlite"
    MSSQL = "mssql"
    """SQL Server and Azure SQL. Compiled and reviewed, never run against a server."""
    ORACLE = "oracle"
    """Oracle Database. Compiled and reviewed, never run against a server."""


NEVER_RUN: Final = frozenset({Brand.MSSQL, Brand.ORACLE})
"""Brands whose statements no server of theirs has seen yet: what they decide is decided here again."""

_BRANDS: Final[Mapping[str, Brand]] = {
    "postgresql": Brand.POSTGRESQL,
    "postgres": Brand.POSTGRESQL,
    "mysql": Brand.MYSQL,
    "mariadb": Brand.MYSQL,
    "sqlite": Brand.SQLITE,
    "mssql": Brand.MSSQL,
    "oracle": Brand.ORACLE,
}
_DRIVERS: Final = {
    Brand.POSTGRESQL: ("psycopg",),
    Brand.MYSQL: ("pymysql",),
    Brand.SQLITE: ("pysqlite",),
    Brand.MSSQL: ("pyodbc", "pymssql"),
    Brand.ORACLE: ("oracledb",),
}
"""The first is taken where an address names none."""
_SSL_MODES: Final = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
FOUND_ROWS: Final = 2
"""MySQL's client flag: an update counts the rows it met, not those it made different."""
_OPTIONS: Final = {
    Brand.POSTGRESQL: frozenset({"sslmode", "application_name"}),
    Brand.MYSQL: frozenset({"charset", "ssl"}),
    Brand.SQLITE: frozenset[str](),
    Brand.MSSQL: frozenset({"driver", "encrypt"}),
    Brand.ORACLE: frozenset({"protocol"}),
}


@dataclass(frozen=True, repr=False)
class Address:
    """Where the store is. `connect` opens a driver connection that gives up after so many seconds."""

    brand: Brand
    database: str
    connect: Callable[[float], Any]
    """Driver connections have no common type; everything that touches one is in session.py."""
    driver: str = ""
    """The driver's name, where a brand has several."""

    def __repr__(self) -> str:
        return f"Address({self.brand.value})"


def read_address(settings: Settings, secrets: Secrets) -> Address:
    """Raises: Misconfigured: setting `url` (or `write_url`) with what is wrong about it, never with its
    value.
    """
    setting, text = _secret(settings, secrets)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise Misconfigured(setting, "not_an_address") from None
    name, _, driver = url.drivername.partition("+")
    brand = _BRANDS.get(name)
    if brand is None or (driver and driver not in _DRIVERS[brand]):
        raise Misconfigured(setting, "unknown_driver")
    if set(url.query) - _OPTIONS[brand] or any(not isinstance(part, str) for part in url.query.values()):
        raise Misconfigured(setting, "option_not_allowed")
    if brand is Brand.SQLITE:
        return _sqlite(url, settings, setting)
    if not url.host or url.host.startswith("/"):
        raise Misconfigured(setting, "host_missing")
    if not url.database:
        raise Misconfigured(setting, "database_missing")
    if brand in NEVER_RUN:
        return _never_run(brand, driver or _DRIVERS[brand][0], url, settings, setting)
    return _postgresql(url, settings, setting) if brand is Brand.POSTGRESQL else _mysql(url, settings, setting)


def _secret(settings: Settings, secrets: Secrets) -> tuple[str, str]:
    if settings.write:
        try:
            return "write_url", secrets.get("write_url").get_secret_value()
        except Misconfigured:
            pass  # one credential for both roles is the operator's choice
    return "url", secrets.get("url").get_secret_value()


def _postgresql(url: URL, settings: Settings, setting: str) -> Address:
    mode = url.query.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise Misconfigured(setting, "option_not_allowed")

    def connect(seconds: float) -> Any:
        import psycopg  # noqa: PLC0415 - only the driver in use is loaded

        return psycopg.connect(
            host=url.host,
            port=url.port or 5432,
            user=url.username,
            password=url.password,
            dbname=url.database,
            sslmode=str(mode),
            sslrootcert=str(settings.ca_file) if settings.ca_file else None,
            application_name=str(url.query.get("application_name", "privacyops")),
            connect_timeout=max(2, round(seconds)),  # libpq takes whole seconds, two at least
            passfile=f"{os.devnull}/none",  # a file that is there is warned of on stderr
            keepalives_idle=20,
            autocommit=True,
        )

    return Address(Brand.POSTGRESQL, str(url.database), connect)


def _mysql(url: URL, settings: Settings, setting: str) -> Address:
    if url.query.get("charset", "utf8mb4") != "utf8mb4" or url.query.get("ssl", "true") not in {"true", "false"}:
        raise Misconfigured(setting, "option_not_allowed")
    ssl: dict[str, object] | None = {} if url.query.get("ssl") == "true" else None
    if settings.ca_file:
        ssl = {"ca": str(settings.ca_file), "check_hostname": True}

    def connect(seconds: float) -> Any:
        import pymysql  # noqa: PLC0415 - only the driver in use is loaded

        polite = max(1, round(seconds))
        connection = pymysql.connect(
            host=url.host,
            port=url.port or 3306,
            user=url.username,
            password=url.password or "",
            database=url.database,
            charset="utf8mb4",
            ssl=ssl,
            connect_timeout=polite,
            read_timeout=polite,  # the driver's own limit ends with TCP; a server that never greets must end as well
            write_timeout=settings.statement_timeout + 5,
            local_infile=False,
            client_flag=FOUND_ROWS,
            autocommit=True,
        )
        connection._read_timeout = settings.statement_timeout + 5  # noqa: SLF001 - read anew by each packet; no setter
        return connection

    return Address(Brand.MYSQL, str(url.database), connect)


def _never_run(brand: Brand, driver: str, url: URL, settings: Settings, setting: str) -> Address:
    check_host(url, setting)
    if brand is Brand.MSSQL and settings.ca_file:
        raise Misconfigured("ca_file", "option_not_allowed")  # these drivers trust what the machine trusts
    ways = {"pyodbc": pyodbc_connect, "pymssql": pymssql_connect, "oracledb": oracledb_connect}
    return Address(brand, str(url.database), ways[driver](url, settings, setting), driver)


def _sqlite(url: URL, settings: Settings, setting: str) -> Address:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise Misconfigured(setting, "path_missing")
    path = Path(url.database).absolute()
    if settings.folder is not None and not path.resolve().is_relative_to(settings.folder.resolve()):
        raise Misconfigured(setting, "path_outside_folder")
    mode = "rw" if settings.write else "ro"

    def connect(seconds: float) -> Any:
        import sqlite3  # noqa: PLC0415 - only the driver in use is loaded

        return sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=settings.lock_timeout,
            isolation_level=None,
            check_same_thread=False,  # the host runs a store in one thread at a time, not always the same
        )

    return Address(Brand.SQLITE, "main", connect)
