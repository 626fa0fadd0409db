"""Case 62: a batch migration rebuilds a SQLite table and drops its triggers with it; the guards come back.

The migration is a real one, run by Alembic behind the shipped ones. PostgreSQL alters in place, and keeps its guards.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, String, inspect, text
from sqlalchemy.exc import DBAPIError

from privacyops.kernel.clock import ManualClock
from privacyops.services import ledger, purpose
from privacyops.store import guards, schema
from privacyops.store.engine import Engines, connect
from privacyops.store.tables.base import APPEND_ONLY
from privacyops.store.uow import Database
from tests.small_service import small_service

GUARDED = ("audit", "consent_event", "ledger_leaf")
NEXT = '''
"""Widen guarded tables, as a later release might."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{number}", "{before}", None, None


def upgrade() -> None:
    for table in {tables}:
        with op.batch_alter_table(table, recreate="{recreate}") as batch:
            batch.add_column(sa.Column("noted", sa.String(8), nullable=True))


def downgrade() -> None:
    for table in {tables}:
        with op.batch_alter_table(table, recreate="{recreate}") as batch:
            batch.drop_column("noted")
'''


@pytest.fixture
def widened(engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The revision of a further migration, in a copy of the folder that the service reads."""
    before, number = schema.head(), f"{int(schema.head()) + 1:04d}"
    folder = tmp_path / "migrations"
    shutil.copytree(schema.migrations_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    recreate = "always" if engines.dialect == "sqlite" else "never"
    told = NEXT.format(number=number, before=before, tables=GUARDED, recreate=recreate)
    (folder / "versions" / f"{number}_widen.py").write_text(told)
    monkeypatch.setattr(schema, "migrations_folder", lambda: folder)
    monkeypatch.setattr(schema, "head", lambda: number)
    return number


@pytest.fixture(autouse=True)
def rows(engines: Engines, clock: ManualClock) -> dict[str, int]:
    """Every guarded table of these holds something, which no migration may lose."""
    ctx = small_service(Database(engines), clock)
    purpose.install_shipped(ctx)
    ledger.drain(ctx, "test")
    held = counted(engines)
    assert all(held.values()), held
    return held


def counted(engines: Engines) -> dict[str, int]:
    with engines.reader.connect() as connection:
        return {one: connection.execute(text(f"SELECT count(*) FROM {one}")).scalar_one() for one in GUARDED}  # noqa: S608 - names in this file


def is_widened(engines: Engines) -> bool:
    with engines.reader.connect() as connection:
        held = [{one["name"] for one in inspect(connection).get_columns(table)} for table in GUARDED]
    assert len({"noted" in names for names in held}) == 1
    return "noted" in held[0]


def demand_guarded(engines: Engines) -> None:
    schema.check(engines)
    for table in GUARDED:
        for verb in ("DELETE FROM {}", "UPDATE {} SET controller = 'other'"):
            with pytest.raises(DBAPIError, match="append-only"), engines.writer.begin() as connection:
                connection.execute(text(verb.format(table)))


def test_after_a_batch_migration_and_after_the_way_back_every_guard_stands(
    engines: Engines, widened: str, rows: dict[str, int]
) -> None:
    assert not is_widened(engines)
    schema.migrate(engines)
    assert is_widened(engines)
    demand_guarded(engines)
    assert counted(engines) == rows
    schema.downgrade(engines, "-1")
    assert not is_widened(engines)
    with engines.reader.connect() as connection:
        guards.check(connection)
    assert counted(engines) == rows


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command_puts_every_guard_there_though_it_imports_little_else(
    new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    """A service on PostgreSQL starts behind it: it checks, and changes no schema itself."""
    for name, url in (("sqlite", f"sqlite:///{tmp_path / 'fresh.db'}"), ("postgresql", new_postgres_database())):
        variables = {"DATABASE_URL": url, "ENGINE_URL": f"sqlite:///{tmp_path / 'engine.db'}", "DATA": str(tmp_path)}
        environment = os.environ | {f"PRIVACYOPS_{key}": value for key, value in variables.items()}
        command = [sys.executable, "-m", "privacyops", "migrate"]
        ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        engines = connect(url)
        with engines.reader.connect() as connection:
            table = "pg_trigger WHERE tgname" if name == "postgresql" else "sqlite_master WHERE name"
            found = connection.execute(text(f"SELECT count(*) FROM {table} LIKE 'guard_%'")).scalar_one()  # noqa: S608 - constant parts
        engines.dispose()
        assert found == len(APPEND_ONLY) * (3 if name == "postgresql" else 2)


def rebuilt_by_hand(engines: Engines) -> None:
    """As somebody who calls Alembic without this house's environment, which ends with the guards."""
    with engines.writer.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("consent_event", recreate="always") as batch:
            batch.add_column(Column("noted", String(8), nullable=True))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_table_that_was_rebuilt_by_hand_has_no_guard_and_is_named_before_a_write_is_served(engines: Engines) -> None:
    rebuilt_by_hand(engines)
    with pytest.raises(guards.WriteGuardMissing) as caught:
        schema.check(engines)
    assert caught.value.members["guards"] == ["guard_consent_event_no_delete", "guard_consent_event_no_update"]
    assert caught.value.status == 503


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_next_start_puts_the_guards_of_a_rebuilt_table_back(engines: Engines, rows: dict[str, int]) -> None:
    rebuilt_by_hand(engines)
    schema.migrate(engines)
    schema.check(engines)
    with pytest.raises(DBAPIError, match="append-only"), engines.writer.begin() as connection:
        connection.execute(text("DELETE FROM consent_event"))
    assert counted(engines) == rows
