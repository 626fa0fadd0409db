"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured

VERSION: Final = "1.0"
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Open with the writing role"},
        "database": {"type": "integer", "minimum": 0, "title": "Number of the database; default: the address's"},
        "patterns": {"type": "array", "items": {"type": "string"}, "title": "Patterns of keys, * for what varies"},
        "ignore": {"type": "array", "items": {"type": "string"}, "title": "Patterns of keys that are not read"},
        "keys_in_memory": {"type": "integer", "minimum": 1, "title": "Keys that are sorted at a time"},
    },
}


@dataclass(frozen=True)
class Settings:
    """The configuration of one database. `keys_in_memory` bounds what a scan holds: some 100 bytes a key."""

    name: str = "redis"
    write: bool = False
    database: int | None = None
    patterns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    keys_in_memory: int = 500_000


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value of the wrong type; names the key only."""
    known = CONFIG_SCHEMA["properties"]
    for key in config:
        if not isinstance(known, Mapping) or key not in known:
            raise Misconfigured(key, "unknown_setting")
    name, write = config.get("name", "redis"), config.get("write", False)
    if not isinstance(name, str) or not name:
        raise Misconfigured("name", "wrong_type")
    if not isinstance(write, bool):
        raise Misconfigured("write", "wrong_type")
    return Settings(
        name,
        write,
        _number(config, "database", 0),
        _patterns(config, "patterns"),
        _patterns(config, "ignore"),
        _number(config, "keys_in_memory", 1) or Settings.keys_in_memory,
    )


def _number(config: Mapping[str, Json], key: str, least: int) -> int | None:
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Misconfigured(key, "wrong_type")
    return value


def _patterns(config: Mapping[str, Json], key: str) -> tuple[str, ...]:
    value = config.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each for each in value):
        raise Misconfigured(key, "wrong_type")
    return tuple(map(str, value))
