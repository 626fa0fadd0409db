"""Which cells of a restored copy get their right value once more: those that hold again what was corrected then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.erasure.intent import Intent, Stance
from privacyops.domain.erasure.operation import Given, Set
from privacyops.domain.erasure.unchanged import given_by, same_value, still_theirs
from privacyops.domain.record import Row, Value

K = TypeVar("K")
Emptied = Mapping[str, frozenset[str] | None]
"""By the id of a record: the cells that an erasure takes, None: the record goes."""


@dataclass(frozen=True, slots=True)
class Again(Generic[K]):
    """What is to be written, and what a person has to look at: (whose correction, collection, code)."""

    intents: tuple[Intent, ...]
    left: tuple[tuple[K, str, str], ...]


@dataclass(frozen=True, slots=True, repr=False)
class _Step(Generic[K]):
    who: K
    old: Value
    new: Value


def corrected_again(
    done: Sequence[tuple[K, Sequence[Intent]]], now: Mapping[str, Row], drawn: DataMap, emptied: Emptied
) -> Again[K]:
    """`done`: what each correction wrote, oldest first. `now`: the copy's records by id; one that is not there, or
    whose cell is empty, holds nothing wrong. A cell with a value that nobody knows is left alone and said.
    """
    of_row: dict[str, list[tuple[K, Intent]]] = {}
    for who, intents in done:
        for one in intents:
            of_row.setdefault(one.ref.id, []).append((who, one))
    wanted: list[Intent] = []
    left: list[tuple[K, str, str]] = []
    for name, mine in of_row.items():
        row, out = now.get(name), emptied.get(name, frozenset())
        if row is None or out is None:
            continue
        collection = drawn.collection(row.ref.collection)
        if not still_theirs(collection, drawn, [held for _, one in mine for held in _held(one)], row.values):
            left.extend((who, collection.name, "other_person") for who, _ in mine)
            continue
        ways = {}
        for path, steps in _chains(mine).items():
            held = row.values.get(path)
            if held is None or path in out:
                continue
            value, missed = _after(steps, held)
            left.extend((who, collection.name, "other_value") for who in missed)
            if not same_value(value, held):
                ways[path] = (Set({path: Given(value)}),)
        if ways:
            wanted.append(Intent(row.ref, Stance.POINT, row.values, "corrected_again", ways=ways))
    return Again(tuple(wanted), tuple(dict.fromkeys(left)))


def written(intent: Intent, cells: frozenset[str]) -> Intent:
    """The intent with nothing but the cells that were really written."""
    return replace(intent, ways={path: way for path, way in intent.ways.items() if path in cells}, tries={}, left={})


def _given(intent: Intent) -> Iterator[tuple[str, Value]]:
    for path, ways in intent.ways.items():
        value = given_by(ways[0], path) if ways else None
        if value is not None:
            yield path, value


def _held(intent: Intent) -> Iterator[Mapping[str, Value]]:
    """The row before the correction and after it."""
    yield intent.values
    yield {**intent.values, **dict(_given(intent))}


def _chains(mine: Sequence[tuple[K, Intent]]) -> dict[str, list[_Step[K]]]:
    found: dict[str, list[_Step[K]]] = {}
    for who, one in mine:
        for path, new in _given(one):
            found.setdefault(path, []).append(_Step(who, one.values.get(path), new))
    return found


def _after(steps: Sequence[_Step[K]], held: Value) -> tuple[Value, list[K]]:
    """What the cell becomes, and whose corrections found something else there. A cell that was corrected twice is
    taken up where the copy stands.
    """
    start = None
    for at, step in enumerate(steps):
        if same_value(held, step.old):
            start = at
        if same_value(held, step.new):
            start = at + 1
    if start is None:
        return held, [steps[-1].who]
    now, missed = held, []
    for step in steps[start:]:
        if same_value(now, step.old):
            now = step.new
        elif not same_value(now, step.new):
            missed.append(step.who)
    return now, missed
