"""What an operator may set, and reading it strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from privacyops.connector_sdk import Json, Misconfigured

VERSION: Final = "1.0"
TLS: Final = ("implicit", "starttls", "none")

_TEXT: Final[Json] = {"type": "string", "minLength": 1}
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["host", "base", "user"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Open with the writing role"},
        "host": {"type": "string", "minLength": 1, "title": "Server"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "title": "Port; 636, or 389 without implicit TLS"},
        "tls": {"type": "string", "enum": list(TLS), "title": "Encryption; `none` on the same machine only"},
        "ca_file": {"type": "string", "minLength": 1, "title": "Certificates to trust instead of the system's"},
        "base": {"type": "string", "minLength": 1, "title": "Where in the tree to search, such as dc=example,dc=com"},
        "user": {"type": "string", "minLength": 1, "title": "Name to bind as"},
        "names": {
            "type": "object",
            "additionalProperties": _TEXT,
            "title": "Own names of fields: name to attribute, such as username = sAMAccountName",
        },
    },
}
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Settings:
    """The configuration of one directory."""

    host: str
    base: str
    user: str
    name: str = "directory"
    write: bool = False
    port: int = 636
    tls: str = "implicit"
    ca_file: Path | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def read_settings(config: Mapping[str, Json]) -> Settings:
    """Raises: Misconfigured: an unknown key or a value that cannot be right; names the key only."""
    known = CONFIG_SCHEMA["properties"]
    for key in config:
        if not isinstance(known, Mapping) or key not in known:
            raise Misconfigured(key, "unknown_setting")
    host, tls = _text(config, "host"), _text(config, "tls", "implicit")
    if tls not in TLS:
        raise Misconfigured("tls", "unknown_value")
    if tls == "none" and host not in _LOOPBACK:
        raise Misconfigured("tls", "plain_text_over_a_network")
    write, port = config.get("write", False), config.get("port", 636 if tls == "implicit" else 389)
    if not isinstance(write, bool):
        raise Misconfigured("write", "wrong_type")
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65_535:
        raise Misconfigured("port", "wrong_type")
    ca_file = _text(config, "ca_file", "")
    return Settings(
        host=host,
        base=_text(config, "base"),
        user=_text(config, "user"),
        name=_text(config, "name", "directory"),
        write=write,
        port=port,
        tls=tls,
        ca_file=Path(ca_file) if ca_file else None,
        names=_names(config),
    )


def _text(config: Mapping[str, Json], key: str, default: str | None = None) -> str:
    value = config.get(key, default)
    if value is None:
        raise Misconfigured(key, "missing")
    if not isinstance(value, str) or (not value and default != "") or "\0" in value:
        raise Misconfigured(key, "wrong_type")
    return value


def _names(config: Mapping[str, Json]) -> dict[str, str]:
    value = config.get("names", {})
    if not isinstance(value, Mapping):
        raise Misconfigured("names", "wrong_type")
    for name, attribute in value.items():
        if not _FIELD.fullmatch(name) or not isinstance(attribute, str) or not _ATTRIBUTE.fullmatch(attribute):
            raise Misconfigured("names", "wrong_type")
    return {name: str(attribute) for name, attribute in value.items()}
