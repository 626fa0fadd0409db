"""What the rows of each collection are to a person: by names, columns and links, never by how many rows there are.

A place name with a key is a lookup however few rows point at it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.classification.columns import TableWord, link_role, table_words
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionClass, FieldType, Role, Shape
from privacyops.domain.datamap.link import Link, LinkKind, Outward, Ownership

PERSONAL: Final = frozenset(
    {
        Category.EMAIL,
        Category.PHONE,
        Category.FIRST_NAME,
        Category.LAST_NAME,
        Category.FULL_NAME,
        Category.STREET,
        Category.BIRTH_DATE,
        Category.NATIONAL_ID,
        Category.BANK,
    }
)
"""Categories that say something about one person; a city or a country alone does not."""
_CONTACT: Final = (Category.EMAIL, Category.PHONE)
_BUSINESS: Final = (Category.AMOUNT, Category.QUANTITY, Category.ORDER_NUMBER)
_WHO: Final = (
    *(Category.FIRST_NAME, Category.LAST_NAME, Category.FULL_NAME),
    *(Category.LOGIN, Category.PASSWORD, Category.BIRTH_DATE),
)
_PEOPLE: Final = frozenset({TableWord.PERSON, TableWord.STAFF})


def classify(collections: Mapping[str, Collection], links: Sequence[Link]) -> dict[str, CollectionClass]:
    """The class of every searched collection.

    People first; then what links to them or carries their contact data; then, until nothing changes, what hangs on
    that; the rest is lookup or context.
    """
    searched = {name: one for name, one in collections.items() if one.searched}
    outgoing: dict[str, list[Link]] = {name: [] for name in searched}
    for link in links:
        if link.collection in outgoing and link.to in searched:
            outgoing[link.collection].append(link)
    classes = _people(searched, outgoing)
    for name in searched:
        if name not in classes and any(link.kind is LinkKind.COPY_OF for link in outgoing[name]):
            classes[name] = CollectionClass.COPY
    for link in links:
        if link.kind is LinkKind.NAMED_VALUE and link.outward is Outward.SAME_PERSON:
            classes.setdefault(link.to, CollectionClass.ACTIVITY)
    carrying = _carrying(searched, outgoing, classes)
    changed = True
    while changed:
        changed = False
        for name, one in searched.items():
            if name in classes:
                continue
            found = _attached(one, outgoing[name], classes, carrying) or _referenced(one, searched, outgoing, classes)
            if found is not None:
                classes[name] = found
                changed = True
    for name, one in searched.items():
        classes.setdefault(name, _rest(one))
    return classes


def looks_like_person(one: Collection) -> bool:
    """Whether a row of the collection is a person by its own columns: a login, or a name with contact data."""
    kinds = table_words(one.name)
    direct = {field.category for field in one.fields if not field.virtual and field.role is not Role.POINT}
    named = {Category.FIRST_NAME, Category.LAST_NAME} <= direct or Category.FULL_NAME in direct
    contact = bool(direct & set(_CONTACT))
    if kinds & {TableWord.COPY, TableWord.LOG}:
        return False
    if Category.PASSWORD in direct and (Category.LOGIN in direct or contact):
        return True
    if kinds & {TableWord.ORGANISATION, TableWord.ACTIVITY}:
        return False
    if kinds & _PEOPLE and TableWord.SATELLITE not in kinds:
        if not (contact or direct & (set(_WHO) - {Category.FULL_NAME})) and not _is_called_people(one.name):
            return False  # `account_move.name`: the name of something people have
        return named or contact or Category.LOGIN in direct
    if direct & set(_BUSINESS):
        return False
    return named and contact


def _is_called_people(name: str) -> bool:
    """Whether a word for people is the last of a table's name, but for those that only say that it is a table."""
    parts = [part for part in w.words(name) if not part.isdigit() and part not in w.TABLE]
    return bool(parts) and bool(table_words(parts[-1]) & _PEOPLE)


def _people(searched: Mapping[str, Collection], outgoing: Mapping[str, list[Link]]) -> dict[str, CollectionClass]:
    people = {name for name, one in searched.items() if looks_like_person(one)}
    people |= _named_elsewhere(searched, outgoing)
    scopes = _scopes(searched, outgoing, people)
    people -= _addresses(searched, outgoing, people) | scopes
    classes = dict.fromkeys(people, CollectionClass.PERSON) | dict.fromkeys(scopes, CollectionClass.CONTEXT)
    for name in people:
        one = searched[name]
        kinds = table_words(name)
        logs_in = bool(one.of(Category.PASSWORD))
        pointed_at = any(link.to == name for links in outgoing.values() for link in links)
        is_contact = not pointed_at and not one.of(*_WHO)  # `customer_emails`: addresses of people, and no people
        if ((kinds & _PEOPLE and TableWord.SATELLITE not in kinds) or logs_in) and not is_contact:
            continue
        if any(
            link.to in people and link.to != name and _belongs(one, link, has_own_life=pointed_at)
            for link in outgoing[name]
        ):
            classes[name] = CollectionClass.SATELLITE
    return classes


def _named_elsewhere(searched: Mapping[str, Collection], outgoing: Mapping[str, list[Link]]) -> set[str]:
    """Tables called contacts that hold names of people, where the addresses of these stand in a table that hangs on
    theirs and names nobody itself.
    """
    return {
        link.to
        for name, links in outgoing.items()
        for link in links
        if link.to != name
        and link.kind is LinkKind.DECLARED_FK
        and {Category.FIRST_NAME, Category.LAST_NAME} <= _held(searched[link.to])
        and w.holds_any(w.words(link.to)[-1:], w.PERSON_TABLE)
        and not table_words(link.to) & {TableWord.COPY, TableWord.LOG, TableWord.ACTIVITY}
        and _held(searched[name]) & set(_CONTACT)
        and not _held(searched[name]) & {*_WHO, *_BUSINESS}
    }


def _scopes(searched: Mapping[str, Collection], outgoing: Mapping[str, list[Link]], people: set[str]) -> set[str]:
    """The tenants of a program that several shops use: a name and no contact data, and people who belong to each."""
    return {
        link.to
        for name, links in outgoing.items()
        for link in links
        if link.to in people
        and name in people
        and name != link.to
        and w.holds_any(w.words(link.to)[-1:], w.TENANT)
        and not _held(searched[link.to]) & {*_CONTACT, *_WHO} - {Category.FULL_NAME}
    }


def _held(one: Collection) -> set[Category | None]:
    return {field.category for field in one.fields if not field.virtual and field.role is not Role.POINT}


def _addresses(searched: Mapping[str, Collection], outgoing: Mapping[str, list[Link]], people: set[str]) -> set[str]:
    """Which of `people` are addresses that rows of people, or rows with a key to people, point at: whoever lives
    there has a row elsewhere, and is reached from it.
    """
    named = {
        name
        for name in people
        if w.holds_any(w.words(name), w.SATELLITE_TABLE - w.PERSON_TABLE)
        and searched[name].of(Category.STREET)
        and not searched[name].of(Category.LOGIN, Category.PASSWORD)
        and not table_words(name) & _PEOPLE
    }
    others = people - named
    return {
        link.to
        for one, links in outgoing.items()
        for link in links
        if link.to in named and (one in others or any(each.to in others for each in links))
    }


def _belongs(one: Collection, link: Link, *, has_own_life: bool) -> bool:
    """Whether a row with a name and contact data is only part of the person it points at: a contact, a profile.

    A key that says nothing of its role makes a part of what nothing else points at; travellers with orders of their
    own are no part of their guide.
    """
    role = link_role(link.lead, link.to, one.name)
    return role is Role.OWN or (role is Role.NEUTRAL and (one.is_unique(link.fields) or not has_own_life))


def _carrying(
    searched: Mapping[str, Collection], outgoing: Mapping[str, list[Link]], classes: Mapping[str, CollectionClass]
) -> frozenset[str]:
    """What rows hang on that name nobody themselves: an order with an address of its own has lines and payments, and
    is no address, whatever it is called.
    """

    def names_nobody(name: str) -> bool:
        contact = any(field.category in {*_CONTACT, Category.EMAIL_DIGEST} for field in searched[name].fields)
        return not contact and not any(classes.get(link.to) is CollectionClass.PERSON for link in outgoing[name])

    return frozenset(
        link.to
        for name, links in outgoing.items()
        if classes.get(name) is None and names_nobody(name)
        for link in links
        if link.to != name and not is_passing(link)
    )


def is_passing(link: Link) -> bool:
    """Whether the link only marks one of many, as `product.last_order_id` does."""
    return w.holds_any(w.words(link.lead), w.PASSING)


def _attached(
    one: Collection, outgoing: Iterable[Link], classes: Mapping[str, CollectionClass], carrying: frozenset[str]
) -> CollectionClass | None:
    kinds = table_words(one.name)
    direct = {field.category for field in one.fields}
    to_people = [link for link in outgoing if classes.get(link.to) is CollectionClass.PERSON]
    owned = any(
        link.ownership is Ownership.OWNED or link_role(link.lead, link.to, one.name) is not Role.POINT
        for link in to_people
    )
    contact = any(
        field.category in {Category.EMAIL, Category.EMAIL_DIGEST, Category.PHONE} and field.role is not Role.POINT
        for field in one.fields
    )
    if TableWord.ORGANISATION in kinds and not any(
        link_role(link.lead, link.to, one.name) is Role.OWN for link in to_people
    ):  # a branch with its manager and desk; but `shop_line` below an order is a line of a shop
        owned = contact = False
    if owned or contact:
        if TableWord.LOG in kinds:
            return CollectionClass.LOG
        address = TableWord.SATELLITE in kinds or Category.STREET in direct
        business = TableWord.ACTIVITY in kinds or bool(direct & set(_BUSINESS))
        business = business or (TableWord.SATELLITE not in kinds and one.name in carrying)
        return CollectionClass.SATELLITE if address and not business else CollectionClass.ACTIVITY
    hung = {classes.get(link.to) for link in outgoing if not is_passing(link)}
    if hung & {CollectionClass.ACTIVITY, CollectionClass.DETAIL, CollectionClass.LOG}:
        return CollectionClass.LOG if TableWord.LOG in kinds else CollectionClass.DETAIL
    if any(link.condition and classes.get(link.to) is CollectionClass.SATELLITE for link in outgoing):
        return CollectionClass.DETAIL  # the slug of a profile, in a table of everybody's slugs
    if CollectionClass.SATELLITE in hung and (TableWord.ACTIVITY in kinds or direct & set(_BUSINESS)):
        return CollectionClass.ACTIVITY
    return None


def _referenced(
    one: Collection,
    searched: Mapping[str, Collection],
    outgoing: Mapping[str, list[Link]],
    classes: Mapping[str, CollectionClass],
) -> CollectionClass | None:
    """What is reached outward only: an address behind a customer, an invoice behind exactly one order."""
    kinds = table_words(one.name)
    if TableWord.ORGANISATION in kinds:
        return None
    pointing = [
        link
        for links in outgoing.values()
        for link in links
        if link.to == one.name
        and link.collection != one.name
        and classes.get(link.collection)
        in {CollectionClass.PERSON, CollectionClass.ACTIVITY, CollectionClass.DETAIL, CollectionClass.SATELLITE}
    ]
    if not pointing:
        return None
    personal = {field.category for field in one.fields} & PERSONAL
    if personal and (TableWord.SATELLITE in kinds or personal - {Category.FIRST_NAME, Category.LAST_NAME}):
        return CollectionClass.SATELLITE
    if TableWord.SATELLITE in kinds and any(field.shape is Shape.FREE_TEXT for field in one.fields):
        return CollectionClass.SATELLITE  # a whole address in one column
    if w.holds_any(w.words(one.name), w.FILE_TABLE) and not any(link.to in searched for link in outgoing[one.name]):
        return CollectionClass.SATELLITE
    once = any(searched[link.collection].is_unique(link.fields) for link in pointing)
    return CollectionClass.DETAIL if once and TableWord.ACTIVITY in kinds else None


def _rest(one: Collection) -> CollectionClass:
    told = [field for field in one.fields if field.path not in one.key and field.type is FieldType.TEXT]
    return CollectionClass.LOOKUP if len(told) <= 2 and len(one.fields) <= 5 else CollectionClass.CONTEXT
