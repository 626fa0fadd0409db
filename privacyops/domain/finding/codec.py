"""A search's state as JSON and back, so that it can lie beside its request between two pages.

It holds identifiers and keys of the subject: seal it where it is stored.
"""

from collections.abc import Mapping
from typing import Any, Final

from privacyops.domain.finding.model import (
    Ask,
    AskKind,
    CollectionState,
    Contact,
    Contradiction,
    Doubt,
    FindingTier,
    PersonHit,
    Phase,
    Progress,
    SearchState,
    Spent,
    Taken,
)
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.record import RowRef, Value, decode, decode_key, encode, encode_key
from privacyops.kernel.errors import Unprocessable

VERSION: Final = 2


class StateUnreadable(Unprocessable):
    """The state was written by another version, or is none; the search has to start anew."""

    type = "/problems/search-state-unreadable"
    title = "The state of this search cannot be read"


def state_to_json(state: SearchState) -> dict[str, Any]:
    """The state as plain JSON values."""
    return {
        "version": VERSION,
        "store": state.store,
        "identifiers": [[one.kind.value, one.value, int(one.tier), one.origin, one.at] for one in state.identifiers],
        "phase": state.phase.value,
        "round": state.round,
        "queue": [_ask(one) for one in state.queue],
        "asked": sorted(state.asked),
        "taken": {name: _taken(one) for name, one in state.taken.items()},
        "hits": {name: _hit(one) for name, one in state.hits.items()},
        "contacts": [
            [one.link, [encode(part) for part in one.key], [list(rule) for rule in one.rules]] for one in state.contacts
        ],
        "doubtful": sorted(state.doubtful),
        "references": {name: sorted(rows) for name, rows in state.references.items()},
        "contradictions": {name: [_ref(one.ref), one.by, list(one.via)] for name, one in state.contradictions.items()},
        "known": dict(state.known),
        "seeded": state.seeded,
        "texted": state.texted,
        "shared_phones": sorted(state.shared_phones),
        "counts": dict(state.counts),
        "progress": {
            name: [one.state.value, one.scanned, one.of, one.hits, one.statements, one.code]
            for name, one in state.progress.items()
        },
        "spent": [
            state.spent.statements,
            state.spent.rows,
            state.spent.bytes,
            state.spent.scanned,
            state.spent.seconds,
        ],
        "doubt": state.doubt.value if state.doubt else None,
        "failed": state.failed,
        "is_patient": state.is_patient,
    }


def state_from_json(data: Mapping[str, Any]) -> SearchState:
    """The inverse of `state_to_json`. Raises: StateUnreadable."""
    if data.get("version") != VERSION:
        raise StateUnreadable
    try:
        return _state(data)
    except (KeyError, TypeError, ValueError, IndexError):
        raise StateUnreadable from None


def _state(data: Mapping[str, Any]) -> SearchState:
    return SearchState(
        store=data["store"],
        identifiers=tuple(
            Identifier(IdentifierKind(kind), value, Tier(tier), origin, at)
            for kind, value, tier, origin, at in data["identifiers"]
        ),
        phase=Phase(data["phase"]),
        round=data["round"],
        queue=tuple(_ask_of(one) for one in data["queue"]),
        asked=frozenset(data["asked"]),
        taken={name: _taken_of(one) for name, one in data["taken"].items()},
        hits={name: _hit_of(one) for name, one in data["hits"].items()},
        contacts=tuple(
            Contact(link, tuple(decode(part) for part in key), tuple((at, rule, path) for at, rule, path in rules))
            for link, key, rules in data["contacts"]
        ),
        doubtful=frozenset(data["doubtful"]),
        references={name: frozenset(rows) for name, rows in data["references"].items()},
        contradictions={
            name: Contradiction(_ref_of(ref), by, tuple(via)) for name, (ref, by, via) in data["contradictions"].items()
        },
        known=dict(data["known"]),
        seeded=data["seeded"],
        texted=data["texted"],
        shared_phones=frozenset(data["shared_phones"]),
        counts=dict(data["counts"]),
        progress={name: Progress(CollectionState(one[0]), *one[1:]) for name, one in data["progress"].items()},
        spent=Spent(*data["spent"]),
        doubt=Doubt(data["doubt"]) if data["doubt"] else None,
        failed=data["failed"],
        is_patient=data["is_patient"],
    )


def _ask(one: Ask) -> list[Any]:
    keys = [[encode(part) for part in key] for key in one.keys]
    return [one.kind.value, one.collection, one.link, keys, one.since, one.identifiers, one.after]


def _ask_of(one: list[Any]) -> Ask:
    kind, collection, link, keys, since, identifiers, after = one
    held: tuple[tuple[Value, ...], ...] = tuple(tuple(decode(part) for part in key) for key in keys)
    return Ask(AskKind(kind), collection, link, held, since, identifiers, after)


def _taken(one: Taken) -> list[Any]:
    values = {name: encode(value) for name, value in one.values.items()}
    return [_ref(one.ref), one.tier.value, list(one.via), values, one.root]


def _taken_of(one: list[Any]) -> Taken:
    ref, tier, via, values, root = one
    held = {name: decode(value) for name, value in values.items()}
    return Taken(_ref_of(ref), FindingTier(tier), tuple(via), held, root)


def _hit(one: PersonHit) -> list[Any]:
    return [_ref(one.ref), [list(rule) for rule in one.rules], one.other_email, one.named, one.agrees, list(one.via)]


def _hit_of(one: list[Any]) -> PersonHit:
    ref, rules, other_email, named, agrees, via = one
    met = tuple((at, rule, path) for at, rule, path in rules)
    return PersonHit(_ref_of(ref), met, other_email, named, agrees, tuple(via))


def _ref(ref: RowRef) -> list[Any]:
    return [ref.store, ref.collection, encode_key(ref.key), ref.version]


def _ref_of(data: list[Any]) -> RowRef:
    store, collection, key, version = data
    return RowRef(store, collection, decode_key(key), version)
