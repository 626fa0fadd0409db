"""Text that somebody planted: what it may become in a spreadsheet, on a page, and which secrets it hides.

Source: OWASP CSV injection; RFC 4180; Unicode TR36 (bidirectional overrides, zero-width characters); ISO/IEC 7812-1
(Luhn check digit).
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final

TRIGGERS: Final = (
    "=+-@\u2212\u207a\u207b\u207c\u208a\u208b\u208c\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
"""Signs that start a formula, and every form that folding (NFKC) or a lenient program turns into one."""

# What a program may skip before it looks for a formula: blanks, controls, formatting signs, quotes. Line ends, tabs
# and NUL are not among them, since they have rules of their own.
_BLANKS: Final = r" \x0b\x0c\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROLS: Final = r"\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_FORMATTING: Final = (
    r"\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_QUOTES: Final = r"'\"`\xb4\xab\xbb\u2018-\u201f\u2039\u203a\uff02\uff07"
_FILLER: Final = _BLANKS + _CONTROLS + _FORMATTING + _QUOTES
_START: Final = re.compile(rf"\A[\n{_FILLER}]*[{re.escape(TRIGGERS)}\t\r\x00]")
# A program set to semicolons or tabs (most of Europe) ends a cell there and at line ends although the file quotes it.
_INNER: Final = re.compile(rf"(?<=[;\t\r\n])(?=[{_FILLER}]*[{re.escape(TRIGGERS)}\x00])")
_UNGUARDED: Final = re.compile(rf"(?<=[;\t\r\n])(?!')(?=[{_FILLER}]*[{re.escape(TRIGGERS)}\x00])")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def formula_safe(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet computes: a leading apostrophe where it could start a formula.

    Applied at the start of the cell, also after blanks, quotes and invisible characters, and after each
    semicolon, tab and line end inside it. NUL is shown as U+2400, since programs end a cell at it or drop it.
    """
    safe = _INNER.sub("'", text)
    if _START.match(text):
        safe = "'" + safe
    return safe.replace("\x00", "\u2400")


def starts_formula(cell: str) -> bool:
    """True if a spreadsheet could compute `cell` or a part of it; a number is none, nor what an apostrophe guards."""
    if _NUMBER.fullmatch(cell):
        return False
    at_start = not cell.startswith("'") and _START.match(cell)
    return bool(at_start or _UNGUARDED.search(cell)) or "\x00" in cell


MAX_SHOWN: Final = 10_000
"""Characters of one value on a page; the rest stands in the JSON file."""
_JOINERS: Final = "\u200c\u200d"
_NOT_PLAIN: Final = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_FORMATTING}]")


def visible(text: str) -> str:
    """`text` for a page: control, bidirectional and zero-width characters become their number, `⟦U+202E⟧`.

    CR LF counts as a line end. Joiners inside emoji and inside scripts that need them, and the variation
    selectors of emoji, stay: there they are spelling.
    """
    text = text.replace("\r\n", "\n")

    def name(match: re.Match[str]) -> str:
        sign, at = match.group(), match.start()
        if at and (sign in _JOINERS or "\ufe00" <= sign <= "\ufe0f"):
            before, after = text[at - 1], text[at + 1 : at + 2]
            if _joins(before) and (sign not in _JOINERS or (after and _joins(after))):
                return sign
        return f"\u27e6U+{ord(sign):04X}\u27e7"

    return _NOT_PLAIN.sub(name, text)


def _joins(sign: str) -> bool:
    return (ord(sign) > 0x2FF and unicodedata.category(sign)[0] in "LSM") or sign in "#*0123456789"


class Secret(StrEnum):
    """Shapes of values that must stand nowhere in a package."""

    CARD_NUMBER = "card_number"
    PASSWORD_HASH = "password_hash"  # noqa: S105 - the name of a shape, not a password
    PRIVATE_KEY = "private_key"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - as above
    SOCIAL_SECURITY_NUMBER = "social_security_number"


# Card numbers of 13 digits are gone from the market, while article numbers (EAN) have 13 digits.
_CARD: Final = re.compile(r"(?<![\w.+-])(?:\d[ -]?){13,18}\d(?![\w-])")
_ISSUERS: Final = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d{2}|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d{2})\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
_SHAPES: Final = (
    (Secret.PASSWORD_HASH, re.compile(r"\$(?:2[abxy]|5|6|y|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]*)\$[\w./+=,$-]{20,}")),
    (Secret.PASSWORD_HASH, re.compile(r"\b(?:pbkdf2_sha\d+|bcrypt_sha256|scrypt|argon2)\$[\w./+=,$-]{20,}")),
    (Secret.PASSWORD_HASH, re.compile(r"\{(?:SSHA(?:256|512)?|CRYPT|PBKDF2-SHA\d+)\}[\w./+=$-]{16,}")),
    (Secret.PRIVATE_KEY, re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    (Secret.ACCESS_TOKEN, re.compile(r"\bey[\w-]{10,}\.ey[\w-]{10,}\.[\w-]{20,}")),
    (
        Secret.ACCESS_TOKEN,
        re.compile(r"\b(?:sk|rk)_live_\w{16,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\bpo_live_\w{20,}"),
    ),
    (
        Secret.SOCIAL_SECURITY_NUMBER,
        re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
    ),
)


def secrets_in(text: str) -> frozenset[Secret]:
    """Kinds of secret whose shape is in `text`: card numbers by issuer range and check digit, hashes by scheme."""
    found = {kind for kind, shape in _SHAPES if shape.search(text)}
    if any(_is_card(match.group()) for match in _CARD.finditer(text)):
        found.add(Secret.CARD_NUMBER)
    return frozenset(found)


def _is_card(digits: str) -> bool:
    plain = digits.replace(" ", "").replace("-", "")
    return bool(_ISSUERS.fullmatch(plain)) and _luhn(plain)


def _luhn(digits: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(digits)):
        number = int(sign) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0
