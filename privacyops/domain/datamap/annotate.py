"""Reads a sample to say what fields hold: categories by name, shapes by value, and the paths inside documents.

A sample is a few rows; nothing of it is kept but shares. Where name and values disagree, the values win.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from privacyops.domain.classification.columns import category_of, role_of
from privacyops.domain.classification.words import SEALED, holds_any, words
from privacyops.domain.datamap.catalogue import Category, Collection, Field, FieldType, Shape
from privacyops.domain.datamap.encoded import clear_text, is_encoded, is_packed
from privacyops.domain.datamap.pairs import pair_of, pair_values, with_pairs
from privacyops.domain.identity.digest import digest_shape
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.phone import is_phone
from privacyops.domain.record import Blob, Value, spelled

Sample: TypeAlias = Sequence[Mapping[str, Value]]

MAX_PATHS: Final = 200
MAX_DEPTH: Final = 8
_MOST: Final = 0.8
_HALF: Final = 0.5
_DATE: Final = re.compile(
    r"[12]\d{3}-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:\.\d{1,9})?)?(?:Z| ?[+-]\d\d:?\d\d)?)?"
)
"""A day or a moment as databases without a type for it hold them (ISO 8601)."""
_ADDRESS_WITHIN: Final = re.compile(r"[^\w.+-][\w.+-]{1,64}@[\w-]{1,63}\.\w|@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}[^\w.-]")
"""An address with something before or behind it: `by kim@example.org`, `/leave?of=kim@example.org`."""

_FLAGS: Final = frozenset({FieldType.BOOLEAN, FieldType.INTEGER, FieldType.DATE, FieldType.INSTANT, FieldType.TEXT})
_ENOUGH: Final = 5
"""Rows from which a flag that is always down is one that nobody keeps."""
_DOWN: Final = frozenset({"", "0", "false", "f", "no", "n", "off", "0000-00-00", "0000-00-00 00:00:00"})


def is_up(value: Value) -> bool:
    """Whether a flag or a moment is set."""
    return value is not None and spelled(value).strip().lower() not in _DOWN


def annotate(collection: Collection, sample: Sample) -> Collection:
    """The collection with category, role and shape of each field, and with the paths of its documents."""
    fields: list[Field] = []
    listed = {field.path.replace("$", "") for field in collection.fields}  # a store may know the paths by itself
    for field in collection.fields:
        values = tuple(value for row in sample if (value := row.get(field.path)) is not None)
        here = _annotated(collection.name, field, values)
        if field.type in _FLAGS and len(sample) >= _ENOUGH and not any(is_up(value) for value in values):
            here = replace(here, unkept=True)
        fields.append(here)
        if here.type is FieldType.JSON or here.shape is Shape.DOCUMENT:
            found = _paths(collection.name, here, values)
            fields.extend(each for each in found if each.path.replace("$", "") not in listed)
    return with_pairs(replace(collection, fields=_surnames(tuple(fields))), sample)


def values_at(path: str, row: Mapping[str, Value]) -> tuple[Value, ...]:
    """The values at a field path of one row, elements of arrays one by one, None left out."""
    if path in row:
        return tuple(_elements(row[path]))
    pair = pair_of(path)
    if pair is not None:
        return pair_values(pair, row)
    for column in row:
        if path.startswith((f"{column}$", f"{column}[*]")):
            return tuple(value for where, value in leaves(column, row[column]) if where == path and value is not None)
    return ()


def leaves(column: str, value: Value) -> Iterable[tuple[str, Value]]:
    """Every scalar of a document with its field path: (`payload$.user.email`, ...); `[*]` stands for elements."""
    document = as_document(value)
    if isinstance(document, Mapping | tuple | list):
        yield from _walk(f"{column}$", document, 0)


def as_document(value: Value) -> Value:
    """A JSON text as the document it spells; anything else unchanged."""
    if not isinstance(value, str) or value[:1] not in "{[" or len(value) < 2:
        return value
    try:
        document: Value = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return document


def _annotated(table: str, field: Field, values: tuple[Value, ...]) -> Field:
    category = field.category or category_of(table, field.path, field.type)
    role = role_of(table, field.path)
    texts = [value for part in values for value in _elements(part) if isinstance(value, str) and value.strip()]
    if field.type is FieldType.BINARY:
        return replace(field, category=category, role=role, shape=_shape_of_bytes(values))
    if not texts or field.type is FieldType.JSON:
        return replace(field, category=category, role=role)
    shape, digests = _shape(texts, category)
    if shape is Shape.EMAIL:
        category = Category.EMAIL
    elif shape is Shape.DIGEST:
        of_things = category is None and holds_any(words(field.path), SEALED)
        is_address = category in {None, Category.EMAIL, Category.EMAIL_DIGEST} and not of_things
        category = Category.EMAIL_DIGEST if is_address else category
    elif shape is Shape.PHONE and category is None:
        category = Category.PHONE
    elif category is Category.EMAIL and len(texts) >= 5 and _share(texts, _is_email) < 0.2:
        category = None
    return replace(field, category=category, role=role, shape=shape, digests=digests)


def _shape(texts: list[str], category: Category | None) -> tuple[Shape | None, tuple[str, ...]]:
    if _share(texts, _is_email) >= _HALF:
        return Shape.EMAIL, ()
    digests = {f"{shape.algorithm}:{shape.encoding}" for text in texts if (shape := digest_shape(text)) is not None}
    if digests and _share(texts, lambda text: digest_shape(text) is not None) >= _MOST:
        return (None, ()) if category is Category.PASSWORD else (Shape.DIGEST, tuple(sorted(digests)))
    if _share(texts, lambda text: isinstance(as_document(text), Mapping | list)) >= _MOST:
        return Shape.DOCUMENT, ()
    if _share(texts, is_encoded) >= _MOST:
        return Shape.ENCODED, ()
    if _share(texts, _is_written_as_phone) >= _HALF:
        return Shape.PHONE, ()
    if all(_DATE.fullmatch(text) for text in texts):
        return Shape.DATE, ()
    length = sum(len(text.split()) for text in texts) / len(texts)
    longest = max(len(text) for text in texts)
    names = category in {None, Category.TEXT, Category.LABEL} and any(_ADDRESS_WITHIN.search(text) for text in texts)
    if length >= 3 or (category is Category.TEXT and longest > 20) or longest > 120 or names:
        return Shape.FREE_TEXT, ()
    return None, ()


def _shape_of_bytes(values: tuple[Value, ...]) -> Shape | None:
    """What a column for bytes holds where it is text, as sessions, carts and mails are. Keys and pictures are none."""
    held = [value for value in values if isinstance(value, bytes) and value]
    texts = [text for value in held if (text := clear_text(value)) is not None]
    packed = sum(1 for value in held if is_packed(value))
    if not held or len(texts) + packed < _MOST * len(held):
        return None
    if packed or _share(texts, lambda text: is_encoded(text) or isinstance(as_document(text), Mapping | list)) >= _HALF:
        return Shape.ENCODED
    return Shape.FREE_TEXT if _share(texts, lambda text: "@" in text or " " in text) >= _HALF else None


def _is_email(text: str) -> bool:
    return "@" in text and normal_email(text) is not None


def _is_written_as_phone(text: str) -> bool:
    written = text.lstrip().startswith("+") or ("(" in text and ")" in text)
    return written and is_phone(text)


def _share(texts: list[str], test: Callable[[str], bool]) -> float:
    return sum(1 for text in texts if test(text)) / len(texts)


def _paths(table: str, field: Field, values: tuple[Value, ...]) -> list[Field]:
    """The leaf paths that the sampled documents have, each as a field of its own."""
    found: dict[str, list[Value]] = {}
    for value in values:
        for path, leaf in leaves(field.path, value):
            if path in found or len(found) < MAX_PATHS:
                found.setdefault(path, []).append(leaf)
    made = []
    for path, seen in found.items():
        held = tuple(value for value in seen if value is not None)
        virtual = Field(path, _type_of(held), virtual=True, asked=field.asked)
        made.append(_annotated(table, virtual, held))
    return made


def _type_of(values: tuple[Value, ...]) -> FieldType:
    kinds = {type(value) for value in values}
    if kinds == {int}:
        return FieldType.INTEGER
    if kinds == {bool}:
        return FieldType.BOOLEAN
    return FieldType.NUMBER if kinds and kinds <= {int, float} else FieldType.TEXT


def _walk(path: str, value: Value, depth: int) -> Iterable[tuple[str, Value]]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, part in value.items():
            plain = not any(sign in name for sign in '.[]"') and name
            yield from _walk(f"{path}.{name}" if plain else f"{path}.{json.dumps(name)}", part, depth + 1)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _walk(f"{path}[*]", part, depth + 1)
    else:
        yield path, value


def _elements(value: Value) -> Iterable[Value]:
    if isinstance(value, tuple | list):
        yield from (part for part in value if part is not None)
    elif value is not None and not isinstance(value, Blob):
        yield value


def _surnames(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Where a given name stands beside a bare `name` (French `nom`), the bare one is the surname; and the reverse."""
    here = {field.category for field in fields if not field.virtual}
    if Category.FIRST_NAME in here and Category.LAST_NAME not in here:
        becomes = Category.LAST_NAME
    elif Category.LAST_NAME in here and Category.FIRST_NAME not in here:
        becomes = Category.FIRST_NAME
    else:
        return fields
    bare = [field for field in fields if field.category in {Category.LABEL, Category.FULL_NAME} and not field.virtual]
    if len(bare) != 1:
        return fields
    return tuple(replace(field, category=becomes) if field is bare[0] else field for field in fields)
