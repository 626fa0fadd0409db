"""Erases one person in several stores: plan, apply, read back, search again, until nothing new turns up.

Stores go in the order of their phases, each its own way: one that fails is one report with a problem, and the others
go on. Nothing here needs a database of the product.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from privacyops.domain.datamap.appeared import with_appeared
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.catalogue import Collection, CollectionKind
from privacyops.domain.erasure.cells import is_telling
from privacyops.domain.erasure.deciding import Rules
from privacyops.domain.erasure.intent import Intent, Stance
from privacyops.domain.erasure.operation import Delete, OpResult, Outcome, PlannedOp
from privacyops.domain.erasure.order import PAGE, phase_of
from privacyops.domain.erasure.remedy import given_up, left_cells
from privacyops.domain.erasure.report import Gap, OpReport, Residue, StoreReport
from privacyops.domain.finding.model import Finding, FindingTier, Match, SearchState
from privacyops.domain.finding.open_links import OpenLink, open_links
from privacyops.domain.finding.text import IN_LONG_TEXT
from privacyops.domain.identity.identifier import Identifier
from privacyops.ports.connector_host import ConnectorHost, StoreProblem
from privacyops.services.erasure.again import begun_again, known_after, still_naming, unseen, without_phones
from privacyops.services.erasure.applying import Applied, apply_store, read_back
from privacyops.services.erasure.planning import Planned, plan_store
from privacyops.services.finding.search import Boot, StoreRun
from privacyops.services.finding.several import Drawn, draw_maps, search_stores

MAX_PASSES: Final = 3
"""How often what turned up afterwards (a trigger's copy, a row that changed meanwhile) is planned and erased too."""
T = TypeVar("T")
R = TypeVar("R")
Watch = Callable[[str, str, int, int], None]
"""Hears (store, what, done, of) as the work goes on."""


@dataclass
class _Store:
    """One store on its way. `first` are the ids of the rows that the approved plan knows."""

    run: StoreRun
    original: StoreRun
    connector: str
    rules: Rules
    planned: Planned | None = None
    begun: Applied | None = None
    applied: list[Applied] = field(default_factory=list)
    first: frozenset[str] = frozenset()
    residue: tuple[Residue, ...] = ()
    gaps: tuple[Gap, ...] = ()
    problem: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Erasure:
    """How it is done. `hosts` opens the stores anew for the search afterwards; `step` rows a transaction (0: all)."""

    hosts: Callable[[], ConnectorHost]
    boot: Boot
    request: str
    watch: Watch = lambda store, what, done, of: None
    record: Callable[[str, Mapping[str, OpResult]], None] = lambda store, results: None
    """Hears of each transaction's results before the next one begins."""
    step: int = 0
    passes: int = MAX_PASSES
    size: int = PAGE
    """Operations a plan."""
    applies: bool = True
    """False: what was begun has ended in the stores; it is only read back and searched for."""


def plan_stores(
    host: ConnectorHost, runs: Sequence[StoreRun], rules: Mapping[str, Rules], work: Erasure
) -> tuple[StoreReport, ...]:
    """The dry run: every row with what would be done to it, and every blocker. Writes nothing."""
    return tuple(_report(one, host) for one in _planned(host, runs, rules, work))


def erase_stores(
    host: ConnectorHost,
    maps: Sequence[Drawn],
    runs: Sequence[StoreRun],
    rules: Mapping[str, Rules],
    work: Erasure,
    begun: Mapping[str, Applied] | None = None,
) -> tuple[StoreReport, ...]:
    """Plans, applies, reads back and searches again. `begun`: stores whose plan was made, and perhaps begun, before.

    A store with an open link is left as it is: with the person's own rows gone nobody could find what it leads to.
    """
    stores = _planned(host, runs, rules, work, begun or {})
    known = _learnt(runs)
    going = [one for one in stores if one.begun is not None or not _open_links(one)]
    drawn = [one for one in maps if one.store in {each.run.store for each in going}]
    for turn in range(work.passes if going else 0):
        for phase in sorted({phase_of(one.connector) for one in going}):
            _at_once(lambda one: _erase(host, one, work), [s for s in going if phase_of(s.connector) == phase])
        if not _searched_again(host, drawn, going, known, work, is_last=turn + 1 == work.passes):
            break
    return tuple(_report(one, host) for one in stores)


def _planned(
    host: ConnectorHost,
    runs: Sequence[StoreRun],
    rules: Mapping[str, Rules],
    work: Erasure,
    begun: Mapping[str, Applied] | None = None,
) -> list[_Store]:
    stores = [_Store(run, run, host.config(run.store).connector, rules[run.store]) for run in runs]
    for one in stores:
        one.problem = one.run.problem.code if one.run.problem is not None else ""
        one.begun = (begun or {}).get(one.run.store)
        one.planned = one.begun.planned if one.begun else None
    _at_once(lambda one: _plan(host, one, work), [one for one in stores if one.begun is None])
    for one in stores:
        one.first = frozenset(intent.ref.id for intent in one.planned.intents) if one.planned else frozenset()
    return stores


def _plan(host: ConnectorHost, one: _Store, work: Erasure) -> None:
    if one.run.drawn is None or one.problem:
        return
    began = work.boot()
    work.watch(one.run.store, "plan", 0, len(one.run.findings))
    try:
        one.planned = plan_store(host, one.run, one.rules, work.request, work.size)
    except StoreProblem as problem:
        one.problem = problem.code
    one.seconds += work.boot() - began


def _erase(host: ConnectorHost, one: _Store, work: Erasure) -> None:
    if one.planned is None or one.problem:
        return
    began, total = work.boot(), len(one.planned.ops)
    done, one.begun = one.begun or Applied(one.planned), None
    one.applied.append(done)
    counted = [0]

    def record(results: Mapping[str, OpResult]) -> None:
        counted[0] += len(results)
        work.record(one.run.store, results)
        work.watch(one.run.store, "erase", counted[0], total)

    try:
        if work.applies:
            apply_store(host, one.planned, work.request, step=work.step, record=record, done=done)
        work.watch(one.run.store, "read back", total, total)
        read_back(host, done, work.request)
    except StoreProblem as problem:
        one.problem = problem.code
    one.planned = None
    one.seconds += work.boot() - began


def _searched_again(
    host: ConnectorHost,
    maps: Sequence[Drawn],
    stores: Sequence[_Store],
    known: tuple[Identifier, ...],
    work: Erasure,
    *,
    is_last: bool,
) -> bool:
    """Searches everything once more on new connections; whether something new was planned that is to be erased."""
    intents = {one.run.store: [each for done in one.applied for each in done.planned.intents] for one in stores}
    begun = {one.run.store: begun_again(one.original.state, intents[one.run.store], known) for one in stores}
    fresh = work.hosts()
    try:
        runs: Sequence[StoreRun] = search_stores(fresh, maps, known, work.boot, begun=begun)
        if any(run.state.doubt is not None for run in runs):
            sure = without_phones(known)
            again_with = {name: replace(state, identifiers=sure) for name, state in begun.items()}
            runs = search_stores(fresh, maps, sure, work.boot, begun=again_with) if sure else runs
        naming = {one.run.store: _naming(fresh, one, intents[one.run.store], known, work.request) for one in stores}
        if not is_last:
            runs = _seen_anew(fresh, stores, runs, work, begun)
    finally:
        fresh.close()
    again = False
    for one, run in zip(stores, runs, strict=True):
        work.watch(one.run.store, "search again", 1, 1)
        one.gaps = _gaps(run, one)
        left = [finding for finding in run.findings if _is_left(finding, one)]
        found = [Residue(finding.ref, "found_again", finding.fields) for finding in left]
        one.residue = (*found, *naming[one.run.store])
        if left and not is_last and not one.problem and run.problem is None and not _is_at_work(one):
            one.run = replace(run, findings=tuple(left))
            _plan(host, one, work)
            again = again or bool(one.planned and one.planned.pages)
    return again


def _seen_anew(
    host: ConnectorHost,
    stores: Sequence[_Store],
    runs: Sequence[StoreRun],
    work: Erasure,
    begun: Mapping[str, SearchState],
) -> list[StoreRun]:
    """What turned up may stand in a table that was empty when the map was drawn, so that its rows are judged by a map
    that knows them: a log that a trigger keeps holds more of the person than the cell that was met.
    """
    told = list(runs)
    for at, (one, run) in enumerate(zip(stores, runs, strict=True)):
        names = {finding.ref.collection for finding in run.findings if _is_left(finding, one)}
        if not names or run.drawn is None or run.problem is not None:
            continue
        (now,) = draw_maps(host, [run.store])
        if now.drawn is None:
            continue
        drawn = with_appeared(run.drawn, now.drawn, names)
        (told[at],) = search_stores(
            host, [Drawn(run.store, drawn)], run.state.identifiers, work.boot, begun={run.store: begun[run.store]}
        )
    return told


def _learnt(runs: Sequence[StoreRun]) -> tuple[Identifier, ...]:
    """What the person is known by in any store, for the search afterwards."""
    found: dict[tuple[str, str, str], Identifier] = {}
    for run in runs:
        for one in known_after(run.state):
            found.setdefault((one.kind.value, one.value, one.at), one)
    return tuple(found.values())


def _naming(
    host: ConnectorHost, one: _Store, intents: Sequence[Intent], known: tuple[Identifier, ...], request: str
) -> tuple[Residue, ...]:
    if one.run.drawn is None or one.problem:
        return ()
    try:
        return still_naming(host, one.run.drawn, intents, known, request)
    except StoreProblem as problem:
        one.problem = problem.code
        return ()


def _is_left(finding: Finding, one: _Store) -> bool:
    """Whether a row found afterwards should not be there: about the subject, neither kept nor waiting for a person."""
    if finding.tier is FindingTier.CANDIDATE and finding.reason != IN_LONG_TEXT:
        return False
    if finding.tier is FindingTier.POINTER and finding.match is Match.LINKED:
        return False  # what such a cell says depends on the row it leads to; its own read-back tells of the cell
    stays = {Stance.KEEP, Stance.STAY} if finding.match is Match.LINKED else {Stance.KEEP}
    kept = {intent.ref.id for done in one.applied for intent in done.planned.intents if intent.stance in stays}
    waiting = {each.ref.id for done in one.applied for each in done.planned.undecided}
    return finding.ref.id not in kept | waiting


def _is_at_work(one: _Store) -> bool:
    """Whether the store still works on what it accepted: what is found meanwhile is not planned a second time."""
    return any(each.outcome is Outcome.PENDING for done in one.applied for each in done.results.values())


def _gaps(run: StoreRun, one: _Store) -> tuple[Gap, ...]:
    """What the search afterwards could not see, and what repeats erased rows until it is refreshed."""
    found = unseen(run)
    if run.drawn is not None:
        found.extend(_stale(run.drawn, one))
    return tuple(found)


def _stale(drawn: DataMap, one: _Store) -> list[Gap]:
    changed = {
        each.op.ref.collection
        for done in one.applied
        for each in done.planned_ops()
        if done.results.get(each.op.id) is not None and done.results[each.op.id].outcome is Outcome.DONE
    }
    return [
        Gap(view.name, "not_refreshed")
        for view in drawn.collections
        if view.kind is CollectionKind.MATERIALIZED_VIEW
        and view.refresh != "automatic"
        and (not view.derived_from or changed & set(view.derived_from))
        and _repeats_people(view, drawn)
    ]


def _repeats_people(view: Collection, drawn: DataMap) -> bool:
    """Whether a stored view has a column that tells of a person, by its own name or by one of its sources'."""
    sources = [drawn.by_name[name] for name in view.derived_from if name in drawn.by_name]
    told = {each.path for source in sources for each in source.fields if is_telling(each) or each.path in source.key}
    return not sources or any(is_telling(each) or each.path in told for each in view.fields)


def _report(one: _Store, host: ConnectorHost) -> StoreReport:
    plans = [*(done.planned for done in one.applied), *([one.planned] if one.planned else [])]
    waiting = {each.ref.id: each for plan in plans for each in plan.undecided}  # also what turned up in a later pass
    reports: dict[str, OpReport] = {}
    for done in one.applied:
        _add(reports, done.planned, done, one.first)
    if one.planned is not None and not one.applied:
        _add(reports, one.planned, Applied(one.planned), one.first)
    return StoreReport(
        store=one.run.store,
        connector=host.version(one.run.store),
        ops=tuple(reports.values()),
        undecided=tuple(waiting.values()),
        residue=one.residue,
        gaps=one.gaps if one.applied else _gaps(one.run, one) if one.run.drawn is not None else (),
        blockers=tuple(blocker for plan in plans for blocker in plan.blockers),
        warnings=tuple(dict.fromkeys(warning for plan in plans for warning in plan.warnings)),
        plan_hash="+".join(page.hash for page in plans[0].pages) if plans else "",
        problem=one.problem,
        seconds=one.seconds,
        open_links=_open_links(one),
    )


def _open_links(one: _Store) -> tuple[OpenLink, ...]:
    if one.original.drawn is None:
        return ()
    found = {each.ref.id: each for run in (one.original, one.run) for each in run.findings}
    return open_links(found.values(), one.original.drawn, {*one.rules.accepted, *one.rules.excluded})


def _add(reports: dict[str, OpReport], planned: Planned, done: Applied, first: frozenset[str]) -> None:
    """The operations of one pass. One that an earlier pass could not do and this one did is the later one."""
    left = left_cells(planned.intents, planned.drawn)
    blocked = {blocker.op: blocker.code for blocker in planned.open if blocker.op}
    start = max((one.order for one in reports.values()), default=-1) + 1
    for at, each in enumerate(op for page in planned.pages for op in page.ops):
        result = done.results.get(each.op.id) or _not_tried(each, blocked)
        for name in [name for name, known in reports.items() if known.op.ref.id == each.op.ref.id]:
            if reports[name].result.outcome not in {Outcome.DONE, Outcome.ALREADY, Outcome.KEPT}:
                del reports[name]
        reports[each.op.id] = OpReport(
            each.op,
            start + at,
            result,
            done.verdicts.get(each.op.id),
            left.get(each.op.ref.id, {}) if not isinstance(each.op.act, Delete) else {},
            each.op.ref.id not in first,
        )

    for op, code in given_up(planned.intents):
        order = start + len(planned.ops)
        reports.setdefault(op.id, OpReport(op, order, OpResult(op.id, Outcome.BLOCKED, code=code)))


def _not_tried(each: PlannedOp, blocked: Mapping[str, str]) -> OpResult:
    code = blocked.get(each.op.id)
    return OpResult(each.op.id, Outcome.BLOCKED if code else Outcome.PLANNED, code=code or "")


def _at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(8, len(items))) as pool:
        return list(pool.map(work, items))
