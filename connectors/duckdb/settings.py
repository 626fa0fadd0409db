"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
CONFIG_SCHEMA: Final = config_schema(
    {
        "database": {"type": "string", "minLength": 1, "title": "Database file, as an absolute path"},
        "folder": {"type": "string", "minLength": 1, "title": "Folder of Parquet files, as an absolute path"},
        "schema": {"type": "string", "minLength": 1, "title": "Schema in the database; default: main"},
    },
)


@dataclass(frozen=True)
class Settings:
    """Either a database file or a folder of Parquet files."""

    name: str = "duckdb"
    write: bool = False
    database: Path | None = None
    folder: Path | None = None
    schema: str = "main"


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, neither or both of file and folder, a path that is not absolute."""
    given = Configuration(config, CONFIG_SCHEMA)
    database, folder = given.absolute_path("database"), given.absolute_path("folder")
    if (database is None) == (folder is None):
        raise Misconfigured("database", "one_of_database_and_folder")
    return Settings(
        given.text("name", "duckdb"), given.flag("write"), database, folder, given.text("schema", Settings.schema)
    )
