"""Lists of what was sent: the recipient there is no third person but the one whose row it is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.annotate import Sample
from privacyops.domain.datamap.catalogue import Category, Collection, Field, Role
from privacyops.domain.datamap.link import Link
from privacyops.domain.record import is_empty, spelled

_ADDRESS: Final = (Category.EMAIL, Category.EMAIL_DIGEST)
_SOMEBODY: Final = (*_ADDRESS, Category.PHONE, Category.FULL_NAME, Category.LAST_NAME, Category.LOGIN)


_ENOUGH: Final = 5
_MOST: Final = 0.8
_ALL: Final = 0.99


def with_receivers(
    collections: Mapping[str, Collection], links: Sequence[Link], samples: Mapping[str, Sample]
) -> dict[str, Collection]:
    """The collections, with the address of a recipient as the row's own where nothing else of it leads to anybody.

    A present's recipient stays a third person: the present belongs to an order, and the order to its buyer. The shop's
    own address as the sender is nobody's.
    """
    leading = {link.collection for link in links if link.usable}
    tied = {link.collection for link in links if link.usable and _leads_on(collections.get(link.to), leading)}
    return {name: one if name in tied else _own(one, samples.get(name, ())) for name, one in collections.items()}


def _leads_on(one: Collection | None, leading: set[str]) -> bool:
    return one is not None and (one.name in leading or bool(one.of(*_SOMEBODY)))


def _own(one: Collection, sample: Sample) -> Collection:
    known = [field for field in one.of(*_SOMEBODY) if not field.virtual]
    if any(_is_receiver(field) for field in known):
        known = [field for field in known if _is_receiver(field) or not _is_mostly_one(field, sample)]
    if not known or not all(field.category in _ADDRESS and _is_receiver(field) for field in known):
        return one
    senders = [field for field in one.of(*_ADDRESS) if field not in known and _is_mostly_one(field, sample, _ALL)]
    return replace(one, fields=tuple(_told(field, known, senders) for field in one.fields))


def _told(field: Field, known: Sequence[Field], senders: Sequence[Field]) -> Field:
    if field in known:
        return replace(field, role=Role.NEUTRAL)
    return replace(field, role=Role.POINT) if field in senders else field


def _is_mostly_one(field: Field, sample: Sample, share: float = _MOST) -> bool:
    """Whether nearly every row holds the same value: the address that the shop writes from."""
    held = [spelled(row[field.path]).lower() for row in sample if not is_empty(row.get(field.path))]
    return len(held) >= _ENOUGH and Counter(held).most_common(1)[0][1] >= share * len(held)


def _is_receiver(field: Field) -> bool:
    parts = w.words(field.path)
    others = tuple(part for part in parts if part not in w.RECEIVER)
    return field.role is Role.POINT and w.holds_any(parts, w.RECEIVER) and not w.holds_any(others, w.POINT)
