"""One seeded source of chance for the whole shop, and the days it draws from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TypeVar

from privacyops.demo.shop.names import PHONE_RANGES

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """Chance from a fixed seed: the same calls in the same order give the same shop.

    `today` is day 0 and days are counted backwards from it. `_days` keeps their ISO spelling, because
    formatting forty thousand dates one by one would cost more than drawing them.
    """

    seed: int
    today: date
    _random: Random = field(init=False)
    _days: tuple[str, ...] = field(init=False, repr=False)
    _phones: set[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_random", Random(self.seed))
        object.__setattr__(self, "_days", tuple((self.today - timedelta(days=ago)).isoformat() for ago in range(3000)))
        object.__setattr__(self, "_phones", set())

    def below(self, n: int) -> int:
        """0 to n-1."""
        return int(self._random.random() * n)

    def between(self, low: int, high: int) -> int:
        """`low` to `high`, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self._random.random() * len(items))]

    def sample(self, items: Sequence[T], n: int) -> list[T]:
        return self._random.sample(items, n)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def weighted(self, items: Sequence[T], weights: Sequence[int], n: int) -> list[T]:
        return self._random.choices(items, weights, k=n)

    def day(self, ago: int) -> str:
        """The ISO date `ago` days before today; a negative `ago` is today."""
        return self._days[max(ago, 0)]

    def moment(self, ago: int) -> str:
        """A moment in opening hours of that day, as the shop's database spells it: `2026-11-03 14:07:55`."""
        roll = self._random.random()
        second = 6 * 3600 + int(roll * 16 * 3600)
        return f"{self.day(ago)} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"

    def token(self, digits: int) -> str:
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"

    def phone(self, region: str) -> str:
        """A number in E.164 form from a range reserved for fiction, not given out before.

        Small ranges (SE holds 395 numbers) run out; then the number is French, whose ranges hold 50,000.
        """
        tries = 0
        while True:
            tries += 1
            prefix, first, last = self.pick(PHONE_RANGES[region if tries < 8 else "FR"])
            number = f"{prefix}{self.between(int(first), int(last)):0{len(first)}}"
            if number not in self._phones:
                self._phones.add(number)
                return number

    def ip(self) -> str:
        """An address from the documentation networks of RFC 5737."""
        return f"{self.pick(('192.0.2', '198.51.100', '203.0.113'))}.{self.between(1, 254)}"
