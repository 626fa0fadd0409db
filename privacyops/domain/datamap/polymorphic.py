"""Keys whose collection another column of the row names: `owner_type` and `owner_id`, `table_name` and `row_id`.

The type is written out, or is itself a key into a small collection of types (`content_type_id`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.annotate import Sample, values_at
from privacyops.domain.datamap.catalogue import Collection, Field, FieldType
from privacyops.domain.datamap.link import Condition, Evidence
from privacyops.domain.datamap.naming import EQUAL, ROLE, Naming, ends, holds_keys_of, leaf_words, same
from privacyops.domain.record import spelled

TYPE_VALUE: Final = 0.8
MAX_TYPES: Final = 50
MAX_TYPE_LENGTH: Final = 80
_MOST: Final = 0.8
_LAST_WORD: Final = re.compile(r"[^\\/.:]+$")
_TYPE_WORDS: Final = frozenset(
    {"type", "typ", "class", "kind", "model", "table", "tables", "tabela", "tabla", "tabel", "tabelle", "name"}
)


@dataclass(frozen=True, slots=True)
class Typed:
    """`field` holds keys of `to` in the rows where `when` holds."""

    field: Field
    to: str
    evidence: tuple[Evidence, ...]
    when: Condition


def polymorphic(
    one: Collection, collections: Mapping[str, Collection], samples: Mapping[str, Sample], names: Naming
) -> Iterator[Typed]:
    """Every column of ids beside a column whose values name collections, once for each value."""
    for field in one.fields:
        for value, to in sorted(_types(one, field, collections, samples, names).items()):
            if to not in names.keys:
                continue
            for beside, weight, reason in _beside(one, field, collections[to], names):
                evidence = (Evidence("type value names the collection", TYPE_VALUE), Evidence(reason, weight))
                yield Typed(beside, to, evidence, Condition(field.path, value))


def _types(
    one: Collection,
    field: Field,
    collections: Mapping[str, Collection],
    samples: Mapping[str, Sample],
    names: Naming,
) -> Mapping[str, str]:
    """The collections that the sampled values of a field stand for; empty where they stand for none."""
    sample = samples.get(one.name, ())
    values = {
        value for row in sample for value in values_at(field.path, row) if isinstance(value, str | int) and value != ""
    }
    if not values or len(values) > MAX_TYPES:
        return {}
    if field.type is FieldType.TEXT:
        texts = {value for value in values if isinstance(value, str)}
        named = {value: to for value in texts if (to := _named_by(value, names)) is not None}
        return named if len(named) >= max(_MOST * len(texts), min(2, len(texts))) else {}
    target = next((link for link in one.links if link.fields == (field.path,) and len(link.to_fields) == 1), None)
    if target is None or target.to == one.name or target.to not in collections:
        return {}
    known = _listed(samples.get(target.to, ()), target.to_fields[0], names)
    return {text: known[text] for value in values if (text := spelled(value)) in known}


def _listed(types: Sample, key: str, names: Naming) -> Mapping[str, str]:
    """What the rows of a collection of types stand for, by their key: the text column that mostly names collections,
    alone or behind the one before it (`app_label` and `model`).
    """
    if not 2 <= len(types) <= MAX_TYPES:
        return {}
    columns = [path for path in types[0] if all(isinstance(row.get(path), str) for row in types)]
    for path in columns:
        found = {}
        for row in types:
            before = [f"{row[other]}_{row[path]}" for other in columns if other != path]
            exact = (name for text in before for name in names.tables if same(w.words(text), w.words(name)))
            to = next(exact, None) or _named_by(str(row[path]), names)
            if to is not None:
                found[spelled(row.get(key))] = to
        if len(found) >= _MOST * len(types) and len(set(found.values())) > 1:
            return found
    return {}


def _named_by(value: str, names: Naming) -> str | None:
    """The one collection of this name; failing that, the one that ends with it (`User` for `auth_user`)."""
    last = _LAST_WORD.search(value)
    wanted = w.words(last.group() if last else value) if len(value) <= MAX_TYPE_LENGTH else ()
    if not wanted:
        return None
    fits = [name for name, parts in names.tables.items() if same(wanted, parts) or same(wanted, w.words(name))]
    fits = fits or [
        name for name in names.tables if len(w.words(name)) == len(wanted) + 1 and ends(w.words(name), wanted)
    ]
    return fits[0] if len(fits) == 1 else None


def _beside(one: Collection, kind: Field, target: Collection, names: Naming) -> list[tuple[Field, float, str]]:
    parent = kind.path.rpartition(".")[0]
    stem = tuple(part for part in leaf_words(kind.path) if part not in _TYPE_WORDS and part not in w.KEY_WORDS)
    aim = target.field(names.keys[target.name])
    found: list[tuple[Field, float, str]] = []
    any_row: list[tuple[Field, float, str]] = []
    for field in one.fields:
        if field is kind or field.virtual != kind.virtual or field.path.rpartition(".")[0] != parent:
            continue
        if aim is None or not holds_keys_of(field, aim) or field.path in one.key:
            continue
        own = leaf_words(field.path)
        bare = tuple(part for part in own if part not in w.KEY_WORDS)
        if stem and own != stem and bare == stem:
            found.append((field, ROLE, "type and id of one name"))
        elif names.weight(field.path, one.name, target, own_key=False) == EQUAL:
            found.append((field, EQUAL, "column named as the key"))
        elif own != bare and bare and all(part in w.RECORD for part in bare):
            any_row.append((field, ROLE, "type and id of any row"))
    return found or (any_row if len(any_row) == 1 else [])
