"""What may be set of every server that is reached by its name, an account and a kind of encryption."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.formats.plain_text import NETWORKS, Network, read_networks, refuse_plain_text
from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration

TLS: Final = ("implicit", "starttls", "none")
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True)
class Ports:
    """The usual ones of a protocol: encrypted from the first byte, and else."""

    implicit: int
    plain: int

    def properties(self) -> dict[str, Json]:
        """For the card's schema; `host` and `user` are required."""
        title = f"Port; {self.implicit}, or {self.plain} without implicit TLS"
        return {
            "host": {"type": "string", "minLength": 1, "title": "Server"},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535, "title": title},
            "tls": {
                "type": "string",
                "enum": list(TLS),
                "title": "Encryption; `none` on this machine and in `networks`",
            },
            "ca_file": {"type": "string", "minLength": 1, "title": "Certificates to trust instead of the system's"},
            "networks": NETWORKS,
            "user": {"type": "string", "minLength": 1, "title": "Account to sign in as"},
        }


@dataclass(frozen=True)
class ServerTerms:
    """Where a server is, and as whom it is asked. `tls` is one of TLS."""

    host: str
    port: int
    tls: str
    user: str
    ca_file: Path | None = None
    networks: tuple[Network, ...] = ()

    def refuse_plain_text(self) -> None:
        """Before each connection. Raises: Misconfigured: without TLS the server is not where it may be."""
        if self.tls == "none":
            refuse_plain_text("tls", [self.host], self.networks)


def read_server(given: Configuration, ports: Ports) -> ServerTerms:
    """Raises: Misconfigured: what would send a password in plain text over a network, or break out of a command."""
    tls = given.text("tls", "implicit")
    host = plain_line("host", given.required("host"))
    networks = read_networks(given)
    if tls == "none" and not networks:
        refuse_plain_text("tls", [host])
    port = given.number("port", ports.implicit if tls == "implicit" else ports.plain)
    return ServerTerms(host, port, tls, plain_line("user", given.required("user")), given.path("ca_file"), networks)


def plain_line(setting: str, text: str) -> str:
    """A text without line breaks: one in a name would be a second command to the server. Raises: Misconfigured."""
    if set(text) & set("\r\n\0"):
        raise Misconfigured(setting, "wrong_type")
    return text


def named(setting: str, pairs: Mapping[str, str], pattern: re.Pattern[str]) -> dict[str, str]:
    """The operator's own names of fields, and what has each of them on the server. Raises: Misconfigured."""
    if not all(_FIELD.fullmatch(name) and pattern.fullmatch(target) for name, target in pairs.items()):
        raise Misconfigured(setting, "wrong_type")
    return dict(pairs)
