"""The search itself: which statement comes next, and what its rows change. No store, no clock.

    state, ask = next_ask(state, drawn, limits)      None: done
    ... the store answers `where_of(ask)`; `questions(rows)` are asked too ...
    state, findings = absorb(state, drawn, ask, page, ...)

Seed the person collections, settle who the person is, then everything that holds an identifier or a key, until
nothing is new; then satellites, texts, and last the rows that only point.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import EXPANDS, CollectionClass
from privacyops.domain.datamap.link import IDENTITY, Link, Ownership
from privacyops.domain.datamap.looked_up import NOBODY
from privacyops.domain.finding import satellites
from privacyops.domain.finding.absorb import Draft, absorb_rows
from privacyops.domain.finding.asking import identity_leaves, text_leaves
from privacyops.domain.finding.judge import is_tree, key_text
from privacyops.domain.finding.learn import learnt
from privacyops.domain.finding.locate import contacts_in, located, with_other_addresses, with_owners
from privacyops.domain.finding.model import (
    MAX_ROUNDS,
    Ask,
    AskKind,
    Finding,
    FindingTier,
    PersonHit,
    Phase,
    SearchState,
)
from privacyops.domain.finding.settle import settle
from privacyops.domain.finding.subject import StoreSettings
from privacyops.domain.identity.identifier import IdentifierKind, Tier
from privacyops.domain.record import Row, Value, spelled


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may hold."""

    max_in: int = 500
    settings: StoreSettings = field(default_factory=StoreSettings)


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """One page: its rows, and where the next one begins (None: there is none)."""

    rows: tuple[Row, ...]
    after: str | None = None


def next_ask(state: SearchState, drawn: DataMap, limits: Limits) -> tuple[SearchState, Ask | None]:
    """The next statement, walking on through phases that have nothing to ask. None: the search is done."""
    while not state.is_done:
        if state.queue:
            return state, state.queue[0]
        state = _on(state, drawn, limits)
    return state, None


def absorb(
    state: SearchState, drawn: DataMap, ask: Ask, answer: Answer, limits: Limits
) -> tuple[SearchState, tuple[Finding, ...]]:
    """The state after one page of `ask`, which was the first of the queue, and the findings of that page."""
    rest = state.queue[1:]
    queue = (replace(ask, after=answer.after), *rest) if answer.after is not None and _pages(ask) else rest
    state = replace(state, queue=queue)
    if ask.kind is AskKind.LOCATE:
        return _locate(state, drawn, ask, answer.rows, limits), ()
    links = drawn.by_link
    if ask.kind is AskKind.REFERENCES:
        return satellites.counted(state, links[ask.link], ask, answer.rows, answer.after is None), ()
    draft = Draft(state, drawn, limits.settings)
    if ask.kind is AskKind.VOUCH:
        satellites.listen(draft, links[ask.link], answer.rows)
    elif ask.kind is AskKind.OUTWARD:
        satellites.take_targets(draft, links[ask.link], answer.rows)
    else:
        absorb_rows(draft, ask, answer.rows)
    done = draft.done()
    return replace(done, identifiers=learnt(draft.findings, drawn, done.identifiers)), tuple(draft.findings)


def drop(state: SearchState, ask: Ask) -> SearchState:
    """The state without an ask that the store will not answer; its collection is reported as partial."""
    return replace(state, queue=tuple(one for one in state.queue if one != ask))


def _pages(ask: Ask) -> bool:
    """Whether the next page is wanted: one page of references is enough, and pointers are listed only so far."""
    return ask.kind not in {AskKind.REFERENCES, AskKind.POINTER}


def _on(state: SearchState, drawn: DataMap, limits: Limits) -> SearchState:
    """The next phase with its queue. Called with an empty queue only."""
    step = _STEPS.get(state.phase)
    return replace(state, phase=Phase.DONE) if step is None else step(state, drawn, limits)


def _on_from_hops(state: SearchState, drawn: DataMap, limits: Limits) -> SearchState:
    asks, marks = _hops(state, drawn, limits)
    if asks:
        return replace(state, phase=Phase.HOPS, queue=asks, asked=state.asked | marks)
    return replace(state, phase=Phase.SATELLITES)


def _on_from_satellites(state: SearchState, drawn: DataMap, limits: Limits) -> SearchState:
    state, asks = satellites.asks(state, drawn, limits.max_in)
    return replace(state, phase=Phase.HOPS, queue=asks) if asks else _texts(state, drawn, limits)


def _start(state: SearchState, drawn: DataMap, limits: Limits) -> SearchState:
    if "located" not in state.asked:
        people = [one.name for one in drawn.searched() if one.cls is CollectionClass.PERSON]
        queue = _seeds(state, drawn, limits, [*people, *sorted(drawn.contacts)], AskKind.LOCATE)
        return replace(state, queue=queue, asked=state.asked | {"located"})
    if state.contacts and "located by contact" not in state.asked:
        queue = _owner_asks(state, drawn, limits)
        return replace(state, queue=queue, asked=state.asked | {"located by contact"})
    if "addresses of the numbered" not in state.asked:
        queue = _address_asks(state, drawn, limits)
        return replace(state, queue=queue, asked=state.asked | {"addresses of the numbered"})
    settled = settle(state.hits, state.identifiers)
    if settled.doubt is not None:
        return replace(state, doubt=settled.doubt, hits={}, queue=())
    wanted = {*settled.roots, *settled.candidates}
    hits = {name: hit for name, hit in state.hits.items() if name in wanted}
    return replace(
        state,
        phase=Phase.ROOTS,
        hits=hits,
        doubtful=frozenset(settled.candidates),
        shared_phones=settled.shared_phones,
        queue=_root_asks(hits, drawn, limits, len(state.identifiers)),
    )


def _root_asks(hits: dict[str, PersonHit], drawn: DataMap, limits: Limits, known: int) -> tuple[Ask, ...]:
    found: dict[str, list[tuple[Value, ...]]] = {}
    for hit in hits.values():
        key = drawn.collection(hit.ref.collection).key or tuple(name for name, _ in hit.ref.key)
        held = dict(hit.ref.key)
        found.setdefault(hit.ref.collection, []).append(tuple(held[name] for name in key))
    return tuple(
        Ask(AskKind.ROOT, name, keys=chunk, identifiers=known)
        for name, keys in found.items()
        for chunk in satellites.chunks(tuple(keys), limits.max_in)
    )


def _owner_asks(state: SearchState, drawn: DataMap, limits: Limits) -> tuple[Ask, ...]:
    """One statement for each link from rows of contact data to the people whose they are."""
    found: dict[str, dict[str, tuple[Value, ...]]] = {}
    for one in state.contacts:
        found.setdefault(one.link, {})[key_text(one.key)] = one.key
    return tuple(
        Ask(AskKind.LOCATE, drawn.by_link[link].to, link, chunk, identifiers=len(state.identifiers))
        for link, keys in sorted(found.items())
        for chunk in satellites.chunks(tuple(keys.values()), limits.max_in)
    )


def _address_asks(state: SearchState, drawn: DataMap, limits: Limits) -> tuple[Ask, ...]:
    """The contact data of people whom a given number alone met, where an address was given too: whose it is not
    contradicts the number.
    """
    if not any(one.kind is IdentifierKind.EMAIL and one.tier is Tier.VERIFIED for one in state.identifiers):
        return ()
    asks: list[Ask] = []
    for name, table in sorted(drawn.contacts.items()):
        held = [dict(hit.ref.key) for hit in state.hits.values() if hit.ref.collection == table.link.to]
        keys = tuple(
            tuple(key[path] for path in table.link.to_fields) for key in held if {*table.link.to_fields} <= {*key}
        )
        for chunk in satellites.chunks(keys, limits.max_in):
            asks.append(Ask(AskKind.LOCATE, name, table.link.id, chunk, identifiers=len(state.identifiers)))
    return tuple(asks)


def _locate(state: SearchState, drawn: DataMap, ask: Ask, rows: Sequence[Row], limits: Limits) -> SearchState:
    one = drawn.collection(ask.collection)
    if ask.link and one.name in drawn.contacts:
        return replace(state, hits=with_other_addresses(state, drawn.contacts[one.name], one, rows))
    if ask.link:
        return replace(state, hits=with_owners(state, drawn.by_link[ask.link], one, rows, limits.settings))
    if one.name in drawn.contacts:
        met = contacts_in(drawn.contacts[one.name], one, rows, state, limits.settings)
        return replace(state, contacts=tuple(dict.fromkeys((*state.contacts, *met))))
    hits = dict(state.hits)
    for row in rows:
        hit = located(one, row, state, limits.settings)
        if hit is not None:
            hits[row.ref.id] = hit
    return replace(state, hits=hits)


def _values(state: SearchState, drawn: DataMap, limits: Limits) -> SearchState:
    """Asks every other identity column; once more, for what was learnt since, in each later round."""
    others = [one.name for one in drawn.searched() if one.cls is not CollectionClass.PERSON]
    queue = _seeds(state, drawn, limits, others, AskKind.VALUE)
    return replace(state, phase=Phase.VALUES, queue=queue, seeded=len(state.identifiers))


def _seeds(state: SearchState, drawn: DataMap, limits: Limits, names: Sequence[str], kind: AskKind) -> tuple[Ask, ...]:
    known = len(state.identifiers)
    since = state.seeded if kind is AskKind.VALUE else 0
    return tuple(
        Ask(kind, name, since=since, identifiers=known)
        for name in names
        if any(identity_leaves(drawn.collection(name), drawn, state.identifiers, since, limits.settings))
    )


def _hops(state: SearchState, drawn: DataMap, limits: Limits) -> tuple[tuple[Ask, ...], frozenset[str]]:
    """One statement for each link with all new keys of the subject's rows at its far end."""
    asks: list[Ask] = []
    marks: set[str] = set()
    for link in drawn.links:
        if not (_is_hopped(link) or is_tree(link, drawn)):
            continue
        keys, asked = _new_keys(state, drawn, link)
        marks |= asked
        for chunk in satellites.chunks(keys, limits.max_in):
            asks.append(Ask(AskKind.INWARD, link.collection, link.id, chunk, identifiers=len(state.identifiers)))
    return tuple(asks), frozenset(marks)


def _is_hopped(link: Link) -> bool:
    return (
        link.to != IDENTITY
        and link.usable
        and link.ownership in {Ownership.OWNED, Ownership.SHARED, Ownership.UNDECIDED}
    )


def _new_keys(state: SearchState, drawn: DataMap, link: Link) -> tuple[tuple[tuple[Value, ...], ...], set[str]]:
    found: dict[str, tuple[Value, ...]] = {}
    if drawn.collection(link.to).cls not in EXPANDS:
        return (), set()
    for one in state.taken.values():
        if one.tier is not FindingTier.OWNED or one.ref.collection != link.to:
            continue
        if any(one.values.get(path) is None for path in link.to_fields):
            continue
        key = tuple(one.values[path] for path in link.to_fields)
        mark = f"in {link.id} {'|'.join(spelled(part) for part in key)}"
        if mark not in state.asked and spelled(key[0]) not in {*link.without, *NOBODY} - {""}:
            found[mark] = key
    return tuple(found.values()), set(found)


def _texts(state: SearchState, drawn: DataMap, limits: Limits) -> SearchState:
    """Before texts are read, everything learnt so far is asked of the identity columns once more."""
    if state.seeded < len(state.identifiers) and state.round < MAX_ROUNDS:
        again = _values(replace(state, round=state.round + 1), drawn, limits)
        if again.queue:
            return again
        state = replace(state, seeded=again.seeded)
    if state.is_patient:
        return replace(state, phase=Phase.DONE)
    known = len(state.identifiers)
    queue = tuple(
        Ask(AskKind.TEXT, one.name, since=state.texted, identifiers=known)
        for one in drawn.searched()
        if any(text_leaves(one, state.identifiers, state.texted, limits.settings))
    )
    return replace(state, phase=Phase.TEXT, queue=queue, texted=known)


def _after_text(state: SearchState, drawn: DataMap, limits: Limits) -> SearchState:
    asks, marks = _hops(state, drawn, limits)
    if asks:
        return replace(state, phase=Phase.HOPS, queue=asks, asked=state.asked | marks)
    if satellites.wanted(state, drawn):
        return replace(state, phase=Phase.SATELLITES)
    queue, asked = [], state.asked
    for link in drawn.links:
        if link.ownership is Ownership.POINTER and link.to != IDENTITY and link.is_followed:
            keys = _pointed(state, link)
            mark = f"points {link.id} {len(keys)}"
            if mark in asked:
                continue
            asked |= {mark}
            for chunk in satellites.chunks(keys, limits.max_in):
                queue.append(Ask(AskKind.POINTER, link.collection, link.id, chunk, identifiers=len(state.identifiers)))
    return replace(state, phase=Phase.POINTERS, queue=tuple(queue), asked=asked)


def _pointed(state: SearchState, link: Link) -> tuple[tuple[Value, ...], ...]:
    keys = {
        tuple(spelled(one.values[path]) for path in link.to_fields): tuple(one.values[path] for path in link.to_fields)
        for one in state.owned()
        if one.ref.collection == link.to and all(one.values.get(path) is not None for path in link.to_fields)
    }
    return tuple(keys.values())


_STEPS: Final[Mapping[Phase, Callable[[SearchState, DataMap, Limits], SearchState]]] = {
    Phase.LOCATE: _start,
    Phase.ROOTS: _values,
    Phase.VALUES: _on_from_hops,
    Phase.HOPS: _on_from_hops,
    Phase.SATELLITES: _on_from_satellites,
    Phase.TEXT: _after_text,
}
"""What follows when a phase has nothing left to ask; POINTERS is the last."""
