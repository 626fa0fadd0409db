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
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}
CONFIG_SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["host", "user"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name of the store"},
        "write": {"type": "boolean", "title": "Open with the writing role"},
        "host": {"type": "string", "minLength": 1, "title": "IMAP server"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "title": "Port; 993, or 143 without implicit TLS"},
        "tls": {"type": "string", "enum": list(TLS), "title": "Encryption; `none` on the same machine only"},
        "ca_file": {"type": "string", "minLength": 1, "title": "Certificates to trust instead of the system's"},
        "user": {"type": "string", "minLength": 1, "title": "Account"},
        "folders": {"type": "array", "items": _TEXT, "title": "Folders to read, as patterns; default: all"},
        "skip_folders": {"type": "array", "items": _TEXT, "title": "Folders that are deliberately not read"},
        "headers": {
            "type": "object",
            "additionalProperties": _TEXT,
            "title": "Further fields: name to the header that holds it, such as X-Customer-Id",
        },
        "max_message_bytes": {"type": "integer", "minimum": 1, "title": "Largest message whose text is read"},
    },
}
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,75}", re.ASCII)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Settings:
    """The configuration of one account."""

    host: str
    user: str
    name: str = "mailbox"
    write: bool = False
    port: int = 993
    tls: str = "implicit"
    ca_file: Path | None = None
    folders: tuple[str, ...] = ("*",)
    skip_folders: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    max_message_bytes: int = 64_000_000


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
    ca_file = _text(config, "ca_file", "")
    return Settings(
        host=host,
        user=_text(config, "user"),
        name=_text(config, "name", "mailbox"),
        write=_flag(config, "write"),
        port=_number(config, "port", 993 if tls == "implicit" else 143, 65_535),
        tls=tls,
        ca_file=Path(ca_file) if ca_file else None,
        folders=_texts(config, "folders") or ("*",),
        skip_folders=_texts(config, "skip_folders"),
        headers=_headers(config),
        max_message_bytes=_number(config, "max_message_bytes", Settings.max_message_bytes, 1 << 40),
    )


def _text(config: Mapping[str, Json], key: str, default: str | None = None) -> str:
    value = config.get(key, default)
    if value is None:
        raise Misconfigured(key, "missing")
    # a line break in a name would be a second command to the server
    if not isinstance(value, str) or (not value and default != "") or any(sign in value for sign in "\r\n\0"):
        raise Misconfigured(key, "wrong_type")
    return value


def _texts(config: Mapping[str, Json], key: str) -> tuple[str, ...]:
    value = config.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each for each in value):
        raise Misconfigured(key, "wrong_type")
    return tuple(map(str, value))


def _flag(config: Mapping[str, Json], key: str) -> bool:
    value = config.get(key, False)
    if not isinstance(value, bool):
        raise Misconfigured(key, "wrong_type")
    return value


def _number(config: Mapping[str, Json], key: str, default: int, most: int) -> int:
    value = config.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise Misconfigured(key, "wrong_type")
    return value


def _headers(config: Mapping[str, Json]) -> dict[str, str]:
    value = config.get("headers", {})
    if not isinstance(value, Mapping):
        raise Misconfigured("headers", "wrong_type")
    for name, header in value.items():
        if not _FIELD.fullmatch(name) or not isinstance(header, str) or not _HEADER.fullmatch(header):
            raise Misconfigured("headers", "wrong_type")
    return {name: str(header) for name, header in value.items()}
