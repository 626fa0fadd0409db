"""Between the connector SDK's types and the domain's, in both directions; and the wider question for a store that
cannot answer the exact one.
"""

from collections.abc import Mapping
from typing import Final

from privacyops import connector_sdk as sdk
from privacyops.domain import predicate as asked
from privacyops.domain.datamap.catalogue import (
    Category,
    Collection,
    CollectionKind,
    DeclaredLink,
    Field,
    FieldType,
)
from privacyops.domain.record import Blob, Key, Row, RowRef, Value


def to_collection(one: sdk.Collection) -> Collection:
    """A collection as the core sees it. Counts that are unknown become None."""
    fields = tuple(_field(field, one) for field in one.fields)
    unique = tuple(index.fields for index in one.indexes if index.unique and not index.partial and index.fields)
    return Collection(
        name=one.name,
        kind=CollectionKind(one.kind.value),
        fields=fields,
        key=one.key,
        no_key=one.no_key,
        links=tuple(
            DeclaredLink(link.name, link.fields, link.to, link.to_fields, link.ownership) for link in one.links
        ),
        unique=unique,
        rows=None if one.rows.certainty is sdk.Certainty.UNKNOWN else one.rows.n,
        parent=one.parent,
        derived_from=one.derived_from,
        refresh=one.refresh.value,
        soft_delete=one.soft_delete,
    )


def _field(field: sdk.Field, one: sdk.Collection) -> Field:
    return Field(
        path=field.path,
        type=FieldType(field.type.value),
        nullable=field.nullable,
        unique=field.unique,
        indexed=field.indexed or any(index.fields[:1] == (field.path,) for index in one.indexes),
        generated=field.generated,
        max_length=field.max_length,
        element=FieldType(field.element.value) if field.element else None,
        category=Category(field.category) if field.category in set(Category) else None,
        asked=None if field.asked is None else tuple(sorted(op.value for op in field.asked)),
        enum=field.enum,
    )


def to_row(row: sdk.Row | sdk.Hit, fields: frozenset[str] | None = None) -> Row:
    """A row with the fields in `fields` (None: all); blobs become handles."""
    values = {
        name: to_value(value)
        for name, value in row.values.items()
        if fields is None or name.partition("$")[0] in fields
    }
    return Row(to_ref(row.ref), values, row.matched if isinstance(row, sdk.Hit) else ())


def to_ref(ref: sdk.RowRef) -> RowRef:
    """A reference; the order of the key's columns is that of the store."""
    key: Key = tuple((name, to_value(value)) for name, value in ref.key.items())
    return RowRef(ref.store, ref.collection, key, ref.version)


def from_ref(ref: RowRef) -> sdk.RowRef:
    """The inverse of `to_ref`."""
    return sdk.RowRef(ref.store, ref.collection, {name: from_value(value) for name, value in ref.key}, ref.version)


def to_value(value: sdk.Value) -> Value:
    """A value; only handles differ."""
    if isinstance(value, sdk.BlobRef):
        return Blob(value.field, value.name, value.media_type, value.bytes)
    if isinstance(value, Mapping):
        return {name: to_value(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return tuple(to_value(part) for part in value)
    return value


def from_value(value: Value) -> sdk.Value:
    """A value for a predicate or a key. Handles are never asked for."""
    if isinstance(value, Blob):
        return None
    if isinstance(value, Mapping):
        return {name: from_value(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return tuple(from_value(part) for part in value)
    return value


def from_predicate(where: asked.Predicate) -> sdk.Predicate:
    """The same question in the SDK's types."""
    if isinstance(where, asked.Leaf):
        return sdk.Leaf(where.id, where.field, sdk.PredicateOp(where.op.value), from_value(where.value))
    parts = tuple(from_predicate(part) for part in where.parts)
    return sdk.All(parts) if isinstance(where, asked.All) else sdk.Any(parts)


_WIDER: Final[Mapping[sdk.PredicateOp, tuple[sdk.PredicateOp, ...]]] = {
    sdk.PredicateOp.EQ: (sdk.PredicateOp.IN, sdk.PredicateOp.EQ_CI, sdk.PredicateOp.CONTAINS_CI),
    sdk.PredicateOp.EQ_CI: (sdk.PredicateOp.IN_CI, sdk.PredicateOp.PREFIX_CI, sdk.PredicateOp.CONTAINS_CI),
    sdk.PredicateOp.PREFIX_CI: (sdk.PredicateOp.CONTAINS_CI,),
}
_SINGLE: Final = {sdk.PredicateOp.IN: sdk.PredicateOp.EQ, sdk.PredicateOp.IN_CI: sdk.PredicateOp.EQ_CI}
_SEVERAL: Final = frozenset(_SINGLE)


def widened(where: sdk.Predicate, able: frozenset[sdk.PredicateOp]) -> sdk.Predicate:
    """The nearest wider predicate that uses only operators in `able`; every row fits where nothing is left.

    It is `where` itself where the store can answer all of it: then its word counts, also on cells it gives as handles.
    """
    if isinstance(where, sdk.Leaf):
        return _widened_leaf(where, able)
    parts = tuple(widened(part, able) for part in where.parts)
    if all(part is given for part, given in zip(parts, where.parts, strict=True)):
        return where
    if isinstance(where, sdk.All):
        kept = tuple(part for part in parts if part != sdk.EVERY_ROW)
        return kept[0] if len(kept) == 1 else sdk.All(kept)
    return sdk.EVERY_ROW if sdk.EVERY_ROW in parts else sdk.Any(parts)


def _widened_leaf(leaf: sdk.Leaf, able: frozenset[sdk.PredicateOp]) -> sdk.Predicate:
    if leaf.op in able:
        return leaf
    if leaf.op in _SINGLE and isinstance(leaf.value, tuple):
        each = tuple(widened(sdk.Leaf(leaf.id, leaf.field, _SINGLE[leaf.op], value), able) for value in leaf.value)
        return sdk.EVERY_ROW if sdk.EVERY_ROW in each else sdk.Any(each)
    for op in _WIDER.get(leaf.op, ()):
        if op in able:
            texts = isinstance(leaf.value, str) or op is sdk.PredicateOp.IN
            if texts:
                return sdk.Leaf(leaf.id, leaf.field, op, (leaf.value,) if op in _SEVERAL else leaf.value)
    return sdk.EVERY_ROW
