"""What a column's name says of where it points: the key of exactly one collection, its stem, or a role.

A prefix that most tables share (`shop_orders`, `shop_users`) and words that only say "table" are no part of a name; a
key's name that several collections share (`id`, `entity_id`) says nothing without theirs.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.datamap.catalogue import Collection, Field, FieldType
from privacyops.domain.datamap.classes import looks_like_person

EQUAL: Final = 0.9
PART: Final = 0.75
LIKE: Final = 0.6
ROLE: Final = 0.5
SHORT: Final = 0.4
KEY_TYPES: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.UUID, FieldType.TEXT, FieldType.BINARY})
_NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER})


@dataclass(frozen=True)
class Naming:
    """The names of one store: `keys` are the sole keys of its collections by collection, `tables` their words."""

    keys: Mapping[str, str]
    tables: Mapping[str, tuple[str, ...]]
    shared: frozenset[tuple[str, ...]]

    def wanted(self, to: str) -> tuple[str, ...]:
        """How a column is named that points at `to`: as its key, or as the table where the key's name is common."""
        key = w.words(self.keys[to])
        common = key in self.shared or all(part in w.KEY_WORDS for part in key)
        return (*self.tables[to], "id") if common else key

    def weight(self, path: str, one: str, target: Collection, *, own_key: bool) -> float:
        """0.9 for the name itself, 0.75 for a prefix or a stem, 0.6 for another ending, 0.5 for a role word, 0.4 for
        what may be short for it, 0 for nothing.

        `own_key`: the column is the key of its own table, so it points elsewhere only if it is named after another
        table (`customer_id` as the key of a profile).
        """
        own = leaf_words(path)
        bare = tuple(part for part in own if part not in w.KEY_WORDS)
        table = self.tables[target.name]
        if not bare or not table:
            return 0.0
        if own_key and (not same(bare, table) or ends(self.tables[one], bare) or same(self.tables[one], bare)):
            return 0.0
        if same(own, self.wanted(target.name)):
            return EQUAL
        named = same(bare, table) and (own != bare or len(own) == 1)
        if ends(own, self.wanted(target.name)) or named or (own != bare and ends(bare, table)):
            return PART
        if self._extends(one, target.name) and own == w.words(self.keys[target.name]):
            return PART
        if same(bare, self._bare_key(target.name)) or self._is_like(bare, one, target.name, w.is_inflected):
            return PART if same(bare, self._bare_key(target.name)) else LIKE
        if looks_like_person(target) and self._is_role(bare, one):
            return ROLE
        return SHORT if self._is_like(bare, one, target.name, w.is_short_for) else 0.0

    def _bare_key(self, to: str) -> tuple[str, ...]:
        return tuple(part for part in w.words(self.keys[to]) if part not in w.KEY_WORDS)

    def _is_like(self, bare: tuple[str, ...], one: str, to: str, like: Callable[[str, str], bool]) -> bool:
        """Whether a column of one word is like the table's or its key's one word, and not like its own table's."""
        if len(bare) != 1 or any(like(bare[0], mine) for mine in self.tables[one]):
            return False
        return any(len(name) == 1 and like(bare[0], name[0]) for name in (self.tables[to], self._bare_key(to)))

    def _is_role(self, bare: tuple[str, ...], one: str) -> bool:
        rest = tuple(part for part in bare if not any(w.same_stem(part, mine) for mine in self.tables[one]))
        return (len(rest or bare) == 1 and w.holds_any((rest or bare)[-1:], w.OWN | w.SOMEBODY)) or (
            len(bare) > 1 and bare[-1] in w.BY
        )

    def _extends(self, one: str, to: str) -> bool:
        """Whether the table is named after the other and more: `order_note` extends `order`."""
        longer, shorter = self.tables[one], self.tables[to]
        if len(longer) <= len(shorter) or not same(longer[: len(shorter)], shorter):
            return False
        between = [
            name
            for name, parts in self.tables.items()
            if name in self.keys and len(shorter) < len(parts) < len(longer) and same(longer[: len(parts)], parts)
        ]
        return not between


def naming_of(collections: Iterable[Collection]) -> Naming:
    """The names of the searched collections."""
    searched = [one for one in collections if one.searched]
    firsts = Counter(w.words(one.name)[:1] for one in searched if len(w.words(one.name)) > 1)
    prefix, n = firsts.most_common(1)[0] if firsts else ((), 0)
    cut = prefix if n >= 3 and n >= 0.6 * len(searched) else ()
    tables = {one.name: _table(one.name, cut) for one in searched}
    keys = {one.name: one.key[0] for one in searched if len(one.key) == 1}
    counted = Counter(w.words(key) for key in keys.values())
    return Naming(keys, tables, frozenset(key for key, times in counted.items() if times > 1))


def _table(name: str, prefix: tuple[str, ...]) -> tuple[str, ...]:
    parts = w.words(name)
    if prefix and parts[:1] == prefix and len(parts) > 1:
        parts = parts[1:]
    telling = tuple(part for part in parts if not part.isdigit() and part not in w.TABLE)
    return telling or parts


def holds_keys_of(field: Field, key: Field) -> bool:
    """Whether a column of this type, or its elements, can hold keys of that one's."""
    held = field.element if field.type is FieldType.ARRAY else field.type
    if held not in KEY_TYPES:
        return False
    if held in _NUMBERS:
        return key.type in _NUMBERS | {FieldType.TEXT}
    return held is key.type or FieldType.TEXT in {held, key.type}


def leaf_words(path: str) -> tuple[str, ...]:
    """The words of a column, or of the last steps of a path: `payload$.user.id` gives user, id."""
    steps = [step for step in path.replace("[*]", "").replace("$", "").split(".") if step]
    parts = w.words(steps[-1])
    if len(steps) > 1 and all(part in w.KEY_WORDS for part in parts):
        return w.words(steps[-2]) + parts
    return parts


def same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two names are one, word by word, up to plural endings."""
    return len(one) == len(other) > 0 and all(w.same_stem(left, right) for left, right in zip(one, other, strict=True))


def ends(one: tuple[str, ...], tail: tuple[str, ...]) -> bool:
    """Whether a name ends with another and has more before it."""
    return len(one) > len(tail) > 0 and same(one[-len(tail) :], tail)
