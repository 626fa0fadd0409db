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
        "schema": {"type": "string", "minLength": 1, "title": "Schema; default: the connection's own"},
        "schemas": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "uniqueItems": True,
            "title": "Schemas that are searched as one; instead of schema",
        },
        "folder": {"type": "string", "title": "SQLite: the one folder its file may lie in"},
        "ca_file": {"type": "string", "title": "Certificate authority of the server"},
        "connect_timeout": {"type": "number", "exclusiveMinimum": 0, "title": "Seconds to connect"},
        "statement_timeout": {"type": "number", "exclusiveMinimum": 0, "title": "Seconds a statement may take"},
        "lock_timeout": {"type": "number", "exclusiveMinimum": 0, "title": "Seconds to wait for a lock"},
    },
}

_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "array": list,
}


@dataclass(frozen=True)
class Settings:
    """The configuration of one store; times are in seconds."""

    name: str = "sql"
    write: bool = False
    schema: str | None = None
    schemas: tuple[str, ...] = ()
    folder: Path | None = None
    ca_file: Path | None = None
    connect_timeout: float = 5.0
    statement_timeout: float = 20.0
    lock_timeout: float = 2.0


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key, or a value of the wrong type; names the key, never the value."""
    properties = CONFIG_SCHEMA["properties"]
    assert isinstance(properties, Mapping)  # noqa: S101 - narrows our own constant for the type checker
    taken: dict[str, object] = {}
    for key, value in config.items():
        wanted = properties.get(key)
        if not isinstance(wanted, Mapping):
            raise Misconfigured(key, "unknown_setting")
        kind = str(wanted["type"])
        if not isinstance(value, _KINDS[kind]) or (kind == "number" and isinstance(value, bool)):
            raise Misconfigured(key, "wrong_type")
        if (kind == "number" and float(str(value)) <= 0) or (kind == "string" and not value):
            raise Misconfigured(key, "out_of_range")
        if isinstance(value, list):
            taken[key] = _names(key, value)
        else:
            taken[key] = Path(str(value)) if key in {"folder", "ca_file"} else value
    if "schema" in taken and "schemas" in taken:
        raise Misconfigured("schemas", "schema_and_schemas")
    return Settings(**taken)  # type: ignore[arg-type]  # checked key by key above


def _names(key: str, value: list[Json]) -> tuple[str, ...]:
    names = tuple(one for one in value if isinstance(one, str))
    if len(names) != len(value):
        raise Misconfigured(key, "wrong_type")
    if not names or not all(names) or len(set(names)) != len(names):
        raise Misconfigured(key, "out_of_range")
    return names
