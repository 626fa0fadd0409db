"""Of whom a row speaks: the one owner link of a collection, and what each link says in both directions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.classification.columns import TableWord, link_role, table_words
from privacyops.domain.datamap.catalogue import (
    EXPANDS,
    TELLING_SHAPES,
    Category,
    Collection,
    CollectionClass,
    FieldType,
    Role,
    Shape,
)
from privacyops.domain.datamap.classes import is_passing
from privacyops.domain.datamap.link import Link, LinkKind, Outward, Ownership

_HANGS_ON: Final = frozenset({CollectionClass.ACTIVITY, CollectionClass.DETAIL, CollectionClass.LOG})
_OF_THE_DOER: Final = frozenset(
    {Category.IP, Category.EMAIL, Category.PHONE, Category.STREET, Category.FULL_NAME, Category.LAST_NAME}
)
_HANDLERS: Final = frozenset({Role.STAFF, Role.POINT})
_SAYS_WHOSE: Final = frozenset({Category.EMAIL, Category.EMAIL_DIGEST, Category.CUSTOMER_NUMBER, Category.LOGIN})
_CUSTOMERS: Final = w.PERSON_TABLE & (w.OWN - w.ACCOUNT)
_PLAIN: Final = frozenset({FieldType.DATE, FieldType.INSTANT, FieldType.BOOLEAN, FieldType.TIME})


def with_ownership(collections: Mapping[str, Collection], links: Sequence[Link]) -> tuple[Link, ...]:
    """Every link with its ownership. A link whose ownership a person or a map has already set keeps it."""
    by_start: dict[str, list[Link]] = {}
    for link in links:
        by_start.setdefault(link.collection, []).append(link)
    parts = _parts_of_people(collections, links)
    headed = frozenset(link.to for link in links if link.usable and link.to != link.collection)
    return tuple(
        done
        for name, several in by_start.items()
        for done in _of_one(collections[name], several, collections, parts, name in headed)
    )


def _parts_of_people(collections: Mapping[str, Collection], links: Sequence[Link]) -> frozenset[str]:
    """What continues a person's row under the same key, over however many steps: the employee, the sales person."""
    found = {name for name, one in collections.items() if one.cls is CollectionClass.PERSON}
    people = frozenset(found)
    keyed = [
        link for link in links if link.kind is LinkKind.DECLARED_FK and collections[link.collection].key == link.fields
    ]
    while more := {link.collection for link in keyed if link.to in found} - found:
        found |= more
    return frozenset(found - people)


def _is_handled_by(one: Collection, link: Link, collections: Mapping[str, Collection]) -> bool:
    """Whether the key names who sees to the row; one that is part of the row's own key says what the row is of."""
    return not set(link.fields) <= set(one.key) and _role(one, link, collections, below=False) in _HANDLERS


def _of_one(
    one: Collection,
    links: list[Link],
    collections: Mapping[str, Collection],
    parts: frozenset[str],
    is_head: bool,
) -> list[Link]:
    def cls(link: Link) -> CollectionClass | None:
        return collections[link.to].cls if link.to in collections else None

    to_people = [
        link for link in links if cls(link) is CollectionClass.PERSON and link.ownership is Ownership.UNDECIDED
    ]
    hanging = [
        link
        for link in links
        if cls(link) in _HANGS_ON and link.usable and not is_passing(link) and link.to != one.name
    ]
    unexplained = _has_unexplained_key(one, links)
    decided = {
        id(link): done
        for link, done in zip(
            to_people, _person_links(one, to_people, hanging, collections, unexplained, is_head), strict=True
        )
    }
    result = []
    for link in links:
        if id(link) in decided:
            result.append(decided[id(link)])
        elif link.by_value or link.ownership is not Ownership.UNDECIDED:
            result.append(link)
        elif link.to in parts and _is_handled_by(one, link, collections):
            result.append(replace(link, ownership=Ownership.POINTER))
        else:
            result.append(_other_link(one, link, collections.get(link.to)))
    return result


def _other_link(one: Collection, link: Link, aim: Collection | None) -> Link:
    """A link to something that is not a person: owned with its target, where that can be a subject's at all."""
    target = aim.cls if aim is not None else None
    outward = Outward.SATELLITE if _is_taken_outward(one, link, target) else Outward.NO
    if aim is not None and _is_entity_of(one, link, aim):
        outward = Outward.SAME_PERSON
    if target not in EXPANDS or is_passing(link):
        return replace(link, ownership=Ownership.CONTEXT, outward=outward)
    if one.cls is CollectionClass.PERSON or one.cls not in EXPANDS:
        return replace(link, ownership=Ownership.POINTER, outward=outward)
    return replace(link, ownership=Ownership.OWNED, outward=outward)


def _is_entity_of(one: Collection, link: Link, aim: Collection) -> bool:
    """Whether the target is the row of entities that a person's row shares its key with."""
    return (
        one.cls is CollectionClass.PERSON
        and link.kind is LinkKind.DECLARED_FK
        and one.key == link.fields
        and aim.key == link.to_fields
    )


def _is_taken_outward(one: Collection, link: Link, target: CollectionClass | None) -> bool:
    if one.cls not in EXPANDS or link.to == one.name or link.element:
        return False
    return target is CollectionClass.SATELLITE or (target is CollectionClass.DETAIL and one.is_unique(link.fields))


def _role(
    one: Collection,
    link: Link,
    collections: Mapping[str, Collection],
    *,
    below: bool,
    logins: frozenset[str] = frozenset(),
) -> Role:
    """The role of a key to people. One that holds for some rows only says whose these are; but what somebody of the
    shop wrote below a customer's dispute is the customer's. `logins`: accounts of a few of the people that the row has
    a key to as well, so that theirs says who did it.
    """
    if not link.condition:
        role = link_role(link.lead, link.to, one.name)
        works_here = _works_here(link.to, collections) or link.to in logins
        return Role.STAFF if role is Role.OWN and _is_account(link) and works_here else role
    return Role.STAFF if below and TableWord.STAFF in table_words(link.to) else Role.OWN


def _logins(people: set[str], collections: Mapping[str, Collection]) -> frozenset[str]:
    """Of several collections of people, those whose rows are logins of a few of another one's rows."""
    return frozenset(
        name
        for name in people
        for key in collections[name].links
        if key.to in people and key.to != name and (collections[key.to].rows or 0) >= 3 * (collections[name].rows or 1)
    )


def _works_here(name: str, collections: Mapping[str, Collection]) -> bool:
    """Whether the accounts of a collection are those of the shop's own people: a word for customers names another one,
    ten times as large.
    """
    if w.holds_any(w.words(name), w.OWN - w.ACCOUNT):
        return False
    own = max(collections[name].rows or 0, 1)
    return any(
        one.cls is CollectionClass.PERSON and w.holds_any(w.words(one.name), _CUSTOMERS) and (one.rows or 0) >= 10 * own
        for one in collections.values()
        if one.name != name
    )


def _person_links(
    one: Collection,
    links: list[Link],
    hanging: Sequence[Link],
    collections: Mapping[str, Collection],
    unexplained: bool,
    is_head: bool,
) -> list[Link]:
    if one.cls is CollectionClass.PERSON:
        return [_between_people(one, link) for link in links]
    hangs = bool(hanging)
    below = any(not link.condition and link.usable for link in hanging)
    logins = _logins({link.to for link in links}, collections)
    roles = {link.id: _role(one, link, collections, below=below, logins=logins) for link in links}
    owners = _owners(
        one,
        [link for link in links if not link.element and link.usable],
        roles,
        hangs,
        collections,
        unexplained=unexplained,
    )
    # Paths of documents stand for each other: an event has `user.id` or `uid`. A condition excludes the others. Keys
    # into two collections of people are one person under two accounts.
    plain = [link for link in owners if not link.condition and not is_in_document(one, link)]
    several = len(plain) > len({link.to for link in plain})
    tied = [
        link
        for link in links
        if link.usable and not link.element and not link.condition and not is_in_document(one, link)
    ]
    junction = len(tied) > len({link.to for link in tied}) and not is_head and _is_junction(one, links)
    result = []
    for link in links:
        if link.element or (junction and link in tied):
            result.append(replace(link, ownership=Ownership.SHARED))
        elif link not in owners:
            asked = may_be_authors(one, link.lead, has_owner=bool(owners), is_below=below)
            result.append(replace(link, ownership=Ownership.UNDECIDED if asked else Ownership.POINTER))
        elif several or (unexplained and _says_nothing(link)):
            result.append(replace(link, ownership=Ownership.UNDECIDED))
        else:
            strong = roles[link.id] is Role.OWN or not hangs
            result.append(replace(link, ownership=Ownership.OWNED, owner=strong))
    return result


def _owners(
    one: Collection,
    links: list[Link],
    roles: Mapping[str, Role],
    hangs: bool,
    collections: Mapping[str, Collection],
    *,
    unexplained: bool,
) -> list[Link]:
    own = [link for link in links if roles[link.id] is Role.OWN]
    if own:
        conditional = [link for link in own if link.condition]
        inside = [link for link in own if not link.condition and is_in_document(one, link)]
        plain = [link for link in own if not link.condition and link not in inside]
        if one.cls is CollectionClass.LOG and conditional:  # who did it, beside whom it was done to
            plain = [link for link in plain if not _is_account(link)]
        elif any(_says_customer(link) for link in plain):
            plain = [link for link in plain if not _is_account(link)] or plain
        plain = [link for link in plain if _says_whose(link)] or plain
        least = min((_extra_words(link) for link in plain), default=0)
        return conditional + inside + [link for link in plain if _extra_words(link) == least]
    neutral = [link for link in links if roles[link.id] is Role.NEUTRAL]
    if neutral:
        return _plainest(_of_the_many(neutral, collections))
    contact = any(field.category is Category.EMAIL and field.role is not Role.POINT for field in one.fields)
    if hangs or contact:  # whoever handled the order or wrote the ticket's answer does not own it
        return []
    if unexplained:  # nobody knows yet where the row's other keys lead; it may be a customer's
        return []
    return [link for link in links if roles[link.id] is Role.STAFF] or [link for link in links if _sells(link)]


def deeds(collections: Mapping[str, Collection], links: Sequence[Link]) -> dict[str, frozenset[str]]:
    """In a log that is named for orders or the like (`order_event`), `user_id` is whoever did it, a customer or one of
    the shop: by the link's id, the columns to the orders. Where one of them is filled, the row is the order's. A log
    with an address of the network is about who came.
    """
    found: dict[str, frozenset[str]] = {}
    for link in links:
        one = collections[link.collection]
        if link.owner and not link.condition and one.cls is CollectionClass.LOG and _is_account(link):
            hung = {
                each.lead
                for each in links
                if each.collection == one.name
                and each.ownership is Ownership.OWNED
                and each.is_followed
                and not each.by_value
                and not each.condition
                and each.to != one.name
                and collections[each.to].cls in _HANGS_ON
                and TableWord.ACTIVITY in table_words(each.to)
                and set(w.stems(each.to)) & set(w.stems(one.name))
            }
            if hung and not any(field.category in _OF_THE_DOER for field in one.fields):
                found[link.id] = frozenset(hung)
    return found


def _has_unexplained_key(one: Collection, links: Sequence[Link]) -> bool:
    """Whether a column is named as a key and nobody knows of what."""
    known = {path for link in links if link.usable for path in link.fields}
    return any(
        w.words(field.path)[-1:] == ("id",) and len(w.words(field.path)) > 1
        for field in one.fields
        if not field.virtual and field.path not in one.key and field.path not in known
    )


def _says_nothing(link: Link) -> bool:
    """Whether only values proved the link: whose row it is, is not said while another key of it is not understood."""
    return bool(link.evidence) and link.evidence[0].kind == "values only"


def _sells(link: Link) -> bool:
    """Whether the key is of somebody who sells, among people who are no staff: of a marketplace the listing's owner."""
    parts = [part for part in w.words(link.lead) if part not in w.KEY_WORDS]
    return w.holds_any(tuple(parts), w.SELLER) and TableWord.STAFF not in table_words(link.to)


def _says_customer(link: Link) -> bool:
    parts = tuple(part for part in w.words(link.lead) if part not in w.KEY_WORDS)
    return w.holds_any(parts, w.OWN - w.ACCOUNT)


def _says_whose(link: Link) -> bool:
    """Whether the column's own words say it; `about_id` is a customer's for leading to customers alone."""
    parts = tuple(part for part in w.words(link.lead) if part not in w.KEY_WORDS)
    target = {w.stem(part) for part in w.words(link.to)}
    return w.holds_any(parts, w.OWN | w.DEED) or any(w.stem(part) in target for part in parts)


def _is_account(link: Link) -> bool:
    """Whether the role is one that people of the shop have too (`user_id`), beside a plainer word for a customer."""
    parts = [part for part in w.words(link.lead) if part not in w.KEY_WORDS]
    return any(w.holds_any((part,), w.ACCOUNT) for part in parts) and not any(
        w.holds_any((part,), w.OWN - w.ACCOUNT) for part in parts
    )


def _plainest(links: list[Link]) -> list[Link]:
    """Of several keys to one collection, the one that only names it: `partner_id` beside `partner_shipping_id`."""
    plain = {link.to for link in links if _extra_words(link) == 0}
    return [link for link in links if link.to not in plain or _extra_words(link) == 0]


def _of_the_many(links: list[Link], collections: Mapping[str, Collection]) -> list[Link]:
    """Of links to several collections of people, those to the one that is at least three times as large: the
    customers, whatever they are called. All, where sizes say nothing.
    """
    sizes = {link.to: collections[link.to].rows or 0 for link in links}
    largest = max(sizes, key=lambda name: sizes[name])
    if len(sizes) > 1 and all(sizes[largest] >= 3 * size for name, size in sizes.items() if name != largest):
        return [link for link in links if link.to == largest]
    return links


def may_be_authors(one: Collection, path: str, *, has_owner: bool, is_below: bool = False) -> bool:
    """Whether `created_by` may name whose the row is: it holds a text, and nothing else in it says whose it is. So may
    `opened_by`, where the row is no part of an order.

    The post of a forum is its author's; an article of the shop is nobody's, whoever typed it in. A person decides.
    """
    if has_owner or not w.holds_any(w.words(path), w.MADE if is_below else w.MADE | w.OPENED):
        return False
    own = any(field.category in _SAYS_WHOSE and field.role is not Role.POINT for field in one.fields)
    return not own and any(field.category is Category.TEXT or field.shape is Shape.FREE_TEXT for field in one.fields)


def is_in_document(one: Collection, link: Link) -> bool:
    """Whether the link starts from a path inside a document."""
    field = one.field(link.fields[0])
    return field is not None and (field.virtual or "$" in field.path)


def _extra_words(link: Link) -> int:
    """How far the column's name is from the target's: `customer_id` is plainer than `billing_customer_id`."""
    target = {w.stem(part) for part in w.words(link.to)}
    parts = [part for part in w.words(link.lead) if part not in w.KEY_WORDS]
    return (
        len([part for part in parts if w.stem(part) not in target])
        if any(w.stem(part) in target for part in parts)
        else 1
    )


def _between_people(one: Collection, link: Link) -> Link:
    """From a person to a person: the same one under two accounts, or a pointer (a supervisor, a representative)."""
    role = link_role(link.lead, link.to, one.name)
    if link.to == one.name or link.element or role in {Role.POINT, Role.STAFF}:
        return replace(link, ownership=Ownership.POINTER)
    if one.is_unique(link.fields):
        return replace(link, ownership=Ownership.OWNED, outward=Outward.SAME_PERSON)
    if role is Role.OWN and not one.of(Category.EMAIL):  # with an address of its own the row is found by that
        return replace(link, ownership=Ownership.OWNED)
    return replace(link, ownership=Ownership.POINTER)


def _is_junction(one: Collection, links: list[Link]) -> bool:
    """Whether the row only ties persons together: links, key, dates, and at most two columns more that tell nothing."""
    tied = {path for link in links for path in link.fields} | set(one.key)
    rest = [field for field in one.fields if field.path not in tied and field.type not in _PLAIN and not field.virtual]
    return len(rest) <= 2 and all(field.category is None and field.shape not in TELLING_SHAPES for field in rest)
