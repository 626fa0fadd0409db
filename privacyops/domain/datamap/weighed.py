"""What the values say of a proposed link: containment, specificity, and agreement of a second attribute.

Small integers fit every key and prove nothing, so containment counts only as far as other keys lack the sample.
Over 2 % orphans refute, and so does a second attribute that disagrees: in over 5 % of the rows, or in half of them
where the column is named as the very key.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privacyops.domain.classification.columns import TableWord, link_role, table_words
from privacyops.domain.classification.words import COPY_TABLE, holds_any, words
from privacyops.domain.datamap.annotate import Sample, values_at
from privacyops.domain.datamap.catalogue import Category, Collection, FieldType, Role
from privacyops.domain.datamap.classes import looks_like_person
from privacyops.domain.datamap.link import REFUTED, Evidence, Link, LinkKind, combined
from privacyops.domain.datamap.naming import EQUAL
from privacyops.domain.datamap.proposed import Proposal
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.person_name import fold_name
from privacyops.domain.identity.phone import search_tail
from privacyops.domain.record import Value, dashed, spelled, uuid_bytes

MAX_LOOKUP: Final = 400
MAX_OTHER_KEYS: Final = 12
NOBODY: Final = frozenset({"", "0", "-1"})
"""Spelled values that many shops write for a guest; they are no orphans."""
_COMPARED: Final = (Category.EMAIL, Category.PHONE, Category.FULL_NAME)
_CAPS: Final[Mapping[LinkKind, float]] = {
    LinkKind.NAME_VALUE: 0.95,
    LinkKind.RENAMED_ID: 0.90,
    LinkKind.POLYMORPHIC: 0.97,
    LinkKind.JSON_PATH: 0.95,
    LinkKind.ARRAY_OF: 0.975,
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question to a store: which rows of `collection` have `field` in `values`; `fields` are read of them."""

    collection: str
    field: str
    values: tuple[Value, ...]
    fields: tuple[str, ...]


Answers = Mapping[tuple[str, str], Sample]
"""The rows of each lookup, by collection and field."""


def lookups(
    proposals: Sequence[Proposal], collections: Mapping[str, Collection], samples: Mapping[str, Sample]
) -> tuple[Lookup, ...]:
    """One question for each key that is proposed, and for a few other keys of the same type, to know specificity."""
    wanted: dict[tuple[str, str], dict[str, Value]] = {}
    families: dict[bool, dict[str, Value]] = {True: {}, False: {}}
    for proposal in proposals:
        values = _held(proposal, samples)
        wanted.setdefault((proposal.to, proposal.to_field), {}).update(values)
        families[_is_number(values)].update(values)
    others = [
        one
        for one in sorted(collections.values(), key=lambda each: -(each.rows or 0))
        if one.searched and len(one.key) == 1 and (one.name, one.key[0]) not in wanted
    ][:MAX_OTHER_KEYS]
    for one in others:
        field = one.field(one.key[0])
        if field is not None:
            family = families[field.type in {FieldType.INTEGER, FieldType.NUMBER}]
            if family:
                wanted[one.name, one.key[0]] = dict(family)
    made = []
    for (name, key), values in wanted.items():
        fields = (key, *(field.path for field in collections[name].of(*_COMPARED) if not field.virtual))
        usable = _usable(values.values(), collections[name].field(key).type)  # type: ignore[union-attr] # keys are fields
        if usable:
            made.append(Lookup(name, key, usable, fields))
    return tuple(made)


def weighed(
    proposals: Sequence[Proposal],
    collections: Mapping[str, Collection],
    samples: Mapping[str, Sample],
    answers: Answers,
) -> tuple[Link, ...]:
    """The proposals as links, with what their values say. A role word gets its strength from a proven sibling path."""
    keys = {where: {spelled(row.get(where[1])) for row in rows} for where, rows in answers.items()}
    agreeing = {proposal: _agreement(proposal, collections, samples, answers) for proposal in proposals}
    links = [
        _weigh(proposal, collections, samples, keys, _others_contact(proposal, agreeing) or agreeing[proposal])
        for proposal in proposals
    ]
    return tuple(_with_sibling(link, links) for link in links)


def _weigh(
    proposal: Proposal,
    collections: Mapping[str, Collection],
    samples: Mapping[str, Sample],
    keys: Mapping[tuple[str, str], set[str]],
    agreement: tuple[int, int],
) -> Link:
    aim = collections[proposal.to].field(proposal.to_field)
    in_bytes = aim is not None and aim.type is FieldType.BINARY
    held = {dashed(text) if in_bytes else text for text in _held(proposal, samples)}
    evidence = list(proposal.evidence)
    refuted = False
    target = (proposal.to, proposal.to_field)
    if held and target in keys:
        inside = len(held & keys[target])
        lacking = [1 for where, own in keys.items() if where != target and not held <= own]
        specificity = len(lacking) / max(1, len(keys) - 1)
        if len(held) - inside > 0.02 * len(held):
            refuted = True
            evidence.append(Evidence("orphans", 0.0, len(held) - inside, len(held)))
        else:
            weight = round(0.6 * specificity * min(1.0, len(held) / 20), 6)
            evidence.append(Evidence("values contained", weight, inside, len(held)))
        agree, of = agreement
        if of and agree < _least_agreement(proposal, collections[proposal.to]) * of:
            refuted = True
            evidence.append(Evidence("second attribute disagrees", 0.0, of - agree, of))
        elif agree:
            evidence.append(Evidence("second attribute agrees", 0.9 if agree > 1 else 0.6, agree, of))
    cap = REFUTED if refuted else _CAPS.get(proposal.kind, 0.95)
    pieces = tuple(evidence)
    return Link(
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


def _held(proposal: Proposal, samples: Mapping[str, Sample]) -> dict[str, Value]:
    """The distinct sampled values of the proposed column, by spelling, without those that mean nobody."""
    found: dict[str, Value] = {}
    for row in samples.get(proposal.collection, ()):
        when = proposal.condition
        if when is not None and all(spelled(value) != when.value for value in values_at(when.field, row)):
            continue
        for value in values_at(proposal.field.path, row):
            text = spelled(value)
            if text not in NOBODY and len(found) < MAX_LOOKUP:
                found.setdefault(text, value)
    return found


def _is_number(values: Mapping[str, Value]) -> bool:
    return all(text.lstrip("-").isdigit() for text in values)


def _usable(values: Iterable[Value], kind: FieldType) -> tuple[Value, ...]:
    """Values a key of this type can hold: a text in an integer key would be refused by strict stores."""
    texts = {spelled(value): value for value in values}
    if kind in {FieldType.INTEGER, FieldType.NUMBER}:
        return tuple(int(text) for text in texts if text.lstrip("-").isdigit() and len(text) <= 18)[:MAX_LOOKUP]
    if kind is FieldType.UUID:
        return tuple(value for text, value in texts.items() if len(text) == 36 and text.count("-") == 4)[:MAX_LOOKUP]
    if kind is FieldType.BINARY:
        return tuple(held for text in texts if (held := uuid_bytes(text)) is not None)[:MAX_LOOKUP]
    return tuple(texts)[:MAX_LOOKUP] if kind is FieldType.TEXT else ()


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
    for category in _COMPARED:
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
