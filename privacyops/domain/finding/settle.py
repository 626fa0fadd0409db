"""Which rows of person collections are the subject: roots, or a doubt that stops the search.

A verified address, login or number that meets its typed column makes a root. A phone makes one only where it
singles out one row and nothing there speaks against it. Two rows that nothing verified ties together are a doubt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.finding.model import MAX_ACCOUNTS, Doubt, PersonHit
from privacyops.domain.finding.subject import Rule
from privacyops.domain.identity.email import is_role_mailbox
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier

_ADDRESS: Final = frozenset({Rule.EQUAL.value, Rule.DIGEST.value})


@dataclass(frozen=True, slots=True)
class Settled:
    """Ids of the hits that are roots, of those a person has to judge, and the normal forms of shared phones."""

    roots: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    shared_phones: frozenset[str] = frozenset()
    doubt: Doubt | None = None


def settle(hits: Mapping[str, PersonHit], identifiers: Sequence[Identifier]) -> Settled:
    """Roots, candidates, shared phones; or a doubt. Does not depend on the order in which the hits came."""
    by_collection: dict[str, dict[str, PersonHit]] = {}
    for name, hit in sorted(hits.items()):
        by_collection.setdefault(hit.ref.collection, {})[name] = hit
    shared = frozenset(
        identifiers[at].normal
        for here in by_collection.values()
        for at in {at for hit in here.values() for at, rule, _ in hit.rules if rule == Rule.PHONE}
        if sum(1 for hit in here.values() if _by_phone(hit, at)) > 1
    )
    addressed = {name for name, hit in hits.items() if _has(hit, _ADDRESS)}
    roots: list[str] = []
    candidates: list[str] = []
    for here in by_collection.values():
        doubt = _of_collection(here, identifiers, bool(addressed), roots, candidates)
        if doubt is not None:
            return Settled(doubt=doubt)
    roots = _typed_in_one(roots, hits, addressed)
    if _typed_disagree(roots, hits, addressed):
        return Settled(doubt=Doubt.TWO_ROOTS)
    if len(roots) > MAX_ACCOUNTS:
        return Settled(doubt=Doubt.TOO_MANY_ACCOUNTS)
    return Settled(tuple(sorted(roots)), tuple(sorted(candidates)), shared)


def _of_collection(
    here: Mapping[str, PersonHit],
    identifiers: Sequence[Identifier],
    addressed: bool,
    roots: list[str],
    candidates: list[str],
) -> Doubt | None:
    equal = [name for name, hit in here.items() if _has(hit, _ADDRESS)]
    typed = [name for name, hit in here.items() if _has(hit, {Rule.TYPED.value}) and name not in equal]
    if len(_of_one_number(here, typed)) > 1:
        # a number that several rows have (the second half of a key, a city) tells nobody apart by itself
        named = [name for name in typed if here[name].agrees]
        if not equal and len(named) != 1:
            return Doubt.TWO_ROOTS
        candidates.extend(name for name in typed if equal or name not in named)
        typed = [] if equal else named
    for name in typed:
        hit = here[name]
        if hit.other_email and not hit.agrees and _given(identifiers, IdentifierKind.EMAIL):
            if _met_by(hit, identifiers, IdentifierKind.LOGIN):
                candidates.append(name)
                continue
            return Doubt.IDENTIFIERS_DISAGREE
        equal.append(name)
    tagged = [name for name, hit in here.items() if _has(hit, {Rule.TAGGED.value}) and name not in equal]
    for name in tagged:
        (equal if here[name].agrees else candidates).append(name)
    candidates.extend(
        name
        for name, hit in here.items()
        if _has(hit, {Rule.GOOGLE.value}) and name not in equal and name not in candidates
    )
    if len(equal) > 1 and _is_shared_desk(here, equal, identifiers):
        named = [name for name in equal if here[name].agrees]
        if len(named) != 1:
            return Doubt.TWO_ROOTS
        candidates.extend(name for name in equal if name not in named)
        equal = named
    roots.extend(equal)
    return _phones(here, equal, identifiers, addressed, roots, candidates)


def _of_one_number(here: Mapping[str, PersonHit], typed: Sequence[str]) -> tuple[str, ...]:
    """The hits that the same given number met, of the one that met the most."""
    by_number: dict[int, list[str]] = {}
    for name in typed:
        for at in {at for at, rule, _ in here[name].rules if rule == Rule.TYPED}:
            by_number.setdefault(at, []).append(name)
    return max((tuple(met) for met in by_number.values()), key=len, default=())


def _phones(
    here: Mapping[str, PersonHit],
    taken: Sequence[str],
    identifiers: Sequence[Identifier],
    addressed: bool,
    roots: list[str],
    candidates: list[str],
) -> Doubt | None:
    met = [
        name
        for name, hit in here.items()
        if _has(hit, {Rule.PHONE.value}) and name not in taken and name not in candidates
    ]
    proven = [name for name in met if _has_proven(here[name], identifiers)]
    candidates.extend(name for name in met if name not in proven and here[name].agrees)
    met = proven
    if not met:
        return None
    if taken or addressed or _given(identifiers, IdentifierKind.EMAIL):
        # Somebody stronger is known, or an address was given that this row does not have: same name and same phone
        # may be a second account, which needs proof of control; another name is another person.
        for name in met:
            hit = here[name]
            agreed = hit.agrees and not taken
            if agreed and not hit.other_email and len([one for one in met if here[one].agrees]) == 1:
                roots.append(name)
            elif hit.agrees:
                candidates.append(name)
        return None
    named = [name for name in met if here[name].agrees]
    if len(met) == 1 and (
        here[met[0]].agrees or not here[met[0]].named or not _given(identifiers, IdentifierKind.NAME)
    ):
        roots.extend(met)
        return None
    if len(named) == 1:
        roots.extend(named)
        return None
    return Doubt.TWO_ROOTS if len(met) > 1 else None


def _has_proven(hit: PersonHit, identifiers: Sequence[Identifier]) -> bool:
    return any(identifiers[at].tier <= Tier.STRONG for at, rule, _ in hit.rules if rule == Rule.PHONE)


def _is_shared_desk(here: Mapping[str, PersonHit], equal: Sequence[str], identifiers: Sequence[Identifier]) -> bool:
    """Whether several rows share an address of a desk, which says nothing of whose rows they are."""
    return all(
        all(
            identifiers[at].kind is IdentifierKind.EMAIL and is_role_mailbox(identifiers[at].normal)
            for at, rule, _ in here[name].rules
            if rule != Rule.PHONE
        )
        for name in equal
    )


def _typed_in_one(roots: list[str], hits: Mapping[str, PersonHit], addressed: set[str]) -> list[str]:
    """A bare customer number that meets keys of several collections counts where something else agrees."""
    bare = [name for name in roots if name not in addressed and _bare(hits[name])]
    if len({hits[name].ref.collection for name in bare}) < 2 and not (bare and addressed):
        return roots
    backed = [name for name in bare if hits[name].agrees or not _only_number(hits[name])]
    dropped = set(bare) - set(backed) if backed or addressed else set()
    return [name for name in roots if name not in dropped]


def _typed_disagree(roots: list[str], hits: Mapping[str, PersonHit], addressed: set[str]) -> bool:
    bare = [name for name in roots if name not in addressed and _bare(hits[name]) and not hits[name].agrees]
    return len({hits[name].ref.collection for name in bare}) > 1


def _bare(hit: PersonHit) -> bool:
    return {rule for _, rule, _ in hit.rules} <= {Rule.TYPED.value, Rule.PHONE.value}


def _only_number(hit: PersonHit) -> bool:
    return {rule for _, rule, _ in hit.rules} == {Rule.TYPED.value}


def _by_phone(hit: PersonHit, at: int) -> bool:
    return any(where == at and rule == Rule.PHONE for where, rule, _ in hit.rules)


def _has(hit: PersonHit, rules: frozenset[str] | set[str]) -> bool:
    return any(rule in rules for _, rule, _ in hit.rules)


def _given(identifiers: Sequence[Identifier], kind: IdentifierKind) -> bool:
    return any(one.kind is kind and one.tier is Tier.VERIFIED for one in identifiers)


def _met_by(hit: PersonHit, identifiers: Sequence[Identifier], kind: IdentifierKind) -> bool:
    return any(identifiers[at].kind is kind for at, rule, _ in hit.rules if rule == Rule.TYPED)
