"""Connections to SQL Server and Oracle Database. What comes from the address is never spliced into another syntax.

Compiled and reviewed; no server of either was there to run it against (docs/connectors/sql.md).
"""

import re
import ssl
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy.engine import URL

from connectors.sql.settings import Settings
from privacyops.connector_sdk import Misconfigured

Connect: TypeAlias = Callable[[float], Any]

ODBC_DRIVERS: Final = ("ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server")
"""The names an address may give: the driver manager would load any library another name or a path stands for."""
_ENCRYPT: Final = frozenset({"yes", "strict", "no"})
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]{1,253}")
"""No backslash (a named instance is looked up by another protocol), no comma, brace or semicolon."""


def check_host(url: URL, setting: str) -> None:
    """Raises: Misconfigured: the host is none that can stand in a connection string."""
    if not _HOST.fullmatch(url.host or ""):
        raise Misconfigured(setting, "host_malformed")


def pyodbc_connect(url: URL, settings: Settings, setting: str) -> Connect:
    """Raises: Misconfigured: an option has a value that is not on the list."""
    driver, encrypt = str(url.query.get("driver", ODBC_DRIVERS[0])), str(url.query.get("encrypt", "yes"))
    if driver not in ODBC_DRIVERS or encrypt not in _ENCRYPT:
        raise Misconfigured(setting, "option_not_allowed")
    parts = {
        "DRIVER": driver,
        "SERVER": f"tcp:{url.host},{url.port or 1433}",
        "DATABASE": str(url.database),
        "UID": url.username or "",
        "PWD": url.password or "",
        "APP": "privacyops",
        "Encrypt": encrypt,
        "TrustServerCertificate": "no",
        "ApplicationIntent": "ReadWrite" if settings.write else "ReadOnly",
    }
    text = ";".join(f"{name}={_braced(value)}" for name, value in parts.items())

    def connect(seconds: float) -> Any:
        try:
            import pyodbc  # noqa: PLC0415 - only the driver in use is loaded
        except ImportError:
            raise Misconfigured("extra:mssql", "missing_pyodbc") from None
        raw = pyodbc.connect(text, autocommit=True, timeout=max(1, round(seconds)))
        raw.timeout = max(1, round(settings.statement_timeout))  # seconds; the driver cancels at the server
        return raw

    return connect


def pymssql_connect(url: URL, settings: Settings, setting: str) -> Connect:
    """FreeTDS instead of ODBC. Raises: Misconfigured: an option has a value that is not on the list."""
    encrypt = str(url.query.get("encrypt", "yes"))
    if encrypt not in _ENCRYPT - {"strict"} or "driver" in url.query:
        raise Misconfigured(setting, "option_not_allowed")

    def connect(seconds: float) -> Any:
        try:
            import pymssql  # noqa: PLC0415 - only the driver in use is loaded
        except ImportError:
            raise Misconfigured("extra:mssql-tds", "missing_pymssql") from None
        return pymssql.connect(
            server=url.host or "",
            port=str(url.port or 1433),
            user=url.username or "",
            password=url.password or "",
            database=str(url.database),
            login_timeout=max(1, round(seconds)),
            timeout=max(1, round(settings.statement_timeout)),
            charset="UTF-8",
            appname="privacyops",
            tds_version="7.4",
            encryption="require" if encrypt == "yes" else "off",
            read_only=not settings.write,
            autocommit=True,
        )

    return connect


def oracledb_connect(url: URL, settings: Settings, setting: str) -> Connect:
    """The thin driver: no Oracle client, no `tnsnames.ora`. The address's path is the service name.

    Raises: Misconfigured: an option has a value that is not on the list.
    """
    protocol = str(url.query.get("protocol", "tcps" if settings.ca_file else "tcp"))
    if protocol not in {"tcp", "tcps"} or (settings.ca_file and protocol == "tcp"):
        raise Misconfigured(setting, "option_not_allowed")

    def connect(seconds: float) -> Any:
        try:
            import oracledb  # noqa: PLC0415 - only the driver in use is loaded
        except ImportError:
            raise Misconfigured("extra:oracle", "missing_oracledb") from None
        given: dict[str, Any] = {}
        if protocol == "tcps":
            given["ssl_context"] = ssl.create_default_context(
                cafile=str(settings.ca_file) if settings.ca_file else None
            )
        raw = oracledb.connect(
            user=url.username,
            password=url.password,
            host=url.host,
            port=url.port or (2484 if protocol == "tcps" else 1521),
            service_name=url.database,
            protocol=protocol,
            ssl_server_dn_match=True,
            tcp_connect_timeout=seconds,
            retry_count=0,
            program="privacyops",
            **given,
        )
        raw.autocommit = False  # else each change would be a transaction of its own
        raw.call_timeout = max(1, round(settings.statement_timeout * 1000))
        raw.outputtypehandler = _kinds(oracledb)
        return raw

    return connect


def _kinds(oracledb: Any) -> Callable[[Any, Any], Any]:
    """How cells arrive: numbers exact, long cells as text or bytes instead of a locator."""
    direct = {
        oracledb.DB_TYPE_CLOB: oracledb.DB_TYPE_LONG,
        oracledb.DB_TYPE_NCLOB: oracledb.DB_TYPE_LONG_NVARCHAR,
        oracledb.DB_TYPE_BLOB: oracledb.DB_TYPE_LONG_RAW,
    }

    def kind_of(cursor: Any, metadata: Any) -> Any:
        if metadata.type_code is oracledb.DB_TYPE_NUMBER:
            return cursor.var(Decimal, arraysize=cursor.arraysize, outconverter=exact)
        wanted = direct.get(metadata.type_code)
        return None if wanted is None else cursor.var(wanted, arraysize=cursor.arraysize)

    return kind_of


def exact(number: Decimal) -> int | Decimal:
    """Oracle has one type for both: what has no fraction is an integer."""
    return int(number) if number == number.to_integral_value() else number


def _braced(value: str) -> str:
    """A value of an ODBC connection string; inside braces only a closing one has a meaning."""
    return "{" + value.replace("}", "}}") + "}"
