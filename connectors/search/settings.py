"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.formats.plain_text import NETWORKS, Network, read_networks
from privacyops.connector_sdk import Json
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
_TEXT: Final[Json] = {"type": "string", "minLength": 1}
CONFIG_SCHEMA: Final = config_schema(
    {
        "indexes": {"type": "array", "items": _TEXT, "title": "Patterns of indexes that are read"},
        "ignore": {"type": "array", "items": _TEXT, "title": "Patterns of indexes that are not read"},
        "order_by": {"type": "string", "minLength": 1, "title": "Field with a value of its own in each document"},
        "ca_file": {"type": "string", "minLength": 1, "title": "Certificate authority of the cluster"},
        "networks": NETWORKS,
    },
)


@dataclass(frozen=True)
class Settings:
    """The configuration of one cluster. `order_by` takes the place of `_id` where that may not be sorted by."""

    name: str = "search"
    write: bool = False
    indexes: tuple[str, ...] = ("*",)
    ignore: tuple[str, ...] = ()
    order_by: str = "_id"
    ca_file: Path | None = None
    networks: tuple[Network, ...] = ()


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value of the wrong type; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    return Settings(
        given.text("name", "search"),
        given.flag("write"),
        given.texts("indexes") or ("*",),
        given.texts("ignore"),
        given.text("order_by", "_id"),
        given.path("ca_file"),
        read_networks(given),
    )
