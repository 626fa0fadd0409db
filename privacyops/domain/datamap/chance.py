"""How likely numbers meet the keys of a table by chance. Small integers fit every key; what tells is what they avoid.

Where rows of the table are gone, its keys have gaps. A column that points there uses no number of a gap, and one that
counts something else does. Where there are no gaps, only the range is left: keys of another table rarely end where this
table's do.
"""

from collections.abc import Collection
from math import comb, gcd, log10
from typing import Final

PROBES: Final = 80
"""Unused numbers that are asked for one column."""
ENOUGH: Final = 20
"""Distinct values from which a range says something; fewer count in proportion."""
_RANGE: Final = 0.8
_GAPS: Final = ((1e-6, 0.95), (1e-4, 0.9), (1e-2, 0.6))
STRONG: Final = 1e-6
"""Chance from which gaps alone prove a link whose name says nothing."""
SURE: Final = 1e-2
"""Chance from which a column is taken to know which numbers exist."""


def unused(held: Collection[int]) -> tuple[int, ...]:
    """Numbers between the smallest and the largest of `held` that it does not use, evenly spread, at most `PROBES`.

    Where all of them lie on a lattice (a cluster counts 1, 4, 7), the unused ones lie on it too: whoever counts in
    threes hits the keys of all who do.
    """
    if len(held) < 2:
        return ()
    low, high = min(held), max(held)
    step = max(1, gcd(*(number - low for number in held)))
    places = (high - low) // step + 1
    free = places - len(held)
    if free <= 0:
        return ()
    if places <= 20 * PROBES:
        every = [number for number in range(low, high + 1, step) if number not in held]
        return tuple(every[at * len(every) // min(PROBES, free)] for at in range(min(PROBES, free)))
    spread = (low + step * (at * places // PROBES) for at in range(PROBES))
    return tuple(number for number in spread if number not in held)


def by_chance(hits: int, of: int, others: int, other_of: int) -> float:
    """The chance that `of` numbers drawn from all that were asked meet at least `hits` keys, where `others` of the
    `other_of` remaining ones are keys (Fisher's exact test, one-sided).
    """
    total, keys = of + other_of, hits + others
    if total == 0 or of == 0:
        return 1.0
    ways = sum(comb(keys, met) * comb(total - keys, of - met) for met in range(hits, min(of, keys) + 1))
    return ways / comb(total, of)


def gap_weight(chance: float) -> float:
    """What it weighs that numbers meet the keys this unlikely by chance."""
    return next((weight for limit, weight in _GAPS if chance <= limit), 0.0)


def range_weight(held: Collection[int], low: int, high: int) -> float:
    """What it weighs that the numbers reach as far as the keys, which run from `low` to `high`.

    The tables of one shop differ in size by about a power of ten, so keys of another table that fit in here end in the
    upper half of the range about one time in three, and in its last tenth one time in twenty.
    """
    if not held or high <= low:
        return 0.0
    reached = min(1.0, (max(held) - low + 1) / (high - low + 1))
    if reached <= 0.1:
        return 0.0
    return round(_RANGE * (1 + log10(reached)) * min(1.0, len(held) / ENOUGH), 6)
