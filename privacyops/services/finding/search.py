"""Runs a search against stores, a statement at a time. Stops and goes on anywhere; needs no database of its own.

step = advance(state, drawn, host, budget, boot)       one statement, its questions, its findings
run = search_store(...)                                the loop, for the command line
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.finding.asking import fields_of_ask, where_of
from privacyops.domain.finding.frontier import Answer, Limits, absorb, drop, next_ask
from privacyops.domain.finding.judge import Question, learn_known, questions
from privacyops.domain.finding.model import (
    LISTED_POINTERS,
    Ask,
    AskKind,
    CollectionState,
    Finding,
    Phase,
    Progress,
    SearchState,
    Spent,
    begin,
)
from privacyops.domain.identity.identifier import Identifier
from privacyops.domain.predicate import Predicate
from privacyops.domain.record import Row
from privacyops.ports.connector_host import (
    Bounds,
    ConnectorHost,
    FoundPage,
    StoreBudgetSpent,
    StoreMisconfigured,
    StoreProblem,
    StoreRefused,
)

PAGE: Final = 1000
REFERENCES: Final = 200
CALL_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search of one store may use in all; None is without limit. Units are in the names."""

    rows: int | None = 200_000
    scan_rows: int | None = 5_000_000
    bytes: int | None = 500_000_000
    seconds: float | None = 600.0
    statements: int | None = 5_000


@dataclass(frozen=True, slots=True)
class Step:
    """What one statement changed: the state to keep, the findings to store, and what went wrong, if anything did.

    With a `problem` the state is that of before the statement: the same step can be tried again later.
    """

    state: SearchState
    findings: tuple[Finding, ...] = ()
    ask: Ask | None = None
    problem: StoreProblem | None = None


Boot: TypeAlias = Callable[[], float]
"""Seconds on a clock that never jumps: `Clock.boot_seconds`."""
Watcher: TypeAlias = Callable[[SearchState, Ask], None]


@dataclass(frozen=True, slots=True)
class StoreRun:
    """A search of one store that has ended: whole, partial, in doubt or failed. `findings` are joined, one a row."""

    store: str
    drawn: DataMap | None
    state: SearchState
    findings: tuple[Finding, ...] = ()
    problem: StoreProblem | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    page: FoundPage
    answers: tuple[tuple[Question, tuple[Row, ...]], ...] = ()
    count: int | None = None


def budget_of(settings: Mapping[str, float]) -> Budget:
    """The budget a stores file writes; what it leaves out keeps its default."""
    usual = Budget()
    return Budget(
        rows=int(settings.get("rows", usual.rows or 0)),
        scan_rows=int(settings.get("scan_rows", usual.scan_rows or 0)),
        bytes=int(settings.get("bytes", usual.bytes or 0)),
        seconds=float(settings.get("seconds", usual.seconds or 0.0)),
        statements=int(settings.get("statements", usual.statements or 0)),
    )


def advance(
    state: SearchState, drawn: DataMap, host: ConnectorHost, budget: Budget, boot: Boot, request: str = ""
) -> Step:
    """One statement further. A refused or too costly collection is reported and left; a store that does not answer
    ends the step with its problem, and the state stays where it was.
    """
    began, before = boot(), host.usage(state.store).statements
    try:
        bounds = _bounds(state, budget, request)
        limits = Limits(host.traits(state.store, bounds).max_in, host.settings(state.store))
    except StoreProblem as problem:
        return Step(state, problem=problem)
    state, ask = next_ask(state, drawn, limits)
    if ask is None:
        return Step(state)
    spent = _spent_up(state.spent, budget)
    if spent is not None:
        return Step(_stopped(state, spent), ask=ask)
    where = where_of(ask, state, drawn, limits.settings)
    if where is None:
        return Step(drop(state, ask), ask=ask)
    try:
        outcome = _asked(state, drawn, host, ask, where, bounds, limits)
    except (StoreRefused, StoreBudgetSpent) as refused:
        return Step(_left(drop(state, ask), ask, refused.code), ask=ask)
    except StoreProblem as problem:
        return Step(state, ask=ask, problem=problem)
    known = learn_known(outcome.page.rows, outcome.answers, state, drawn)
    if outcome.count is not None:
        state = replace(state, counts={**state.counts, ask.link: outcome.count})
    answer = Answer(outcome.page.rows, outcome.page.after)
    state, findings = absorb(replace(state, known=known), drawn, ask, answer, limits)
    used = host.usage(state.store).statements - before
    state = _noted(state, ask, outcome.page, len(findings), used, boot() - began)
    return Step(state, findings, ask)


def search_store(
    host: ConnectorHost,
    drawn: DataMap,
    identifiers: tuple[Identifier, ...],
    boot: Boot,
    budget: Budget | None = None,
    *,
    state: SearchState | None = None,
    watch: Watcher | None = None,
    request: str = "",
) -> StoreRun:
    """Searches one store to the end, from the start or from a kept state.

    A store that stops answering ends the run with its problem; what was found up to then is kept.
    """
    now = state or begin(drawn.store, identifiers)
    allowed = budget or budget_of(host.config(drawn.store).budget)
    gathered = Gathered()
    while not now.is_done:
        step = advance(now, drawn, host, allowed, boot, request)
        if step.problem is not None:
            failed = _failed(now, step.problem)
            return StoreRun(drawn.store, drawn, failed, gathered.joined(), step.problem)
        gathered.add(step.findings)
        now = step.state
        if watch is not None and step.ask is not None:
            watch(now, step.ask)
    found = () if now.doubt is not None else gathered.joined()
    return StoreRun(drawn.store, drawn, now, found)


def reopened(state: SearchState, identifiers: Sequence[Identifier]) -> SearchState:
    """The state with identifiers that other stores taught; only what they can newly meet is asked.

    A search that waited for the others goes on to its texts, also if they taught nothing.
    """
    if state.awaits_others:
        state = replace(state, is_patient=False, phase=Phase.VALUES)
    known = {(one.kind, one.value) for one in state.identifiers}
    new = tuple(one for one in identifiers if (one.kind, one.value) not in known)
    if not new or state.doubt is not None or state.failed:
        return state
    phase = Phase.VALUES if state.phase is Phase.DONE else state.phase
    return replace(state, identifiers=(*state.identifiers, *new), phase=phase)


@dataclass(slots=True)
class Gathered:
    """Findings joined by row: the last word on a row wins, pointing cells add up."""

    rows: dict[str, Finding] = field(default_factory=dict)

    def add(self, findings: Sequence[Finding]) -> None:
        """Takes the findings of one page."""
        for one in findings:
            self.rows[one.ref.id] = join(self.rows.get(one.ref.id), one)

    def joined(self) -> tuple[Finding, ...]:
        """One finding a row, in the order they were first found."""
        return tuple(self.rows.values())


def join(known: Finding | None, new: Finding) -> Finding:
    """What is kept of a row that was found again. Two findings that only point name all pointing cells together."""
    if known is None or known.tier is not new.tier or known.tier.value != "pointer":
        return new
    fields = tuple(dict.fromkeys((*known.fields, *new.fields)))
    return replace(known, fields=fields, values={**known.values, **new.values}, spans=(*known.spans, *new.spans))


def _asked(
    state: SearchState,
    drawn: DataMap,
    host: ConnectorHost,
    ask: Ask,
    where: Predicate,
    bounds: Bounds,
    limits: Limits,
) -> _Outcome:
    fields = fields_of_ask(ask, drawn)
    size = {AskKind.POINTER: LISTED_POINTERS, AskKind.REFERENCES: REFERENCES}.get(ask.kind, PAGE)
    page = host.find(state.store, ask.collection, where, fields, size, ask.after, bounds)
    if ask.kind is AskKind.POINTER:
        more = host.count(state.store, ask.collection, where, bounds) if page.after is not None else None
        return _Outcome(page, (), more)
    if ask.kind in {AskKind.LOCATE, AskKind.REFERENCES}:
        return _Outcome(page)
    answers = []
    for question in questions(page.rows, state, drawn, limits.max_in):
        found = host.find(state.store, question.collection, question.where, question.fields, PAGE, None, bounds)
        answers.append((question, found.rows))
    return _Outcome(page, tuple(answers))


def _bounds(state: SearchState, budget: Budget, request: str) -> Bounds:
    left = None if budget.seconds is None else max(1.0, budget.seconds - state.spent.seconds)
    rows = None if budget.rows is None else max(1, budget.rows - state.spent.rows)
    size = None if budget.bytes is None else max(1, budget.bytes - state.spent.bytes)
    return Bounds(request, CALL_SECONDS if left is None else min(CALL_SECONDS, left), rows, size)


def _spent_up(spent: Spent, budget: Budget) -> str | None:
    for code, used, limit in (
        ("rows_spent", spent.rows, budget.rows),
        ("bytes_spent", spent.bytes, budget.bytes),
        ("scan_rows_spent", spent.scanned, budget.scan_rows),
        ("seconds_spent", spent.seconds, budget.seconds),
        ("statements_spent", spent.statements, budget.statements),
    ):
        if limit is not None and used >= limit:
            return code
    return None


def _noted(state: SearchState, ask: Ask, page: FoundPage, hits: int, statements: int, seconds: float) -> SearchState:
    old = state.progress.get(ask.collection, Progress())
    new = replace(
        old,
        scanned=old.scanned + page.scanned,
        of=page.of if page.of is not None else old.of,
        hits=old.hits + hits,
        statements=old.statements + statements,
    )
    spent = state.spent
    now = replace(
        spent,
        statements=spent.statements + statements,
        rows=spent.rows + len(page.rows),
        bytes=spent.bytes + page.bytes,
        scanned=spent.scanned + page.scanned,
        seconds=spent.seconds + seconds,
    )
    return replace(state, progress={**state.progress, ask.collection: new}, spent=now)


def _left(state: SearchState, ask: Ask, code: str) -> SearchState:
    old = state.progress.get(ask.collection, Progress())
    part = replace(old, state=CollectionState.PARTIAL, code=code)
    return replace(state, progress={**state.progress, ask.collection: part})


def _stopped(state: SearchState, code: str) -> SearchState:
    """A search whose budget is spent: what was still to be asked is partial, and said so."""
    for ask in state.queue:
        state = _left(state, ask, code)
    return replace(state, queue=(), phase=Phase.DONE)


def _failed(state: SearchState, problem: StoreProblem) -> SearchState:
    gone = CollectionState.SKIPPED if isinstance(problem, StoreMisconfigured) else CollectionState.UNREACHABLE
    for ask in state.queue:
        old = state.progress.get(ask.collection, Progress())
        state = replace(state, progress={**state.progress, ask.collection: replace(old, state=gone, code=problem.code)})
    return replace(state, failed=problem.code)
