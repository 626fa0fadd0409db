"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured

VERSION: Final = "1.0"
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Open with the writing role"},
        "database": {"type": "string", "minLength": 1, "title": "Database file, as an absolute path"},
        "folder": {"type": "string", "minLength": 1, "title": "Folder of Parquet files, as an absolute path"},
        "schema": {"type": "string", "minLength": 1, "title": "Schema in the database; default: main"},
    },
}


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
    known = CONFIG_SCHEMA["properties"]
    for key in config:
        if not isinstance(known, Mapping) or key not in known:
            raise Misconfigured(key, "unknown_setting")
    write = config.get("write", False)
    if not isinstance(write, bool):
        raise Misconfigured("write", "wrong_type")
    database, folder = _path(config, "database"), _path(config, "folder")
    if (database is None) == (folder is None):
        raise Misconfigured("database", "one_of_database_and_folder")
    name, schema = config.get("name", "duckdb"), config.get("schema", "main")
    for key, value in (("name", name), ("schema", schema)):
        if not isinstance(value, str) or not value:
            raise Misconfigured(key, "wrong_type")
    return Settings(str(name), write, database, folder, str(schema))


def _path(config: Mapping[str, Json], key: str) -> Path | None:
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or "\0" in value or not Path(value).is_absolute():
        raise Misconfigured(key, "not_absolute")
    return Path(value)
