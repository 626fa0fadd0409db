"""Bring the database to this release's schema, and tell whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from privacyops.kernel.errors import Unavailable
from privacyops.store import guards
from privacyops.store.engine import Engines


class SchemaOutdated(Unavailable):
    type = "/problems/schema-outdated"
    title = "The database has another schema than this release; run `privacyops migrate`"


def migrations_folder() -> Path:
    """Beside the package in a clone, inside it in an installed wheel."""
    inside = Path(__file__).parents[1] / "migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "migrations"


def migrate(engines: Engines, revision: str = "head") -> None:
    """Upgrade to `revision` and put every append-only guard back. Safe to repeat."""
    config = _config()
    with engines.writer.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engines: Engines, revision: str) -> None:
    """Go back to `revision`; for tests and for an operator who must return to the release before."""
    config = _config()
    with engines.writer.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def check(engines: Engines) -> None:
    """Raises: SchemaOutdated: a migration is missing. WriteGuardMissing: a guard is."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with engines.reader.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() != head:
            raise SchemaOutdated
        guards.check(connection)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    return config
