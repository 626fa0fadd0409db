"""Links by several columns at once: a table that has all columns of another's key, under the same names.

The year and number of a file stand in each of its papers. Columns that are keys of their own say nothing of the pair: a
wish and a review of one article by one person are no part of each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.annotate import Sample
from privacyops.domain.datamap.catalogue import Collection, CollectionKind, Field
from privacyops.domain.datamap.chance import ENOUGH
from privacyops.domain.datamap.link import REFUTED, Evidence, Link, LinkKind, combined
from privacyops.domain.datamap.naming import EQUAL, PART, Naming, holds_keys_of, naming_of
from privacyops.domain.record import Value, spelled

MAX_TUPLES: Final = 60
_CAP: Final = 0.95
_ORPHANS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Together:
    """`fields` of `collection` may hold keys of `to`; `values` are distinct sampled ones, to be asked there."""

    collection: str
    fields: tuple[str, ...]
    to: str
    to_fields: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]

    @property
    def where(self) -> tuple[str, str]:
        """Names the question among the answers."""
        return self.to, f"{self.collection}.{'+'.join(self.fields)}"


def together(collections: Mapping[str, Collection], samples: Mapping[str, Sample]) -> tuple[Together, ...]:
    """Every table that may be part of one with a key of several columns."""
    names = naming_of(collections.values())
    parents = [one for one in collections.values() if _has_parts(one) and _says_something(one, collections, names)]
    return tuple(
        Together(child.name, fields, parent.name, parent.key, _tuples(fields, samples.get(child.name, ())))
        for parent in parents
        for child in collections.values()
        if child is not parent and child.searched and (fields := tuple(_named_alike(parent, child)))
    )


def together_links(found: Sequence[Together], answers: Mapping[tuple[str, str], Sample]) -> tuple[Link, ...]:
    """The links, with what the values say. A question that was not answered rests on the names."""
    return tuple(_link(one, answers.get(one.where)) for one in found)


def _link(one: Together, rows: Sample | None) -> Link:
    evidence = [Evidence("columns named as the key", EQUAL)]
    cap = _CAP
    if rows is not None and one.values:
        known = {tuple(spelled(row.get(path)) for path in one.to_fields) for row in rows}
        held = {tuple(spelled(value) for value in each) for each in one.values}
        inside = len(held & known)
        if len(held) - inside > _ORPHANS * len(held):
            cap = REFUTED
            evidence.append(Evidence("orphans", 0.0, len(held) - inside, len(held)))
        else:
            weight = round(0.6 * min(1.0, len(held) / ENOUGH), 6)
            evidence.append(Evidence("values contained", weight, inside, len(held)))
    pieces = tuple(evidence)
    return Link(
        one.collection, one.fields, one.to, one.to_fields, LinkKind.NAME_VALUE, evidence=pieces,
        confidence=combined(pieces, cap),
    )  # fmt: skip


def _has_parts(one: Collection) -> bool:
    return one.searched and one.kind is CollectionKind.TABLE and len(one.key) > 1


def _says_something(one: Collection, collections: Mapping[str, Collection], names: Naming) -> bool:
    """Whether a column of the key is the table's own: not the key of another one, and not only a word for a key."""
    declared = {path for link in one.links for path in link.fields}
    return any(
        path not in declared
        and not all(part in w.KEY_WORDS for part in w.words(path))
        and not any(names.weight(path, one.name, collections[to], own_key=False) >= PART for to in names.keys)
        for path in one.key
    )


def _named_alike(parent: Collection, child: Collection) -> Iterator[str]:
    """The child's columns for each of the parent's key; nothing where one is missing or a constraint names them."""
    declared = {path for link in child.links for path in link.fields}
    by_name = {field.path.lower(): field for field in child.fields if not field.virtual}
    fields = [(by_name.get(path.lower()), parent.field(path)) for path in parent.key]
    if all(_fits(here, there) and here is not None and here.path not in declared for here, there in fields):
        yield from (here.path for here, _ in fields if here is not None)


def _fits(here: Field | None, there: Field | None) -> bool:
    return here is not None and there is not None and holds_keys_of(here, there)


def _tuples(fields: tuple[str, ...], sample: Sample) -> tuple[tuple[Value, ...], ...]:
    found: dict[tuple[str, ...], tuple[Value, ...]] = {}
    for row in sample:
        values = tuple(row.get(path) for path in fields)
        if all(value is not None for value in values) and len(found) < MAX_TUPLES:
            found.setdefault(tuple(spelled(value) for value in values), values)
    return tuple(found.values())
