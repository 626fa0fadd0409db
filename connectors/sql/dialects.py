"""SQLAlchemy's compilers for SQL Server and Oracle Database, told what they else ask a server they are connected to.

Neither server has a truth value that can stand by itself: `WHERE 1` and `CASE WHEN 0 THEN` are errors there.
"""

from typing import Any

from sqlalchemy.dialects.mssql.base import MSSQLCompiler
from sqlalchemy.dialects.mssql.pymssql import MSDialect_pymssql
from sqlalchemy.dialects.mssql.pyodbc import MSDialect_pyodbc
from sqlalchemy.dialects.oracle.cx_oracle import OracleCompiler_cx_oracle
from sqlalchemy.dialects.oracle.oracledb import OracleDialect_oracledb
from sqlalchemy.engine.interfaces import Dialect

TRUE, FALSE = "(1 = 1)", "(0 = 1)"


class _MssqlCompiler(MSSQLCompiler):
    def visit_true(self, expr: Any, **kw: Any) -> str:
        return TRUE

    def visit_false(self, expr: Any, **kw: Any) -> str:
        return FALSE


class _OracleCompiler(OracleCompiler_cx_oracle):
    def visit_true(self, expr: Any, **kw: Any) -> str:
        return TRUE

    def visit_false(self, expr: Any, **kw: Any) -> str:
        return FALSE


def mssql(driver: str) -> Dialect:
    """With OFFSET and FETCH, which every server since 2012 has."""
    kinds: dict[str, Any] = {"pymssql": MSDialect_pymssql, "pyodbc": MSDialect_pyodbc}
    dialect = kinds[driver](paramstyle="pyformat" if driver == "pymssql" else "qmark")
    dialect.statement_compiler = _MssqlCompiler
    dialect._supports_offset_fetch = True  # noqa: SLF001 - set by SQLAlchemy once it is connected, which it never is here
    dialect.supports_native_boolean = True
    return dialect  # type: ignore[no-any-return]  # untyped in SQLAlchemy


def oracle() -> Dialect:
    """Version 12.2 and newer: FETCH FIRST, names of up to 128 bytes."""
    kind: Any = OracleDialect_oracledb
    dialect = kind(paramstyle="named")
    dialect.statement_compiler = _OracleCompiler
    dialect.supports_native_boolean = True
    return dialect  # type: ignore[no-any-return]  # untyped in SQLAlchemy
