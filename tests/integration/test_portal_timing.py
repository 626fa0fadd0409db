"""A2 in small: how long an answer takes does not tell whether an address is known."""

import random
import statistics
import time
from pathlib import Path

import pytest

from tests.house import Walker
from tests.portal_client import Customer, little_shop

__all__ = ["little_shop"]

pytestmark = pytest.mark.slow

CALLS = 80


def rank_sum_z(first: list[float], second: list[float]) -> float:
    """The standardised rank sum of Mann and Whitney; beyond 3.3 in size chance is below one in a thousand."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(place for place, (_, sample) in enumerate(ranked, 1) if sample == 0)
    n, m = len(first), len(second)
    expected, spread = n * (n + m + 1) / 2, (n * m * (n + m + 1) / 12) ** 0.5
    return (ranks - expected) / spread


def test_known_and_unknown_addresses_take_as_long(walker: Walker, little_shop: Path) -> None:
    """Known: it has asked for something before. Each call is another address, so that none is a repetition."""
    known = [f"known{number}@example.com" for number in range(CALLS)]
    unknown = [f"strange{number}@example.com" for number in range(CALLS)]
    for number, address in enumerate(known):
        Customer(walker, f"10.{number}.0.1").ask(address, "objection_direct_marketing")
    calls = [(address, kind) for kind, listed in enumerate((known, unknown)) for address in listed]
    random.Random(7).shuffle(calls)
    taken: tuple[list[float], list[float]] = ([], [])
    for number, (address, kind) in enumerate(calls):
        browser = Customer(walker, f"172.16.{number}.1")
        browser.open("/privacy")
        browser.fill()
        begun = time.perf_counter()
        sent = browser.press("/privacy", type="access", email=address)
        taken[kind].append(time.perf_counter() - begun)
        assert sent.status_code == 303
    z = rank_sum_z(*taken)
    medians = [statistics.median(sample) * 1000 for sample in taken]
    assert abs(z) < 3.3, f"known {medians[0]:.1f} ms, unknown {medians[1]:.1f} ms, z {z:.1f}"
