"""Bits out of web-safe base64, as consent strings pack them: six a letter, most significant first.

Source: RFC 4648 section 5 (alphabet); IAB GPP section "Fibonacci encoding".
"""

import string
from typing import Final

from privacyops.kernel.errors import Unprocessable

LONGEST: Final = 16_384
"""Letters of one string. Real ones have a few hundred; the bound keeps a hostile one cheap to refuse."""
_VALUE: Final = {
    letter: value for value, letter in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_")
}
_FIBONACCI: Final = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765)


class ConsentStringUndecodable(Unprocessable):
    """A string that cannot be read grants nothing. `code` as a member says what is wrong with it, never the string."""

    type = "/problems/consent-string-undecodable"
    title = "The consent string cannot be decoded, so it grants nothing"

    def __init__(self, code: str) -> None:
        super().__init__(code=code)
        self.code = code


class Bits:
    """Reads one string from its first bit on. Reading past the end is refused, never answered with zeroes."""

    def __init__(self, text: str) -> None:
        """Raises: ConsentStringUndecodable: empty, too long, or a letter that is not in the alphabet."""
        if not text:
            raise ConsentStringUndecodable("empty")
        if len(text) > LONGEST:
            raise ConsentStringUndecodable("too_long")
        number = 0
        octets = bytearray()
        for index, letter in enumerate(text):
            value = _VALUE.get(letter)
            if value is None:
                raise ConsentStringUndecodable("not_base64")
            number = number << 6 | value
            if index % 4 == 3:
                octets += number.to_bytes(3, "big")
                number = 0
        rest = len(text) % 4
        octets += (number << (24 - 6 * rest)).to_bytes(3, "big") if rest else b""
        self._octets = bytes(octets)
        self._length = 6 * len(text)
        self._at = 0

    @property
    def left(self) -> int:
        """How many bits have not been read."""
        return self._length - self._at

    def integer(self, width: int) -> int:
        """The next `width` bits as an unsigned number. Raises: ConsentStringUndecodable: there are fewer."""
        end = self._at + width
        if end > self._length:
            raise ConsentStringUndecodable("cut_off")
        window = int.from_bytes(self._octets[self._at // 8 : (end + 7) // 8], "big")
        self._at = end
        return window >> (-end % 8) & ((1 << width) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.integer(1) == 1

    def members(self, width: int) -> frozenset[int]:
        """Which of the next `width` bits are set, numbered from 1."""
        number = self.integer(width)
        return frozenset(place for place in range(1, width + 1) if number >> (width - place) & 1)

    def pairs(self, count: int) -> tuple[int, ...]:
        """The next `count` fields of two bits."""
        return tuple(self.integer(2) for _ in range(count))

    def letters(self) -> str:
        """Two letters of six bits, such as `EN`. Raises: ConsentStringUndecodable: not letters."""
        values = (self.integer(6), self.integer(6))
        if max(values) > 25:
            raise ConsentStringUndecodable("not_letters")
        return "".join(chr(ord("A") + value) for value in values)

    def fibonacci(self) -> int:
        """The next number in Fibonacci coding: a sum of Fibonacci numbers, the smallest first, ended by a second one.

        Raises: ConsentStringUndecodable: cut off, or larger than a section id can be.
        """
        total, before = 0, False
        for weight in _FIBONACCI:
            if self.flag():
                if before:
                    return total
                total, before = total + weight, True
            else:
                before = False
        raise ConsentStringUndecodable("number_too_large")
