"""Writes TC and GPP strings for tests, from the field tables and without looking at the decoder."""

import random
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def web_safe(bits: str, to_octet: bool = True) -> str:
    """The bits as web-safe base64, filled up with zeroes to whole octets or to whole letters."""
    bits += "0" * (-len(bits) % 8 if to_octet else 0)
    bits += "0" * (-len(bits) % 6)
    return "".join(_LETTERS[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def number(value: int, width: int) -> str:
    return f"{value:0{width}b}"


def bitfield(ids: Iterable[int], width: int) -> str:
    chosen = set(ids)
    return "".join("1" if place in chosen else "0" for place in range(1, width + 1))


def letters(two: str) -> str:
    return "".join(number(ord(one) - ord("A"), 6) for one in two)


def runs(ids: Iterable[int]) -> Sequence[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for one in sorted(set(ids)):
        if found and found[-1][1] == one - 1:
            found[-1] = found[-1][0], one
        else:
            found.append((one, one))
    return found


def ranges(ids: Iterable[int]) -> str:
    found = runs(ids)
    text = number(len(found), 12)
    for first, last in found:
        text += ("0" if first == last else "1") + number(first, 16) + ("" if first == last else number(last, 16))
    return text


def vendors(ids: Iterable[int], *, as_ranges: bool) -> str:
    highest = max(ids, default=0)
    return number(highest, 16) + ("1" + ranges(ids) if as_ranges else "0" + bitfield(ids, highest))


@dataclass
class TcFields:
    """What a made-up TC string says. Times are tenths of a second."""

    created: int = 17_639_856_001
    updated: int = 17_639_856_019
    cmp: int = 31
    cmp_version: int = 640
    screen: int = 1
    language: str = "EN"
    vendor_list: int = 126
    policy: int = 5
    is_specific: bool = True
    non_standard: bool = False
    features: set[int] = field(default_factory=set)
    purposes: set[int] = field(default_factory=set)
    interests: set[int] = field(default_factory=set)
    one_treatment: bool = False
    country: str = "DE"
    vendors: set[int] = field(default_factory=set)
    vendor_interests: set[int] = field(default_factory=set)
    restrictions: list[tuple[int, int, set[int]]] = field(default_factory=list)
    disclosed: set[int] | None = None
    allowed: set[int] | None = None
    publisher: tuple[set[int], set[int], int, set[int], set[int]] | None = None
    as_ranges: tuple[bool, bool, bool, bool] = (False, False, False, False)

    def text(self) -> str:
        core = (
            number(2, 6) + number(self.created, 36) + number(self.updated, 36) + number(self.cmp, 12)
            + number(self.cmp_version, 12) + number(self.screen, 6) + letters(self.language)
            + number(self.vendor_list, 12) + number(self.policy, 6) + str(int(self.is_specific))
            + str(int(self.non_standard)) + bitfield(self.features, 12) + bitfield(self.purposes, 24)
            + bitfield(self.interests, 24) + str(int(self.one_treatment)) + letters(self.country)
            + vendors(self.vendors, as_ranges=self.as_ranges[0])
            + vendors(self.vendor_interests, as_ranges=self.as_ranges[1])
            + number(len(self.restrictions), 12)
            + "".join(number(purpose, 6) + number(kind, 2) + ranges(ids) for purpose, kind, ids in self.restrictions)
        )  # fmt: skip
        parts = [web_safe(core)]
        if self.disclosed is not None:
            parts.append(web_safe(number(1, 3) + vendors(self.disclosed, as_ranges=self.as_ranges[2])))
        if self.allowed is not None:
            parts.append(web_safe(number(2, 3) + vendors(self.allowed, as_ranges=self.as_ranges[3])))
        if self.publisher is not None:
            consents, interests, count, custom, custom_interests = self.publisher
            parts.append(
                web_safe(
                    number(3, 3) + bitfield(consents, 24) + bitfield(interests, 24) + number(count, 6)
                    + bitfield(custom, count) + bitfield(custom_interests, count)
                )
            )  # fmt: skip
        return ".".join(parts)


def made_up(seed: int) -> TcFields:
    """One of the reference strings: few or many vendors, both encodings, any mixture of segments."""
    dice = random.Random(seed)

    def some(upto: int, most: int) -> set[int]:
        return set(dice.sample(range(1, upto + 1), dice.randint(0, min(most, upto))))

    custom = dice.randint(0, 20)
    return TcFields(
        created=dice.randint(15_000_000_000, 20_000_000_000), updated=dice.randint(15_000_000_000, 20_000_000_000),
        cmp=dice.randint(2, 4095), cmp_version=dice.randint(0, 4095), screen=dice.randint(0, 63),
        language=dice.choice(("EN", "DE", "FR", "ZZ", "AA")), vendor_list=dice.randint(1, 4095),
        policy=dice.choice((2, 4, 5)), is_specific=dice.random() < 0.5, non_standard=dice.random() < 0.5,
        features=some(12, 12), purposes=some(24, 24), interests=some(24, 24), one_treatment=dice.random() < 0.5,
        country=dice.choice(("DE", "AT", "FR", "US")), vendors=some(1200, 400), vendor_interests=some(1200, 60),
        restrictions=[
            (dice.randint(1, 11), dice.randint(0, 2), some(900, 30)) for _ in range(dice.choice((0, 0, 1, 4)))
        ],
        disclosed=some(1200, 900) if dice.random() < 0.7 else None,
        allowed=some(800, 50) if dice.random() < 0.3 else None,
        publisher=(some(24, 24), some(24, 24), custom, some(custom, custom), some(custom, custom))
        if dice.random() < 0.4 else None,
        as_ranges=(dice.random() < 0.5, dice.random() < 0.5, dice.random() < 0.5, dice.random() < 0.5),
    )  # fmt: skip


def fibonacci(value: int) -> str:
    """A number in Fibonacci coding, by the greedy sum."""
    weights = [1, 2]
    while weights[-1] <= value:
        weights.append(weights[-1] + weights[-2])
    bits = ""
    for weight in reversed(weights[:-1]):
        bits = ("1" if weight <= value else "0") + bits
        value -= weight if weight <= value else 0
    return bits.rstrip("0") + "1"


def gpp(sections: Mapping[int, str], *, to_octet: bool = True) -> str:
    """A GPP string; neighbouring ids become a range."""
    header, last = number(3, 6) + number(1, 6), 0
    found = runs(sections)
    header += number(len(found), 12)
    for first, end in found:
        header += ("0" if first == end else "1") + fibonacci(first - last)
        header += "" if first == end else fibonacci(end - first)
        last = end
    return "~".join([web_safe(header, to_octet), *(sections[section] for section in sorted(sections))])
