"""What would make a search of this store cheaper, and what none can see. Advice only: nothing is ever created there."""

from collections.abc import Iterator
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import EXPANDS, Category, Collection, Field, FieldType, Shape
from privacyops.domain.datamap.link import Ownership

WORTH_IT: Final = 20_000
"""Rows from which reading everything is felt."""


def missing_indexes(drawn: DataMap) -> Iterator[str]:
    """The columns of large collections that every search has to read through for want of an index."""
    said: set[str] = set()
    for link in drawn.links:
        one = drawn.by_name.get(link.collection)
        if one is None or not link.usable or link.ownership is Ownership.CONTEXT or (one.rows or 0) < WORTH_IT:
            continue
        first = one.field(link.fields[0])
        if first is None or first.virtual or first.indexed or one.key[:1] == link.fields[:1] or link.start in said:
            continue
        said.add(link.start)
        columns = ", ".join(link.fields)
        folded = f" on lower({columns})" if first.category is Category.EMAIL else ""
        yield f"{one.name} ({columns}): {one.rows} rows are read for each search; an index{folded} would help"


def unread(drawn: DataMap) -> Iterator[str]:
    """Columns whose values a program packed for itself: keys in them are not found."""
    for one in drawn.searched():
        yield from (f"{one.name}.{field.path}" for field in one.fields if field.shape is Shape.ENCODED)


def untied(drawn: DataMap) -> Iterator[str]:
    """Tables that no link ties to anybody, with the columns that look like keys of something: a person may be meant
    there and is found by address or name alone. `orders (seller_id, handled_by)`.
    """
    tied = {link.collection for link in drawn.links if link.usable and link.ownership is not Ownership.CONTEXT}
    used = {(link.collection, path) for link in drawn.links if link.usable for path in link.fields}
    for one in drawn.searched():
        if one.name in tied or one.cls in EXPANDS:
            continue
        keys = [field.path for field in one.fields if (one.name, field.path) not in used and _may_be_key(one, field)]
        if keys:
            yield f"{one.name} ({', '.join(keys)})"


def _may_be_key(one: Collection, field: Field) -> bool:
    if field.virtual or field.path in one.key or field.type not in {FieldType.INTEGER, FieldType.UUID}:
        return False
    parts = w.words(field.path)
    return field.category is None and (w.is_somebody(parts) or (len(parts) > 1 and parts[-1] in w.KEY_WORDS))
