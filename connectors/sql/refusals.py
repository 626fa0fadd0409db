"""Drivers' errors as the SDK's classes. A driver's message quotes rows, so it ends here and goes nowhere."""

import re
from typing import Final

from connectors.sql.address import Brand
from connectors.sql.refusals_never_run import (
    CONSTRAINT,
    mssql_connecting,
    mssql_refusal,
    oracle_connecting,
    oracle_refusal,
)
from privacyops.connector_sdk import Misconfigured, Retriable, StoreRefusal, Terminal

_PG_STATES: Final = {
    "57014": "timeout",
    "55P03": "lock",
    "40001": "deadlock",
    "40P01": "deadlock",
    "57P01": "connection",
    "57P02": "connection",
    "57P03": "connection",
    "57P04": "connection",
    "25P03": "connection",
}
_PG_TERMINAL: Final = {
    "42501": "denied",
    "25006": "read_only",
    "42P01": "schema_changed",
    "42703": "schema_changed",
    "42704": "schema_changed",
    "3F000": "schema_changed",
    "55000": "not_ready",
}
_MYSQL_RETRY: Final = {
    1040: "busy",
    1203: "busy",
    1205: "lock",
    1213: "deadlock",
    1969: "timeout",
    3024: "timeout",
    1317: "timeout",
    2006: "connection",
    2013: "connection",
    2003: "connection",
    1053: "connection",
    1927: "connection",
    0: "connection",
}
_MYSQL_TERMINAL: Final = {
    1142: "denied",
    1143: "denied",
    1227: "denied",
    1370: "denied",
    1792: "read_only",
    1290: "read_only",
    1054: "schema_changed",
    1146: "schema_changed",
}
_MYSQL_CONSTRAINTS: Final = frozenset({1022, 1048, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 3819, 4025})
_UNRESOLVED: Final = ("could not translate host name", "name or service not known", "getaddrinfo", "resolve host")
_UNREACHED: Final = (
    "connection refused",
    "timeout",
    "timed out",
    "server closed the connection",
    "no route to host",
    "network is unreachable",
    "connection reset",
    "could not receive data",
    "could not send data",
    "broken pipe",
    "the database system is",
    "too many clients",
    "connection slots",
)


def translate(brand: Brand, error: Exception) -> StoreRefusal:
    """The refusal a failed statement amounts to; `error` is the driver's own."""
    if brand is Brand.POSTGRESQL:
        return _postgresql(getattr(error, "sqlstate", None), error)
    if brand is Brand.MYSQL:
        return _mysql(error)
    if brand is Brand.MSSQL:
        return mssql_refusal(error)
    if brand is Brand.ORACLE:
        return oracle_refusal(error)
    return _sqlite(str(error))


def translate_connecting(brand: Brand, setting: str, error: Exception) -> StoreRefusal:  # noqa: PLR0911 - one sign a line
    """The refusal a failed connection amounts to: the store is away, or the address is wrong."""
    text = " ".join(str(error).lower().split())
    if brand is Brand.SQLITE:
        return Misconfigured(setting, "path")
    if any(sign in text for sign in _UNRESOLVED):
        return Misconfigured(setting, "host")
    if brand is Brand.MYSQL:
        code = _mysql_code(error)
        if code in {1049, 1044}:
            return Misconfigured(setting, "database")
        if code in {1045, 1698, 1130, 1251, 2054, 2059}:
            return Misconfigured(setting, "credentials")
        return Retriable(None, _MYSQL_RETRY.get(code, "connection"))
    if brand is Brand.MSSQL:
        return mssql_connecting(setting, error)
    if brand is Brand.ORACLE:
        return oracle_connecting(setting, error)
    if any(sign in text for sign in _UNREACHED):
        return Retriable(None, "connection")
    if re.search(r'database ".*" does not exist', text):
        return Misconfigured(setting, "database")
    if "ssl" in text or "certificate" in text:
        return Misconfigured(setting, "tls")
    # what is left came from the server itself, perhaps in its own language: it did not like who asks
    return Misconfigured(setting, "credentials")


def _postgresql(state: str | None, error: Exception) -> StoreRefusal:
    if state is None:
        # the driver's own: DataError is a value it cannot send or read, the rest is a lost connection
        return Terminal("bad_value") if type(error).__name__ == "DataError" else Retriable(None, "connection")
    if state in _PG_STATES:
        return Retriable(None, _PG_STATES[state])
    if state[:2] in {"08", "53"}:
        return Retriable(None, "busy" if state.startswith("53") else "connection")
    if state.startswith("23"):
        return Terminal(CONSTRAINT)
    if state == "0A000" and "cached plan" in str(error):
        return Retriable(None, "schema_changed")
    return Terminal(_PG_TERMINAL.get(state, "bad_value" if state.startswith("22") else "statement"))


def _mysql_code(error: Exception) -> int:
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def _mysql(original: Exception) -> StoreRefusal:
    code = _mysql_code(original)
    if code in _MYSQL_CONSTRAINTS:
        return Terminal(CONSTRAINT)
    if code in _MYSQL_RETRY:
        return Retriable(None, _MYSQL_RETRY[code])
    return Terminal(_MYSQL_TERMINAL.get(code, "bad_value" if code in {1264, 1265, 1366, 1406} else "statement"))


def _sqlite(text: str) -> StoreRefusal:
    lowered = text.lower()
    for sign, refusal in (
        ("locked", Retriable(None, "lock")),
        ("interrupted", Retriable(None, "timeout")),
        ("disk i/o", Retriable(None, "io")),
        ("unable to open", Misconfigured("url", "path")),
        ("not a database", Misconfigured("url", "not_a_database")),
        ("malformed", Terminal("damaged")),
        ("readonly", Terminal("read_only")),
        ("no such table", Terminal("schema_changed")),
        ("no such column", Terminal("schema_changed")),
        ("constraint", Terminal(CONSTRAINT)),
    ):
        if sign in lowered:
            return refusal
    return Terminal("statement")
