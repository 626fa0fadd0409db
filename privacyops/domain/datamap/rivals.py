"""A column points to one table. What other tables would take its values, weighed against each other.

A word for a role (`seller_id`) names no table: it says that the values are people. Where one table of people can hold
them, and no other table of named things holds them better, that is the one.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privacyops.domain.classification import words as w
from privacyops.domain.classification.columns import TableWord, table_words
from privacyops.domain.datamap.catalogue import Category, Collection, Role
from privacyops.domain.datamap.chance import ENOUGH
from privacyops.domain.datamap.classes import looks_like_person
from privacyops.domain.datamap.link import FOLLOWED, REFUTED, Evidence, Link, combined
from privacyops.domain.datamap.looked_up import Known, numbers_of
from privacyops.domain.datamap.naming import PART

ALONE: Final = 0.67
"""What it weighs that a role can be that of one table of people only: with it a role word is followed where the values
reach a third of the keys, half of the power of ten by which tables differ.
"""
ROLE_WORD: Final = "role word"
_LEAST: Final = 0.1
_MOST: Final = 0.5
_NAMED: Final = frozenset(
    {Category.LABEL, Category.FULL_NAME, Category.FIRST_NAME, Category.LAST_NAME, Category.COMPANY, Category.LOGIN}
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A link with the cap of its confidence, and the distinct sampled values of its column. `is_proved`: they know
    which keys exist, or another attribute agrees.
    """

    link: Link
    cap: float
    held: frozenset[str]
    is_proved: bool = False

    def more(self, piece: Evidence, cap: float = 1.0) -> "Weighed":
        """With one piece of evidence more, at most `cap`."""
        cap, pieces = min(cap, self.cap), (*self.link.evidence, piece)
        return replace(self, link=replace(self.link, evidence=pieces, confidence=combined(pieces, cap)), cap=cap)

    def capped(self, cap: float) -> "Weighed":
        """The same, with a confidence of at most `cap`."""
        cap = min(cap, self.cap)
        return replace(self, link=replace(self.link, confidence=min(cap, self.link.confidence)), cap=cap)

    @property
    def is_refuted(self) -> bool:
        """Whether its values speak against it."""
        return self.cap <= REFUTED

    @property
    def name(self) -> float:
        """What the column's name weighs."""
        return self.link.evidence[0].weight


def compared(found: Sequence[Weighed], collections: Mapping[str, Collection], known: Known) -> tuple[Link, ...]:
    """The links, each seen beside what else its column may point at."""
    columns: dict[tuple[str, object], list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        columns[one.link.start, one.link.condition].append(at)
    result = list(found)
    for places in columns.values():
        for at, one in zip(places, _of_column([found[at] for at in places], collections, known), strict=True):
            result[at] = one
    return tuple(one.link for one in result)


def _of_column(several: list[Weighed], collections: Mapping[str, Collection], known: Known) -> list[Weighed]:
    reaches = [_reach(one, known) for one in several]
    best = max((reach for one, reach in zip(several, reaches, strict=True) if not one.is_refuted), default=0.0)
    result = [
        one.more(Evidence("reaches few of the keys", 0.0), REFUTED)
        if one.name < PART and not one.is_refuted and reach < _LEAST and best >= _MOST and _counts(one)
        else one
        for one, reach in zip(several, reaches, strict=True)
    ]
    open_ones = [at for at, one in enumerate(result) if not one.is_refuted]
    for at in open_ones:
        if result[at].link.evidence[0].kind == ROLE_WORD:
            alone = len(open_ones) == 1
            result[at] = _as_role(result[at], reaches[at], collections, known, is_alone=alone)
    followed = [at for at in open_ones if result[at].link.is_followed and result[at].name < PART]
    if len(followed) > 1:
        for at in followed:
            result[at] = result[at].more(Evidence("another table fits as well", 0.0), FOLLOWED - 0.01)
    return result


def _as_role(
    one: Weighed, reach: float, collections: Mapping[str, Collection], known: Known, *, is_alone: bool
) -> Weighed:
    """A role is that of the one table of people that can hold it; without that it is a question."""
    question = FOLLOWED - 0.01
    if not one.held or one.link.condition is not None:
        return one
    rival = None if one.is_proved else _rival(one, reach, collections, known)
    if rival is not None:
        return one.more(Evidence("another table fits as well", 0.0), question)
    if is_alone and _says_somebody(one.link.fields[0]):
        weight = round(ALONE * min(1.0, len(one.held) / ENOUGH), 6)
        return one.more(Evidence("no other table of people holds its values", weight))
    return one if one.is_proved else one.capped(question)


def _rival(one: Weighed, reach: float, collections: Mapping[str, Collection], known: Known) -> str | None:
    return next((each.name for each in collections.values() if _is_rival(each, one, reach, known)), None)


def _is_rival(each: Collection, one: Weighed, reach: float, known: Known) -> bool:
    """Whether the values fit a table of other named things better: `host_id` may be that of a machine."""
    if not each.searched or len(each.key) != 1 or each.name in {one.link.to, one.link.collection}:
        return False
    direct = {field.category for field in each.fields if not field.virtual and field.role is not Role.POINT}
    if looks_like_person(each) or not (direct & _NAMED or TableWord.ORGANISATION in table_words(each.name)):
        return False
    where = (each.name, each.key[0])
    asked = one.held & known.asked.get(where, frozenset())
    if not asked or not asked <= known.keys[where]:
        return False
    return _of_ends(one.held, known.ends(where)) > reach


def _says_somebody(path: str) -> bool:
    return w.is_somebody(w.words(path.replace("$", "_").replace("[*]", "")))


def _counts(one: Weighed) -> bool:
    return len(one.held) > 1


def _reach(one: Weighed, known: Known) -> float:
    return _of_ends(one.held, known.ends((one.link.to, one.link.to_fields[0])))


def _of_ends(held: frozenset[str], ends: tuple[int, int] | None) -> float:
    """How far into the range of the keys the values reach, 0 to 1."""
    numbers = numbers_of(held)
    if ends is None or not numbers or len(numbers) < len(held) or ends[1] <= ends[0]:
        return 0.0
    reached = (max(numbers) - ends[0] + 1) / (ends[1] - ends[0] + 1)
    return reached if reached <= 1.0 else 0.0
