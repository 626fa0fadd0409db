"""Where a visitor comes from, as far as it counts: the network prefix that rate limits go by."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias

_Address: TypeAlias = IPv4Address | IPv6Address
_NOWHERE: Final = "unknown"
_PREFIX_BITS: Final = {4: 24, 6: 56}


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[str]) -> _Address | None:
    """The address of whoever asks. `forwarded` are the values of X-Forwarded-For, nearest proxy last.

    Only what a trusted proxy has added counts: the list is read from its end, over proxies that are trusted
    themselves, and the first other address is the visitor's. Anybody can write the rest.
    """
    found = _parsed(peer)
    networks = [ip_network(one, strict=False) for one in trusted]
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    while found is not None and hops and any(found in network for network in networks):
        behind = _parsed(hops.pop())
        if behind is None:
            return found
        found = behind
    return found


def network_prefix(address: _Address | None) -> str:
    """`203.0.113.0/24` or a /56: small enough to tell visitors apart, large enough that hopping does not help."""
    if address is None:
        return _NOWHERE
    return str(ip_network((address, _PREFIX_BITS[address.version]), strict=False))


def _parsed(text: str | None) -> _Address | None:
    try:
        address = ip_address((text or "").strip())
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if isinstance(mapped, IPv4Address) else address
