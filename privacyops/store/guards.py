"""Append-only triggers: their DDL, put there after every migration, and the check at start-up.

A batch migration rebuilds a SQLite table and silently drops its triggers, and an owner of the database can drop
them on purpose; therefore the service compares the database with this module before it serves a write. A guard
hinders an owner, it does not stop one: what proves tampering is the ledger (ledger/fsck.py).
"""

from sqlalchemy import Connection, text

from privacyops.kernel.errors import Unavailable
from privacyops.store.tables import every
from privacyops.store.tables.base import APPEND_ONLY


class WriteGuardMissing(Unavailable):
    type = "/problems/write-guard-missing"
    title = "An append-only guard is missing in the database; no write is served. Run `privacyops migrate`"


_PG_FUNCTION = """
CREATE OR REPLACE FUNCTION privacyops_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'append-only table %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def install(connection: Connection) -> None:
    """Create or replace every guard. Call at the end of each migration run, as the owner of the tables."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(_PG_FUNCTION))
    for name, ddl in _wanted(connection.dialect.name).items():
        table = name.rsplit("_no_", 1)[0].removeprefix("guard_")
        if not connection.dialect.has_table(connection, table):
            continue  # an older revision on the way up or down: `check` misses the guard, not this run
        drop = f"DROP TRIGGER IF EXISTS {name}"
        connection.execute(text(drop if connection.dialect.name == "sqlite" else f"{drop} ON {table}"))
        connection.execute(text(ddl))


def lift(connection: Connection, tables: frozenset[str]) -> None:
    """Take the guards of `tables` off, inside a transaction that puts them back with `install` before it ends.

    On PostgreSQL this is the owner's right: the application's own role is refused.
    """
    for name in _wanted(connection.dialect.name):
        table = name.rsplit("_no_", 1)[0].removeprefix("guard_")
        if table in tables:
            drop = f"DROP TRIGGER IF EXISTS {name}"
            connection.execute(text(drop if connection.dialect.name == "sqlite" else f"{drop} ON {table}"))


def check(connection: Connection) -> None:
    """Compare the database's triggers with this module.

    Raises: WriteGuardMissing: one is absent, altered or switched off; the member `guards` names them.
    """
    found = _present(connection)
    missing = sorted(name for name, ddl in _wanted(connection.dialect.name).items() if found.get(name) != _flat(ddl))
    if missing:
        raise WriteGuardMissing(guards=missing)


def _wanted(dialect: str) -> dict[str, str]:
    guards: dict[str, str] = {}
    for table in sorted(APPEND_ONLY.intersection(every.TABLES)):  # whatever else the process has imported
        for verb in ("UPDATE", "DELETE", *(["TRUNCATE"] if dialect == "postgresql" else [])):
            name = f"guard_{table}_no_{verb.lower()}"
            if dialect == "sqlite":
                guards[name] = (
                    f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'append-only table {table}'); END"
                )
            else:
                each = "STATEMENT" if verb == "TRUNCATE" else "ROW"
                guards[name] = (
                    f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                    f"FOR EACH {each} EXECUTE FUNCTION privacyops_append_only()"
                )
    return guards


def _present(connection: Connection) -> dict[str, str]:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        return {name: _flat(sql) for name, sql in rows}
    rows = connection.execute(
        text(
            "SELECT t.tgname, pg_get_triggerdef(t.oid, true), p.prosrc FROM pg_trigger t "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') "
            "AND p.proname = 'privacyops_append_only'"
        )
    )
    body = _PG_FUNCTION.split("$$")[1]
    return {name: _flat(definition) for name, definition, source in rows if _flat(source) == _flat(body)}


def _flat(sql: str) -> str:
    return " ".join(sql.split()).replace("public.", "")
