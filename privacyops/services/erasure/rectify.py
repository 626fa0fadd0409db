"""Corrects one person's data in several stores: every copy gets the new value, and is read again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.erasure.deciding import Decided
from privacyops.domain.erasure.operation import Blocker, Given, OpResult, Outcome, Set
from privacyops.domain.erasure.order import PAGE
from privacyops.domain.erasure.rectifying import COLUMN, Correction, correct
from privacyops.domain.erasure.remedy import given_up
from privacyops.domain.erasure.report import Gap, OpReport, Residue, StoreReport
from privacyops.domain.erasure.unchanged import same_value
from privacyops.domain.finding.model import CollectionState, Finding, FindingTier
from privacyops.domain.record import Row, RowRef
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreProblem
from privacyops.services.erasure.applying import Applied, Recorder, apply_store, read_back
from privacyops.services.erasure.planning import CALL_SECONDS, Planned, plan_intents
from privacyops.services.finding.search import StoreRun

_EFFECTIVE: Final = frozenset({Outcome.DONE, Outcome.ALREADY})


def rectify_stores(
    host: ConnectorHost, runs: Sequence[StoreRun], corrections: Sequence[Correction], request: str, *, apply: bool
) -> tuple[StoreReport, ...]:
    """What is or would be corrected in each store. One store that fails is one report with a problem."""
    return tuple(_store(host, run, corrections, request, apply=apply) for run in runs)


def _store(
    host: ConnectorHost, run: StoreRun, corrections: Sequence[Correction], request: str, *, apply: bool
) -> StoreReport:
    gaps = tuple(
        Gap(name, one.code or one.state.value)
        for name, one in run.state.progress.items()
        if one.state is not CollectionState.DONE
    )
    if run.drawn is None or run.problem is not None:
        return StoreReport(run.store, problem=run.problem.code if run.problem else "no_map", gaps=gaps)
    done: Applied | None = None
    residue: tuple[Residue, ...] = ()
    problem = ""
    try:
        planned = _plan(host, run.findings, run.drawn, corrections, request)
        done = Applied(planned)
        if apply:
            apply_store(host, planned, request, done=done)
            read_back(host, done, request)
            residue = _not_corrected(host, done, request)
    except StoreProblem as failed:
        problem = failed.code
    return _report(run.store, host.version(run.store), done, residue, gaps, problem)


def plan_rectification(
    host: ConnectorHost, findings: Sequence[Finding], drawn: DataMap, corrections: Sequence[Correction], request: str
) -> Planned:
    """The dry run from what the rows hold now: whoever corrected one meanwhile is not overwritten. What stands in
    records that are not wholly the person's is named, for a person to correct. Reads only.

    Raises: StoreProblem.
    """
    now = {row.ref.id: row for row in _rows(host, drawn.store, [one.ref for one in findings], request)}
    fresh = [
        replace(one, ref=now[one.ref.id].ref, values=now[one.ref.id].values) for one in findings if one.ref.id in now
    ]
    planned = _plan(host, fresh, drawn, corrections, request)
    settings = host.settings(drawn.store)
    lost = correct([one for one in findings if one.ref.id not in now], drawn, corrections, settings)
    gone = [Blocker("row_gone", name) for name in sorted({each.ref.collection for each in lost.intents})]
    strange = [replace(one, tier=FindingTier.OWNED) for one in fresh if one.tier is not FindingTier.OWNED]
    others = correct(strange, drawn, corrections, settings)
    said = {(each.ref.collection, path, "anothers_record") for each in others.intents for path in each.ways}
    theirs = [Blocker(code, name, field) for name, field, code in sorted(said | set(others.left))]
    known = {(one.code, one.collection, one.field) for one in planned.open}
    theirs = [one for one in theirs if (one.code, one.collection, one.field) not in known]
    return replace(planned, open=(*planned.open, *gone, *theirs))


def carry_out(
    host: ConnectorHost, fresh: Callable[[], ConnectorHost], done: Applied, request: str, record: Recorder,
    *, applies: bool = True,
) -> StoreReport:  # fmt: skip
    """Does what was approved and reads it back on new connections. `done` may have been begun before. `applies` False:
    the store has ended what it accepted, and is only read. Raises: StoreProblem.
    """
    if applies:
        apply_store(host, done.planned, request, record=record, done=done)
    again = fresh()
    try:
        read_back(again, done, request)
        residue = _not_corrected(again, done, request)
    finally:
        again.close()
    return _report(done.planned.store, host.version(done.planned.store), done, residue)


def _plan(
    host: ConnectorHost, findings: Sequence[Finding], drawn: DataMap, corrections: Sequence[Correction], request: str
) -> Planned:
    found = correct(findings, drawn, corrections, host.settings(drawn.store))
    planned = plan_intents(host, drawn, Decided(found.intents), request)
    left = tuple(Blocker(code, collection, field) for collection, field, code in found.left)
    told = tuple((_told(each, drawn), hits) for each, hits in zip(corrections, found.hits, strict=True))
    return replace(planned, open=(*planned.open, *left), corrected=told)


def _told(each: Correction, drawn: DataMap) -> str:
    """What a pair is about, for plans and letters: a column that the store has not is some text that somebody typed,
    and may be the value itself.
    """
    names = {
        name for one in drawn.collections for field in one.fields for name in (field.path, f"{one.name}.{field.path}")
    }
    return each.kind if each.category is not None or each.column in names else COLUMN


def _rows(host: ConnectorHost, store: str, refs: Sequence[RowRef], request: str) -> Iterator[Row]:
    for start in range(0, len(refs), PAGE):
        yield from host.fetch(store, refs[start : start + PAGE], (), Bounds(request, CALL_SECONDS))


def _report(
    store: str, connector: str, done: Applied | None, residue: tuple[Residue, ...], gaps: tuple[Gap, ...] = (),
    problem: str = "",
) -> StoreReport:  # fmt: skip
    """What cannot be corrected by an operation is a gap: a person sees to it."""
    plan = done.planned if done is not None else None
    left = tuple(Gap(f"{one.collection}.{one.field}" if one.field else one.collection, one.code)
                 for one in (plan.open if plan else ()) if one.op is None)  # fmt: skip
    return StoreReport(
        store=store, connector=connector, ops=_reports(done), residue=residue, gaps=(*gaps, *left),
        blockers=plan.blockers if plan else (), warnings=plan.warnings if plan else (), problem=problem,
    )  # fmt: skip


def _not_corrected(host: ConnectorHost, done: Applied, request: str) -> tuple[Residue, ...]:
    """Rows whose cells do not hold the new value when they are read again."""
    effective = {name for name, one in done.results.items() if one.outcome in _EFFECTIVE}
    wanted = {each.op.ref.id: each.op for each in done.planned_ops() if each.op.id in effective}
    left = []
    for row in _rows(host, done.planned.store, [op.ref for op in wanted.values()], request):
        op = wanted.get(row.ref.id)
        cells = op.act.fields if op is not None and isinstance(op.act, Set) else {}
        wrong = tuple(
            path
            for path, value in cells.items()
            if isinstance(value, Given) and not same_value(row.values.get(path), value.value)
        )
        if wrong:
            left.append(Residue(row.ref, "not_corrected", wrong))
    return tuple(left)


def _reports(done: Applied | None) -> tuple[OpReport, ...]:
    if done is None:
        return ()
    blocked = {one.op: one.code for one in done.planned.open if one.op}
    found = [
        OpReport(
            each.op, at, done.results.get(each.op.id) or _untried(each.op.id, blocked), done.verdicts.get(each.op.id)
        )
        for at, each in enumerate(done.planned_ops())
    ]
    refused = given_up(done.planned.intents)
    found += [OpReport(op, len(found), OpResult(op.id, Outcome.BLOCKED, code=code)) for op, code in refused]
    return tuple(found)


def _untried(name: str, blocked: Mapping[str, str]) -> OpResult:
    code = blocked.get(name, "")
    return OpResult(name, Outcome.BLOCKED if code else Outcome.PLANNED, code=code)
