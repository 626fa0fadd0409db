"""Phone numbers: E.164 where a region is known, the bare digits where it is not.

Stored numbers come with and without country code, trunk zero and separators. Two of them are the same if their
E.164 forms are equal, or if the national number of one ends the digits of the other.
"""

import re
from functools import lru_cache
from typing import Final

import phonenumbers

MIN_DIGITS: Final = 7
"""Shorter numbers are extensions and PINs; they name nobody."""

_DATE: Final = re.compile(r"(19|20)\d\d([-/.])\d\d?\2\d\d?|\d\d?([-/.])\d\d?\3(19|20)\d\d")


def phone_digits(text: str) -> str:
    """The decimal digits of a text, whatever script they are written in, as ASCII."""
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())


@lru_cache(maxsize=8192)
def e164(text: str, region: str | None = None) -> str | None:
    """`+551239235555`, or None where the number is not possible in `region` (ISO 3166 alpha-2) and names none.

    An impossible number is still a number that a shop stored: compare it by `same_phone`.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_assigned(digits: str) -> bool:
    """Whether the digits, read with their country's code in front, are of a range that is given to callers."""
    full = e164(f"+{digits}")
    return full is not None and phonenumbers.is_valid_number(phonenumbers.parse(full, None))


def is_phone(text: str, region: str | None = None) -> bool:
    """Whether the whole text is written like a phone number: 7 to 15 digits and nothing but separators."""
    digits = phone_digits(text)
    if not MIN_DIGITS <= len(digits) <= 15 or any(sign.isalpha() for sign in text) or _DATE.fullmatch(text.strip()):
        return False
    return all(sign.isdecimal() or sign in " ()./+-\u00a0\u2010\u2011" for sign in text) and (
        "." not in text or text.count(".") > 1 or e164(text, region) is not None
    )


@lru_cache(maxsize=8192)
def search_tail(text: str, region: str | None = None) -> str | None:
    """The digits with which every usual spelling of the number ends: the national number without a trunk zero.

    None: fewer than seven digits.
    """
    digits = phone_digits(text)
    full = e164(text, region)
    if full is not None:
        number = phonenumbers.parse(full, None)
        digits = str(phonenumbers.national_significant_number(number))
    elif digits.startswith("00"):
        digits = digits[2:]
    tail = digits.lstrip("0")
    return tail if len(tail) >= MIN_DIGITS else None


def same_phone(one: str, other: str, region: str | None = None) -> bool:
    """Whether two spellings are one number; numbers of different countries never are.

    Without a country code on one side the national number decides, so the rest of the row has to agree too.
    """
    tails = search_tail(one, region), search_tail(other, region)
    if tails[0] is None or tails[1] is None:
        return False
    full = e164(one, region), e164(other, region)
    if full[0] is not None and full[1] is not None:
        return full[0] == full[1]
    return phone_digits(one).endswith(tails[1]) or phone_digits(other).endswith(tails[0])
