"""Where the contact data of people stand whose own rows have none: in a table of addresses or numbers that hangs on
theirs, as most shops with more than one address a person have it.

Form alone does not tell them from invitations, shares or a ticket's copies, which hold other people's addresses: so
the table's name has to say that it holds contact data and nothing else, or a column beside the address that it is the
person's main or proven one. An address book has names, too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.annotate import is_up
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, Field, Role
from privacyops.domain.datamap.link import Link, Ownership
from privacyops.domain.record import Value

_KINDS: Final = (frozenset({Category.EMAIL, Category.EMAIL_DIGEST}), frozenset({Category.PHONE}))
_CLASSES: Final = frozenset({CollectionClass.SATELLITE, CollectionClass.ACTIVITY})
_ELSE: Final = frozenset(
    {
        *(Category.FIRST_NAME, Category.LAST_NAME, Category.FULL_NAME),
        *(Category.AMOUNT, Category.QUANTITY, Category.ORDER_NUMBER, Category.TEXT),
    }
)
"""What a row has that is more than an address or a number: a card in an address book, an order, a message."""
_CONTACT: Final = w.EMAIL | w.PHONE
_BESIDE: Final = frozenset({"address", "adresse", "number", "nummer", "numero", "point", "method", "contact"})
_MAIN: Final = frozenset({"primary", "main", "preferred", "verified", "confirmed", "validated"})
_PROVEN: Final = frozenset({"verified", "confirmed", "validated"})
_GONE: Final = frozenset({"deleted", "removed", "revoked", "discarded", "invalidated", "replaced"})
_GOOD: Final = frozenset({"active", "valid", "current", "enabled"})
_FLAG: Final = _CONTACT | frozenset(
    {"is", "has", "was", "been", "at", "on", "date", "time", "flag", "address", "contact"}
)
_THIRD: Final = w.POINT | w.DEED | frozenset({"invitation", "invite", "invited", "referral", "share", "shared", "copy"})
_OFTEN: Final = 2
"""A table of contact data has a row for every second person at least."""


@dataclass(frozen=True, slots=True)
class ContactTable:
    """What a row of `link.collection` says by these columns is said of the person that `link` leads to.

    A row with a value in one of `gone`, or with none in one of `good` (a flag that is down), proves nothing.
    """

    link: Link
    paths: frozenset[str]
    gone: tuple[str, ...] = ()
    good: tuple[str, ...] = ()

    def is_doubtful(self, row: Mapping[str, Value]) -> bool:
        """Whether the row's own flags say that the address is deleted, out of use, or that nobody proved it."""
        return any(is_up(row.get(path)) for path in self.gone) or any(not is_up(row.get(path)) for path in self.good)


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
                one = collections[name]
                gone = tuple(field.path for field in one.fields if _is_flag(field, _GONE))
                kept = [field for field in one.fields if not field.unkept]
                good = tuple(field.path for field in kept if _is_flag(field, _PROVEN | _GOOD))
                found[name] = ContactTable(link, paths, gone, good)
    return found


def is_named_for_contact(name: str, people: str) -> bool:
    """Whether the words of a table's name are those for contact data, and of the people whose it is."""
    whose = {w.stem(part) for part in w.words(people)} | w.PERSON_TABLE
    said = [part for part in w.words(name) if w.stem(part) not in whose]
    plain = [next((part.removeprefix(who) for who in whose if part.startswith(who)), part) for part in said]
    about = [part for part in plain if part in _CONTACT or w.stem(part) in _CONTACT]
    return bool(about) and all(part in about or w.stem(part) in _BESIDE for part in plain)


def _is_flag(field: Field, said: frozenset[str]) -> bool:
    """Whether a column is a flag or a moment that says this, and nothing else: `verified_at`, no `deleted_by`."""
    parts = w.words(field.path)
    return not field.virtual and any(part in said for part in parts) and all(part in said | _FLAG for part in parts)


def _is_kept_as_own(one: Collection) -> bool:
    """Whether a column beside the address says whether it is the person's main or proven one: nobody proves the
    address of whom somebody else invited.
    """
    third = w.holds_any(w.words(one.name), _THIRD)
    return not third and any(_is_flag(field, _MAIN) for field in one.fields)


def _paths(one: Collection, people: Collection) -> frozenset[str]:
    if not one.searched or one.cls not in _CLASSES or people.cls is not CollectionClass.PERSON:
        return frozenset()
    own = {field.category for field in people.fields if field.role is not Role.POINT}
    held = {field.category for field in one.fields}
    is_rare = one.rows is not None and people.rows is not None and one.rows * _OFTEN < people.rows
    is_named = is_named_for_contact(one.name, people.name) or _is_kept_as_own(one)
    if held & _ELSE or is_rare or not is_named:
        return frozenset()
    wanted = {category for kind in _KINDS if not kind & own for category in kind}
    return frozenset(
        field.path for field in one.fields if field.category in wanted and field.role is not Role.POINT
    )  # fmt: skip
