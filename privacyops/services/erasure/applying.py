"""Does what was planned in one store, page by page, and reads it back.

A page is one transaction of the store. It can be repeated: what is done already says so. A row that changed since the
plan is a conflict and is never forced.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.erasure.deciding import OTHERS, Decided
from privacyops.domain.erasure.intent import Intent
from privacyops.domain.erasure.operation import Blocker, Delete, OpResult, Outcome, PlannedOp, StorePlan, Verdict
from privacyops.domain.erasure.remedy import remedied
from privacyops.domain.erasure.report import check_of, is_read_back
from privacyops.domain.erasure.unchanged import without_changed
from privacyops.kernel.crash_point import crash_point
from privacyops.ports.connector_host import Bounds, ConnectorHost
from privacyops.services.erasure.planning import CALL_SECONDS, Planned, plan_intents, ranks

MAX_TRIES: Final = 12
_EFFECTIVE: Final = frozenset({Outcome.DONE, Outcome.ALREADY, Outcome.KEPT})
_ACCEPTED: Final = frozenset({Outcome.PENDING, Outcome.REQUESTED})
_REFUSED_LATE: Final = frozenset({"constraint", "statement", "suppressed"})
"""What a store says only when it is tried: a trigger or a check that no catalogue shows."""
Recorder = Callable[[Mapping[str, OpResult]], None]


@dataclass
class Applied:
    """What became of each operation, by its id; `planned` is the last plan, `steps` the calls that changed a store."""

    planned: Planned
    results: dict[str, OpResult] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    steps: int = 0

    def planned_ops(self) -> tuple[PlannedOp, ...]:
        """Every planned operation, in order."""
        return tuple(each for page in self.planned.pages for each in page.ops)


def apply_store(
    host: ConnectorHost,
    planned: Planned,
    request: str,
    *,
    step: int = 0,
    record: Recorder | None = None,
    done: Applied | None = None,
) -> Applied:
    """Applies every page in turn. `step` above 0: so many rows a transaction; `record` hears of each that ended.
    `done` is filled as it goes, so that it also tells what a store did before it stopped.

    Raises: StoreProblem: the store stopped; what was recorded is done, and the same call can be made again.
    """
    done = done if done is not None else Applied(planned)
    for at in range(len(planned.pages)):
        for attempt in range(MAX_TRIES):
            if at >= len(done.planned.pages):
                break
            page = done.planned.pages[at] if not (at or attempt) else _planned_anew(host, done, at, request)
            if not _apply_page(host, done, page, at, request, step, record):
                break
    return done


def _planned_anew(host: ConnectorHost, done: Applied, at: int, request: str) -> StorePlan:
    """The page as it has to be planned now: earlier pages are gone, and what refused late has been made milder. What
    holds something else than was agreed to, or is somebody else's by now, is left alone.
    """
    page = done.planned.pages[at]
    rows = {each.op.ref.id for each in page.ops}
    mine, others = _unchanged(host, done, [one for one in done.planned.intents if one.ref.id in rows], request)
    fresh = plan_intents(host, done.planned.drawn, Decided(mine), request, max(len(page.ops), 1))
    new = {one.ref.id: one for one in fresh.intents}
    pages = list(done.planned.pages)
    pages[at] = fresh.pages[0] if fresh.pages else replace(page, ops=())
    done.planned = replace(
        done.planned,
        intents=tuple(new.get(one.ref.id, one) for one in done.planned.intents if one.ref.id not in others),
        pages=tuple(pages),
        open=(
            *(one for one in done.planned.open if not _is_of(one, page)), *fresh.open,
            *(Blocker("other_person", name) for name in sorted(set(others.values()))),
        ),
    )  # fmt: skip
    return pages[at]


def _unchanged(
    host: ConnectorHost, done: Applied, mine: Sequence[Intent], request: str
) -> tuple[tuple[Intent, ...], dict[str, str]]:
    """The intents as the rows are now, and the collections by row of those that are somebody else's. A row of which
    something was done already is not compared: it holds what was written.
    """
    touched_ids = {name for name, one in done.results.items() if one.outcome in _EFFECTIVE}
    begun = {each.op.ref.id for each in done.planned_ops() if each.op.id in touched_ids}
    refs = [one.ref for one in mine if one.ref.id not in begun]
    now = {row.ref.id: row.values for row in host.fetch(done.planned.store, refs, (), Bounds(request, CALL_SECONDS))}
    kept: list[Intent] = []
    others: dict[str, str] = {}
    for one in mine:
        held = now.get(one.ref.id)
        fits = one if held is None else without_changed(one, done.planned.drawn, held)
        if fits is None:
            others[one.ref.id] = one.ref.collection
        else:
            kept.append(fits)
    return tuple(kept), others


def _is_of(blocker: Blocker, page: StorePlan) -> bool:
    return any(each.op.id == blocker.op for each in page.ops)


def _apply_page(
    host: ConnectorHost, done: Applied, page: StorePlan, at: int, request: str, step: int, record: Recorder | None
) -> bool:
    """Applies one page; whether it has to be planned anew and tried again."""
    store = done.planned.store
    refused: list[Blocker] = []
    again = False
    page_steps = _steps(page, done.planned.drawn, step)
    for number, only in enumerate(_not_accepted(page, page_steps, done.results)):
        results = host.apply(store, page, only, f"{page.id}:{at}:{number}", Bounds(request, CALL_SECONDS))
        crash_point("erasure.after_apply_before_record")
        done.steps += 1
        fresh = {one.op: _first_said(done.results.get(one.op), one) for one in results}
        for one in results:
            if one.outcome is Outcome.BLOCKED and one.code in _REFUSED_LATE:
                refused.append(Blocker("restrict", "", None, None, "", one.op))
            again = again or one.outcome is Outcome.RETRIABLE
        done.results.update(fresh)
        if record is not None:
            record(fresh)
        crash_point("erasure.after_step")
    deletes = {each.op.id for each in page.ops if isinstance(each.op.act, Delete)}
    refused = [one for one in refused if one.op in deletes]
    if refused:
        after = remedied(done.planned.intents, refused, done.planned.drawn)
        done.planned = replace(done.planned, intents=after.intents)
        for late in refused:
            done.results.pop(late.op or "", None)
    return bool(refused) or again


def _not_accepted(
    page: StorePlan, steps: Sequence[tuple[str, ...]], results: Mapping[str, OpResult]
) -> Sequence[tuple[str, ...]]:
    """The steps without what the store has accepted and does later: it is not asked for the same work twice."""
    accepted = {name for name, one in results.items() if one.outcome in _ACCEPTED}
    if not accepted & {each.op.id for each in page.ops}:
        return steps
    every = tuple(each.op.id for each in page.ops)
    left = [tuple(name for name in only or every if name not in accepted) for only in steps]
    return tuple(only for only in left if only)


def _first_said(before: OpResult | None, now: OpResult) -> OpResult:
    """A step that is repeated says `already` of what it did itself; what it said first is the truth."""
    if before is not None and before.outcome is Outcome.DONE and now.outcome is Outcome.ALREADY:
        return before
    return now


def _steps(page: StorePlan, drawn: DataMap, step: int) -> Sequence[tuple[str, ...]]:
    """The operations of each transaction: all at once, or `step` rows at a time; a row's are never parted.

    Rows that others lead to by any link go last, so that after an interruption a new search still finds the others.
    """
    if not step:
        return ((),) if page.ops else ()
    rank = ranks({each.op.ref.collection for each in page.ops}, drawn)
    of_row: dict[str, list[PlannedOp]] = {}
    for each in page.ops:
        of_row.setdefault(each.op.ref.id, []).append(each)
    rows = sorted(
        of_row.values(),
        key=lambda ops: (ops[0].op.why not in OTHERS, rank[ops[0].op.ref.collection], ops[0].order),
    )
    return tuple(
        tuple(each.op.id for ops in rows[start : start + step] for each in ops) for start in range(0, len(rows), step)
    )


def read_back(host: ConnectorHost, done: Applied, request: str) -> None:
    """Reads back every operation that says it was done. Raises: StoreProblem."""
    checks = [
        check_of(each)
        for each in done.planned_ops()
        if is_read_back(each.op) and each.op.id in done.results and done.results[each.op.id].outcome in _EFFECTIVE
    ]
    for start in range(0, len(checks), 1000):
        chunk = checks[start : start + 1000]
        for verdict in host.verify(done.planned.store, chunk, Bounds(request, CALL_SECONDS)):
            done.verdicts[verdict.op] = verdict
