"""What an operator may set, and reading it strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.formats.server_settings import Ports, ServerTerms, named, plain_line, read_server
from privacyops.connector_sdk import Json
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
PORTS: Final = Ports(implicit=636, plain=389)
CONFIG_SCHEMA: Final = config_schema(
    {
        **PORTS.properties(),
        "base": {"type": "string", "minLength": 1, "title": "Where in the tree to search, such as dc=example,dc=com"},
        "names": {
            "type": "object",
            "additionalProperties": {"type": "string", "minLength": 1},
            "title": "Own names of fields: name to attribute, such as username = sAMAccountName",
        },
    },
    required=("host", "base", "user"),
)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The configuration of one directory."""

    server: ServerTerms
    base: str
    name: str = "directory"
    write: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value that cannot be right; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    return Settings(
        server=read_server(given, PORTS),
        base=plain_line("base", given.required("base")),
        name=given.text("name", "directory"),
        write=given.flag("write"),
        names=named("names", given.pairs("names"), _ATTRIBUTE),
    )
