"""Passages about other people in words: kinds, doubts, reasons, what waits. The codes are the machine's own."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from privacyops.domain.redaction.keep import Doubt
from privacyops.domain.redaction.record import OthersWait, Unread

KINDS: Final[Mapping[str, str]] = {
    "PERSON": "Name", "LOCATION": "Address", "EMAIL_ADDRESS": "E-mail address", "PHONE_NUMBER": "Phone number",
    "IBAN_CODE": "Bank account", "CREDIT_CARD": "Card number",
}  # fmt: skip
DOUBTS: Final[Mapping[Doubt, str]] = {
    Doubt.SAME_SURNAME: "Same surname as the customer: a relative, or the customer?",
    Doubt.NICKNAME: "Part or short form of the customer's name?",
    Doubt.INITIALS: "The initials fit the customer.",
    Doubt.NAME_OF_SEVERAL: "Several customers have this name.",
    Doubt.SHARED_CONTACT: "Others use this contact too.",
    Doubt.IN_THEIR_ROLE: "Somebody who works for the shop, in that role.",
}
UNREAD: Final[Mapping[Unread, str]] = {
    Unread.NO_MODEL: "Names and addresses were not looked for: there is no model for this language.",
    Unread.TOO_LONG: "Only the first 100,000 characters were looked through.",
    Unread.TOO_MANY: "Only the first 500 passages stand here.",
    Unread.NO_ANSWER: "Detection gave no answer about this text.",
    Unread.OVER_LIMIT: "Not looked through: the request holds more texts than the machine reads.",
    Unread.PATTERN_SLOW: "One pattern took too long here and was left out.",
}


class Waiting(NamedTuple):
    """What holds a review back: the notice on the request's page, and why its button cannot be pressed."""

    tone: str
    title: str
    text: str
    why_not: str


WAITS: Final[Mapping[OthersWait, Waiting]] = {
    OthersWait.NEVER: Waiting(
        "warn", "Nobody has looked for other people", "Have the texts read there first.",
        "Nobody has looked for other people in the texts.",
    ),
    OthersWait.READING: Waiting(
        "inf", "The texts are read for other people", "A worker is at it. Reload the page in a moment.",
        "The texts are still read for other people.",
    ),
    OthersWait.UNREADABLE: Waiting(
        "bad", "The texts could not be read by the machine", "Read them yourself, and say so there.",
        "The texts could not be read for other people.",
    ),
    OthersWait.OPEN: Waiting(
        "warn", "Passages about other people wait for a decision", "Each is taken out or left in by a person.",
        "Passages about other people are undecided.",
    ),
    OthersWait.UNSEEN: Waiting(
        "warn", "Some texts have to be read by a person", "The machine could not look through them wholly.",
        "Some texts have to be read by a person.",
    ),
}  # fmt: skip

_LABELS: Final[Mapping[str, str]] = {
    "GIVEN_NAME": "a first name", "SURNAME": "a surname", "PERSON": "a name", "PER": "a name",
    "STREET_NAME": "a street", "BUILDING_NUMBER": "a house number", "SECONDARY_ADDRESS": "a part of an address",
    "CITY": "a town", "STATE": "a state", "ZIP_CODE": "a postal code", "GPE": "a town or country", "LOC": "a place",
    "FAC": "a building", "PHONE": "a phone number", "EMAIL": "an e-mail address", "CREDIT_CARD": "a card number",
    "BANK_ACCOUNT": "a bank account",
}  # fmt: skip
_CHECKS: Final[Mapping[str, str]] = {
    "Luhn passed": "its check digit fits", "mod 97 passed": "its check digits fit", "check passed": "its check fits",
    "domain known": "its domain ends as domains do", "ranges passed": "its digits lie where such numbers lie",
    "structure of the text": "the structure of the text names it",
}  # fmt: skip
_MODEL: Final = re.compile(r"model [^;]*; label (\w+)")
_PLAN: Final = re.compile(r"numbering plan of (\w+) passed")
_CONTEXT: Final = re.compile(r"context '(.*)'")
_CUE: Final = re.compile(r"word for a phone (before|behind|after) it")


def reason_words(why: str) -> str:
    """The machine's reason, as a reviewer understands it; what is not known here stays as it was written."""
    said = [words for source in why.split(" + ") for words in _source(source)]
    return "; ".join(dict.fromkeys(said))


def _source(source: str) -> list[str]:
    if found := _MODEL.fullmatch(source):
        return [f"found by a language model as {_LABELS.get(found[1], 'a name or address')}"]
    return [_part(part) for part in source.split("; ")]


def _part(part: str) -> str:
    if part.startswith("pattern '"):
        return "written as such are written"
    if part.startswith("form '"):
        return "written as addresses are written"
    if found := _PLAN.fullmatch(part):
        return f"fits the phone numbers of {found[1]}"
    if found := _CONTEXT.fullmatch(part):
        return f"the word “{found[1]}” stands near it"
    if found := _CUE.fullmatch(part):
        return f"a word for a phone stands {found[1]} it"
    return _CHECKS.get(part, part)
