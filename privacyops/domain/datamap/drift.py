"""What changed in a store between two scans, as far as it matters to people's data."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import TELLING_SHAPES, Collection, CollectionClass
from privacyops.domain.datamap.classes import PERSONAL
from privacyops.domain.datamap.link import FOLLOWED, Link, LinkKind


class DriftKind(StrEnum):
    """What a rescan found."""

    NEW_COLLECTION = "new_collection"
    GONE_COLLECTION = "gone_collection"
    NEW_FIELD = "new_field"
    GONE_FIELD = "gone_field"
    VANISHED_LINK = "vanished_link"
    WEAKER_LINK = "weaker_link"


_PEOPLES = frozenset(set(CollectionClass) - {CollectionClass.LOOKUP, CollectionClass.CONTEXT})


@dataclass(frozen=True, slots=True)
class Drift:
    """One change. `what` is a collection, a field (`orders.note`) or a link; `is_personal`: somebody has to look at it
    before the store is erased from.
    """

    kind: DriftKind
    what: str
    is_personal: bool


def drift(before: DataMap, after: DataMap) -> tuple[Drift, ...]:
    """Every change, by kind and name. A first scan has no earlier one and drifts from nothing."""
    return tuple(sorted(_changes(before, after), key=lambda one: (one.kind, one.what)))


def _changes(before: DataMap, after: DataMap) -> Iterator[Drift]:
    old, new = before.by_name, after.by_name
    for name in new.keys() - old.keys():
        yield Drift(DriftKind.NEW_COLLECTION, name, _is_peoples(new[name]))
    for name in old.keys() - new.keys():
        yield Drift(DriftKind.GONE_COLLECTION, name, _is_peoples(old[name]))
    for name in old.keys() & new.keys():
        yield from _fields(old[name], new[name])
    for id_, link in before.by_link.items():
        if link.collection in new and (change := _link(link, after.by_link.get(id_))) is not None:
            yield change


def _fields(old: Collection, new: Collection) -> Iterator[Drift]:
    # what a sample shows inside documents comes and goes with the sample; columns do not
    had = {field.path for field in old.fields if not field.virtual}
    has = {field.path: field for field in new.fields if not field.virtual}
    for path in has.keys() - had:
        field = has[path]
        is_personal = field.category in PERSONAL or field.shape in TELLING_SHAPES
        yield Drift(DriftKind.NEW_FIELD, f"{new.name}.{path}", is_personal or _is_peoples(new))
    for path in had - has.keys():
        yield Drift(DriftKind.GONE_FIELD, f"{old.name}.{path}", _is_peoples(old))


def _link(old: Link, new: Link | None) -> Drift | None:
    if new is None:
        return Drift(DriftKind.VANISHED_LINK, old.id, is_personal=True) if old.usable else None
    lost_constraint = old.kind is LinkKind.DECLARED_FK and new.kind is not LinkKind.DECLARED_FK
    fell = old.confidence >= FOLLOWED - 1e-9 > new.confidence
    return Drift(DriftKind.WEAKER_LINK, old.id, is_personal=True) if lost_constraint or fell else None


def _is_peoples(one: Collection) -> bool:
    return one.searched and one.cls in _PEOPLES
