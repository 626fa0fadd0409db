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
from privacyops.domain.identity.phone import is_phone, same_phone
from privacyops.domain.record import Blob, Value, spelled
from privacyops.kernel.errors import Unprocessable

CORRECTABLE: Final[Mapping[str, Category]] = {
    "email": Category.EMAIL, "phone": Category.PHONE, "name": Category.FULL_NAME, "first_name": Category.FIRST_NAME,
    "last_name": Category.LAST_NAME, "street": Category.STREET, "postcode": Category.POSTCODE, "city": Category.CITY,
    "country": Category.COUNTRY, "birth_date": Category.BIRTH_DATE,
}  # fmt: skip
_IN_TEXTS: Final = frozenset({Category.EMAIL, Category.PHONE, Category.FULL_NAME, Category.STREET})
"""Values that tell enough to be looked for inside longer texts of the person's own rows."""
_EDGES: Final[Mapping[Category | None, tuple[str, str]]] = {
    Category.EMAIL: (r"(?<![\w.+%-])", r"(?![\w-]|\.\w)"),
    Category.FULL_NAME: (r"(?<!\w)(?<!\w-)", r"(?!\w|-\w)"),
    Category.STREET: (r"(?<!\w)(?<!\w-)", r"(?!\w|[-/]\w)"),
    Category.PHONE: (r"(?<![\w+])(?<!\d[-/])", r"(?!\w|[-/]\d)"),
}
"""What may not stand beside the value in a text: there it is a part of another address, name or number."""
_SHORTEST: Final = 6
COLUMN: Final = "column"
"""In place of a kind: one column, by its name or as `table.column`."""
LONGEST: Final = 1000
_NAME: Final = re.compile(r"[^\x00-\x1f]{1,255}")


class CorrectionMalformed(Unprocessable):
    """The text names what may be corrected; `field` as a member where one is to blame: kind, column, old or new."""

    type = "/problems/correction-malformed"
    title = "This cannot be corrected"


@dataclass(frozen=True, slots=True, repr=False)
class Correction:
    """`old` becomes `new` in cells of one category, or of the columns that `column` names."""

    category: Category | None
    old: str
    new: str
    column: str = ""

    def __repr__(self) -> str:
        return f"Correction({self.kind})"

    @property
    def kind(self) -> str:
        """The word of `CORRECTABLE`, or the column."""
        return next((word for word, category in CORRECTABLE.items() if category is self.category), self.column)


@dataclass(frozen=True, slots=True)
class Corrected:
    """The intents, and cells that hold the old value and cannot be given the new one: (collection, field, code).

    `hits`: for each correction how many cells hold its old value, in the order in which they were given.
    """

    intents: tuple[Intent, ...]
    left: tuple[tuple[str, str, str], ...] = ()
    hits: tuple[int, ...] = ()


def read_correction(text: str) -> Correction:
    """`email=old@example.org>new@example.org`. Raises: CorrectionMalformed."""
    kind, equals, values = text.partition("=")
    old, arrow, new = values.partition(">")
    category = CORRECTABLE.get(kind.strip())
    if category is None or not equals or not arrow or not old.strip() or not new.strip():
        raise CorrectionMalformed(f"write KIND=OLD>NEW; KIND is one of {', '.join(CORRECTABLE)}")
    return Correction(category, old.strip(), new.strip())


def checked(kind: str, column: str, old: str, new: str, region: str | None = None) -> Correction:
    """One pair as a person wrote it. `region`: where phone numbers without a country code are from.

    Raises: CorrectionMalformed: names the field, never a value.
    """
    category = CORRECTABLE.get(kind)
    if category is None and kind != COLUMN:
        raise CorrectionMalformed("choose what is wrong", field="kind")
    if kind == COLUMN and _NAME.fullmatch(column) is None:
        raise CorrectionMalformed("name the column, as street or addresses.street", field="column")
    for field, text in (("old", old), ("new", new)):
        if not text.strip():
            wanted = "wrong" if field == "old" else "right"
            raise CorrectionMalformed(f"write the value that is {wanted}", field=field)
        if len(text) > LONGEST:
            raise CorrectionMalformed("this is too long for one value", field=field)
    if old.strip() == new.strip():
        raise CorrectionMalformed("this is the same as the wrong value", field="new")
    if category is Category.EMAIL and normal_email(new) is None:
        raise CorrectionMalformed("this is no mail address", field="new")
    if category is Category.PHONE and not is_phone(new, region):
        raise CorrectionMalformed("this is no phone number", field="new")
    return Correction(category, old.strip(), new.strip(), "" if category else column)


def correct(
    findings: Sequence[Finding], drawn: DataMap, corrections: Sequence[Correction], settings: StoreSettings
) -> Corrected:
    """What changes in each row of the person. Does not read or write anything."""
    intents: list[Intent] = []
    left: list[tuple[str, str, str]] = []
    hits = [0] * len(corrections)
    for finding in findings:
        if finding.tier is not FindingTier.OWNED:
            continue
        one = drawn.collection(finding.collection)
        ways: dict[str, tuple[Act, ...]] = {}
        for cell in _cells(one, finding, corrections, settings):
            for at in cell.by:
                hits[at] += 1
            if cell.code:
                left.append((one.name, cell.field.path, cell.code))
            else:
                ways[cell.field.path] = (Set({cell.field.path: Given(cell.value)}),)
        if ways:
            intents.append(Intent(finding.ref, Stance.POINT, finding.values, "rectified", ways=ways))
    return Corrected(tuple(intents), tuple(dict.fromkeys(left)), tuple(hits))


@dataclass(frozen=True, slots=True, repr=False)
class _Cell:
    """A cell that becomes `value` by the corrections `by`, or cannot, with the code why."""

    field: Field
    value: Value
    code: str = ""
    by: tuple[int, ...] = ()


def _cells(
    one: Collection, finding: Finding, corrections: Sequence[Correction], settings: StoreSettings
) -> Iterator[_Cell]:
    for field in one.fields:
        held = finding.values.get(field.path)
        if held is None or field.virtual:
            continue
        if isinstance(held, Blob):
            yield _Cell(field, None, "inside_a_file")
            continue
        new, by = _after_all(one, field, held, corrections, settings)
        if by and not field.generated:  # a generated cell follows its source
            code = "key_column" if field.path in one.key else "too_long" if _is_too_long(field, new) else ""
            yield _Cell(field, new, code, by)
        if field.category is Category.EMAIL_DIGEST and any(each.category is Category.EMAIL for each in corrections):
            yield _Cell(field, None, "digest")


def _after_all(
    one: Collection, field: Field, held: Value, corrections: Sequence[Correction], settings: StoreSettings
) -> tuple[Value, tuple[int, ...]]:
    """What the cell becomes by one correction after the other, and which of them changed it."""
    now, by = held, []
    for at, each in enumerate(corrections):
        new = _new_value(one, field, now, each, settings)
        if new is not None:
            now = new
            by.append(at)
    return now, tuple(by)


def _new_value(one: Collection, field: Field, held: Value, each: Correction, settings: StoreSettings) -> Value:
    """What the cell becomes; None: it does not hold the old value."""
    text = spelled(held)
    columns = {field.path, f"{one.name}.{field.path}"}
    is_named = field.category is each.category if each.category else each.column in columns
    if is_named and _is_same(each, text, settings):
        return None if text == each.new else each.new
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
    return _pattern(each).sub(lambda found: found[0] if found["new"] else each.new, held)


def _pattern(each: Correction) -> re.Pattern[str]:
    """The old text as a whole: 1 Mill Lane is not 11 Mill Lane, and the address anna.mia@ not mia@. Where the new text
    holds the old one, a place that was corrected already is passed over.
    """
    holds_old = each.old.casefold() in each.new.casefold() and each.old.casefold() != each.new.casefold()
    new = re.escape(each.new) if holds_old else r"(?!)"
    before, after = _EDGES.get(each.category, (r"(?<!\w)", r"(?!\w)"))
    return re.compile(rf"(?P<new>{new})|{before}{re.escape(each.old)}{after}", re.IGNORECASE)


def _is_same(each: Correction, text: str, settings: StoreSettings) -> bool:
    if each.category is Category.EMAIL:
        return normal_email(text) == normal_email(each.old)
    if each.category is Category.PHONE:
        return same_phone(each.old, text, settings.region)
    return text.strip().casefold() == each.old.casefold()


def _is_too_long(field: Field, new: Value) -> bool:
    return bool(field.max_length) and isinstance(new, str) and len(new) > (field.max_length or 0)
