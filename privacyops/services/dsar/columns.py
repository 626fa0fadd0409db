"""What a field of a found record is called and holds, when a person reads it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from privacyops.domain.classification.columns import category_of
from privacyops.domain.classification.words import stem, words
from privacyops.domain.datamap.catalogue import Category, FieldType
from privacyops.domain.package.contents import Column, Element, FieldKind, Value

_HUMP: Final = re.compile(r"(?<=[a-z0-9])[A-Z](?=[a-z])")
_ORDERS: Final = ("order", "invoice", "purchase", "bestellung", "auftrag", "rechnung", "commande", "facture", "pedido")
_NUMBERS: Final = ("id", "number", "no", "nr", "nummer", "num", "code", "ref", "numero")
_ORDER_WORDS: Final = frozenset(stem(word) for word in _ORDERS)
_NUMBER_WORDS: Final = frozenset(stem(word) for word in _NUMBERS)
_ELEMENTS: Final[Mapping[Category, Element]] = {
    Category.PASSWORD: Element.PASSWORD,
    Category.NATIONAL_ID: Element.NATIONAL_ID,
    Category.BANK: Element.FINANCIAL_ACCOUNT,
}


def labelled(name: str) -> str:
    """`billing_postcode` and `BillingPostcode` as "Billing postcode": for people; the data files keep the own name."""
    apart = _HUMP.sub(lambda found: f" {found[0].lower()}", name)
    words = apart.replace("_", " ").replace(".", " ").split()
    text = " ".join(words) or name
    return text[:1].upper() + text[1:]


def column_of(table: str, name: str, value: Value, before: Column | None) -> Column:
    """The declaration of a field, after one more of its values was seen.

    Values of several kinds make it text, which any of them can be written as.
    """
    if before is None:
        category = category_of(table, name, FieldType.TEXT)
        element = _ELEMENTS.get(category) if category is not None else None
        return Column(name, labelled(name), _kind(value), element=element, provided=True)
    if value is None or before.kind is _kind(value):
        return before
    return replace(before, kind=FieldKind.TEXT)


def _kind(value: Value) -> FieldKind:
    if isinstance(value, bool):
        return FieldKind.YES_NO
    if isinstance(value, int | float | Decimal):
        return FieldKind.NUMBER
    if isinstance(value, datetime):
        return FieldKind.MOMENT
    if isinstance(value, date):
        return FieldKind.DAY
    if isinstance(value, bytes):
        return FieldKind.BINARY
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        return FieldKind.NESTED
    return FieldKind.TEXT


def names_an_order(table: str, name: str) -> bool:
    """Whether a field keeps the number of an order or invoice: by its own name, or as the key of such a table."""
    if category_of(table, name, FieldType.TEXT) is Category.ORDER_NUMBER:
        return True
    own, around = {stem(word) for word in words(name)}, {stem(word) for word in words(table)}
    is_number = bool(own & _NUMBER_WORDS)
    return is_number and bool((own | around) & _ORDER_WORDS) and not own - _NUMBER_WORDS - _ORDER_WORDS
