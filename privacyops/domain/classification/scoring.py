"""What a column holds, from its name and a sample of its values: a type, how sure, and why.

A type is given from 0.5 on; between 0.4 and 0.7 a person should look. Which other types came near is always told.
Nothing of a value is kept.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privacyops.domain.classification import values as v
from privacyops.domain.classification.hints import hints

TYPED_FROM: Final = 0.5
ASK_FROM: Final = 0.4
SURE_FROM: Final = 0.7
FREE_TEXT: Final = "FREE_TEXT"
_WEAK: Final = frozenset({"AGE", "GENDER", "SWIFT_CODE", "PERSON", "US_DRIVER_LICENSE", "DATE_TIME", "LOCATION"})
_FEW: Final = 50
_PERSON_ALONE: Final = 20
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_HASH: Final = re.compile(r"[0-9a-fA-F]{32,128}|\$\d[a-z]?\$.{20,}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_CLOCKED: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_NUMBER: Final = re.compile(r"-?\d+(?:[.,]\d+)?")
_MEASURE: Final = re.compile(r"-?\d+(?:[.,]\d+)?\s?(?:%|kg|g|mg|lb|lbs|oz|cm|mm|m|km|in|ft|l|ml|€|\$|£|EUR|USD|GBP)")
_PATH: Final = re.compile(r"(?:https?://|/|[A-Za-z]:\\)\S*|[\w-]+(?:/[\w.-]+)+\.\w{2,4}")
_VERSION: Final = re.compile(r"v?\d+(?:\.\d+){1,3}")
_BOOLEAN: Final = frozenset({"0", "1", "t", "f", "true", "false", "yes", "no", "y", "n"})
_SERIAL: Final = re.compile(r"[aOs]:\d+:[{\"].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another type that the column might hold."""

    type: str
    score: float


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type, or None; `review`: a person should look; `category`: FREE_TEXT is searched as text."""

    type: str | None
    score: float
    why: str
    alternatives: tuple[Alternative, ...] = ()
    review: bool = False
    category: str | None = None


Check = Callable[[str], bool]


def classify(table: str, column: str, sample: Sequence[str], regions: tuple[str, ...]) -> ColumnType:
    """The column's type. `sample`: distinct values that are not empty; `regions`: where the shop's customers live."""
    promised = dict(hints(table, column))
    filled = [value.strip() for value in sample if value.strip()]
    if not filled:
        return _by_name_alone(promised)
    gate = _gate(filled, promised)
    if gate is not None:
        return ColumnType(None, 0.0, f"gate: {gate}")
    if _is_document(filled):
        return ColumnType(None, 0.0, "documents: each path is a column of its own", category="DOCUMENT")
    if _is_free_text(filled) and not promised:
        return ColumnType(None, 0.0, "free text: searched as text", category=FREE_TEXT)
    scored = sorted(_scores(filled, promised, regions), key=lambda one: -one.score)
    told = _decided(scored, promised)
    return replace(told, why=f"{told.why}; {len(filled)} values") if len(filled) < _FEW else told


def _by_name_alone(promised: Mapping[str, str]) -> ColumnType:
    """No value was seen: the name may ask a person, it does not decide."""
    others = tuple(Alternative(name, ASK_FROM) for name in promised)
    said = "; ".join(f"name '{word}'" for word in promised.values())
    why = f"no values; {said or 'name says nothing'}"
    return ColumnType(None, ASK_FROM if others else 0.0, why, others, review=bool(others))


@dataclass(frozen=True, slots=True)
class _Score:
    type: str
    score: float
    share: float
    check: str


def _scores(filled: Sequence[str], promised: Mapping[str, str], regions: tuple[str, ...]) -> list[_Score]:
    """Every type with its share of values that pass, weighed with what the name promises."""
    found = []
    for name, (check, told) in _checks(regions).items():
        hint = 1.0 if name in promised else 0.0
        share = _share(filled, check)
        found.append(_Score(name, _weighed(name, hint, share, filled, regions), share, told))
    return [one for one in found if one.score > 0]


def _weighed(name: str, hint: float, share: float, filled: Sequence[str], regions: tuple[str, ...]) -> float:
    if name == "PERSON" and not hint:
        common = _share(filled, v.has_first_name)
        return 0.6 * common if len(filled) > _PERSON_ALONE else 0.0
    if name == "PHONE_NUMBER":
        return _phone(hint, filled, regions)
    if name == "CREDIT_CARD":
        if not hint:
            return _strong(0.0, share)
        short, formed = _share(filled, lambda one: v.is_card(one, 12)), _share(filled, v.has_card_form)
        return _strong(hint, max(share, short, 0.6 * formed))  # test numbers fail Luhn
    if name == "IBAN_CODE" and hint:
        return _strong(hint, max(share, 0.8 * _share(filled, v.has_iban_form)))
    if name in _WEAK:
        return 0.45 * hint + 0.55 * share if hint else 0.0
    return _strong(hint, share)


def _strong(hint: float, share: float) -> float:
    return max(share if share >= 0.3 else share / 2, 0.4 * hint + 0.6 * share)


def _phone(hint: float, filled: Sequence[str], regions: tuple[str, ...]) -> float:
    valid = _share(filled, lambda one: v.is_phone(one, regions))
    if hint:
        return _strong(hint, max(valid, 0.8 * _share(filled, v.has_phone_form)))
    if _share(filled, v.is_ssn) > 0.5:
        return 0.0
    return valid * _share(filled, v.is_written_as_phone)


def _checks(regions: tuple[str, ...]) -> Mapping[str, tuple[Check, str]]:
    return {
        "EMAIL_ADDRESS": (v.is_email, "form of an address"),
        "IBAN_CODE": (v.is_iban, "mod 97"),
        "CREDIT_CARD": (v.is_card, "prefix, length, Luhn"),
        "IP_ADDRESS": (v.is_ip, "address parsed"),
        "PHONE_NUMBER": (lambda one: v.is_phone(one, regions), "numbering plan"),
        "US_SSN": (lambda one: v.is_ssn(one) and not one.isdigit(), "ranges"),
        "VIN": (v.is_vin, "check digit"),
        "SWIFT_CODE": (v.is_bic, "country in the code"),
        "PERSON": (v.is_name, "written as a name"),
        "LOCATION": (v.is_place, "written as a place"),
        "DATE_TIME": (v.is_birth_date, "days of the last 120 years"),
        "AGE": (v.is_age, "whole years"),
        "GENDER": (v.is_gender, "words for a gender"),
        "US_DRIVER_LICENSE": (v.is_licence, "letters and digits"),
    }


def _decided(scored: Sequence[_Score], promised: Mapping[str, str]) -> ColumnType:
    if not scored:
        others = tuple(Alternative(name, ASK_FROM) for name in promised)
        return ColumnType(None, 0.0, "no identifier's form", others, review=bool(others))
    best = scored[0]
    others = tuple(Alternative(one.type, round(one.score, 3)) for one in scored[1:] if one.score >= 0.1)
    parts = [f"name '{promised[best.type]}'"] if best.type in promised else []
    parts.append(f"{best.check} passed by {best.share:.0%} of the sample")
    asked = ASK_FROM <= best.score < SURE_FROM
    if best.score >= TYPED_FROM:
        return ColumnType(best.type, round(best.score, 3), "; ".join(parts), others, review=asked)
    runners = (Alternative(best.type, round(best.score, 3)), *others)
    return ColumnType(None, round(best.score, 3), "; ".join(parts), runners, review=asked)


def _gate(filled: Sequence[str], promised: Mapping[str, str]) -> str | None:  # noqa: PLR0911 - a list of gates
    """What the values are instead of an identifier. A name that promises one opens the gates that it may pass."""
    if _all(filled, lambda one: _UUID.fullmatch(one) is not None):
        return "uuid"
    if _all(filled, lambda one: _HASH.fullmatch(one) is not None):
        return "hash"
    if _all(filled, lambda one: _PATH.fullmatch(one) is not None) and "IP_ADDRESS" not in promised:
        return "path"
    if promised:
        return None
    if _all(filled, lambda one: one.casefold() in _BOOLEAN):
        return "boolean"
    if _all(filled, lambda one: _CLOCKED.fullmatch(one) is not None or _MOMENT.fullmatch(one) is not None):
        return "moment"
    if _all(filled, lambda one: _MEASURE.fullmatch(one) is not None):
        return "measure"
    if _all(filled, lambda one: _VERSION.fullmatch(one) is not None and not v.is_ip(one)):
        return "number or version"
    if _all(filled, lambda one: _NUMBER.fullmatch(one) is not None) and _share(filled, v.is_card) < 0.9:
        return "number"
    if len(filled) <= 3 and _all(filled, lambda one: len(one) <= 12 and not any(map(str.isdigit, one))):
        return "list of few words"
    return None


def _is_document(filled: Sequence[str]) -> bool:
    return _all(filled, lambda one: _SERIAL.fullmatch(one) is not None or _parses(one))


def _parses(value: str) -> bool:
    if value[:1] not in "{[":
        return False
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _is_free_text(filled: Sequence[str]) -> bool:
    """Sentences: more than five words on the mean, and hardly two alike."""
    return sum(len(value.split()) for value in filled) / len(filled) > 5


def _share(filled: Sequence[str], check: Check) -> float:
    return sum(map(check, filled)) / len(filled)


def _all(filled: Sequence[str], check: Check) -> bool:
    """Nineteen of twenty: one slip of the pen closes no gate."""
    return _share(filled, check) >= 0.95
