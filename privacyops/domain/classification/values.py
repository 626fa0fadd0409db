"""What a single value is by its form and its check digits, taken as a whole. Numbers that only look like one are not.

Column types go by Presidio's names; AGE, GENDER, VIN and SWIFT_CODE have none there.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

import phonenumbers

from privacyops.domain.catalog.word_lists import first_names

_EMAIL: Final = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.)+[^\W\d_]{2,24}")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
_IBAN_COUNTRY_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_CARD: Final = re.compile(r"(?:3[47]|3[068]|4|5[1-5]|2[2-7]|6(?:011|4[4-9]|5)|35|62)\d+")
_CARD_WRITTEN: Final = re.compile(r"\d{12,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
_SSN: Final = re.compile(r"(?!000|666|9\d\d)\d{3}([- ]?)(?!00)\d{2}\1(?!0000)\d{4}")
_BIC: Final = re.compile(r"[A-Z]{4}([A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_VIN: Final = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_DATE: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_PHONE_SIGNS: Final = frozenset("0123456789 ()./+-\u00a0\u2010\u2011")
_BETWEEN: Final = re.compile(r"[^0-9]+")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_GENDER_WORDS: Final = (
    "m f w d x male female man woman men women boy girl other diverse divers unknown nonbinary non-binary männlich "
    "weiblich mann frau herr homme femme masculin féminin hombre mujer masculino femenino uomo donna maschio femmina "
    "mr mrs ms miss mx 1 2 0"
)
_GENDERS: Final = frozenset(_GENDER_WORDS.split())
_LICENCE: Final = re.compile(r"(?=(?:[^\d]*\d){5})[A-Z0-9][A-Z0-9 *-]{4,19}", re.IGNORECASE)
_NAME: Final = re.compile(
    r"[^\W\d_][^\W\d_'’.-]*(?:['’.-][^\W\d_]*)*(?:\s+[^\W\d_][^\W\d_'’.-]*(?:['’.-][^\W\d_]*)*){0,4}"
)
_PLACE: Final = re.compile(r"(?=.*[^\W\d_])[\w .,'’/()#&-]{2,120}|\d{4,6}(?:-\d{3,4})?|\d{3} \d{2}")


def is_email(value: str) -> bool:
    """`a@b.example`, and nothing around it."""
    return _EMAIL.fullmatch(value) is not None


def is_iban(value: str) -> bool:
    """A country's length and remainder 1 by 97 (ISO 13616)."""
    plain = value.replace(" ", "").replace("-", "").upper()
    if _IBAN.fullmatch(plain) is None or _IBAN_COUNTRY_LENGTHS.get(plain[:2]) != len(plain):
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def has_iban_form(value: str) -> bool:
    """As an IBAN is written, whatever its check digits say: made-up ones of test data fail those."""
    plain = value.replace(" ", "").replace("-", "").upper()
    return _IBAN.fullmatch(plain) is not None and plain[:2] in _IBAN_COUNTRY_LENGTHS


def is_card(value: str, least: int = 14) -> bool:
    """A prefix that card schemes use, `least` to 19 digits, and Luhn's sum. 13 digits are an EAN more often."""
    digits = _card_digits(value)
    return digits is not None and least <= len(digits) <= 19 and _CARD.fullmatch(digits) is not None and luhn(digits)


def has_card_form(value: str) -> bool:
    """12 to 19 digits as cards are written; test numbers fail Luhn."""
    return _card_digits(value) is not None


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        number = int(sign) * (1 + place % 2)
        total += number - 9 * (number > 9)
    return total % 10 == 0


def _card_digits(value: str) -> str | None:
    return re.sub(r"\D", "", value) if _CARD_WRITTEN.fullmatch(value) else None


def is_ip(value: str) -> bool:
    """An address of version 4 or 6, with or without a prefix length or port-free brackets."""
    try:
        ipaddress.ip_address(value.partition("/")[0].strip("[]"))
    except ValueError:
        return False
    return "." in value or ":" in value


def is_ssn(value: str) -> bool:
    """A US social security number by its ranges."""
    return _SSN.fullmatch(value) is not None


def is_bic(value: str) -> bool:
    """ISO 9362, with the code of a country in it."""
    match = _BIC.fullmatch(value)
    return match is not None and match[1] in _countries()


def is_vin(value: str) -> bool:
    """ISO 3779, with the check digit of North America; elsewhere that place holds another digit or letter."""
    upper = value.upper()
    if _VIN.fullmatch(upper) is None or upper.isdigit():
        return False
    total = sum(
        (int(sign) if sign.isdigit() else _VIN_VALUES[sign]) * weight
        for sign, weight in zip(upper, _VIN_WEIGHTS, strict=True)
    )
    return "0123456789X"[total % 11] == upper[8]


def is_written_as_phone(value: str) -> bool:
    """With `+` or brackets, or in groups as numbers are dictated; no date, no number with decimals, no year first."""
    digits = sum(map(str.isdigit, value))
    if not 7 <= digits <= 15 or not set(value) <= _PHONE_SIGNS or _DATE.fullmatch(value):
        return False
    if value.startswith("+") or "(" in value:
        return True
    groups = _BETWEEN.split(value)
    has_zero = value.startswith("0")
    if len(groups) < 2 or ("." in value and not has_zero) or _YEAR.fullmatch(groups[0]):
        return False
    return has_zero or len(groups) > 2


def is_phone(value: str, regions: tuple[str, ...]) -> bool:
    """Valid by the numbering plan of one of these countries, or written in full with `+`."""
    if not set(value) <= _PHONE_SIGNS or _DATE.fullmatch(value):
        return False
    for region in (None,) if value.startswith("+") else regions:
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False


def has_phone_form(value: str) -> bool:
    """7 to 15 digits and what stands between them in phone numbers."""
    return set(value) <= _PHONE_SIGNS and 7 <= sum(map(str.isdigit, value)) <= 15 and _DATE.fullmatch(value) is None


def is_birth_date(value: str) -> bool:
    """A day on which a living person may have been born: of the last 120 years."""
    match = _DATE.fullmatch(value)
    if match is None:
        return False
    parts = [int(part) for part in match.groups() if part is not None]
    year, rest = (parts[0], parts[1:]) if match[1] else (parts[2], parts[:2])
    return (1900 <= year <= 2100 and _is_day(year, *rest)) or (bool(match[4]) and _is_day(year, *reversed(rest)))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def is_age(value: str) -> bool:
    """Whole years of a life."""
    return re.fullmatch(r"\d{1,3}(?:\.0+)?", value) is not None and 0 <= float(value) <= 120


def is_gender(value: str) -> bool:
    """A word or letter of the usual lists."""
    return value.casefold().rstrip(".") in _GENDERS


def is_licence(value: str) -> bool:
    """Letters and at least five digits: driving licences have no common form, so this never counts alone."""
    return _LICENCE.fullmatch(value.strip()) is not None


def is_name(value: str) -> bool:
    """Written as a person's name: one to five words of letters. Never enough alone."""
    return len(value) <= 60 and _NAME.fullmatch(value) is not None


def has_first_name(value: str) -> bool:
    """Two to four words, one of the first two a common first name."""
    words = value.casefold().split()
    return 2 <= len(words) <= 4 and is_name(value) and not first_names().isdisjoint(words[:2])


def is_place(value: str) -> bool:
    """Written as a street, a city or a postcode may be. Never enough alone."""
    return _PLACE.fullmatch(value) is not None and not is_email(value)


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(phonenumbers.SUPPORTED_REGIONS) | {"EU", "XK"}


STRUCTURED: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "EMAIL_ADDRESS": (is_email, "whole value; form of an address"),
    "IBAN_CODE": (is_iban, "whole value; mod 97 passed"),
    "CREDIT_CARD": (is_card, "whole value; prefix and length; Luhn passed"),
    "IP_ADDRESS": (is_ip, "whole value; address parsed"),
}


def structured_type(value: str, regions: Collection[str]) -> tuple[str, str] | None:
    """The type of one cell value without its column, and why; None where the value alone does not say it.

    Order numbers, EAN, epochs and prices never have one: a phone must be written as a phone.
    """
    if not 4 <= len(value) <= 254:
        return None
    for name, (check, why) in STRUCTURED.items():
        if check(value):
            return name, why
    if is_written_as_phone(value) and is_phone(value, tuple(regions)):
        return "PHONE_NUMBER", "whole value; written as a phone; numbering plan passed"
    return None
