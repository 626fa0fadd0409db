"""Alembic environment: one transaction for the whole run, guards put back at its end."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, BigInteger, Connection
from sqlmodel.sql.sqltypes import AutoString

from privacyops.store import guards
from privacyops.store.tables.base import metadata
from privacyops.store.types import UtcDateTime


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations name plain SQLAlchemy types: a later change of ours must not rewrite history."""
    if kind != "type":
        return False
    match item:
        case UtcDateTime():
            return "sa.DateTime(timezone=True)"
        case AutoString():
            return f"sa.String(length={item.length})" if item.length else "sa.String()"
        case JSON():
            return 'sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")'
        case BigInteger():
            return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
        case _:
            return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=_render,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
        if _has_tables(connection):
            guards.install(connection)
    if connection.in_transaction():
        connection.commit()


def _has_tables(connection: Connection) -> bool:
    """After a downgrade to the empty database there is nothing to guard."""
    return bool(connection.dialect.has_table(connection, "audit"))


_run(context.config.attributes["connection"])
