"""Searches several stores at once, and again where one taught the other something. One failure stays one failure."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.finding.model import MAX_ROUNDS, Ask, SearchState, begin
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreProblem
from privacyops.services.finding.scan import draw_map
from privacyops.services.finding.search import (
    CALL_SECONDS,
    Boot,
    Gathered,
    StoreRun,
    Watcher,
    budget_of,
    reopened,
    search_store,
)

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE: Final = 8
_SHARED: Final = frozenset({IdentifierKind.EMAIL, IdentifierKind.NAME, IdentifierKind.ORDER_NUMBER})


@dataclass(frozen=True, slots=True)
class Drawn:
    """The map of a store, or why there is none."""

    store: str
    drawn: DataMap | None = None
    problem: StoreProblem | None = None


def draw_maps(host: ConnectorHost, stores: Sequence[str]) -> tuple[Drawn, ...]:
    """The maps of all stores, in their order, drawn at once."""
    return tuple(_at_once(lambda store: _draw(host, store), stores))


def search_stores(
    host: ConnectorHost,
    maps: Sequence[Drawn],
    identifiers: tuple[Identifier, ...],
    boot: Boot,
    watch: Callable[[str, SearchState, Ask], None] | None = None,
    begun: Mapping[str, SearchState] | None = None,
) -> tuple[StoreRun, ...]:
    """Every store to its end; then those that can use what others taught, until nothing is new. `begun`: where a
    store's search starts, if not with nothing.

    Spellings, names and order numbers travel between stores; a customer's number does not, for another store may
    have given the same one to somebody else.
    """

    def run(one: Drawn) -> StoreRun:
        if one.drawn is None:
            failed = replace(begin(one.store, identifiers), failed=one.problem.code if one.problem else "no_map")
            return StoreRun(one.store, None, failed, (), one.problem)
        start = (begun or {}).get(one.store)
        return search_store(host, one.drawn, identifiers, boot, state=start, watch=_watcher(one.store, watch))

    runs = _at_once(run, maps)
    if len(runs) < 2:
        return tuple(runs)
    for _ in range(MAX_ROUNDS):
        taught = _taught(runs)
        again = [(at, one, reopened(one.state, taught)) for at, one in enumerate(runs)]
        again = [(at, one, state) for at, one, state in again if state is not one.state]
        if not again:
            break
        done = _at_once(lambda item: _again(host, item[1], item[2], boot, watch), again)
        for (at, _, _), one in zip(again, done, strict=True):
            runs[at] = one
    return tuple(runs)


def _again(
    host: ConnectorHost,
    one: StoreRun,
    state: SearchState,
    boot: Boot,
    watch: Callable[[str, SearchState, Ask], None] | None,
) -> StoreRun:
    if one.drawn is None:
        return one
    more = search_store(host, one.drawn, state.identifiers, boot, state=state, watch=_watcher(one.store, watch))
    gathered = Gathered({finding.ref.id: finding for finding in one.findings})
    gathered.add(more.findings)
    return replace(more, findings=gathered.joined())


def _taught(runs: Sequence[StoreRun]) -> tuple[Identifier, ...]:
    return tuple(
        replace(one, origin=f"{run.store}:{one.origin}")
        for run in runs
        if run.state.doubt is None
        for one in run.state.identifiers
        if one.kind in _SHARED and one.tier is Tier.STRONG and ":" not in one.origin
    )


def _draw(host: ConnectorHost, store: str) -> Drawn:
    seconds = budget_of(host.config(store).budget).seconds
    try:
        return Drawn(store, draw_map(host, store, Bounds(seconds=min(CALL_SECONDS, seconds or CALL_SECONDS))))
    except StoreProblem as problem:
        return Drawn(store, problem=problem)


def _watcher(store: str, watch: Callable[[str, SearchState, Ask], None] | None) -> Watcher | None:
    return None if watch is None else lambda state, ask: watch(store, state, ask)


def _at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    if len(items) == 1:
        return [work(items[0])]
    with ThreadPoolExecutor(min(AT_ONCE, max(1, len(items)))) as pool:
        return list(pool.map(work, items))
