"""Value links: columns that hold the subject's own identifiers, in clear or as a digest."""

from collections.abc import Iterable, Iterator
from typing import Final

from privacyops.domain.datamap.catalogue import Category, Collection, Field, Role, Shape
from privacyops.domain.datamap.link import IDENTITY, Evidence, Link, LinkKind, Ownership

_KINDS: Final = {
    Category.EMAIL: ("email", LinkKind.VALUE, 0.97),
    Category.EMAIL_DIGEST: ("email", LinkKind.HASH_OF, 0.97),
    Category.PHONE: ("phone", LinkKind.VALUE, 0.60),
    Category.CUSTOMER_NUMBER: ("customer_id", LinkKind.VALUE, 0.97),
    Category.LOGIN: ("login", LinkKind.VALUE, 0.60),
}


def value_links(collections: Iterable[Collection]) -> Iterator[Link]:
    """One link for each identity column of each searched collection; its role decides the ownership."""
    for one in collections:
        if not one.searched:
            continue
        for field in one.fields:
            link = value_link(one.name, field)
            if link is not None:
                yield link


def value_link(collection: str, field: Field) -> Link | None:
    """The value link of one field, or None where it holds no identifier."""
    if field.category not in _KINDS or (field.category is Category.EMAIL_DIGEST and not field.digests):
        return None
    identifier, kind, confidence = _KINDS[field.category]
    by_value = field.shape in {Shape.EMAIL, Shape.DIGEST, Shape.PHONE}
    reason = Evidence("values look like it" if by_value else "column named for it", confidence)
    return Link(
        collection,
        (field.path,),
        IDENTITY,
        (identifier,),
        kind,
        Ownership.POINTER if field.role is Role.POINT else Ownership.OWNED,
        element="[*]" in field.path,
        evidence=(reason,),
        confidence=confidence,
    )
