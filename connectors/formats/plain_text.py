"""Whether an address sends personal data, and the password before it, in plain text over a network."""

from collections.abc import Iterable
from typing import Final

from privacyops.connector_sdk import Misconfigured

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def refuse_plain_text(setting: str, hosts: Iterable[str | None]) -> None:
    """For an address without TLS. Raises: Misconfigured: one of the hosts is not this machine."""
    if any((host or "").lower() not in LOOPBACK for host in hosts):
        raise Misconfigured(setting, "plain_text_over_a_network")
