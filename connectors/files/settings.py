"""What an operator may set, and reading it strictly."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured

VERSION: Final = "1.0"

CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["folder"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Open with the writing role"},
        "folder": {"type": "string", "minLength": 1, "title": "Folder, as an absolute path"},
        "must_contain": {"type": "string", "minLength": 1, "title": "A file that proves the folder is mounted"},
        "ignore": {"type": "array", "items": {"type": "string"}, "title": "Patterns of names that are not read"},
        "encoding": {"type": "string", "minLength": 1, "title": "Encoding of all texts; default: told by content"},
        "max_file_bytes": {"type": "integer", "minimum": 1, "title": "Largest document or mail that is read"},
    },
}

DEFAULT_IGNORED: Final = (".DS_Store", "Thumbs.db", "desktop.ini", "~$*", ".~lock.*#", ".privacyops-*")
"""Names that operating systems, office programs and this connector itself leave behind."""


@dataclass(frozen=True)
class Settings:
    """The configuration of one folder. `max_file_bytes` bounds what is parsed as a whole; tables are streamed."""

    folder: Path
    name: str = "files"
    write: bool = False
    must_contain: str | None = None
    ignore: tuple[str, ...] = DEFAULT_IGNORED
    encoding: str | None = None
    max_file_bytes: int = 64_000_000


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, a missing folder or a value of the wrong type; names the key only."""
    known = CONFIG_SCHEMA["properties"]
    for key in config:
        if not isinstance(known, Mapping) or key not in known:
            raise Misconfigured(key, "unknown_setting")
    folder = Path(_text(config, "folder") or "")
    if not folder.is_absolute() or "\0" in str(folder):
        raise Misconfigured("folder", "not_absolute")
    ignored = config.get("ignore", ())
    if not isinstance(ignored, list | tuple) or not all(isinstance(each, str) for each in ignored):
        raise Misconfigured("ignore", "wrong_type")
    write, limit = config.get("write", False), config.get("max_file_bytes", Settings.max_file_bytes)
    if not isinstance(write, bool):
        raise Misconfigured("write", "wrong_type")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise Misconfigured("max_file_bytes", "wrong_type")
    return Settings(
        folder=folder,
        name=_text(config, "name") or "files",
        write=write,
        must_contain=_text(config, "must_contain"),
        ignore=(*DEFAULT_IGNORED, *map(str, ignored)),
        encoding=_encoding(_text(config, "encoding")),
        max_file_bytes=limit,
    )


def _text(config: Mapping[str, Json], key: str) -> str | None:
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise Misconfigured(key, "wrong_type")
    return value


def _encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise Misconfigured("encoding", "unknown_encoding") from None
