"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured

VERSION: Final = "1.0"
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["database"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Open with the writing role"},
        "database": {"type": "string", "minLength": 1, "title": "Database"},
        "ignore": {"type": "array", "items": {"type": "string"}, "title": "Collections that are not read"},
    },
}


@dataclass(frozen=True)
class Settings:
    """The configuration of one database."""

    database: str
    name: str = "mongodb"
    write: bool = False
    ignore: tuple[str, ...] = ()


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, a missing one or a value of the wrong type; names the key only."""
    known = CONFIG_SCHEMA["properties"]
    for key in config:
        if not isinstance(known, Mapping) or key not in known:
            raise Misconfigured(key, "unknown_setting")
    database, name = config.get("database"), config.get("name", "mongodb")
    if not isinstance(database, str) or not database or set(database) & set('/\\. "$\0'):
        raise Misconfigured("database", "missing" if not database else "malformed")
    if not isinstance(name, str) or not name:
        raise Misconfigured("name", "wrong_type")
    write, ignored = config.get("write", False), config.get("ignore", ())
    if not isinstance(write, bool):
        raise Misconfigured("write", "wrong_type")
    if not isinstance(ignored, list | tuple) or not all(isinstance(each, str) for each in ignored):
        raise Misconfigured("ignore", "wrong_type")
    return Settings(database, name, write, tuple(map(str, ignored)))
