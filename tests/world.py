"""The product's own database for tests, on both engines, as a pytest plug-in.

`engines` is an empty, migrated database: a copy of a migrated SQLite file, or a PostgreSQL database made from a
migrated template. A test that asks for it runs once on each.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from privacyops.store import schema
from privacyops.store.engine import Engines, connect
from privacyops.store.uow import Database


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "privacyops.db"
    engines = connect(f"sqlite:///{path}")
    schema.migrate(engines)
    with engines.writer.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engines.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(new_postgres_database: Callable[[], str]) -> str:
    """The URL of a migrated, empty PostgreSQL database to use as a template."""
    url = new_postgres_database()
    engines = connect(url)
    schema.migrate(engines)
    engines.dispose()
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh migrated database, on each engine in turn."""
    if request.param == "sqlite":
        target = tmp_path / "privacyops.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), target)
        return f"sqlite:///{target}"
    return clone(request.getfixturevalue("migrated_postgres"), f"t{abs(hash(str(tmp_path))):x}")


@pytest.fixture
def engines(database_url: str) -> Iterator[Engines]:
    """Connections to the fresh database."""
    opened = connect(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def database(engines: Engines) -> Database:
    """Transactions on the fresh database."""
    return Database(engines)


def clone(template: str, name: str) -> str:
    """A copy of a database under a new name; its URL."""
    url = make_url(template)
    admin = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')  # type: ignore[call-overload]  # own name
    return url.set(database=name).render_as_string(hide_password=False)
