"""What is asked of the keys that proposed links lead to: the sampled values, numbers nobody uses, and the values of the
other columns, so that it is known how many keys would take them too. Bounded for each key, whatever its table holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from privacyops.domain.datamap.annotate import Sample, values_at
from privacyops.domain.datamap.catalogue import Category, Collection, FieldType
from privacyops.domain.datamap.chance import unused
from privacyops.domain.datamap.proposed import Proposal
from privacyops.domain.record import Value, spelled, uuid_bytes

MAX_HELD: Final = 400
"""Distinct sampled values of one column that are looked up."""
MAX_ASKED: Final = 1200
"""Values that are asked of one key in all."""
MAX_OTHER_KEYS: Final = 12
NOBODY: Final = frozenset({"", "0", "-1"})
"""Spelled values that many shops write for a guest; they are no orphans."""
COMPARED: Final = (Category.EMAIL, Category.PHONE, Category.FULL_NAME)
"""Attributes that are read of the rows found, to compare them with those beside the pointing column."""
_NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER})


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question to a store: which rows of `collection` have `field` in `values`; `fields` are read of them."""

    collection: str
    field: str
    values: tuple[Value, ...]
    fields: tuple[str, ...]


Answers = Mapping[tuple[str, str], Sample]
"""The rows of each lookup, by collection and field."""


@dataclass(frozen=True)
class Known:
    """What the lookups brought: of each key, the spelled values that were asked, and those that exist."""

    answers: Answers
    lookups: Sequence[Lookup]
    samples: Mapping[str, Sample]
    _ends: dict[tuple[str, str], tuple[int, int] | None] = field(default_factory=dict)

    @cached_property
    def keys(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """The values of each key that exist, among those asked."""
        return {where: frozenset(spelled(row.get(where[1])) for row in rows) for where, rows in self.answers.items()}

    @cached_property
    def asked(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """The values that each key was asked for."""
        return {
            (one.collection, one.field): frozenset(spelled(value) for value in one.values)
            for one in self.lookups
            if (one.collection, one.field) in self.answers
        }

    def ends(self, where: tuple[str, str]) -> tuple[int, int] | None:
        """The smallest and the largest key met in sample and answers; None: they are no numbers."""
        if where not in self._ends:
            met = self.keys.get(where, frozenset()) | {
                spelled(row.get(where[1])) for row in self.samples.get(where[0], ())
            }
            found = numbers_of(met)
            self._ends[where] = (min(found), max(found)) if found and len(found) == len(met) else None
        return self._ends[where]


def lookups(
    proposals: Sequence[Proposal],
    collections: Mapping[str, Collection],
    samples: Mapping[str, Sample],
    most: int = MAX_ASKED,
) -> tuple[Lookup, ...]:
    """One question for each key that is proposed, and for a few other keys of the same type, to know specificity. At
    most `most` values each.
    """
    wanted: dict[tuple[str, str], dict[str, Value]] = {}
    families: dict[bool, dict[str, Value]] = {True: {}, False: {}}
    for proposal in proposals:
        values = held_values(proposal, samples)
        numbers = numbers_of(values)
        is_number = len(numbers) == len(values)
        if is_number:
            values |= {str(number): number for number in unused(numbers)}
        wanted.setdefault((proposal.to, proposal.to_field), {}).update(values)
        families[is_number].update(values)
    others = [
        one
        for one in sorted(collections.values(), key=lambda each: -(each.rows or 0))
        if one.searched and len(one.key) == 1 and (one.name, one.key[0]) not in wanted
    ][:MAX_OTHER_KEYS]
    for one in others:
        if one.field(one.key[0]) is not None:
            wanted[one.name, one.key[0]] = {}
    made = []
    for (name, key), own in wanted.items():
        aim = collections[name].field(key)
        if aim is None:
            continue
        fields = (key, *(each.path for each in collections[name].of(*COMPARED) if not each.virtual))
        family = families[aim.type in _NUMBERS]
        values = own | family if aim.type in _NUMBERS or not own else own
        usable = _usable(values.values(), aim.type)[: min(most, MAX_ASKED)]
        if usable:
            made.append(Lookup(name, key, usable, fields))
    return tuple(made)


def held_values(proposal: Proposal, samples: Mapping[str, Sample]) -> dict[str, Value]:
    """The distinct sampled values of the proposed column, by spelling, without those that mean nobody."""
    found: dict[str, Value] = {}
    for row in samples.get(proposal.collection, ()):
        when = proposal.condition
        if when is not None and all(spelled(value) != when.value for value in values_at(when.field, row)):
            continue
        for value in values_at(proposal.field.path, row):
            text = spelled(value)
            if text not in NOBODY and len(found) < MAX_HELD:
                found.setdefault(text, value)
    return found


def numbers_of(texts: Iterable[str]) -> frozenset[int]:
    """The whole numbers among spelled values."""
    return frozenset(int(text) for text in texts if text.lstrip("-").isdecimal() and len(text) <= 18)


def _usable(values: Iterable[Value], kind: FieldType) -> tuple[Value, ...]:
    """Values a key of this type can hold: a text in an integer key would be refused by strict stores."""
    texts = {spelled(value): value for value in values}
    if kind in _NUMBERS:
        return tuple(int(text) for text in texts if text.lstrip("-").isdecimal() and len(text) <= 18)
    if kind is FieldType.UUID:
        return tuple(value for text, value in texts.items() if len(text) == 36 and text.count("-") == 4)
    if kind is FieldType.BINARY:
        return tuple(held for text in texts if (held := uuid_bytes(text)) is not None)
    return tuple(texts) if kind is FieldType.TEXT else ()
