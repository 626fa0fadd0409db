"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.formats.plain_text import NETWORKS, Network, read_networks
from privacyops.connector_sdk import Json
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
_TEXT: Final[Json] = {"type": "string", "minLength": 1}
CONFIG_SCHEMA: Final = config_schema(
    {
        "database": {"type": "integer", "minimum": 0, "title": "Number of the database; default: the address's"},
        "patterns": {"type": "array", "items": _TEXT, "title": "Patterns of keys, * for what varies"},
        "ignore": {"type": "array", "items": _TEXT, "title": "Patterns of keys that are not read"},
        "networks": NETWORKS,
        "keys_in_memory": {"type": "integer", "minimum": 1, "title": "Keys that are sorted at a time"},
    },
)


@dataclass(frozen=True)
class Settings:
    """The configuration of one database. `keys_in_memory` bounds what a scan holds: some 100 bytes a key."""

    name: str = "redis"
    write: bool = False
    database: int | None = None
    patterns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    keys_in_memory: int = 500_000
    networks: tuple[Network, ...] = ()


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value of the wrong type; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    return Settings(
        given.text("name", "redis"),
        given.flag("write"),
        given.number("database"),
        given.texts("patterns"),
        given.texts("ignore"),
        given.number("keys_in_memory", Settings.keys_in_memory),
        read_networks(given),
    )
