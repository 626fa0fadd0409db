"""Indexes and their mappings as collections with fields."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from privacyops.connector_sdk import Collection, CollectionKind, Count, Field, FieldType, Value
from privacyops.connector_sdk.predicate import join_path
from privacyops.connector_sdk.records import UNKNOWN_COUNT

ID: Final = "_id"
ROUTING: Final = "_routing"
_TYPES: Final = {
    **dict.fromkeys(
        ("text", "keyword", "match_only_text", "wildcard", "constant_keyword", "search_as_you_type"), "text"
    ),
    **dict.fromkeys(("long", "integer", "short", "byte", "unsigned_long"), "integer"),
    **dict.fromkeys(("double", "float", "half_float", "scaled_float"), "number"),
    **dict.fromkeys(("object", "nested", "flattened", "flat_object"), "json"),
    "boolean": "boolean",
    "date": "instant",
    "date_nanos": "instant",
    "binary": "binary",
    "ip": "address",
}
WHOLE_NUMBERS: Final = frozenset({"long", "integer", "short", "byte"})


@dataclass(frozen=True)
class Shape:
    """One index: its fields by path, those that hold binary, and those that the cluster may filter by."""

    name: str
    fields: tuple[Field, ...]
    binary: frozenset[str]
    exact: Mapping[str, str] = field(default_factory=dict)
    """Field of the contract to the type in the index, where a filter on it can lose no document."""
    has_source: bool = True
    stream: str | None = None

    def collection(self, rows: int | None) -> Collection:
        """As the host sees it."""
        return Collection(
            self.name,
            CollectionKind.INDEX,
            self.fields,
            (ID,),
            rows=UNKNOWN_COUNT if rows is None else Count(rows),
            parent=None,
            refuses=frozenset() if self.has_source else frozenset({"set", "unlink", "redact_span"}),
        )


def shape_of(name: str, told: Mapping[str, Any]) -> Shape:
    """The shape that the cluster tells of an index."""
    mappings = told.get("mappings", {})
    fields = [Field(ID, FieldType.TEXT, "_id", nullable=False, unique=True, indexed=True)]
    fields.append(Field(ROUTING, FieldType.TEXT, "_routing", generated=True))
    binary: set[str] = set()
    exact: dict[str, str] = {}
    for path, steps, kind, about in _walk(mappings.get("properties", {}), ()):
        fields.append(
            Field(path, FieldType(_TYPES.get(kind, "other")), kind, indexed=about.get("index", True) is not False)
        )
        if kind == "binary" and len(steps) == 1:
            binary.add(path)
        is_plain = (
            not {"ignore_above", "normalizer", "null_value"} & about.keys() and about.get("index", True) is not False
        )
        if len(steps) == 1 and is_plain and kind in WHOLE_NUMBERS | {"keyword"}:
            exact[path] = kind
    has_source = mappings.get("_source", {}).get("enabled", True) not in {False, "false"}
    return Shape(name, tuple(fields), frozenset(binary), exact, has_source)


def _walk(
    properties: Mapping[str, Any], above: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], str, Mapping[str, Any]]]:
    for name in sorted(properties):
        about = properties[name]
        steps = (*above, name)
        kind = str(about.get("type", "object"))
        if kind == "alias":
            continue
        yield join_path(steps[0], steps[1:]), steps, kind, about
        if "properties" in about:
            yield from _walk(about["properties"], steps)


def row_of(shape: Shape, hit: Mapping[str, Any]) -> dict[str, Value]:
    """A document with its key; binary fields as bytes."""
    row: dict[str, Value] = {ID: str(hit[ID])}
    if hit.get(ROUTING) is not None:
        row[ROUTING] = str(hit[ROUTING])
    for name, held in (hit.get("_source") or {}).items():
        row[name] = _bytes(held) if name in shape.binary else value_of(held)
    return row


def value_of(held: Any) -> Value:
    """JSON as the contract's values."""
    if isinstance(held, Mapping):
        return {str(name): value_of(part) for name, part in held.items()}
    if isinstance(held, list):
        return tuple(value_of(part) for part in held)
    value: Value = held
    return value


def _bytes(held: Any) -> Value:
    if not isinstance(held, str):
        return value_of(held)
    try:
        return b64decode(held, validate=False)
    except ValueError:
        return held


def source_of(row: Mapping[str, Value]) -> dict[str, Any]:
    """The document again, without its key."""
    return {name: native(value) for name, value in row.items() if name not in {ID, ROUTING}}


def native(value: Value) -> Any:
    """A value as JSON."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: native(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [native(part) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
