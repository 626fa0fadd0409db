"""Links nobody declared: which columns might point where, by name, type column or role word.

A proposal is cheap and proves little; `weighed` asks the values.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.annotate import Sample, values_at
from privacyops.domain.datamap.catalogue import Collection, CollectionKind, Field, FieldType
from privacyops.domain.datamap.classes import looks_like_person
from privacyops.domain.datamap.link import Condition, Evidence, LinkKind

KEY_TYPES: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.UUID, FieldType.TEXT})
NAME_EQUAL: Final = 0.9
NAME_PART: Final = 0.75
ROLE_WORD: Final = 0.5
TYPE_VALUE: Final = 0.8
MAX_TYPES: Final = 50
MAX_TYPE_LENGTH: Final = 80
_LAST_WORD: Final = re.compile(r"[^\\/.:]+$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """`field` of `collection` may hold keys of `to`; `evidence` is what the names say."""

    collection: str
    field: Field
    to: str
    to_field: str
    kind: LinkKind
    evidence: tuple[Evidence, ...]
    condition: Condition | None = None

    @property
    def element(self) -> bool:
        """Whether the field holds several values."""
        return self.field.type is FieldType.ARRAY or "[*]" in self.field.path


def proposals(collections: Mapping[str, Collection], samples: Mapping[str, Sample]) -> tuple[Proposal, ...]:
    """Every column that may be an undeclared key, with the collections it may point at."""
    keyed = {one.name: one.key[0] for one in collections.values() if one.searched and len(one.key) == 1}
    found: list[Proposal] = []
    for one in collections.values():
        if not one.searched:
            continue
        declared = {path for link in one.links for path in link.fields} | _of_slices(one, collections)
        typed = list(_polymorphic(one, samples.get(one.name, ()), collections, keyed))
        found.extend(typed)
        taken = declared | {proposal.field.path for proposal in typed}
        for field in one.fields:
            if field.path not in taken and (field.type in KEY_TYPES or field.element in KEY_TYPES):
                found.extend(_by_name(one, field, collections, keyed))
    return tuple(found)


def _of_slices(one: Collection, collections: Mapping[str, Collection]) -> set[str]:
    return {
        path
        for slice_ in collections.values()
        if slice_.kind is CollectionKind.PARTITION and slice_.parent == one.name
        for link in slice_.links
        for path in link.fields
    }


def _by_name(
    one: Collection, field: Field, collections: Mapping[str, Collection], keyed: Mapping[str, str]
) -> Iterator[Proposal]:
    weights = {
        to: name_weight(field.path, collections[to], key)
        for to, key in keyed.items()
        if to != one.name or not field.virtual
    }
    best = max(weights.values(), default=0.0)
    equal = [to for to, weight in weights.items() if weight == NAME_EQUAL]
    for to, weight in weights.items():
        target = collections[to].field(keyed[to])
        if weight == 0.0 or weight < best or target is None or not _fits(field, target):
            continue
        own_words = set(w.stems(field.path)) <= set(w.stems(one.name))
        if to == one.name and (field.path in one.key or weight == NAME_EQUAL or own_words):
            continue
        if field.path in one.key and weight < NAME_PART:
            continue
        sure = weight if weight < NAME_EQUAL or len(equal) == 1 else NAME_PART
        kind = LinkKind.NAME_VALUE if weight > ROLE_WORD else LinkKind.RENAMED_ID
        kind = LinkKind.JSON_PATH if field.virtual else LinkKind.ARRAY_OF if field.type is FieldType.ARRAY else kind
        reason = (
            "column named as the key"
            if weight == NAME_EQUAL
            else "column named after the key"
            if weight > ROLE_WORD
            else "role word"
        )
        yield Proposal(one.name, field, to, keyed[to], kind, (Evidence(reason, sure),))


def name_weight(path: str, target: Collection, key: str) -> float:
    """How well a column's name fits the key of `target`: 0.9 equal, 0.75 with a prefix or as a stem, 0.5 a role."""
    own = _leaf_words(path)
    key_words = w.words(key)
    table = tuple(part for part in w.words(target.name) if not part.isdigit() and part not in {"tbl", "t", "tb"})
    generic = all(part in w.KEY_WORDS for part in key_words)
    wanted = (*table, "id") if generic else key_words
    bare = tuple(part for part in own if part not in w.KEY_WORDS)
    if not bare:
        return 0.0
    if _same(own, wanted):
        return NAME_EQUAL
    named = _same(bare, table) or (bool(table) and _same(bare, table[-1:]) and len(table) == 1)
    if _ends(own, wanted) or (named and (own != bare or len(own) == 1)) or (own != bare and _ends(bare, table)):
        return NAME_PART
    is_role = w.holds_any(bare[-1:], w.OWN) and looks_like_person(target)
    return ROLE_WORD if is_role and len(bare) == 1 else 0.0


def _leaf_words(path: str) -> tuple[str, ...]:
    """The words of a column, or of the last steps of a path: `payload$.user.id` gives user, id."""
    steps = [step for step in path.replace("[*]", "").replace("$", "").split(".") if step]
    parts = w.words(steps[-1])
    if len(steps) > 2 and all(part in w.KEY_WORDS for part in parts):
        return w.words(steps[-2]) + parts
    return parts


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return len(one) == len(other) > 0 and all(w.same_stem(left, right) for left, right in zip(one, other, strict=True))


def _ends(one: tuple[str, ...], tail: tuple[str, ...]) -> bool:
    return len(one) > len(tail) > 0 and _same(one[-len(tail) :], tail)


def _fits(field: Field, target: Field) -> bool:
    held = field.element if field.type is FieldType.ARRAY else field.type
    numbers = {FieldType.INTEGER, FieldType.NUMBER}
    if held in numbers:
        return target.type in numbers | {FieldType.TEXT}
    return held is target.type or FieldType.TEXT in {held, target.type}


def _polymorphic(
    one: Collection, sample: Sample, collections: Mapping[str, Collection], keyed: Mapping[str, str]
) -> Iterator[Proposal]:
    """A column whose values name collections, beside a column of ids: `owner_type` and `owner_id`."""
    for field in one.fields:
        if field.type is not FieldType.TEXT:
            continue
        values = {value for row in sample for value in values_at(field.path, row) if isinstance(value, str) and value}
        if not values or len(values) > MAX_TYPES:
            continue
        named = {value: to for value in values if (to := _named_by(value, collections)) is not None}
        if len(named) < 0.8 * len(values) or len(named) < min(2, len(values)):
            continue
        for value, to in sorted(named.items()):
            if to not in keyed:
                continue
            for beside, weight, reason in _beside(one, field, collections[to], keyed[to]):
                evidence = (Evidence("type value names the collection", TYPE_VALUE), Evidence(reason, weight))
                yield Proposal(
                    one.name, beside, to, keyed[to], LinkKind.POLYMORPHIC, evidence, Condition(field.path, value)
                )


def _named_by(value: str, collections: Mapping[str, Collection]) -> str | None:
    last = _LAST_WORD.search(value)
    wanted = w.words(last.group() if last else value) if len(value) <= MAX_TYPE_LENGTH else ()
    fits = [name for name, one in collections.items() if one.searched and wanted and _same(wanted, w.words(name))]
    return fits[0] if len(fits) == 1 else None


def _beside(one: Collection, kind: Field, target: Collection, key: str) -> Iterable[tuple[Field, float, str]]:
    parent = kind.path.rpartition(".")[0]
    stem = tuple(
        part for part in _leaf_words(kind.path) if part not in {"type", "typ", "class", "kind", "model", "table"}
    )
    aim = target.field(key)
    for field in one.fields:
        if field is kind or field.virtual != kind.virtual or field.path.rpartition(".")[0] != parent:
            continue
        held = field.element if field.type is FieldType.ARRAY else field.type
        if held not in KEY_TYPES or aim is None or not _fits(field, aim) or field.path in one.key:
            continue
        own = _leaf_words(field.path)
        if stem and own != stem and tuple(part for part in own if part not in w.KEY_WORDS) == stem:
            yield field, ROLE_WORD, "type and id of one name"
        elif name_weight(field.path, target, key) == NAME_EQUAL:
            yield field, NAME_EQUAL, "column named as the key"
