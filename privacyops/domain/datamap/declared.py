"""Links the catalogue declares, and those that a partition or a sibling table inherits."""

from collections.abc import Iterable, Mapping
from typing import Final

from privacyops.domain.classification.words import words
from privacyops.domain.datamap.catalogue import Collection, CollectionKind, DeclaredLink
from privacyops.domain.datamap.classes import looks_like_person
from privacyops.domain.datamap.link import Evidence, Link, LinkKind, Ownership

INHERITED: Final = 0.98


def declared_links(collections: Mapping[str, Collection]) -> tuple[Link, ...]:
    """Every foreign key once, at the table its rows are found in; a partition's stands at its parent.

    Where not every partition has the constraint, or a sibling table of the same columns lacks it, the link is
    inherited. A constraint whose target is itself a partition leads to the parent.
    """
    found: dict[str, Link] = {}
    for name, one in collections.items():
        if not one.searched:
            continue
        for key in one.links:
            _add(found, _link(name, key, collections, LinkKind.DECLARED_FK, 1.0))
        for key, n, of in _of_partitions(name, collections):
            whole = n == of
            kind = LinkKind.DECLARED_FK if whole else LinkKind.INHERITED_PARTITION
            evidence = Evidence("constraint on partitions", 1.0 if whole else INHERITED, n, of)
            _add(found, _link(name, key, collections, kind, 1.0 if whole else INHERITED, evidence))
    for name, sibling in _siblings(collections):
        for key in sibling.links:
            evidence = Evidence(f"constraint on sibling {sibling.name}", INHERITED)
            _add(found, _link(name, key, collections, LinkKind.INHERITED_PARTITION, INHERITED, evidence))
    declared = tuple(found.values())
    for link in declared:
        for people in _subtypes(link, declared, collections):
            evidence = Evidence(f"{people.name} shares the key of {link.to}", 1.0)
            key = DeclaredLink("", link.fields, people.name, people.key)
            _add(found, _link(link.collection, key, collections, LinkKind.SHARED_KEY, 1.0, evidence))
    return tuple(found.values())


def _subtypes(link: Link, links: Iterable[Link], collections: Mapping[str, Collection]) -> tuple[Collection, ...]:
    """People whose key is the key that `link` leads to: what hangs on a "party" or "entity" hangs on the person too.

    Another kind of entity (a shop, a supplier) has other keys. People who have a key to an entity are others than the
    one who shares it (a family's account), and where a table leads to people by itself, its key to entities means
    something else.
    """
    one = collections[link.collection]
    leads_to_people = any(looks_like_person(collections[each.to]) for each in links if each.collection == one.name)
    if one.key == link.fields or leads_to_people or looks_like_person(one):
        return ()
    return tuple(
        collections[each.collection]
        for each in links
        if (each.to, each.to_fields) == (link.to, link.to_fields)
        and len(each.fields) == 1
        and collections[each.collection].key == each.fields
        and each.collection != one.name
        and looks_like_person(collections[each.collection])
    )


def _add(found: dict[str, Link], link: Link | None) -> None:
    if link is not None and link.id not in found:
        found[link.id] = link


def _link(
    name: str,
    key: DeclaredLink,
    collections: Mapping[str, Collection],
    kind: LinkKind,
    confidence: float,
    evidence: Evidence | None = None,
) -> Link | None:
    target = collections.get(key.to)
    if target is None:
        return None
    to = target.parent if target.kind is CollectionKind.PARTITION and target.parent else key.to
    reasons = (evidence or Evidence("constraint", 1.0),)
    known = Ownership(key.ownership) if key.ownership in set(Ownership) else Ownership.UNDECIDED
    owner = known is Ownership.OWNED
    return Link(name, key.fields, to, key.to_fields, kind, known, owner=owner, evidence=reasons, confidence=confidence)


def _of_partitions(name: str, collections: Mapping[str, Collection]) -> list[tuple[DeclaredLink, int, int]]:
    """The keys declared on partitions of `name` at any depth, with how many of them have each."""
    slices = [
        one for one in collections.values() if one.kind is CollectionKind.PARTITION and _root(one, collections) == name
    ]
    counted: dict[tuple[tuple[str, ...], str, tuple[str, ...]], tuple[DeclaredLink, int]] = {}
    for one in slices:
        for key in one.links:
            where = (key.fields, key.to, key.to_fields)
            counted[where] = (key, counted.get(where, (key, 0))[1] + 1)
    return [(key, n, len(slices)) for key, n in counted.values()]


def _root(one: Collection, collections: Mapping[str, Collection]) -> str:
    seen = {one.name}
    while one.parent and one.parent in collections and one.parent not in seen:
        seen.add(one.parent)
        one = collections[one.parent]
        if one.kind is not CollectionKind.PARTITION:
            break
    return one.name


def _siblings(collections: Mapping[str, Collection]) -> list[tuple[str, Collection]]:
    """Tables that differ by a number in their name alone (`orders_2023`, `orders_2024`) and have the same columns."""
    groups: dict[tuple[str, ...], list[Collection]] = {}
    for one in collections.values():
        stem = tuple(part for part in words(one.name) if not part.isdigit())
        if one.searched and any(part.isdigit() for part in words(one.name)):
            groups.setdefault(stem, []).append(one)
    pairs = []
    for group in groups.values():
        for one in group:
            columns = {field.path for field in one.fields if not field.virtual}
            for other in group:
                theirs = {field.path for field in other.fields if not field.virtual}
                if one is not other and columns == theirs:
                    pairs.append((one.name, other))
    return pairs
