"""Kept rows whose amounts stand among named values of another table: an order that is a post, its total a value beside
the name `_order_total`.

Which of these rows are papers, the amounts say. Of their named values those that are known to say nothing of the person
stay, by the rules that hold for a column of that name; the others are emptied in their rows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacyops.domain.classification.columns import category_of
from privacyops.domain.classification.words import ACTIVITY_TABLE, BIRTH, holds_any, words
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Field, FieldType
from privacyops.domain.datamap.link import Link
from privacyops.domain.erasure.cells import is_telling, telling_cells
from privacyops.domain.erasure.intent import Intent, Stance, link_cells
from privacyops.domain.erasure.retaining import is_impersonal
from privacyops.domain.finding.model import Finding
from privacyops.domain.record import Value, spelled

AMOUNT_UNSEEN: Final = "amount_unseen"
"""Why a row waits: whether it is a paper that has to be kept, rows say that nobody decided on."""
DEALINGS: Final = frozenset({CollectionClass.ACTIVITY, CollectionClass.DETAIL})
_NUMBER: Final = re.compile(r"[-+]?\d+([.,]\d+)*")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_FLAGS: Final = frozenset({"yes", "no", "true", "false", "on", "off"})
_THINGS: Final = frozenset({"class", "version"})
_PLACES: Final = frozenset({"billing", "shipping", "delivery", "address", "invoice", "customer", "recipient"})
_MOMENTS: Final = frozenset({"date", "time", "at", "on", "paid", "completed", "created", "expires", "timestamp"})
_TAX: Final = frozenset({"vat", "tax", "ust", "mwst", "tva", "btw", "iva"})
_NUMBERS: Final = frozenset({"number", "no", "nr", "id", "num", "code"})
_SUMS: Final = frozenset({"total", "subtotal", "tax", "net", "gross", "sum", "amount"})
_LONGEST: Final = 6
"""Digits of a number that its name does not explain; a phone number has more."""
_PACKED: Final = 500
"""Letters of sums that a program packed into one value."""


class Paper(StrEnum):
    """Whether a row is one that has to be kept."""

    YES = "yes"
    NO = "no"
    UNSEEN = "unseen"


def is_amount(one: Collection, row: Mapping[str, Value]) -> bool:
    """Whether a row of named values is an amount: its name says so, and its value is a number."""
    name, value = (spelled(row[path]) if row.get(path) is not None else "" for path in one.named)
    is_sum = category_of(one.name, name, FieldType.NUMBER) is Category.AMOUNT and not _is_tax_number(words(name))
    return is_sum and _NUMBER.fullmatch(value.strip()) is not None


def says_nothing(one: Collection, row: Mapping[str, Value]) -> bool:
    """Whether the named value of a row is known to say nothing of the person, as a column of its name would."""
    name, held = (spelled(row[path]).strip() if row.get(path) is not None else "" for path in one.named)
    parts = words(name)
    if not parts or _is_tax_number(parts) or (parts[-1] in {"state", "title"} and _PLACES & set(parts)):
        return False
    as_text = Field(name, FieldType.TEXT, category=category_of(one.name, name, FieldType.TEXT))
    if is_telling(as_text) or holds_any(parts, BIRTH):
        return False
    if held.lower() in _FLAGS:
        return True
    if _NUMBER.fullmatch(held):
        return _is_plain_number(one, parts, name, held)
    if _DAY.fullmatch(held):
        return is_impersonal(one, Field(name, FieldType.INSTANT))
    if category_of(one.name, name, FieldType.NUMBER) is Category.AMOUNT:  # `_line_tax_data`: several sums, packed
        return len(held) <= _PACKED and set(_WORD.findall(held.lower())) <= _SUMS
    is_key = parts[-1] == "key" and holds_any(parts[:-1], ACTIVITY_TABLE)
    return is_key or parts[-1] in _THINGS or is_impersonal(one, as_text)


def _is_plain_number(one: Collection, parts: tuple[str, ...], name: str, held: str) -> bool:
    category = category_of(one.name, name, FieldType.NUMBER)
    is_long = held.lstrip("-").isdigit() and len(held.lstrip("-")) > _LONGEST
    explained = category is not None or parts[-1] == "id" or bool(_MOMENTS & set(parts))
    if held.startswith("+") or (is_long and not explained):
        return False
    return is_impersonal(one, Field(name, FieldType.NUMBER, category=category))


def _is_tax_number(parts: tuple[str, ...]) -> bool:
    return bool(_TAX & set(parts)) and parts[-1] in _NUMBERS


def staying_cells(one: Intent, drawn: DataMap) -> frozenset[str]:
    """The columns that stay of a row of named values that is kept with what it describes."""
    collection = drawn.collection(one.ref.collection)
    keys = link_cells(collection, drawn)
    going = {each.path for each in telling_cells(collection)} | {path for path, personal in keys.items() if personal}
    going -= set(collection.named)
    if not says_nothing(collection, one.values):
        going.add(collection.named[1])
    going |= set(one.repeats)
    return frozenset(each.path for each in collection.fields if each.path not in going)


@dataclass(frozen=True, slots=True)
class Papers:
    """What the named values that were found say: `keyed` by the row they describe. `known`: the collections that such
    values describe at all.
    """

    known: frozenset[str]
    keyed: Mapping[tuple[str, tuple[str, ...], tuple[str, ...]], Paper]

    def of(self, one: Finding, drawn: DataMap) -> Paper:
        """Whether the row is one that has to be kept."""
        if one.collection not in self.known:
            return Paper.UNSEEN
        ends = {link.to_fields for link in drawn.links if link.to == one.collection and not link.by_value}
        said = {
            self.keyed.get((one.collection, end, tuple(spelled(one.values[path]) for path in end)))
            for end in ends
            if all(one.values.get(path) is not None for path in end)
        }
        return next((paper for paper in (Paper.YES, Paper.UNSEEN) if paper in said), Paper.NO)


def papers_among(findings: Iterable[tuple[Finding, bool]], drawn: DataMap) -> Papers:
    """Reads the rows of named values; the flag: whether it is decided that the row is the person's."""
    wanted = {one.name for one in drawn.collections if one.retain_if}
    ties: dict[str, list[Link]] = {}
    for link in drawn.links if wanted else ():
        if link.to in wanted and not link.by_value and link.collection != link.to and link.usable:
            one = drawn.collection(link.collection)
            if one.named and link.fields != one.named[1:]:
                ties.setdefault(one.name, []).append(link)
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Paper] = {}
    for each, is_decided in findings:
        if each.collection not in ties or (
            is_decided and not is_amount(drawn.collection(each.collection), each.values)
        ):
            continue
        for link in ties[each.collection]:
            held = tuple(spelled(each.values[path]) for path in link.fields if each.values.get(path) is not None)
            at = (link.to, link.to_fields, held)
            if found.get(at) is not Paper.YES:
                found[at] = Paper.YES if is_decided else Paper.UNSEEN
    return Papers(frozenset(link.to for links in ties.values() for link in links), found)


def described_dealings(intents: Iterable[Intent], drawn: DataMap) -> Iterator[str]:
    """The collections of dealings of which amounts go that stand among named values of another table."""
    going: set[str] = set()
    for one in intents:
        collection = drawn.collection(one.ref.collection)
        if one.stance is Stance.DELETE and collection.named and is_amount(collection, one.values):
            going.add(collection.name)
    for link in drawn.links:
        named = drawn.collection(link.collection).named if link.collection in going else ()
        describes = named and not link.by_value and link.usable and link.fields != named[1:]
        if describes and drawn.collection(link.to).cls is CollectionClass.ACTIVITY:
            yield link.to
