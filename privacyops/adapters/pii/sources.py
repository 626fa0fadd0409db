"""Where spans come from: patterns with checksums, models, rules; each told with its reason."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final

from presidio_analyzer import PatternRecognizer
from presidio_analyzer import predefined_recognizers as known

from privacyops.adapters.pii.hit import Hit
from privacyops.adapters.pii.ner import Labelled
from privacyops.adapters.pii.patterns import FLAGS
from privacyops.domain.classification.values import is_card, is_iban
from privacyops.domain.detection.span import Source, Span

MODEL_SCORE: Final = 0.85
_CHECKS: Final = {
    "CREDIT_CARD": "Luhn passed", "IBAN_CODE": "mod 97 passed", "EMAIL_ADDRESS": "domain known",
    "IP_ADDRESS": "address parsed", "US_SSN": "ranges passed",
}  # fmt: skip
_RECOGNIZERS: Final[Mapping[str, type[PatternRecognizer]]] = {
    "EMAIL_ADDRESS": known.EmailRecognizer,
    "CREDIT_CARD": known.CreditCardRecognizer,
    "IBAN_CODE": known.IbanRecognizer,
    "IP_ADDRESS": known.IpRecognizer,
    "US_SSN": known.UsSsnRecognizer,
    "US_ITIN": known.UsItinRecognizer,
    "US_DRIVER_LICENSE": known.UsLicenseRecognizer,
    "US_BANK_NUMBER": known.UsBankRecognizer,
    "US_PASSPORT": known.UsPassportRecognizer,
    "MEDICAL_LICENSE": known.MedicalLicenseRecognizer,
    "UK_NINO": known.UkNinoRecognizer,
    "UK_NHS": known.NhsRecognizer,
    "ES_NIF": known.EsNifRecognizer,
    "ES_NIE": known.EsNieRecognizer,
    "IT_FISCAL_CODE": known.ItFiscalCodeRecognizer,
    "DE_TAX_ID": known.DeTaxIdRecognizer,
    "PL_PESEL": known.PlPeselRecognizer,
    "SE_PERSONNUMMER": known.SePersonnummerRecognizer,
    "FI_PERSONAL_IDENTITY_CODE": known.FiPersonalIdentityCodeRecognizer,
    "URL": known.UrlRecognizer,
    "UUID": known.UuidRecognizer,
    "DATE_TIME": known.DateRecognizer,
}
_RANGED: Final = frozenset({"US_SSN", "IP_ADDRESS", "IBAN_CODE"})
_RANGED_FROM: Final = 0.5
_BY_CHANCE: Final = 0.4
_NAMES: Final = {"GIVEN_NAME", "SURNAME"}
_PLACES: Final = {"STREET_NAME", "BUILDING_NUMBER", "SECONDARY_ADDRESS", "CITY", "STATE", "ZIP_CODE"}
_SSN: Final = re.compile(r"\d{3}[- ]?\d{2}[- ]?\d{4}")


class EntityUnknown(ValueError):
    """A type that nothing here looks for."""


def recognizers_of(entities: Iterable[str]) -> list[PatternRecognizer]:
    """Presidio's pattern recognizers for these types, whatever the language of a text: numbers speak none."""
    found = [_RECOGNIZERS[name]() for name in entities if name in _RECOGNIZERS]
    for recognizer in found:
        recognizer.global_regex_flags = FLAGS  # as its registry sets it: an IBAN is one in small letters too
    return found


def is_known(entity: str) -> bool:
    """Whether anything here looks for the type."""
    return entity in _RECOGNIZERS or entity in {"PERSON", "LOCATION", "PHONE_NUMBER", "ORGANIZATION", "NRP"}


def from_pattern(hit: Hit, recognizer: str) -> Span:
    """A pattern's span: its name, the check that it passed, the context word."""
    parts = [f"pattern '{hit.pattern}'"]
    if hit.checked:
        parts.append(_CHECKS.get(hit.type, "check passed"))
    if hit.context:
        parts.append(f"context '{hit.context}'")
    # Presidio drops an address or number of these types that is out of range, without saying that it looked
    is_ranged = hit.type in _RANGED and hit.score >= _RANGED_FROM
    # One number in eleven passes a check digit by chance: without a word beside it that proves no national number
    is_checked = bool(hit.checked) and (hit.type in _CHECKS or bool(hit.context))
    source = Source.CHECKED if is_checked or is_ranged else Source.PATTERN
    score = hit.score if source is Source.CHECKED or not hit.checked else min(hit.score, _BY_CHANCE)
    return Span(hit.start, hit.end, hit.type, score, recognizer, "; ".join(parts), source)


def from_phone(hit: Hit) -> Span:
    """A phone's span: the country whose numbering plan it fits."""
    said = f"; context '{hit.context}'" if hit.context else ""
    why = f"numbering plan of {hit.pattern} passed{said}"
    return Span(hit.start, hit.end, hit.type, hit.score, "PhoneFinder", why)


def from_rule(hit: Hit, name: str) -> Span:
    """A span by the form of an address, or by the word beside a number."""
    why = f"form '{hit.pattern}'" if hit.type == "LOCATION" else f"word for a phone {hit.pattern} it"
    return Span(hit.start, hit.end, hit.type, hit.score, name, why, Source.RULE)


def from_names(hit: Hit, model: str) -> Span:
    """A spaCy model's span."""
    why = f"model {model}; label {hit.pattern}"
    return Span(hit.start, hit.end, hit.type, hit.score, "SpacyNames", why, Source.NAMES)


def from_rampart(text: str, found: Labelled) -> Span | None:
    """Rampart's span by Presidio's names; None where its label alone is noise."""
    entity = _type_of(text[found.start : found.end], found.label)
    if entity is None:
        return None
    why = f"model rampart; label {found.label}"
    return Span(found.start, found.end, entity, round(found.score, 4), "Rampart", why, Source.RAMPART)


def _type_of(piece: str, label: str) -> str | None:  # noqa: PLR0911 - a table with conditions
    digits = sum(map(str.isdigit, piece))
    if label in _NAMES:
        return "PERSON" if any(map(str.isalpha, piece)) else None
    if label in _PLACES:
        return "LOCATION"
    if label == "PHONE":
        return "PHONE_NUMBER" if digits >= 5 else None
    if label == "EMAIL":
        return "EMAIL_ADDRESS" if "@" in piece else None
    if label == "SSN":
        return "US_SSN" if _SSN.fullmatch(piece.strip()) else None
    if label == "IP":
        return "IP_ADDRESS" if _is_address(piece) else None
    if label == "CREDIT_CARD":
        return "CREDIT_CARD" if is_card(piece.strip(), 12) else None
    if label == "BANK_ACCOUNT":
        return "IBAN_CODE" if is_iban(piece.strip()) else "US_BANK_NUMBER"
    return "URL" if label == "URL" else None


def _is_address(piece: str) -> bool:
    try:
        ipaddress.ip_address(piece.strip())
    except ValueError:
        return False
    return True
