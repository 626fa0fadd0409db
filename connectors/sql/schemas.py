"""Several schemas of one database as one catalogue, so that foreign keys between them are followed.

The first one that holds a table of a name gives it to its collection; in a later schema the same name stands behind
its schema's: `archive.orders`.
"""

from collections.abc import Mapping
from dataclasses import replace

from connectors.sql.schema import Schema, Table


def merged(loaded: Mapping[str, Schema]) -> dict[str, Table]:
    """The tables of all schemas, in their order, under names that single them out; links and sources renamed alike."""
    if len(loaded) == 1:
        return dict(next(iter(loaded.values())))
    named: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for schema, tables in loaded.items():
        for name in tables:
            free = name if name not in taken else f"{schema}.{name}"
            while free in taken:  # a table that is called as another one of another schema is
                free = f"{schema}.{free}"
            named[schema, name] = free
            taken.add(free)
    outside = {f"{schema}.{name}": known for (schema, name), known in named.items()}

    def name_of(schema: str, told: str) -> str:
        """`told` as the loader of `schema` spells it: bare within, behind its schema's name outside."""
        return named.get((schema, told)) or outside.get(told) or told

    found: dict[str, Table] = {}
    for schema, tables in loaded.items():
        for name, table in tables.items():
            one = table.collection
            links = tuple(replace(link, to=name_of(schema, link.to)) for link in one.links)
            sources = tuple(name_of(schema, source) for source in one.derived_from)
            parent = name_of(schema, one.parent) if one.parent else None
            known = replace(one, name=named[schema, name], parent=parent, links=links, derived_from=sources)
            found[known.name] = replace(table, collection=known, relation=name)
    return dict(sorted(found.items()))
