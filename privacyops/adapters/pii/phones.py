"""Phone numbers in a text, for several countries at once.

The results are those of Presidio's PhoneRecognizer, which walks the text once for each country. What does not depend
on the country is done once: finding candidates, judging their surroundings, reading numbers written with a `+`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumbermatcher as matcher  # no public face lets a walk be shared
from phonenumbers.phonemetadata import PhoneMetadata

from privacyops.adapters.pii.hit import Hit

SCORE: Final = 0.4
LENIENCY: Final = phonenumbers.Leniency.VALID
_PLUS: Final = ("+", "＋")
_OPENING: Final = "([（［"
_ANYWHERE: Final = "ZZ"
_FEWEST_DIGITS: Final = 4
_NO_DIGITS: Final = {code: None for code in range(128) if not chr(code).isdigit()}


class RegionUnknown(ValueError):
    """A country code that the numbering plans do not know, for instance UK for GB."""


class PhoneFinder:
    """Finds numbers that are valid in one of these countries (ISO 3166-1), or written with a `+` for any."""

    def __init__(self, regions: Sequence[str]) -> None:
        """Raises: RegionUnknown."""
        if unknown := sorted(set(regions) - phonenumbers.SUPPORTED_REGIONS):
            raise RegionUnknown(f"{', '.join(unknown)}: no numbering plan; give ISO 3166-1 codes, for instance GB")
        self.regions = tuple(regions)

    def find(self, text: str) -> list[Hit]:
        """Doubles are left in, as the caller drops them with those of other sources."""
        if not _may_hold_one(text):
            return []
        shared = _Shared(text)
        found: dict[tuple[int, int], Hit] = {}
        for region in self.regions:
            for match in _Walk(shared, region):
                found.setdefault(
                    (match.start, match.end), Hit(match.start, match.end, "PHONE_NUMBER", SCORE, -1, match.region)
                )
        return list(found.values())


def _may_hold_one(text: str) -> bool:
    """Whether anything in the text has the four digits that the shortest valid number has."""
    digits = 0
    for letter in text:
        if letter.isdigit():
            digits += 1
            if digits == 4:
                return matcher._PATTERN.search(text) is not None  # noqa: SLF001 - the matcher's own expression
    return False


class _Shared:
    """What is the same for every country in one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._next: dict[int, tuple[int, str, bool] | None] = {}
        self._surroundings: dict[tuple[int, str], bool] = {}
        self._regions: dict[tuple[str, str], str | None] = {}

    def candidate(self, index: int, trim: Any) -> tuple[int, str, bool] | None:
        """The next candidate at or after `index`: where, what, and whether it is a date or a time instead."""
        if index not in self._next:
            match = matcher._PATTERN.search(self.text, index)  # noqa: SLF001 - as above
            if match is None:
                self._next[index] = None
            else:
                start = match.start()
                piece = trim(matcher._SECOND_NUMBER_START_PATTERN, self.text[start : match.end()])  # noqa: SLF001 - as above
                self._next[index] = (start, piece, self._is_moment(start, piece))
        return self._next[index]

    def _is_moment(self, start: int, piece: str) -> bool:
        if matcher._SLASH_SEPARATED_DATES.search(piece):  # noqa: SLF001 - as above
            return True
        return bool(
            matcher._TIME_STAMPS.search(piece)  # noqa: SLF001 - as above
            and matcher._TIME_STAMPS_SUFFIX.match(self.text[start + len(piece) :])  # noqa: SLF001 - as above
        )

    def region_of(self, piece: str, region: str) -> str | None:
        """As `_region_of`, once a text: kept no longer, for the pieces are numbers of people."""
        key = (piece, region)
        if key not in self._regions:
            self._regions[key] = _region_of(piece, region)
        return self._regions[key]

    def fits_surroundings(self, walk: "_Walk", piece: str, offset: int) -> bool:
        """Whether its brackets close, and no letter or currency sign touches it."""
        key = (offset, piece)
        if key not in self._surroundings:
            self._surroundings[key] = self._fits(walk, piece, offset)
        return self._surroundings[key]

    def _fits(self, walk: "_Walk", piece: str, offset: int) -> bool:
        if not matcher.fullmatch(matcher._MATCHING_BRACKETS, piece) or matcher._PUB_PAGES.search(piece):  # noqa: SLF001 - as above
            return False
        if offset > 0 and not matcher._LEAD_PATTERN.match(piece) and walk.touches(self.text[offset - 1]):  # noqa: SLF001 - as above
            return False
        end = offset + len(piece)
        return not (end < len(self.text) and walk.touches(self.text[end]))


class _Found:
    """One number and the country it is of."""

    __slots__ = ("end", "region", "start")

    def __init__(self, start: int, end: int, region: str) -> None:
        self.start, self.end, self.region = start, end, region


class _Walk(matcher.PhoneNumberMatcher):  # type: ignore[misc]  # the library has no types
    """The library's walk over a text for one country, with what is shared taken from `_Shared`."""

    def __init__(self, shared: _Shared, region: str) -> None:
        super().__init__(shared.text, region, leniency=LENIENCY)
        self._shared = shared

    def touches(self, letter: str) -> bool:
        """Whether a number beside this letter is part of something else."""
        return bool(self._is_invalid_punctuation_symbol(letter) or self._is_latin_letter(letter))

    def _find(self, index: int) -> _Found | None:
        while self._max_tries > 0:
            candidate = self._shared.candidate(index, self._trim_after_first_match)
            if candidate is None:
                return None
            start, piece, is_moment = candidate
            if not is_moment and not _is_too_short(piece, self.preferred_region):
                match: _Found | None = self._parse_and_verify(piece, start) or self._extract_inner_match(piece, start)
                if match is not None:
                    return match
            self._max_tries -= 1
            index = start + len(piece)
        return None

    def _parse_and_verify(self, piece: str, offset: int) -> _Found | None:
        read_in = _ANYWHERE if piece.lstrip(_OPENING)[:1] in _PLUS else self.preferred_region
        if not piece or _is_too_short(piece, read_in):
            return None
        if not self._shared.fits_surroundings(self, piece, offset):
            return None
        region = self._shared.region_of(piece, read_in)
        return None if region is None else _Found(offset, offset + len(piece), region)


def _region_of(piece: str, region: str) -> str | None:
    """The country of the number that `piece` writes when it is read in `region`; None: it is no valid number."""
    try:
        number = phonenumbers.parse(piece, None if region == _ANYWHERE else region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    if not matcher._verify(LENIENCY, number, piece, None):  # noqa: SLF001 - as above; VALID asks nothing of the matcher
        return None
    return phonenumbers.region_code_for_number(number) or region


def _is_too_short(piece: str, region: str) -> bool:
    """Whether neither the piece nor a part of it can be valid in this country for want of digits. What dials out or
    has a `+` has a length of its own.
    """
    digits = _digits(piece)
    if len(digits) < _FEWEST_DIGITS:
        return True
    if region == _ANYWHERE or len(digits) >= _shortest(region) or any(sign in piece for sign in _PLUS):
        return False
    return _dials_out(region).search(digits) is None


def _digits(piece: str) -> str:
    if piece.isascii():
        return piece.translate(_NO_DIGITS)
    return str(phonenumbers.normalize_digits_only(piece))


@lru_cache(maxsize=512)
def _dials_out(region: str) -> re.Pattern[str]:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return re.compile((metadata and metadata.international_prefix) or r"(?!)")


@lru_cache(maxsize=512)
def _shortest(region: str) -> int:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is not None and metadata.national_prefix_transform_rule is not None:
        return 1  # numbers are written without their area code, which is put before them
    lengths = [length for length in metadata.general_desc.possible_length if length > 0] if metadata else []
    return min(lengths, default=1)
