"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connectors.formats.plain_text import NETWORKS, Network, read_networks
from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
CONFIG_SCHEMA: Final = config_schema(
    {
        "database": {"type": "string", "minLength": 1, "title": "Database"},
        "ignore": {"type": "array", "items": {"type": "string"}, "title": "Collections that are not read"},
        "networks": NETWORKS,
    },
    required=("database",),
)


@dataclass(frozen=True)
class Settings:
    """The configuration of one database."""

    database: str
    name: str = "mongodb"
    write: bool = False
    ignore: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, a missing one or a value of the wrong type; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    database = given.required("database")
    if set(database) & set('/\\. "$\0'):
        raise Misconfigured("database", "malformed")
    return Settings(
        database, given.text("name", "mongodb"), given.flag("write"), given.texts("ignore"), read_networks(given)
    )
