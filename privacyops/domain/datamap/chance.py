"""How likely numbers meet the keys of a table by chance. Small integers fit every key; what tells is what they avoid.

Where rows of the table are gone, its keys have gaps. A column that points there uses no number of a gap, and one that
counts something else does. Where there are no gaps, only the range is left: keys of another table rarely end where this
table's do.
"""

from collections.abc import Collection, Iterable, Sequence
from math import comb, gcd, log10
from typing import Final

PROBES: Final = 80
"""Unused numbers that are asked for one column."""
ENOUGH: Final = 20
"""Distinct values from which a range says something; fewer count in proportion."""
PLACES: Final = 8
"""Parts of a range that are looked at apart."""
_RANGE: Final = 0.8
_GAPS: Final = ((1e-6, 0.95), (1e-4, 0.9), (1e-2, 0.6))
STRONG: Final = 1e-6
"""Chance from which gaps alone prove a link whose name says nothing."""
RARE: Final = 1e-4
"""Chance from which gaps prove a link that the names only make possible."""
SURE: Final = 1e-2
"""Chance from which a column is taken to know which numbers exist."""

_LONG: Final = 16
_SHORT: Final = 5
_SEVERAL: Final = 2
_MANY: Final = 10


def are_telling(texts: Collection[str]) -> bool:
    """Whether texts meet the keys of a table only because they are its keys: a few long ones, as UUIDs are, or many
    that are at least no words of two or three letters. Plain numbers never are.
    """
    if any(text.isdecimal() or len(text) < _SHORT for text in texts):
        return False
    return len(texts) >= (_SEVERAL if all(len(text) >= _LONG for text in texts) else _MANY)


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


def by_chance(places: Iterable[tuple[int, int, int, int]]) -> float:
    """The chance that numbers meet as many keys as they do, where each place of the range has (hits, of, others,
    other_of): `hits` of the `of` used numbers are keys, and `others` of the `other_of` unused ones.

    Fisher's exact test, one-sided, place by place, since both columns and deletions favour old or new numbers.
    """
    met, likely = 0, [1.0]
    for hits, of, others, other_of in places:
        total, keys = of + other_of, hits + others
        ways = [comb(keys, n) * comb(total - keys, of - n) / comb(total, of) for n in range(of + 1)]
        met += hits
        likely = _added(likely, ways)
    return min(1.0, sum(likely[met:]))


def _added(left: Sequence[float], right: Sequence[float]) -> list[float]:
    """The distribution of the sum of two counts."""
    result = [0.0] * (len(left) + len(right) - 1)
    for at, weight in enumerate(left):
        if weight:
            for more, other in enumerate(right):
                result[at + more] += weight * other
    return result


def place_of(number: int, low: int, high: int) -> int:
    """In which of the `PLACES` parts of a range a number lies."""
    return min(PLACES - 1, (number - low) * PLACES // max(1, high - low + 1))


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
