"""What an operator may set, and reading it strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.formats.server_settings import Ports, ServerTerms, named, read_server
from privacyops.connector_sdk import Json
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"
PORTS: Final = Ports(implicit=993, plain=143)
LARGEST: Final = 1 << 40

_TEXT: Final[Json] = {"type": "string", "minLength": 1}
CONFIG_SCHEMA: Final = config_schema(
    {
        **PORTS.properties(),
        "folders": {"type": "array", "items": _TEXT, "title": "Folders to read, as patterns; default: all"},
        "skip_folders": {"type": "array", "items": _TEXT, "title": "Folders that are deliberately not read"},
        "headers": {
            "type": "object",
            "additionalProperties": _TEXT,
            "title": "Further fields: name to the header that holds it, such as X-Customer-Id",
        },
        "max_message_bytes": {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST,
            "title": "Largest message whose text is read",
        },
    },
    required=("host", "user"),
)
_HEADER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,75}", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The configuration of one account."""

    server: ServerTerms
    name: str = "mailbox"
    write: bool = False
    folders: tuple[str, ...] = ("*",)
    skip_folders: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    max_message_bytes: int = 64_000_000


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value that cannot be right; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    return Settings(
        server=read_server(given, PORTS),
        name=given.text("name", "mailbox"),
        write=given.flag("write"),
        folders=given.texts("folders") or ("*",),
        skip_folders=given.texts("skip_folders"),
        headers=named("headers", given.pairs("headers"), _HEADER),
        max_message_bytes=given.number("max_message_bytes", Settings.max_message_bytes),
    )
