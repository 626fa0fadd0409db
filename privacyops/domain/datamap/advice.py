"""What would make a search of this store cheaper. Advice only: nothing is ever created in a shop's store."""

from collections.abc import Iterator
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Category
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
