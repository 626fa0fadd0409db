"""Whether an address sends personal data, and the password before it, in plain text over a network."""

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from privacyops.connector_sdk import Json, Misconfigured
from privacyops.connector_sdk.configuration import Configuration

Network: TypeAlias = IPv4Network | IPv6Network
Resolver: TypeAlias = Callable[[str], Iterable[str]]

_PRIVATE: Final = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128")
)
"""What no router of the internet carries; `is_private` of the library takes 0.0.0.0/0 for private."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
NETWORKS: Final[Json] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "title": "Private networks the server may lie in without TLS",
}
"""For the card's schema: the setting `networks`."""


def read_networks(given: Configuration) -> tuple[Network, ...]:
    """The private networks that the operator vouches for. Raises: Misconfigured: one is none, or is not private."""
    try:
        found = tuple(ip_network(text) for text in given.texts("networks"))
    except ValueError:
        raise Misconfigured("networks", "not_a_network") from None
    if not all(_is_private(one) for one in found):
        raise Misconfigured("networks", "not_a_private_network")
    return found


def by_operating_system(host: str) -> list[str]:
    """Every address of a host. Raises: OSError, UnicodeError."""
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def refuse_plain_text(
    setting: str,
    hosts: Iterable[str | None],
    networks: tuple[Network, ...] = (),
    resolve: Resolver = by_operating_system,
) -> None:
    """For an address without TLS: each host has to be this machine, or lie in one of `networks` with all its addresses.

    Raises: Misconfigured: a host is elsewhere, or `networks` are given and its name leads nowhere.
    """
    for host in hosts:
        if (host or "").lower() in LOOPBACK:
            continue
        if not networks or not host:
            raise Misconfigured(setting, "plain_text_over_a_network")
        try:
            addresses = [_plain(ip_address(text.partition("%")[0])) for text in resolve(host)]
        except (OSError, UnicodeError, ValueError):
            raise Misconfigured(setting, "unresolvable") from None
        if not addresses or not all(_lies_in(address, networks) for address in addresses):
            raise Misconfigured(setting, "outside_of_networks")


def _is_private(one: Network) -> bool:
    return any(
        (isinstance(one, IPv4Network) and isinstance(known, IPv4Network) and one.subnet_of(known))
        or (isinstance(one, IPv6Network) and isinstance(known, IPv6Network) and one.subnet_of(known))
        for known in _PRIVATE
    )


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    hidden = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return hidden or address


def _lies_in(address: IPv4Address | IPv6Address, networks: tuple[Network, ...]) -> bool:
    return address.is_loopback or any(address.version == one.version and address in one for one in networks)
