"""Links nobody declared: which columns might point where, by name, type column or role word.

A proposal is cheap and proves little; `weighed` asks the values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.annotate import Sample
from privacyops.domain.datamap.catalogue import Category, Collection, CollectionKind, Field, FieldType, Role
from privacyops.domain.datamap.classes import looks_like_person
from privacyops.domain.datamap.link import Condition, Evidence, LinkKind
from privacyops.domain.datamap.naming import (
    EQUAL,
    KEY_TYPES,
    LIKE,
    PART,
    ROLE,
    SHORT,
    Naming,
    ends,
    holds_keys_of,
    leaf_words,
    naming_of,
    same,
)
from privacyops.domain.datamap.pairs import named_keys
from privacyops.domain.datamap.polymorphic import polymorphic


@dataclass(frozen=True, slots=True)
class Proposal:
    """`field` of `collection` may hold keys of `to`; `evidence` is what the names say."""

    collection: str
    field: Field
    to: str
    to_field: str
    kind: LinkKind
    evidence: tuple[Evidence, ...]
    condition: Condition | None = None

    @property
    def element(self) -> bool:
        """Whether the field holds several values."""
        return self.field.type is FieldType.ARRAY or "[*]" in self.field.path


def proposals(collections: Mapping[str, Collection], samples: Mapping[str, Sample]) -> tuple[Proposal, ...]:
    """Every column that may be an undeclared key, with the collections it may point at."""
    names = naming_of(collections.values())
    found: list[Proposal] = []
    for one in collections.values():
        if not one.searched:
            continue
        declared = {path for link in one.links for path in link.fields} | _of_slices(one, collections)
        typed = [
            Proposal(
                one.name, found.field, found.to, names.keys[found.to], LinkKind.POLYMORPHIC, found.evidence, found.when
            )
            for found in polymorphic(one, collections, samples, names)
        ]
        found.extend(typed)
        found.extend(
            Proposal(
                one.name, each.field, each.to, names.keys[each.to], LinkKind.NAMED_VALUE,
                (Evidence(_REASONS[each.weight], each.weight),), each.when,
            )
            for each in named_keys(one, collections, samples.get(one.name, ()), names)
        )  # fmt: skip
        taken = declared | {proposal.field.path for proposal in typed}
        for field in one.fields:
            if field.path not in taken and (field.type in KEY_TYPES or field.element in KEY_TYPES):
                named = [*_by_name(one, field, collections, names), *_by_unique(one, field, collections)]
                found.extend(named or _renamed(one, field, collections, names))
                found.extend(() if named else _continued(one, field, collections, names))
    return tuple(found)


def _of_slices(one: Collection, collections: Mapping[str, Collection]) -> set[str]:
    return {
        path
        for slice_ in collections.values()
        if slice_.kind is CollectionKind.PARTITION and slice_.parent == one.name
        for link in slice_.links
        for path in link.fields
    }


def _by_name(one: Collection, field: Field, collections: Mapping[str, Collection], names: Naming) -> Iterator[Proposal]:
    own_key = one.key == (field.path,)
    weights = {
        to: names.weight(field.path, one.name, collections[to], own_key=own_key)
        for to in names.keys
        if to != one.name or not (field.virtual or own_key or _is_of_itself(one, field))
    }
    if weights.get(one.name) == EQUAL:  # its own number under another ending: the reporter of a report
        del weights[one.name]
    best = max(weights.values(), default=0.0)
    for to, weight in weights.items():
        target = collections[to].field(names.keys[to])
        if weight == 0.0 or weight < best or target is None or not holds_keys_of(field, target):
            continue
        if weight < PART and weight != ROLE and not _may_be_key(one, field, target):
            continue
        unique = sum(1 for other in weights.values() if other == EQUAL) == 1
        sure = weight if weight < EQUAL or unique else PART
        kind = LinkKind.NAME_VALUE if weight > ROLE else LinkKind.RENAMED_ID
        kind = LinkKind.JSON_PATH if field.virtual else LinkKind.ARRAY_OF if field.type is FieldType.ARRAY else kind
        yield Proposal(one.name, field, to, names.keys[to], kind, (Evidence(_REASONS[weight], sure),))


def _is_of_itself(one: Collection, field: Field) -> bool:
    """Whether the name says no more than the table's: the number of an order names it, and no other order."""
    own = [part for part in w.words(field.path) if part not in w.KEY_WORDS | w.NUMBER]
    return {w.stem(part) for part in own} <= set(w.stems(one.name))


def _by_unique(one: Collection, field: Field, collections: Mapping[str, Collection]) -> Iterator[Proposal]:
    """A column named like a unique column of exactly one other collection: `card_no` of a member and of a swipe."""
    own = leaf_words(field.path)
    if all(part in w.KEY_WORDS for part in own) or one.is_unique((field.path,)) or field.category in _CONTACT:
        return
    fits = [
        (other, target)
        for other in collections.values()
        if other.searched and other.name != one.name
        for target in other.fields
        if other.key != (target.path,) and other.is_unique((target.path,)) and _is_named_for(own, other, target)
    ]
    if len(fits) == 1 and fits[0][1].category not in _CONTACT and holds_keys_of(field, fits[0][1]):
        other, target = fits[0]
        kind = LinkKind.JSON_PATH if field.virtual else LinkKind.NAME_VALUE
        evidence = (Evidence("column named as a unique column", EQUAL),)
        yield Proposal(one.name, field, other.name, target.path, kind, evidence)


def _is_named_for(own: tuple[str, ...], other: Collection, target: Field) -> bool:
    """Whether a column has the name of a unique one, alone or behind its table: `user_uuid` of `account_user.uuid`."""
    column = w.words(target.path)
    before = own[: -len(column)] if ends(own, column) else ()
    table = w.words(other.name)
    return same(own, column) or (bool(before) and (same(before, table) or ends(table, before)))


def _renamed(one: Collection, field: Field, collections: Mapping[str, Collection], names: Naming) -> Iterator[Proposal]:
    """A column whose name says nothing may be a key of a person: contact data beside it agree or disagree, and whole
    numbers know the gaps of the key or do not.
    """
    beside = any(each.category in _CONTACT and each.role is not Role.POINT for each in one.fields)
    if field.category is not None or one.key == (field.path,) or field.shape is not None or field.virtual:
        return
    for to, key in names.keys.items():
        target = collections[to].field(key)
        if (
            to != one.name
            and target is not None
            and (beside or _may_be_key(one, field, target))
            and holds_keys_of(field, target)
            and looks_like_person(collections[to])
        ):
            yield Proposal(one.name, field, to, key, LinkKind.RENAMED_ID, (Evidence("values only", 0.0),))


def _continued(
    one: Collection, field: Field, collections: Mapping[str, Collection], names: Naming
) -> Iterator[Proposal]:
    """The key of a table that is named after another and more (`customer_info`, `bonus_customer`) may be the other's
    key, whatever it is called: the row continues the other's. Only the values can say so.
    """
    if one.key != (field.path,) or field.virtual:
        return
    mine = names.tables[one.name]
    found: list[Proposal] = []
    for to, key in names.keys.items():
        target, table = collections[to].field(key), names.tables[to]
        begins = len(mine) > len(table) > 0 and same(mine[: len(table)], table)
        begins = begins or (same(mine, table) and len(w.words(one.name)) > len(w.words(to)))
        if target is not None and field.type is target.type and (begins or ends(mine, table)):
            is_named = same(leaf_words(field.path), names.wanted(to))
            evidence = Evidence(KEYED, LIKE) if is_named else Evidence(CONTINUED, SHORT)
            found.append(Proposal(one.name, field, to, key, LinkKind.NAME_VALUE, (evidence,)))
    best = max((each.evidence[0].weight for each in found), default=0.0)
    yield from (each for each in found if each.evidence[0].weight == best)


def _may_be_key(one: Collection, field: Field, target: Field) -> bool:
    """Whether a column may hold such keys by its type and by what is known of it, whatever its name."""
    plain = field.category is None and field.shape is None and not field.virtual and not field.enum
    return plain and field.type is target.type and one.key != (field.path,)


CONTINUED: Final = "key of a table named after it"
KEYED: Final = "key of a table named after it, under the same name"
_CONTACT: Final = frozenset({Category.EMAIL, Category.PHONE, Category.FULL_NAME, Category.LOGIN})
_REASONS: Final = {
    EQUAL: "column named as the key",
    PART: "column named after the key",
    LIKE: "column named like the table",
    ROLE: "role word",
    SHORT: "column may be short for the key",
}
