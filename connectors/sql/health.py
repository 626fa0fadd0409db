"""How the store is, and what this credential may do in it."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from connectors.sql.address import NEVER_RUN, Brand
from connectors.sql.greeting import Server
from connectors.sql.schema import Schema
from connectors.sql.schema_mysql import granted_rights
from connectors.sql.session import Session
from privacyops.connector_sdk import Call, Health, HealthState, Right

NEVER_RUN_CODE: Final = "compiled_never_run"
"""The store works, as far as it can be seen from here; nobody has run this brand's statements on a server before."""
_MAY_CREATE: Final = {
    Brand.MSSQL: "SELECT 1 WHERE HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CREATE TABLE') = 1",
    Brand.ORACLE: "SELECT 1 FROM session_privs WHERE privilege IN ('CREATE TABLE', 'CREATE ANY TABLE')",
}


def look(
    session: Session, call: Call, server: Server, tables: Schema, latency: timedelta, *, wants_write: bool
) -> Health:
    """Reading and writing rights apart: a reading role that could write is reported as one that can."""
    rights: set[Right] = set()
    if not tables or any("select" in table.rights for table in tables.values()):
        rights.add(Right.READ)
    lag: timedelta | None = None
    if session.brand is Brand.POSTGRESQL:
        lag = _postgresql(session, call, server, rights)
    elif session.brand is Brand.MYSQL:
        _mysql(session, call, server, rights)
    elif session.brand in _MAY_CREATE:
        rights.update({Right.DDL} if session.run(call, sa.text(_MAY_CREATE[session.brand])) else ())
    else:
        _sqlite(session, call, rights)
    writable = any(table.rights & {"update", "delete"} for table in tables.values())
    if session.brand is not Brand.SQLITE and writable and not server.is_replica:
        rights.add(Right.WRITE)
    code = "no_read_right" if Right.READ not in rights else ""
    if wants_write and Right.WRITE not in rights:
        code = "replica" if server.is_replica else "no_write_right"
    state = HealthState.DEGRADED if code else HealthState.OK
    code = code or (NEVER_RUN_CODE if session.brand in NEVER_RUN else "")
    return Health(state, server.product, server.version, latency, frozenset(rights), lag, code)


def _postgresql(session: Session, call: Call, server: Server, rights: set[Right]) -> timedelta | None:
    row = session.run(
        call,
        sa.text(
            "SELECT has_schema_privilege(:schema, 'CREATE'),"
            " extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8"
        ),
        {"schema": server.schema},
    )[0]
    if row[0]:
        rights.add(Right.DDL)
    return timedelta(seconds=row[1]) if server.is_replica and row[1] is not None else None


def _mysql(session: Session, call: Call, server: Server, rights: set[Right]) -> None:
    lines = [str(record[0]) for record in session.run(call, sa.text("SHOW GRANTS"))]
    if {"create", "alter"} & granted_rights(lines, server.schema)["*"]:
        rights.add(Right.DDL)


def _sqlite(session: Session, call: Call, rights: set[Right]) -> None:
    path = Path(str(session.run(call, sa.text("SELECT file FROM pragma_database_list WHERE name = 'main'"))[0][0]))
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        rights.update({Right.WRITE, Right.DDL})
