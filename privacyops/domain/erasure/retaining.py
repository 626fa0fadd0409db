"""What stays of a row that the map retains (`retain: invoice`): what is known to say nothing of the person.

A list of what may stay, not of what has to go: a column that nobody understood may be a tax number of the buyer or the
name of who gets the present. Numbers, dates (also those written in a text), flags, keys and listed values
stay; a text stays by its category or where its last word names a thing of the dealing (`order_status`, `currency`).
"""

from typing import Final

from privacyops.domain.catalog.refusals_retention import RefusalsRetention
from privacyops.domain.classification.words import words
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category, Collection, Field, FieldType, Shape
from privacyops.domain.erasure.cells import is_telling, names_goods
from privacyops.domain.erasure.intent import link_cells
from privacyops.domain.erasure.policy import DEFAULT_CODE, Retention

_TIMES: Final = frozenset({FieldType.BOOLEAN, FieldType.DATE, FieldType.INSTANT, FieldType.TIME})
_NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.UUID})
_SAID: Final = frozenset({Category.AMOUNT, Category.QUANTITY, Category.ORDER_NUMBER, Category.COUNTRY})


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_THINGS: Final = _set(
    "status state currency sku article product unit method channel type kind number no nr total subtotal rate terms "
    "waehrung währung artikel nummer art einheit zahlart versandart devise statut"
)
_PERSONS: Final = _set(
    "vat tax tva ust mwst steuer passport passeport ausweis national social insurance card karte account konto phone "
    "mobile fax license licence plate driver bank iban customer client kunde buyer user member personal"
)
"""Words that make the number of a thing the number of a person."""


def retention_of(one: Collection, drawn: DataMap, law: RefusalsRetention, region: str | None) -> Retention | None:
    """What the map's `retain` means for the collection; None: it says nothing.

    Where the law of the region names no such term, or the region is not known, the rows are kept open: nothing that
    had to be kept is lost, and the plan shows that nobody said until when.
    """
    if not one.retain:
        return None
    country = region or ""
    until = f"rule:{one.retain}" if law.years_of(country, one.retain) is not None else ""
    return Retention(retained_cells(one, drawn), DEFAULT_CODE, until, country=country)


def retained_cells(one: Collection, drawn: DataMap) -> frozenset[str]:
    """The columns that stay."""
    personal = link_cells(one, drawn)
    return frozenset(
        each.path
        for each in one.fields
        if each.path in one.key or not personal.get(each.path, not is_impersonal(one, each))
    )


def not_understood(one: Collection, kept: frozenset[str]) -> tuple[str, ...]:
    """The texts that go although they may not be empty: nothing says that they are no person's."""
    return tuple(
        each.path
        for each in one.fields
        if each.type is FieldType.TEXT and each.path not in kept and not each.virtual and not each.generated
    )


def is_impersonal(one: Collection, field: Field) -> bool:
    """Whether the field is known to say nothing of the person."""
    if names_goods(one, field):
        return True
    if is_telling(field):
        return False
    if field.type in _TIMES or field.shape is Shape.DATE or field.enum or field.category in _SAID:
        return True
    parts = words(field.path)
    if not parts or _PERSONS & set(parts):
        return False
    if field.type in _NUMBERS:
        return True
    if field.type is not FieldType.TEXT:
        return False
    return parts[-1] in _THINGS
