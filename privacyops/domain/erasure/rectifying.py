"""Correcting a person's data: the new value goes into every cell of the person's rows that holds the old one, copies
and repeated texts too. Rows of others are never corrected.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.datamap.annotate import as_document
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, Field, FieldType
from privacyops.domain.erasure.intent import Intent, Stance
from privacyops.domain.erasure.operation import Act, Given, Set
from privacyops.domain.finding.model import Finding, FindingTier
from privacyops.domain.finding.subject import StoreSettings
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.phone import same_phone
from privacyops.domain.record import Value, spelled
from privacyops.kernel.errors import Unprocessable

CORRECTABLE: Final[Mapping[str, Category]] = {
    "email": Category.EMAIL, "phone": Category.PHONE, "name": Category.FULL_NAME, "first_name": Category.FIRST_NAME,
    "last_name": Category.LAST_NAME, "street": Category.STREET, "postcode": Category.POSTCODE, "city": Category.CITY,
    "country": Category.COUNTRY, "birth_date": Category.BIRTH_DATE,
}  # fmt: skip
_IN_TEXTS: Final = frozenset({Category.EMAIL, Category.PHONE, Category.FULL_NAME, Category.STREET})
"""Values that tell enough to be looked for inside longer texts of the person's own rows."""
_SHORTEST: Final = 6


class CorrectionMalformed(Unprocessable):
    """The text names what may be corrected."""

    type = "/problems/correction-malformed"
    title = "This cannot be corrected"


@dataclass(frozen=True, slots=True, repr=False)
class Correction:
    """`old` becomes `new` in cells of one category; without `old`, whatever the cell holds becomes `new`."""

    category: Category
    old: str
    new: str

    def __repr__(self) -> str:
        return f"Correction({self.category.value})"


@dataclass(frozen=True, slots=True)
class Corrected:
    """The intents, and cells that hold the old value and cannot be given the new one: (collection, field, code)."""

    intents: tuple[Intent, ...]
    left: tuple[tuple[str, str, str], ...] = ()


def read_correction(text: str) -> Correction:
    """`email=old@example.org>new@example.org`. Raises: CorrectionMalformed."""
    kind, equals, values = text.partition("=")
    old, arrow, new = values.partition(">")
    category = CORRECTABLE.get(kind.strip())
    if category is None or not equals or not arrow or not old.strip() or not new.strip():
        raise CorrectionMalformed(f"write KIND=OLD>NEW; KIND is one of {', '.join(CORRECTABLE)}")
    return Correction(category, old.strip(), new.strip())


def correct(
    findings: Sequence[Finding], drawn: DataMap, corrections: Sequence[Correction], settings: StoreSettings
) -> Corrected:
    """What changes in each row of the person. Does not read or write anything."""
    intents: list[Intent] = []
    left: list[tuple[str, str, str]] = []
    for finding in findings:
        if finding.tier is not FindingTier.OWNED:
            continue
        one = drawn.collection(finding.collection)
        ways: dict[str, tuple[Act, ...]] = {}
        for field, value, code in _cells(one, finding, corrections, settings):
            if code:
                left.append((one.name, field.path, code))
            else:
                ways[field.path] = (Set({field.path: Given(value)}),)
        if ways:
            intents.append(Intent(finding.ref, Stance.POINT, finding.values, "rectified", ways=ways))
    return Corrected(tuple(intents), tuple(dict.fromkeys(left)))


def _cells(
    one: Collection, finding: Finding, corrections: Sequence[Correction], settings: StoreSettings
) -> Iterator[tuple[Field, Value, str]]:
    for field in one.fields:
        held = finding.values.get(field.path)
        if held is None or field.virtual:
            continue
        for each in corrections:
            new = _new_value(field, held, each, settings)
            if new is None:
                continue
            if field.generated:
                continue  # follows its source
            code = "key_column" if field.path in one.key else ""
            yield field, new, code or ("too_long" if _is_too_long(field, new) else "")
            break
        if field.category is Category.EMAIL_DIGEST and any(each.category is Category.EMAIL for each in corrections):
            yield field, None, "digest"


def _new_value(field: Field, held: Value, each: Correction, settings: StoreSettings) -> Value:
    """What the cell becomes; None: it does not hold the old value."""
    text = spelled(held)
    if field.category is each.category and _is_same(each, text, settings):
        return each.new
    if each.category not in _IN_TEXTS or len(each.old) < _SHORTEST:
        return None
    new = _inside(as_document(held) if field.type is FieldType.JSON else held, each)
    return None if new == held else new


def _inside(held: Value, each: Correction) -> Value:
    """The value with every occurrence of the old text replaced, leaf by leaf in a document."""
    if isinstance(held, Mapping):
        return {name: _inside(part, each) for name, part in held.items()}
    if isinstance(held, tuple | list):
        return tuple(_inside(part, each) for part in held)
    if not isinstance(held, str):
        return held
    return re.sub(re.escape(each.old), lambda _: each.new, held, flags=re.IGNORECASE)


def _is_same(each: Correction, text: str, settings: StoreSettings) -> bool:
    if each.category is Category.EMAIL:
        return normal_email(text) == normal_email(each.old)
    if each.category is Category.PHONE:
        return same_phone(each.old, text, settings.region)
    return text.strip().casefold() == each.old.casefold()


def _is_too_long(field: Field, new: Value) -> bool:
    return bool(field.max_length) and isinstance(new, str) and len(new) > (field.max_length or 0)
