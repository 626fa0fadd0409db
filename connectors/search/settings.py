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
        "indexes": {"type": "array", "items": {"type": "string"}, "title": "Patterns of indexes that are read"},
        "ignore": {"type": "array", "items": {"type": "string"}, "title": "Patterns of indexes that are not read"},
        "order_by": {"type": "string", "minLength": 1, "title": "Field with a value of its own in each document"},
        "ca_file": {"type": "string", "minLength": 1, "title": "Certificate authority of the cluster"},
    },
}


@dataclass(frozen=True)
class Settings:
    """The configuration of one cluster. `order_by` takes the place of `_id` where that may not be sorted by."""

    name: str = "search"
    write: bool = False
    indexes: tuple[str, ...] = ("*",)
    ignore: tuple[str, ...] = ()
    order_by: str = "_id"
    ca_file: Path | None = None


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value of the wrong type; names the key only."""
    known = CONFIG_SCHEMA["properties"]
    for key in config:
        if not isinstance(known, Mapping) or key not in known:
            raise Misconfigured(key, "unknown_setting")
    write = config.get("write", False)
    if not isinstance(write, bool):
        raise Misconfigured("write", "wrong_type")
    ca_file = _text(config, "ca_file", "")
    return Settings(
        _text(config, "name", "search"),
        write,
        _patterns(config, "indexes") or ("*",),
        _patterns(config, "ignore"),
        _text(config, "order_by", "_id"),
        Path(ca_file) if ca_file else None,
    )


def _text(config: Mapping[str, Json], key: str, default: str) -> str:
    value = config.get(key, default)
    if not isinstance(value, str) or (key in config and not value):
        raise Misconfigured(key, "wrong_type")
    return value


def _patterns(config: Mapping[str, Json], key: str) -> tuple[str, ...]:
    value = config.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each for each in value):
        raise Misconfigured(key, "wrong_type")
    return tuple(map(str, value))
