"""What a column holds, told from its name and type alone; what its values look like is said elsewhere.

Names are evidence, not proof: `name` of a table of people is a person's name, `name` elsewhere is a label.
"""

from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.classification.kinds import Category, FieldType, Role

TEXTUAL: Final = frozenset({FieldType.TEXT, FieldType.OTHER, FieldType.ARRAY})
_NUMERIC: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER})
_MOMENTS: Final = frozenset({FieldType.DATE, FieldType.INSTANT, FieldType.TIME})


class TableWord(StrEnum):
    """What a table's name says of its rows."""

    PERSON = "person"
    STAFF = "staff"
    ORGANISATION = "organisation"
    SATELLITE = "satellite"
    ACTIVITY = "activity"
    LOG = "log"
    COPY = "copy"


_TABLES: Final = (
    (TableWord.STAFF, w.STAFF_TABLE),
    (TableWord.PERSON, w.PERSON_TABLE),
    (TableWord.ORGANISATION, w.ORGANISATION_TABLE),
    (TableWord.SATELLITE, w.SATELLITE_TABLE),
    (TableWord.ACTIVITY, w.ACTIVITY_TABLE),
    (TableWord.LOG, w.LOG_TABLE),
    (TableWord.COPY, w.COPY_TABLE),
)
_WHOLE: Final = (
    (Category.FIRST_NAME, w.FIRST_NAME),
    (Category.LAST_NAME, w.LAST_NAME),
    (Category.FULL_NAME, w.FULL_NAME),
    (Category.PASSWORD, w.PASSWORD),
    (Category.POSTCODE, w.POSTCODE),
    (Category.BIRTH_DATE, w.BIRTH),
    (Category.NATIONAL_ID, w.NATIONAL_ID),
    (Category.BANK, w.BANK),
    (Category.LOGIN, w.LOGIN),
    (Category.IP, w.IP),
    (Category.TEXT, w.TEXT),
    (Category.STREET, w.STREET),
    (Category.STATE, w.STATE),
    (Category.CITY, w.CITY),
    (Category.COUNTRY, w.COUNTRY),
    (Category.COMPANY, w.COMPANY),
)


@lru_cache(maxsize=8192)  # asked of each table for each column that may point at it
def table_words(name: str) -> frozenset[TableWord]:
    """What the words of a table's name say. The last word weighs most: `customer_order` is an activity.

    So a word of people counts only where it is the last one that says anything.
    """
    parts = [part for part in w.words(name) if not part.isdigit()]
    found: set[TableWord] = set()
    last: set[TableWord] = set()
    for part in parts:
        here = {kind for kind, vocabulary in _TABLES if w.holds_any((part,), vocabulary)} or _compound(part)
        if here:
            last = here
        found |= here & {TableWord.COPY, TableWord.LOG, TableWord.SATELLITE, TableWord.ACTIVITY}
    return frozenset(found | last)


def _compound(part: str) -> set[TableWord]:
    """Glued names (`kundenadresse`): the vocabulary word they end with, at least five letters long."""
    return {
        kind
        for kind, vocabulary in _TABLES
        for word in vocabulary
        if len(word) >= 5 and len(part) > len(word) and any(form.endswith(word) for form in _singulars(part))
    }


def _singulars(part: str) -> tuple[str, ...]:
    return part, w.stem(part), part.removesuffix("n"), part.removesuffix("en")


def category_of(table: str, path: str, kind: FieldType) -> Category | None:
    """What the column `path` of `table` holds, or None where its name says nothing."""
    parts = w.words(path.replace("$", "_").replace("[*]", ""))
    if not parts or kind in {FieldType.BOOLEAN, FieldType.BINARY, FieldType.JSON}:
        return None
    number = _number_category(parts, kind)
    if number is not None or kind in _MOMENTS:
        return number or (Category.BIRTH_DATE if w.holds_any(parts, w.BIRTH) else None)
    if parts[-1] in w.NOT_A_VALUE or kind is FieldType.UUID:
        return None
    contact = _contact_category(parts, kind)
    if contact is not None or kind in _NUMERIC:
        return contact
    return _named_category(table, parts, kind)


def _number_category(parts: tuple[str, ...], kind: FieldType) -> Category | None:
    if kind in _NUMERIC and w.holds_any(parts, w.AMOUNT):
        return Category.AMOUNT
    if kind in _NUMERIC and w.holds_any(parts, w.QUANTITY):
        return Category.QUANTITY
    if len(parts) >= 2 and w.holds_any(parts[-1:], w.NUMBER) and kind in {FieldType.TEXT, *_NUMERIC}:
        if w.holds_any(parts[:-1], w.ACTIVITY_TABLE):
            return Category.ORDER_NUMBER
        if w.holds_any(parts[:-1], w.PERSON_TABLE) and kind is FieldType.TEXT:
            return Category.CUSTOMER_NUMBER
    return None


def _contact_category(parts: tuple[str, ...], kind: FieldType) -> Category | None:
    if any(part in w.NOT_A_VALUE - {"id"} for part in parts[1:]):
        return None
    spoken = {*parts, *("".join(pair) for pair in pairwise(parts))}
    if kind in TEXTUAL and (spoken & w.EMAIL or any(part.endswith("email") for part in parts)):
        return (
            Category.EMAIL_DIGEST if spoken & {"hash", "md5", "sha1", "sha256", "sha512", "digest"} else Category.EMAIL
        )
    if spoken & w.PHONE or any(part.endswith(("phone", "telefon")) for part in parts):
        return Category.PHONE
    return None


def _named_category(table: str, parts: tuple[str, ...], kind: FieldType) -> Category | None:
    joined = {"".join(pair) for pair in pairwise(parts)} | {"".join(parts)}
    for category, vocabulary in _WHOLE:
        if joined & vocabulary or (parts[-1] in vocabulary and kind in TEXTUAL):
            return category
    if parts[-1].isdigit() and len(parts) > 1:  # address2, street_1
        return _named_category(table, parts[:-1], kind)
    if parts[-1] in w.NAME:
        people = w.holds_any(parts[:-1], w.PERSON_TABLE) or (
            len(parts) == 1 and table_words(table) & {TableWord.PERSON, TableWord.STAFF}
        )
        return Category.FULL_NAME if people or w.holds_any(parts[:-1], w.OWN | {"contact"}) else Category.LABEL
    if parts[-1] in {"title", "titel", "titre", "label"}:
        return Category.LABEL
    for category, vocabulary in _WHOLE:
        if any(len(word) >= 5 and parts[-1].endswith(word) for word in vocabulary):  # glued: rechnungsstrasse
            return category
    for category, vocabulary in _WHOLE[7:]:
        if w.holds_any(parts, vocabulary):
            return category
    return None


def role_of(table: str, path: str) -> Role:
    """Whose data a column of contact data holds: `gift_recipient_email` points, `buyer_email` owns.

    A word that the table is named after says nothing: `employees.employee_email` is the employee's own.
    """
    own_words = {w.stem(part) for part in w.words(table)}
    parts = tuple(part for part in _role_words(path) if w.stem(part) not in own_words)
    if w.holds_any(parts, w.POINT):
        return Role.POINT
    return Role.OWN if w.holds_any(parts, w.OWN) else Role.NEUTRAL


def _role_words(path: str) -> tuple[str, ...]:
    """The words of a column; `bill_to` and `sold_to` say who buys, and are one word."""
    parts = w.words(path.replace("$", "_").replace("[*]", ""))
    return tuple(
        "billing" if part in {"bill", "sold"} and after == "to" else part
        for before, part, after in zip(("", *parts), parts, (*parts[1:], ""), strict=False)
        if not (part == "to" and before in {"bill", "sold"})
    )


def _does_what_the_table_is(part: str, table: str) -> bool:
    """Whether a role is that of who makes rows of this table: the reviewer of a review, the referrer of a referral."""
    return part in w.DEED and any(word.startswith(part[:5]) for word in w.words(table))


def link_role(path: str, target: str, table: str = "") -> Role:
    """What a key column of `table` says of the person it leads to.

    Words beside those of the target decide: `support_agent_id` points, `buyer_id` owns. A column that only names
    its target owns where the target is a word for a customer, and is STAFF where it is one for somebody who works
    for the shop; anything else is NEUTRAL.
    """
    own_words = {w.stem(part) for part in w.words(target)}
    parts = tuple(part for part in _role_words(path) if part not in w.KEY_WORDS)
    extra = tuple(part for part in parts if w.stem(part) not in own_words)
    by = "by" in extra
    works_here = w.holds_any(w.words(target), w.STAFF_TABLE)
    if not works_here and any(_does_what_the_table_is(part, table) for part in extra):
        return Role.OWN
    if w.holds_any(extra, w.POINT):
        return Role.POINT
    if w.holds_any(extra, w.OWN):
        return Role.OWN
    if by:
        return Role.POINT
    named = tuple(part for part in parts if w.stem(part) in own_words) or w.words(target)
    if w.holds_any(named, w.STAFF_TABLE) or w.holds_any(w.words(target), w.STAFF_TABLE):
        return Role.STAFF
    if w.holds_any(named, w.OWN):
        return Role.OWN
    return Role.NEUTRAL
