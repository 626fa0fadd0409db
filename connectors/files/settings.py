"""What an operator may set, and reading it strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.formats.shelf_settings import MAX_FILE_BYTES, SHELF_PROPERTIES, read_encoding
from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration, config_schema

VERSION: Final = "1.0"

CONFIG_SCHEMA: Final = config_schema(
    {
        "folder": {"type": "string", "minLength": 1, "title": "Folder, as an absolute path"},
        "must_contain": {"type": "string", "minLength": 1, "title": "A file that proves the folder is mounted"},
        **SHELF_PROPERTIES,
    },
    required=("folder",),
)

DEFAULT_IGNORED: Final = (".DS_Store", "Thumbs.db", "desktop.ini", "~$*", ".~lock.*#", ".privacyops-*")
"""Names that operating systems, office programs and this connector itself leave behind."""


@dataclass(frozen=True)
class Settings:
    """The configuration of one folder."""

    folder: Path
    name: str = "files"
    write: bool = False
    must_contain: str | None = None
    ignore: tuple[str, ...] = DEFAULT_IGNORED
    encoding: str | None = None
    max_file_bytes: int = MAX_FILE_BYTES


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, a missing folder or a value of the wrong type; names the key only."""
    given = Configuration(config, CONFIG_SCHEMA)
    folder = given.absolute_path("folder")
    if folder is None:
        raise Misconfigured("folder", "missing")
    return Settings(
        folder=folder,
        name=given.text("name", "files"),
        write=given.flag("write"),
        must_contain=given.text("must_contain"),
        ignore=(*DEFAULT_IGNORED, *given.texts("ignore")),
        encoding=read_encoding(given),
        max_file_bytes=given.number("max_file_bytes", MAX_FILE_BYTES),
    )
