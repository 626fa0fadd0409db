"""Bring the database to this release's schema, and tell whether it is there.

Alembic is imported only to change a schema: with its templates and lexers it would be a seventh of a process's start.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from privacyops.kernel.errors import Unavailable
from privacyops.store import guards
from privacyops.store.engine import Engines

if TYPE_CHECKING:
    from alembic.config import Config


class SchemaOutdated(Unavailable):
    type = "/problems/schema-outdated"
    title = "The database has another schema than this release; run `privacyops migrate`"


def migrations_folder() -> Path:
    """Beside the package in a clone, inside it in an installed wheel."""
    inside = Path(__file__).parents[1] / "migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "migrations"


def fingerprint() -> str:
    """SHA-256 over the migrations of this release, hexadecimal."""
    files = sorted(migrations_folder().glob("versions/*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def migrate(engines: Engines, revision: str = "head") -> None:
    """Upgrade to `revision` and put every append-only guard back. Safe to repeat."""
    if revision == "head" and _is_whole(engines):
        return
    from alembic import command  # noqa: PLC0415 - as said

    config = _config()
    with engines.writer.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engines: Engines, revision: str) -> None:
    """Go back to `revision`; for tests and for an operator who must return to the release before."""
    from alembic import command  # noqa: PLC0415 - as said

    config = _config()
    with engines.writer.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def check(engines: Engines) -> None:
    """Raises: SchemaOutdated: a migration is missing. WriteGuardMissing: a guard is."""
    if _current(engines) != [head()]:
        raise SchemaOutdated
    with engines.reader.connect() as connection:
        guards.check(connection)


def _is_whole(engines: Engines) -> bool:
    try:
        check(engines)
    except (SchemaOutdated, guards.WriteGuardMissing):
        return False
    return True


def _current(engines: Engines) -> list[str]:
    """The revisions that the database says it has; none: it was never migrated."""
    with engines.reader.connect() as connection:
        if not connection.dialect.has_table(connection, "alembic_version"):
            return []
        return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


@cache
def head() -> str:
    """The revision of this release: the last of the numbered files. Tests hold it equal to what Alembic reads."""
    return max(path.name for path in migrations_folder().glob("versions/[0-9]*.py")).partition("_")[0]


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as said

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    return config
