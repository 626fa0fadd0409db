"""In which order rows can be deleted: children before parents, and where a circle is cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.sql.address import Brand
from connectors.sql.schema import Schema, Table
from privacyops.connector_sdk import DeclaredLink, Op, OpId, Value, canonical


@dataclass
class Node:
    """A row to be deleted. `before` are the operations that must come first; `cut` the fields nulled ahead of it."""

    op: Op
    table: Table
    values: Mapping[str, Value]
    before: set[OpId] = field(default_factory=set)
    cut: tuple[str, ...] = ()
    deferred: bool = False
    stuck: str | None = None


def links_of(schema: Schema, table: Table) -> tuple[tuple[str, DeclaredLink], ...]:
    """The table's own links and those of its partitions, with the relation that declares each."""
    found = [(table.name, link) for link in table.collection.links]
    known = {(link.fields, link.to) for link in table.collection.links}
    for part in schema.values():
        if part.collection.parent == table.name:
            found.extend((part.name, link) for link in part.collection.links if (link.fields, link.to) not in known)
    return tuple(found)


def inbound(schema: Schema, table: Table) -> tuple[tuple[Table, DeclaredLink], ...]:
    """Links of other relations that point at the table; of a partition only those its parent lacks."""
    found: list[tuple[Table, DeclaredLink]] = []
    for source in schema.values():
        parent = schema.get(source.collection.parent or "")
        inherited = {(link.fields, link.to) for link in parent.collection.links} if parent else set()
        found.extend(
            (source, link)
            for link in source.collection.links
            if link.to == table.name and (link.fields, link.to) not in inherited
        )
    return tuple(found)


def arrange(schema: Schema, brand: Brand, nodes: Sequence[Node]) -> list[Node]:
    """The nodes, children first. A circle is cut at a link that may be empty, or deferred, or its rows are
    `stuck`.
    """
    by_id = {node.op.id: node for node in nodes}
    edges = _edges(schema, nodes)
    for parent, children in edges.items():
        by_id[parent].before.update(children)
    left = dict(sorted(by_id.items(), key=lambda item: (item[1].table.name, item[0])))
    ordered: list[Node] = []
    while left:
        ready = [node for node in left.values() if not node.before & left.keys()]
        if not ready:
            _cut(brand, left, edges)
            continue
        for node in ready:
            ordered.append(node)
            del left[node.op.id]
    return ordered


def _edges(schema: Schema, nodes: Sequence[Node]) -> dict[OpId, dict[OpId, tuple[Node, DeclaredLink]]]:
    """For each parent's operation its children's, with the link between them."""
    wanted = {(link.to, link.to_fields) for node in nodes for _, link in links_of(schema, node.table)}
    parents: dict[tuple[str, tuple[str, ...], str], OpId] = {}
    for node in nodes:
        for to, to_fields in wanted:
            if to == node.table.name and all(path in node.values for path in to_fields):
                parents[to, to_fields, canonical(tuple(node.values[path] for path in to_fields))] = node.op.id
    edges: dict[OpId, dict[OpId, tuple[Node, DeclaredLink]]] = {}
    for node in nodes:
        for _, link in links_of(schema, node.table):
            held = tuple(node.values.get(path) for path in link.fields)
            parent = parents.get((link.to, link.to_fields, canonical(held)))
            if parent is not None and parent != node.op.id:
                edges.setdefault(parent, {})[node.op.id] = (node, link)
    return edges


def _cut(brand: Brand, left: dict[OpId, Node], edges: dict[OpId, dict[OpId, tuple[Node, DeclaredLink]]]) -> None:
    inside = [
        (parent, child, node, link)
        for parent, children in sorted(edges.items())
        for child, (node, link) in sorted(children.items(), key=lambda item: item[0])
        if parent in left and child in left and child in left[parent].before
    ]
    for parent, child, node, link in inside:
        if all(node.table.fields[path].nullable and path not in node.table.collection.key for path in link.fields):
            node.cut = tuple(dict.fromkeys((*node.cut, *link.fields)))
            left[parent].before.discard(child)
            return
    for parent, child, node, link in inside:
        if brand is Brand.SQLITE or link.deferrable:
            node.deferred = left[parent].deferred = True
            left[parent].before.discard(child)
            return
    parent, child, node, link = inside[0]
    node.stuck = link.name
    left[parent].before.discard(child)
