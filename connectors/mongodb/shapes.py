"""What collections look like: MongoDB has no schema, so fields are told by a sample of documents."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.mongodb.values import type_of
from privacyops.connector_sdk import Collection, CollectionKind, Count, Field, FieldType, Index
from privacyops.connector_sdk.predicate import join_path
from privacyops.connector_sdk.records import Certainty

SAMPLE: Final = 200
DEEPEST: Final = 6


def collection_of(
    listed: Mapping[str, Any], sample: Iterable[Mapping[str, Any]], indexes: Mapping[str, Any], rows: int
) -> Collection:
    """One collection or view. `rows` is the server's own estimate."""
    options = listed.get("options", {})
    is_view = listed.get("type") == "view"
    found = tuple(
        Index(name, tuple(path for path, _ in each["key"]), bool(each.get("unique")) or name == "_id_")
        for name, each in sorted(indexes.items())
        if each.get("key")
    )
    first = {index.fields[0] for index in found}
    return Collection(
        name=listed["name"],
        kind=CollectionKind.VIEW if is_view else CollectionKind.TABLE,
        fields=fields_of(sample, first, _unique(found), _required(options)),
        key=("_id",),
        indexes=found,
        rows=Count(rows, Certainty.ESTIMATE),
        derived_from=(str(options["viewOn"]),) if options.get("viewOn") else (),
        refuses=frozenset({"delete", "set"}) if is_view else frozenset(),
    )


def _unique(indexes: Iterable[Index]) -> set[str]:
    return {index.fields[0] for index in indexes if index.unique and len(index.fields) == 1}


def _required(options: Mapping[str, Any]) -> set[str]:
    """Fields that the collection's validator demands."""
    schema = options.get("validator", {}).get("$jsonSchema", {})
    return {str(name) for name in schema.get("required", ())}


def fields_of(
    sample: Iterable[Mapping[str, Any]], indexed: set[str], unique: set[str], required: set[str]
) -> tuple[Field, ...]:
    """Columns, and paths into documents and arrays, each with the type that most documents have there."""
    seen: dict[str, Counter[FieldType]] = {"_id": Counter()}
    for document in sample:
        for name, held in document.items():
            _look(seen, name, (), held)
    return tuple(
        Field(
            path,
            types.most_common(1)[0][0] if types else FieldType.OTHER,
            "/".join(sorted(types)),
            nullable=path != "_id" and path not in required,
            unique=path in unique or path == "_id",
            indexed=path in indexed or path == "_id",
        )
        for path, types in seen.items()
    )


def _look(seen: dict[str, Counter[FieldType]], column: str, steps: tuple[str | int, ...], held: Any) -> None:
    if held is not None:
        seen.setdefault(join_path(column, steps), Counter())[type_of(held)] += 1
    else:
        seen.setdefault(join_path(column, steps), Counter())
    if len(steps) >= DEEPEST:
        return
    if isinstance(held, Mapping):
        for name, part in held.items():
            _look(seen, column, (*steps, str(name)), part)
    elif isinstance(held, list):
        for part in held[:20]:
            if isinstance(part, Mapping):
                _look(seen, column, (*steps, "*"), part)
