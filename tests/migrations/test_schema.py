"""Migrations lead to exactly the tables the code declares, and back."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from privacyops.store import schema
from privacyops.store.engine import Engines
from privacyops.store.tables import every
from privacyops.store.tables.base import metadata


def test_the_migrated_database_is_the_declared_one(engines: Engines) -> None:
    with engines.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_head_is_the_one_that_alembic_reads() -> None:
    assert [schema.head()] == ScriptDirectory(str(schema.migrations_folder())).get_heads()


def test_every_declared_table_is_there(engines: Engines) -> None:
    with engines.reader.connect() as connection:
        assert set(every.TABLES) <= set(inspect(connection).get_table_names())


def test_down_and_up_again_is_the_same(engines: Engines) -> None:
    schema.downgrade(engines, "base")
    with engines.writer.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    schema.migrate(engines)
    schema.check(engines)


def test_a_database_without_migrations_is_told_what_to_run(engines: Engines) -> None:
    schema.downgrade(engines, "base")
    with pytest.raises(schema.SchemaOutdated, match="privacyops migrate"):
        schema.check(engines)
