"""SQL Server's and Oracle Database's errors as the SDK's classes, by their numbers, which are not translated."""

import re
from typing import Final

from privacyops.connector_sdk import Misconfigured, Retriable, StoreRefusal, Terminal

CONSTRAINT: Final = "constraint"
"""Code of a write that a constraint refused."""

_MSSQL_RETRY: Final = {
    1205: "deadlock",
    1222: "lock",
    3960: "lock",
    -2: "timeout",
    701: "busy",
    10928: "busy",
    10929: "busy",
    40501: "busy",
    40197: "connection",
    40613: "connection",
    49918: "busy",
}
_MSSQL_TERMINAL: Final = {
    229: "denied",
    230: "denied",
    262: "denied",
    916: "denied",
    3906: "read_only",
    3908: "read_only",
    207: "schema_changed",
    208: "schema_changed",
    547: CONSTRAINT,
    515: CONSTRAINT,
    2601: CONSTRAINT,
    2627: CONSTRAINT,
    13535: CONSTRAINT,
    220: "bad_value",
    241: "bad_value",
    242: "bad_value",
    245: "bad_value",
    2628: "bad_value",
    8114: "bad_value",
    8115: "bad_value",
    8152: "bad_value",
}
_MSSQL_STATES: Final = {"HYT00": "timeout", "HYT01": "connection", "40001": "deadlock", "HY008": "timeout"}
_ORACLE_RETRY: Final = {
    54: "lock",
    60: "deadlock",
    30006: "lock",
    8177: "deadlock",
    1013: "timeout",
    1555: "timeout",
    3113: "connection",
    3114: "connection",
    3135: "connection",
    1033: "connection",
    1034: "connection",
    1089: "connection",
    12514: "connection",
    12537: "connection",
    12541: "connection",
    12170: "connection",
    18: "busy",
    20: "busy",
    4031: "busy",
}
_ORACLE_TERMINAL: Final = {
    1031: "denied",
    41900: "denied",
    16000: "read_only",
    1456: "read_only",
    28194: "read_only",
    942: "schema_changed",
    904: "schema_changed",
    1: CONSTRAINT,
    1400: CONSTRAINT,
    1407: CONSTRAINT,
    2290: CONSTRAINT,
    2291: CONSTRAINT,
    2292: CONSTRAINT,
    2091: CONSTRAINT,
    28115: CONSTRAINT,
    1722: "bad_value",
    1830: "bad_value",
    1843: "bad_value",
    1858: "bad_value",
    1861: "bad_value",
    12899: "bad_value",
    1438: "bad_value",
    1461: "bad_value",
}
_ORACLE_DRIVER: Final = {
    4011: "connection",
    4024: "timeout",
    1001: "connection",
    6005: "connection",
    6000: "connection",
}
"""oracledb's own numbers (DPY-…), of which a lost connection and a time-out are told."""


def mssql_refusal(error: Exception) -> StoreRefusal:
    """The refusal a failed statement amounts to."""
    state, number = _mssql_signs(error)
    if number in _MSSQL_TERMINAL:
        return Terminal(_MSSQL_TERMINAL[number])
    if number in _MSSQL_RETRY or state in _MSSQL_STATES:
        return Retriable(None, _MSSQL_RETRY.get(number) or _MSSQL_STATES[state])
    if state.startswith("08") or number in {20003, 20004, 20006, 20047}:
        return Retriable(None, "connection")
    if state.startswith("23"):
        return Terminal(CONSTRAINT)
    return Terminal("bad_value" if state.startswith("22") else "statement")


def mssql_connecting(setting: str, error: Exception) -> StoreRefusal:
    """The refusal a failed connection amounts to: the store is away, or the address is wrong."""
    state, number = _mssql_signs(error)
    text = str(error).lower()
    if number in {4060, 911}:
        return Misconfigured(setting, "database")
    if number in {18456, 18452, 18470, 18486, 18487, 18488} or state == "28000":
        return Misconfigured(setting, "credentials")
    if state == "IM002" or "can't open lib" in text:
        return Misconfigured("extra:mssql", "missing_odbc_driver")
    if "certificate" in text or "ssl provider" in text:
        return Misconfigured(setting, "tls")
    return Retriable(None, _MSSQL_RETRY.get(number, "connection"))


def _mssql_signs(error: Exception) -> tuple[str, int]:
    """ODBC's state and the server's number. pyodbc gives (state, "[state] ... (number) (function)"), pymssql
    (number, text), perhaps one level deeper.
    """
    first = error.args[0] if error.args else ""
    if isinstance(first, tuple) and first:
        first = first[0]
    if isinstance(first, int):
        return "", first
    numbers = re.findall(r"\((-?\d+)\)", str(error.args[1])) if len(error.args) > 1 else []
    return str(first), int(numbers[0]) if numbers else 0


def oracle_refusal(error: Exception) -> StoreRefusal:
    """The refusal a failed statement amounts to."""
    prefix, number = _oracle_number(error)
    if prefix == "DPY":
        return Retriable(None, _ORACLE_DRIVER[number]) if number in _ORACLE_DRIVER else Terminal("bad_value")
    if number in _ORACLE_RETRY:
        return Retriable(None, _ORACLE_RETRY[number])
    return Terminal(_ORACLE_TERMINAL.get(number, "statement"))


def oracle_connecting(setting: str, error: Exception) -> StoreRefusal:
    """The refusal a failed connection amounts to: the store is away, or the address is wrong."""
    prefix, number = _oracle_number(error)
    text = str(error).lower()
    if number in {1017, 28000, 28001, 1005, 1045} and prefix == "ORA":
        return Misconfigured(setting, "credentials")
    if (prefix == "DPY" and number in {6001, 6003}) or (prefix == "ORA" and number in {12514, 12505}):
        return Misconfigured(setting, "database")
    if "certificate" in text or "ssl" in text:
        return Misconfigured(setting, "tls")
    if "name or service not known" in text or "getaddrinfo" in text or "resolve" in text:
        return Misconfigured(setting, "host")
    return Retriable(None, "connection")


def _oracle_number(error: Exception) -> tuple[str, int]:
    """The first of the codes; behind ORA-02091, which only says that all was undone, stands the cause."""
    found = re.findall(r"\b(ORA|DPY)-(\d+)", str(error))
    if found and found[0] == ("ORA", "02091") and len(found) > 1:
        found = found[1:]
    return (found[0][0], int(found[0][1])) if found else ("", 0)
