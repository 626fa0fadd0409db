"""Rows that the subject's rows point at: an address, a profile. Owned if nobody else points at them.

Every reference counts, over all links to the same key of the collection; a row that a branch of the shop also uses
is not the subject's alone. A reference that is another's today may turn out to be the subject's in a later round,
so what was shared is looked at again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.link import Link, Outward
from privacyops.domain.datamap.looked_up import NOBODY
from privacyops.domain.finding.absorb import Draft
from privacyops.domain.finding.judge import Whose, fits, verdict
from privacyops.domain.finding.model import Ask, AskKind, FindingTier, Match, SearchState, Taken
from privacyops.domain.finding.subject import is_subjects, own_emails
from privacyops.domain.record import Row, Value, spelled

MANY: Final = "*"
"""Stands among references for more of them than a page holds."""


def mark_of(collection: str, fields: tuple[str, ...], key: Iterable[Value]) -> str:
    """Names a row by the key that outward links use, whichever of them leads there."""
    return f"{collection} {'+'.join(fields)} {'|'.join(spelled(part) for part in key)}"


def wanted(state: SearchState, drawn: DataMap) -> dict[str, dict[str, tuple[Value, ...]]]:
    """For each outward link, by mark, the keys that are still to be looked at: new ones, and shared ones whose
    references have all become the subject's.
    """
    found: dict[str, dict[str, tuple[Value, ...]]] = {}
    seen: set[str] = set()
    for link in drawn.links:
        if link.outward is Outward.NO or not link.is_followed:
            continue
        for one in state.owned():
            if one.ref.collection != link.collection or any(one.values.get(path) is None for path in link.fields):
                continue
            if not fits(link, one.values):
                continue
            key = tuple(one.values[path] for path in link.fields)
            mark = mark_of(link.to, link.to_fields, key)
            again = f"shared {mark}" in state.asked and is_exclusive(mark, state)
            if mark in seen or spelled(key[0]) in NOBODY or (f"out {mark}" in state.asked and not again):
                continue
            seen.add(mark)
            found.setdefault(link.id, {})[mark] = key
    return found


def is_exclusive(mark: str, state: SearchState) -> bool:
    """Whether every row that points there is one of the subject's own."""
    return all(
        one in state.taken and state.taken[one].tier is FindingTier.OWNED for one in state.references.get(mark, ())
    )


def asks(state: SearchState, drawn: DataMap, max_in: int) -> tuple[SearchState, tuple[Ask, ...]]:
    """One statement for each link into a collection to count references, then one to read the rows themselves."""
    new = wanted(state, drawn)
    if not new:
        return state, ()
    links = drawn.by_link
    counting: list[Ask] = []
    reading: list[Ask] = []
    marks: set[str] = set()
    known = len(state.identifiers)
    for name, keys in new.items():
        link = links[name]
        marks |= {f"out {mark}" for mark in keys}
        fresh = tuple(key for mark, key in keys.items() if f"out {mark}" not in state.asked)
        for chunk in chunks(tuple(keys.values()), max_in):
            reading.append(Ask(AskKind.OUTWARD, link.to, name, chunk, identifiers=known))
        if link.condition is not None:
            counting.extend(_voices(drawn, link, tuple(keys.values()), max_in, known))
        if link.outward is Outward.SAME_PERSON:
            continue
        for other in drawn.links:
            if other.to == link.to and other.to_fields == link.to_fields and other.usable and not other.by_value:
                counting.extend(
                    Ask(AskKind.REFERENCES, other.collection, other.id, chunk, identifiers=known)
                    for chunk in chunks(fresh, max_in)
                )
    return replace(state, asked=state.asked | marks), (*dict.fromkeys(counting), *reading)


def _voices(drawn: DataMap, link: Link, keys: tuple[tuple[Value, ...], ...], max_in: int, known: int) -> Iterable[Ask]:
    """What every named value says that may say whose these rows are, not only the one that led here."""
    for other in drawn.links:
        if (
            other.condition is not None
            and other.outward is link.outward
            and (other.to, other.start)
            == (
                link.to,
                link.start,
            )
        ):
            yield from (
                Ask(AskKind.VOUCH, other.collection, other.id, chunk, identifiers=known)
                for chunk in chunks(keys, max_in)
            )


def listen(draft: Draft, link: Link, rows: Iterable[Row]) -> None:
    """Notes of which rows a named value says that they are another person's, known or not: a guest is nobody known."""
    objections = {
        f"anothers {mark_of(link.to, link.to_fields, (row.values.get(path) for path in link.fields))}"
        for row in rows
        if fits(link, row.values)
        and (verdict(row, draft.standing).whose is Whose.ANOTHER or _has_another_address(draft, row))
    }
    draft.state = replace(draft.state, asked=draft.state.asked | objections)


def _has_another_address(draft: Draft, row: Row) -> bool:
    emails = own_emails(draft.drawn.collection(row.ref.collection), row.values)
    return any(not is_subjects(normal, draft.state.identifiers) for _, normal in emails)


def chunks(keys: tuple[tuple[Value, ...], ...], size: int) -> Iterable[tuple[tuple[Value, ...], ...]]:
    """The keys in batches that one statement takes."""
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def counted(state: SearchState, link: Link, ask: Ask, rows: Iterable[Row], whole: bool) -> SearchState:
    """The state with the references of one page. A page that is not the last stands for too many."""
    found: dict[str, frozenset[str]] = dict(state.references)
    asked = {tuple(spelled(part) for part in key): mark_of(link.to, link.to_fields, key) for key in ask.keys}
    for row in rows:
        mark = asked.get(tuple(spelled(row.values.get(path)) for path in link.fields))
        if mark is not None:
            found[mark] = found.get(mark, frozenset()) | {row.ref.id}
    if not whole:
        for mark in asked.values():
            found[mark] = found.get(mark, frozenset()) | {MANY}
    return replace(state, references=found)


def take_targets(draft: Draft, link: Link, rows: Iterable[Row]) -> None:
    """Decides rows that were read outward: owned, another's, or shared and so for a person to decide."""
    pointing = _pointing(draft.taken, link)
    shared: set[str] = set()
    for row in rows:
        key = tuple(row.values.get(path) for path in link.to_fields)
        start = pointing.get(tuple(spelled(part) for part in key))
        if start is None:
            continue
        mark = mark_of(link.to, link.to_fields, key)
        via = (*start.via, link.start)
        found = verdict(row, draft.standing)
        if found.whose is Whose.ANOTHER:
            draft.contradict(row, found.by, via)
        elif f"anothers {mark}" in draft.state.asked:
            draft.contradict(row, link.start, via)
            draft.take(row, FindingTier.CANDIDATE, Match.LINKED, via, reason="contradicted", confidence=0.6)
        elif link.outward is Outward.SAME_PERSON or is_exclusive(mark, replace(draft.state, taken=draft.taken)):
            draft.take(row, FindingTier.OWNED, Match.LINKED, via)
        else:
            shared.add(f"shared {mark}")
            draft.take(row, FindingTier.CANDIDATE, Match.LINKED, via, reason="shared_with_others", confidence=0.6)
    draft.state = replace(draft.state, asked=draft.state.asked | shared)


def _pointing(taken: Mapping[str, Taken], link: Link) -> dict[tuple[str, ...], Taken]:
    found: dict[tuple[str, ...], Taken] = {}
    for one in taken.values():
        if one.tier is FindingTier.OWNED and one.ref.collection == link.collection and fits(link, one.values):
            key = tuple(spelled(one.values.get(path)) for path in link.fields)
            found.setdefault(key, one)
    return found
