"""What the values say of a proposed link: containment, gaps, range, specificity, and agreement of a second attribute.

Small integers fit every key and prove nothing, so containment counts only as far as other keys lack the sample; what
proves is that the numbers avoid the gaps of the key, and reach as far as it does. Over 2 % orphans refute, unless they
may be rows that are gone; and so does a second attribute that disagrees: in over 5 % of the rows, or in half of them
where the column is named as the very key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privacyops.domain.classification.columns import TableWord, link_role, table_words
from privacyops.domain.classification.words import COPY_TABLE, holds_any, words
from privacyops.domain.datamap.annotate import Sample, values_at
from privacyops.domain.datamap.catalogue import Category, Collection, FieldType, Role
from privacyops.domain.datamap.chance import (
    ENOUGH,
    PLACES,
    RARE,
    STRONG,
    SURE,
    are_telling,
    by_chance,
    gap_weight,
    place_of,
    range_weight,
    unused,
)
from privacyops.domain.datamap.classes import looks_like_person
from privacyops.domain.datamap.link import CANDIDATES, FOLLOWED, REFUTED, Evidence, Link, LinkKind, combined
from privacyops.domain.datamap.looked_up import COMPARED, NOBODY, Answers, Known, held_values, numbers_of
from privacyops.domain.datamap.naming import EQUAL, SHORT
from privacyops.domain.datamap.proposed import CONTINUED, KEYED, Proposal
from privacyops.domain.datamap.rivals import Weighed, compared
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.person_name import fold_name
from privacyops.domain.identity.phone import search_tail
from privacyops.domain.record import Value, dashed, spelled

QUESTION: Final = FOLLOWED - 0.01
"""What is likely and not proved: a person is asked, and nothing is followed meanwhile."""
NOTHING: Final = CANDIDATES - 0.01
"""Small numbers under a name that says nothing, which any key would hold."""
ORPHANS: Final = 0.02
GONE: Final = 0.10
"""Share of missing rows up to which they may have been deleted one by one."""
_TELLING: Final = 0.95
_LEAST_CHANCE: Final = {KEYED: SURE, CONTINUED: RARE, "values only": STRONG, "column may be short for the key": SURE}
"""How unlikely values have to meet a key by chance before a link of such a name is followed."""
_BY_GAPS: Final = frozenset({CONTINUED, KEYED})
_CAPS: Final[Mapping[LinkKind, float]] = {
    LinkKind.NAME_VALUE: 0.95,
    LinkKind.RENAMED_ID: 0.90,
    LinkKind.POLYMORPHIC: 0.97,
    LinkKind.NAMED_VALUE: 0.97,
    LinkKind.JSON_PATH: 0.95,
    LinkKind.ARRAY_OF: 0.975,
}


def weighed(
    proposals: Sequence[Proposal], collections: Mapping[str, Collection], samples: Mapping[str, Sample], known: Known
) -> tuple[Link, ...]:
    """The proposals as links, with what their values say. A role word gets its strength from a proven sibling path."""
    agreeing = {proposal: _agreement(proposal, collections, samples, known.answers) for proposal in proposals}
    found = [
        _weigh(
            proposal, collections, samples, known, _others_contact(proposal, agreeing) or agreeing[proposal]
        )
        for proposal in proposals
    ]  # fmt: skip
    links = tuple(link for link in compared(found, collections, known) if not _is_no_more_than_a_thought(link))
    return tuple(_with_sibling(link, links) for link in links)


def _is_no_more_than_a_thought(link: Link) -> bool:
    """Whether a table's key only might have been another's, and no gap says so."""
    return link.evidence[0].kind in _BY_GAPS and not link.usable


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the values of a column say of one key. `chance`: how likely they meet it by chance."""

    evidence: tuple[Evidence, ...]
    cap: float = 1.0
    chance: float = 1.0


def _weigh(
    proposal: Proposal,
    collections: Mapping[str, Collection],
    samples: Mapping[str, Sample],
    known: Known,
    agreement: tuple[int, int],
) -> Weighed:
    aim = collections[proposal.to].field(proposal.to_field)
    in_bytes = aim is not None and aim.type is FieldType.BINARY
    held = frozenset(dashed(text) if in_bytes else text for text in held_values(proposal, samples))
    evidence = list(proposal.evidence)
    cap = _CAPS.get(proposal.kind, 0.95)
    agree, of = agreement
    disagrees = agree < _least_agreement(proposal, collections[proposal.to]) * of
    values = _values(proposal, held, known, is_backed=agree > 1 and not disagrees) if held else None
    if values is not None:
        evidence.extend(values.evidence)
        cap = min(cap, values.cap)
        if disagrees:
            cap = REFUTED
            evidence.append(Evidence("second attribute disagrees", 0.0, of - agree, of))
        elif agree:
            evidence.append(Evidence("second attribute agrees", 0.9 if agree > 1 else 0.6, agree, of))
        elif values.chance > _LEAST_CHANCE.get(proposal.evidence[0].kind, 1.0):
            cap = min(cap, QUESTION)
            if values.chance > SURE and evidence[0].weight == 0.0 and len(numbers_of(held)) == len(held):
                cap = min(cap, NOTHING)
    if evidence[0].kind in _BY_GAPS and (values is None or values.chance > _LEAST_CHANCE[evidence[0].kind]):
        cap = min(cap, NOTHING)  # two tables that grow together agree in many rows, and count the same numbers
    pieces = tuple(evidence)
    link = Link(
        proposal.collection,
        (proposal.field.path,),
        proposal.to,
        (proposal.to_field,),
        proposal.kind,
        element=proposal.element,
        condition=proposal.condition,
        without=tuple(sorted(NOBODY)),
        evidence=pieces,
        confidence=combined(pieces, cap),
    )
    return Weighed(link, cap, held, is_proved=values is not None and (values.chance <= SURE or bool(agree)))


def _values(proposal: Proposal, held: frozenset[str], known: Known, *, is_backed: bool) -> _Numbers | None:
    """None: the key was not asked. `is_backed`: another attribute of the rows agrees, so missing rows are gone ones."""
    target = (proposal.to, proposal.to_field)
    asked = held & known.asked.get(target, frozenset())
    if not asked:
        return None
    inside = asked & known.keys[target]
    chance = _chance(asked, target, known)
    missing = asked - inside
    weight = proposal.evidence[0].weight
    others = [where for where, own in known.asked.items() if where != target and held & own]
    if len(missing) <= GONE * len(asked) and are_telling(inside) and not any(held & known.keys[one] for one in others):
        contained = Evidence("values contained", round(0.6 * len(inside) / len(asked), 6), len(inside), len(asked))
        return _Numbers((contained, Evidence("texts that no other table has", _TELLING)), 1.0, 0.0)
    if len(missing) > ORPHANS * len(asked):
        evidence = (Evidence("orphans", 0.0, len(missing), len(asked)),)
        if is_backed or chance > SURE or not _in_range(missing, target, known):
            may_be_gone = (
                weight >= SHORT and len(missing) <= max(1, GONE * len(asked)) and _in_range(missing, target, known)
            )
            if may_be_gone and not is_backed:
                share = len(inside) / len(asked)
                contained = Evidence("values contained", round(0.6 * share, 6), len(inside), len(asked))
                return _Numbers((contained, *evidence, *_reach(inside, target, known)), QUESTION, chance)
            if not is_backed:
                return _Numbers(evidence, REFUTED, chance)
            return _Numbers(evidence, 1.0 if len(missing) <= 0.5 * len(asked) else REFUTED, chance)
        if len(missing) > 2 * GONE * len(asked):
            return _Numbers(evidence, REFUTED, chance)
        return _Numbers((*evidence, *_gaps(asked, target, known, chance)), 1.0, chance)
    lacking = [1 for where in others if not (held & known.asked[where]) <= known.keys[where]]
    specificity = len(lacking) / max(1, len(others))
    pieces = [
        Evidence(
            "values contained", round(0.6 * specificity * min(1.0, len(asked) / ENOUGH), 6), len(inside), len(asked)
        )
    ]
    if weight == 0.0 and any(_holds_too(held & known.asked[where], where, known) for where in others):
        chance = 1.0  # another key would take them as well, so nothing says which
    pieces.extend(_gaps(asked, target, known, chance))
    if weight > 0.0 or chance <= SURE:
        pieces.extend(_reach(asked, target, known))
    return _Numbers(tuple(pieces), 1.0, chance)


def _holds_too(asked: frozenset[str], where: tuple[str, str], known: Known) -> bool:
    """Whether another key takes all the values too, and not by chance."""
    is_held = len(asked & known.keys[where]) >= (1 - ORPHANS) * len(asked)
    return is_held and _chance(asked, where, known) <= SURE


def _reach(inside: frozenset[str], target: tuple[str, str], known: Known) -> tuple[Evidence, ...]:
    ends, numbers = known.ends(target), numbers_of(inside)
    if ends is None or len(numbers) < len(inside):
        return ()
    weight = range_weight(numbers, *ends)
    return (Evidence("reaches as far as the keys", weight, max(numbers), ends[1]),) if weight else ()


def _gaps(asked: frozenset[str], target: tuple[str, str], known: Known, chance: float) -> tuple[Evidence, ...]:
    weight = gap_weight(chance)
    if not weight:
        return ()
    free = _unused(asked, target, known)
    missing = len(free - known.keys[target])
    return (Evidence("avoids numbers that are missing there", weight, missing, len(free)),)


def _unused(asked: frozenset[str], target: tuple[str, str], known: Known) -> frozenset[str]:
    numbers = numbers_of(asked)
    if len(numbers) < len(asked):
        return frozenset()
    return frozenset(str(number) for number in unused(numbers)) & known.asked[target]


def _chance(asked: frozenset[str], target: tuple[str, str], known: Known) -> float:
    """How likely the values meet as many keys by chance, seen from the numbers between them that they do not use."""
    used, free, ends = numbers_of(asked), numbers_of(_unused(asked, target, known)), known.ends(target)
    if not free or ends is None:
        return 1.0
    keys, low, high = known.keys[target], min(used), max(used)
    places = [[0, 0, 0, 0] for _ in range(PLACES)]
    for at, numbers in ((0, used), (2, free)):
        for number in numbers:
            if ends[0] <= number <= ends[1]:  # beyond its keys a table says nothing
                place = places[place_of(number, low, high)]
                place[at] += str(number) in keys
                place[at + 1] += 1
    return by_chance((hits, of, others, other_of) for hits, of, others, other_of in places)


def _in_range(missing: frozenset[str], target: tuple[str, str], known: Known) -> bool:
    """Whether the missing numbers lie between the keys that there are, as those of deleted rows do."""
    ends, numbers = known.ends(target), numbers_of(missing)
    return ends is not None and len(numbers) == len(missing) and ends[0] <= min(numbers) and max(numbers) <= ends[1]


def _others_contact(proposal: Proposal, agreeing: Mapping[Proposal, tuple[int, int]]) -> tuple[int, int] | None:
    """Nothing to compare (0, 0), where the address beside agrees with another key of the row and not with this one:
    it is the customer's, and this one the clerk's. None: no such key. A column not named as a key is not believed.
    """
    if proposal.evidence[0].weight < EQUAL or 2 * agreeing[proposal][0] >= agreeing[proposal][1]:
        return None
    is_anothers = any(
        other.collection == proposal.collection and other.field is not proposal.field and of and agree >= 0.95 * of
        for other, (agree, of) in agreeing.items()
    )
    return (0, 0) if is_anothers else None


def _least_agreement(proposal: Proposal, target: Collection) -> float:
    """Which share of the rows has to agree. A column named as the very key is believed against a few gifts and old
    addresses; an address below an order may name a third person at any time.
    """
    if not looks_like_person(target):
        return 0.0
    return 0.5 if proposal.evidence[0].weight >= EQUAL else 0.95


def _with_sibling(link: Link, links: Sequence[Link]) -> Link:
    """`$.uid` beside a proven `$.user.id` of the same documents and the same target is believed."""
    if link.kind is not LinkKind.JSON_PATH or link.confidence >= 0.9 or link.confidence <= REFUTED:
        return link
    column = link.fields[0].partition("$")[0]
    proven = any(
        other.to == link.to
        and other.collection == link.collection
        and other.fields[0].partition("$")[0] == column
        and other.fields != link.fields
        and other.confidence >= 0.9
        for other in links
    )
    if not proven:
        return link
    pieces = (*link.evidence, Evidence("proven sibling path", 0.8))
    return replace(link, evidence=pieces, confidence=combined(pieces, 0.95))


def _agreement(
    proposal: Proposal, collections: Mapping[str, Collection], samples: Mapping[str, Sample], answers: Answers
) -> tuple[int, int]:
    """In how many sampled rows e-mail, phone or name equal those of the row pointed at; and in how many both exist."""
    if _speaks_of_another_time_or_person(proposal):
        return 0, 0
    here = _attributes(proposal, collections[proposal.collection])
    there = collections[proposal.to]
    where = (proposal.to, proposal.to_field)
    rows = {spelled(row.get(where[1])): row for row in answers.get(where, ())}
    agree = of = 0
    for row in samples.get(proposal.collection, ()):
        when = proposal.condition
        if when is not None and all(spelled(value) != when.value for value in values_at(when.field, row)):
            continue
        met = [rows[text] for value in values_at(proposal.field.path, row) if (text := spelled(value)) in rows]
        for category, paths in here.items():
            mine = {form for path in paths for value in values_at(path, row) if (form := _form(category, value))}
            theirs = {
                form
                for other in met
                for field in there.of(category)
                if (form := _form(category, other.get(field.path)))
            }
            if mine and theirs:
                of += 1
                agree += bool(mine & theirs)
                break
    return agree, of


def _speaks_of_another_time_or_person(proposal: Proposal) -> bool:
    """Whether the attributes beside the column need not be those of the row pointed at: an old version, or the
    customer's data beside a key of the clerk.
    """
    past = holds_any(words(proposal.field.path.replace("$", "_")), COPY_TABLE) or bool(
        table_words(proposal.collection) & {TableWord.COPY}
    )
    return past or link_role(proposal.field.path, proposal.to) in {Role.POINT, Role.STAFF}


def _attributes(proposal: Proposal, one: Collection) -> dict[Category, list[str]]:
    parent = proposal.field.path.rpartition(".")[0]
    found: dict[Category, list[str]] = {}
    for category in COMPARED:
        for field in one.of(category):
            near = field.path.rpartition(".")[0] == parent if proposal.field.virtual else not field.virtual
            if near and field.role is not Role.POINT:
                found.setdefault(category, []).append(field.path)
    return found


def _form(category: Category, value: Value) -> str | None:
    if not isinstance(value, str):
        return None
    if category is Category.EMAIL:
        return normal_email(value)
    if category is Category.PHONE:
        return search_tail(value)
    return " ".join(fold_name(value)) or None
