"""Tables of names and values (`post_id, meta_key, meta_value`): what a value is, the name beside it says.

The values of one name are a field of their own, written `meta_value[meta_key=_billing_email]`. Where such a value says
whose the row is, it says so of the row that the table describes: the order whose `_billing_email` is the person's.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.classification.columns import TableWord, category_of, link_role, role_of, table_words
from privacyops.domain.datamap.catalogue import Category, Collection, Field, FieldType, Role, Shape
from privacyops.domain.datamap.classes import looks_like_person
from privacyops.domain.datamap.link import Condition, Link, LinkKind, Outward, Ownership
from privacyops.domain.datamap.naming import ROLE, Naming
from privacyops.domain.identity.email import normal_email
from privacyops.domain.record import Value, is_empty, spelled

MOST_NAMES: Final = 12
"""Names of one table whose rows are sampled by themselves."""
_PATH: Final = re.compile(r"([^\[\]$]+)\[([^\[\]=$*]+)=([\w:-]{0,64})\]")
_NAME: Final = re.compile(r"[\w:-]{1,64}")
_NAMES: Final = frozenset({"key", "name", "code", "field", "option", "attribute", "property", "setting"})
_VALUES: Final = frozenset({"value", "val", "values", "content", "wert", "valeur", "valor", "valore", "waarde"})
_LEAST_ROWS: Final = 6
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Pair:
    """The values in column `value` of the rows where column `name` spells `text`."""

    value: str
    name: str
    text: str

    @property
    def path(self) -> str:
        """As the path of a field."""
        return f"{self.value}[{self.name}={self.text}]"


@lru_cache(maxsize=4096)
def pair_of(path: str) -> Pair | None:
    """The pair that a path stands for; None: it is any other path."""
    met = _PATH.fullmatch(path) if path.endswith("]") else None
    return Pair(met[1], met[2], met[3]) if met else None


def base_of(path: str) -> str:
    """The column that a path stands in."""
    pair = pair_of(path)
    return path.partition("$")[0] if pair is None else pair.value


def pair_values(pair: Pair, row: Mapping[str, Value]) -> tuple[Value, ...]:
    """The value of the pair in one row, if the row has that name."""
    value = row.get(pair.value)
    return (value,) if value is not None and spelled(row.get(pair.name)).lower() == pair.text.lower() else ()


def named_values(one: Collection, sample: Sequence[Mapping[str, Value]] | None) -> tuple[str, str] | None:
    """The columns of names and of values, where the collection is such a table: few names come again and again. Without
    a sample their own names alone say it.
    """
    for value in one.fields:
        if not _holds_values(one, value):
            continue
        before = w.words(value.path)[:-1]
        for name in one.fields:
            parts = w.words(name.path)
            if name.type is not FieldType.TEXT or name is value or parts[-1:] == () or parts[-1] not in _NAMES:
                continue
            comes = sample is None or _come_again(name.path, sample)
            if (not before or parts[:-1] == before) and comes and _describes(one, name, value):
                return name.path, value.path
    return None


def _holds_values(one: Collection, field: Field) -> bool:
    parts = w.words(field.path)
    is_text = field.type is FieldType.TEXT and not field.enum and not field.virtual
    return is_text and bool(parts) and parts[-1] in _VALUES and field.path not in one.key


def _come_again(path: str, sample: Sequence[Mapping[str, Value]]) -> bool:
    texts = [spelled(row[path]) for row in sample if row.get(path) is not None]
    fit = [text for text in texts if _NAME.fullmatch(text)]
    return len(fit) >= max(_LEAST_ROWS, 0.8 * len(texts)) and len(set(fit)) <= _HALF * len(fit)


def _describes(one: Collection, name: Field, value: Field) -> bool:
    """Whether a row has a key of something else: settings of the shop describe nothing."""
    keys = (field for field in one.fields if field not in (name, value) and one.key != (field.path,))
    return any(
        field.type in {FieldType.INTEGER, FieldType.UUID, FieldType.TEXT, FieldType.BINARY}
        and w.words(field.path)[-1:] != ()
        and w.words(field.path)[-1] in w.KEY_WORDS
        for field in keys
    )


def telling_names(one: Collection, sample: Sequence[Mapping[str, Value]]) -> tuple[Condition, ...]:
    """The names whose values may say whose a row is, the most frequent first."""
    columns = named_values(one, sample)
    if columns is None:
        return ()
    name, value = columns
    counted = Counter(spelled(row[name]) for row in sample if row.get(name) is not None and row.get(value) is not None)
    told = [text for text, _ in counted.most_common() if _NAME.fullmatch(text) and _may_tell(one.name, text)]
    return tuple(Condition(name, text) for text in told[:MOST_NAMES])


def _may_tell(table: str, text: str) -> bool:
    parts = tuple(part for part in w.words(text) if part not in w.KEY_WORDS)
    is_email = category_of(table, text, FieldType.TEXT) is Category.EMAIL
    return is_email or w.holds_any(parts[-1:], w.OWN)


def with_pairs(one: Collection, sample: Sequence[Mapping[str, Value]]) -> Collection:
    """The collection with a field for each name whose values are addresses. Its column of values is searched as text:
    any name may hold any of them. Of a few rows their names need not come again.
    """
    columns = named_values(one, sample)
    if columns is None:
        return replace(one, named=named_values(one, None) or ()) if len(sample) < _LEAST_ROWS else one
    name, value = columns
    held: dict[str, list[Value]] = {}
    for row in sample:
        if row.get(name) is not None and not is_empty(row.get(value)):
            held.setdefault(spelled(row[name]), []).append(row[value])
    fields = [
        replace(field, category=None, shape=Shape.FREE_TEXT)
        if field.path == value and field.shape not in {Shape.DOCUMENT, Shape.ENCODED}
        else field
        for field in one.fields
    ]
    for text, values in sorted(held.items()):
        if not _NAME.fullmatch(text) or role_of(one.name, text) is Role.POINT:
            continue
        if sum(1 for each in values if isinstance(each, str) and normal_email(each)) >= _HALF * len(values):
            path = Pair(value, name, text).path
            fields.append(Field(path, FieldType.TEXT, category=Category.EMAIL, shape=Shape.EMAIL, virtual=True))
    return replace(one, fields=tuple(fields), named=columns)


@dataclass(frozen=True, slots=True)
class NamedKey:
    """`field` holds keys of `to` in the rows where `when` holds; the name there weighs `weight`."""

    field: Field
    to: str
    weight: float
    when: Condition


def named_keys(
    one: Collection, collections: Mapping[str, Collection], sample: Sequence[Mapping[str, Value]], names: Naming
) -> Iterator[NamedKey]:
    """Every name that speaks of a person as a column would: `_customer_user` beside the number of a user."""
    columns = named_values(one, sample)
    field = one.field(columns[1]) if columns is not None else None
    if columns is None or field is None:
        return
    for when in telling_names(one, sample):
        for to in names.keys:
            if to == one.name or not looks_like_person(collections[to]):
                continue
            if link_role(when.value, to) in {Role.POINT, Role.STAFF}:
                continue
            weight = max(
                names.weight(text, one.name, collections[to], own_key=False)
                for text in (when.value, f"{when.value}_id")
            )
            parts = tuple(part for part in w.words(when.value) if part not in w.KEY_WORDS)
            if parts and all(w.holds_any((part,), w.OWN) for part in parts):
                weight = max(weight, ROLE)
            if weight >= ROLE:
                yield NamedKey(field, to, weight, when)


def vouching(collections: Mapping[str, Collection], links: Sequence[Link]) -> tuple[Link, ...]:
    """The links with those of named values saying whose a row is, and with one more for each such name: the row that is
    described belongs to whom the value says.
    """
    decided = [
        replace(link, ownership=Ownership.OWNED, owner=True) if link.kind is LinkKind.NAMED_VALUE else link
        for link in links
    ]
    told: dict[str, set[Condition]] = {}
    keyed: set[str] = set()
    for link in decided:
        if link.kind is LinkKind.NAMED_VALUE and link.is_followed and link.condition is not None:
            told.setdefault(link.collection, set()).add(link.condition)
            keyed.add(link.collection)
    for one in collections.values():
        for field in one.of(Category.EMAIL):
            pair = pair_of(field.path)
            if pair is not None and field.role is not Role.POINT:
                told.setdefault(one.name, set()).add(Condition(pair.name, pair.text))
    described = [
        replace(
            link, kind=LinkKind.NAMED_VALUE, ownership=Ownership.CONTEXT, outward=Outward.SAME_PERSON, condition=when
        )
        for link in links
        for when in sorted(told.get(link.collection, ()), key=lambda each: each.value)
        if _is_of_described(collections, link)
        and _says_whose(when, collections[link.to], is_keyed=link.collection in keyed)
        and TableWord.ORGANISATION not in table_words(link.to)
    ]
    return (*decided, *described)


def _says_whose(when: Condition, aim: Collection, *, is_keyed: bool) -> bool:
    """Whether an address under this name is that of whom the row belongs to: a billing address is, and any of an order;
    the contact of a product or of a branch is whom one asks about it. `is_keyed`: another
    name there holds keys of people, so the rows are somebody's.
    """
    parts = tuple(part for part in w.words(when.value) if part not in w.KEY_WORDS)
    if w.holds_any(parts, w.OWN) or TableWord.ACTIVITY in table_words(aim.name):
        return True
    return is_keyed and all(w.holds_any((part,), w.EMAIL) for part in parts)


def _is_of_described(collections: Mapping[str, Collection], link: Link) -> bool:
    """Whether the link leads from a table of names and values to the rows it describes; people say who they are."""
    one, aim = collections.get(link.collection), collections.get(link.to)
    plain = link.condition is None and not link.element and len(link.fields) == 1
    if one is None or aim is None or not plain or not link.is_followed or link.to == link.collection:
        return False
    return not looks_like_person(aim) and not (link.fields[0] in one.key and len(one.key) == 1)
