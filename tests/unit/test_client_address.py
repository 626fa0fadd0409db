"""Whose network counts for rate limits."""

import pytest

from privacyops.kernel.client_address import client_address, network_prefix

PROXY = ("10.0.0.0/8",)


def prefix(peer: str | None, *forwarded: str, trusted: tuple[str, ...] = PROXY) -> str:
    return network_prefix(client_address(peer, forwarded, trusted))


def test_a_stranger_cannot_choose_an_address() -> None:
    assert prefix("203.0.113.7", "198.51.100.1") == "203.0.113.0/24"


def test_a_trusted_proxy_names_the_visitor() -> None:
    assert prefix("10.0.0.1", "198.51.100.9") == "198.51.100.0/24"


def test_of_a_chain_the_last_address_that_is_no_proxy_counts() -> None:
    assert prefix("10.0.0.1", "192.0.2.66, 198.51.100.9, 10.1.1.1") == "198.51.100.0/24"


def test_several_headers_are_one_list() -> None:
    assert prefix("10.0.0.1", "192.0.2.66", "198.51.100.9") == "198.51.100.0/24"


def test_nonsense_from_a_proxy_counts_as_the_proxy() -> None:
    assert prefix("10.0.0.1", "unknown") == "10.0.0.0/24"


def test_an_ipv6_network_is_a_56() -> None:
    assert prefix("2001:db8:1:2:3::4") == "2001:db8:1::/56"


def test_an_ipv4_address_in_ipv6_clothes_is_ipv4() -> None:
    assert prefix("::ffff:203.0.113.7") == "203.0.113.0/24"


@pytest.mark.parametrize("peer", [None, "", "testclient"])
def test_who_has_no_address_shares_one_bucket(peer: str | None) -> None:
    assert prefix(peer) == "unknown"
