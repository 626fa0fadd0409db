"""Where the contact data of people stand whose own rows have none: in a table of addresses or numbers that hangs on
theirs, as most shops with more than one address a person have it.

An address book is none of these: it holds other people's addresses, with their names, or those of a few customers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Role
from privacyops.domain.datamap.link import Link, Ownership

_KINDS: Final = (frozenset({Category.EMAIL, Category.EMAIL_DIGEST}), frozenset({Category.PHONE}))
_CLASSES: Final = frozenset({CollectionClass.SATELLITE, CollectionClass.ACTIVITY})
_ELSE: Final = frozenset(
    {
        *(Category.FIRST_NAME, Category.LAST_NAME, Category.FULL_NAME),
        *(Category.AMOUNT, Category.QUANTITY, Category.ORDER_NUMBER, Category.TEXT),
    }
)
"""What a row has that is more than an address or a number: a card in an address book, an order, a message."""
_OFTEN: Final = 2
"""A table of contact data has a row for every second person at least."""


@dataclass(frozen=True, slots=True)
class ContactTable:
    """What a row of `link.collection` says by these columns is said of the person that `link` leads to."""

    link: Link
    paths: frozenset[str]


def contact_tables(
    collections: Mapping[str, Collection], owner_links: Mapping[str, Iterable[Link]]
) -> dict[str, ContactTable]:
    """The tables of contact data by name."""
    found: dict[str, ContactTable] = {}
    for name, links in owner_links.items():
        for link in links:
            paths = (
                _paths(collections[name], collections[link.to]) if link.ownership is Ownership.OWNED else frozenset()
            )
            if paths and link.condition is None and not link.element:
                found[name] = ContactTable(link, paths)
    return found


def _paths(one: Collection, people: Collection) -> frozenset[str]:
    if not one.searched or one.cls not in _CLASSES or people.cls is not CollectionClass.PERSON:
        return frozenset()
    own = {field.category for field in people.fields if field.role is not Role.POINT}
    held = {field.category for field in one.fields}
    is_rare = one.rows is not None and people.rows is not None and one.rows * _OFTEN < people.rows
    if held & _ELSE or is_rare:
        return frozenset()
    wanted = {category for kind in _KINDS if not kind & own for category in kind}
    return frozenset(
        field.path for field in one.fields if field.category in wanted and field.role is not Role.POINT
    )  # fmt: skip
