"""Tables that hold copies of another table's rows: archives, histories, backups, bins of deleted rows."""

from collections.abc import Mapping
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.classification.columns import TableWord, table_words
from privacyops.domain.datamap.catalogue import Collection
from privacyops.domain.datamap.link import Evidence, Link, LinkKind, combined

SHARE: Final = 0.8
FEW: Final = 4
"""Columns in common below which only the name of the original within the copy's says which one it is."""
_SAYS_COPY: Final = w.COPY_TABLE | w.LOG_TABLE


def copy_links(collections: Mapping[str, Collection]) -> tuple[Link, ...]:
    """A link for each table that has four fifths of another's columns, its key among them, and a name that says so.

    Rows whose original is gone are what such a table is for, so orphans refute nothing. A log is a copy of what its
    name says besides: the events of orders have the columns of those of customers and count by themselves.
    """
    found = []
    for copy in collections.values():
        if not copy.searched or not table_words(copy.name) & {TableWord.COPY, TableWord.LOG}:
            continue
        columns = {field.path.lower(): field for field in copy.fields if not field.virtual}
        best: tuple[float, Collection] | None = None
        for source in collections.values():
            if source is copy or not source.searched or not source.key or table_words(source.name) & {TableWord.COPY}:
                continue
            wanted = [field for field in source.fields if not field.virtual]
            shared = sum(1 for field in wanted if _same_column(columns.get(field.path.lower()), field))
            share = shared / len(wanted)
            keyed = all(part.lower() in columns for part in source.key)
            named = _is_named_after(copy.name, source.name)
            told = named or (shared >= FEW and TableWord.COPY in table_words(copy.name))
            if keyed and told and share >= SHARE and (best is None or share > best[0]):
                best = (share, source)
        if best is None or any(link.to == best[1].name for link in copy.links):
            continue
        share, source = best
        evidence = (
            Evidence("columns of the original", 0.8, round(share * len(source.fields)), len(source.fields)),
            Evidence("name says copy", 0.75),
        )
        fields = tuple(columns[part.lower()].path for part in source.key)
        found.append(
            Link(
                copy.name, fields, source.name, source.key, LinkKind.COPY_OF, evidence=evidence,
                confidence=combined(evidence, 0.95),
            )
        )  # fmt: skip
    return tuple(found)


def _is_named_after(copy: str, source: str) -> bool:
    """Whether the copy's name is that of the source, up to a prefix and the words for copies and logs."""
    one, other = (
        [w.stem(part) for part in w.words(name) if not part.isdigit() and not w.holds_any((part,), _SAYS_COPY)]
        for name in (copy, source)
    )
    shorter = min(len(one), len(other))
    return shorter > 0 and one[-shorter:] == other[-shorter:]


def _same_column(one: object, other: object) -> bool:
    return one is not None and getattr(one, "type", None) is getattr(other, "type", None)
