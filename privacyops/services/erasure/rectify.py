"""Corrects one person's data in several stores: every copy gets the new value, and is read again."""

from collections.abc import Mapping, Sequence

from privacyops.domain.erasure.deciding import Decided
from privacyops.domain.erasure.operation import Given, OpResult, Outcome, Set
from privacyops.domain.erasure.rectifying import Correction, correct
from privacyops.domain.erasure.remedy import given_up
from privacyops.domain.erasure.report import Gap, OpReport, Residue, StoreReport
from privacyops.domain.finding.model import CollectionState
from privacyops.domain.record import canonical
from privacyops.ports.connector_host import Bounds, ConnectorHost, StoreProblem
from privacyops.services.erasure.applying import Applied, apply_store, read_back
from privacyops.services.erasure.planning import CALL_SECONDS, plan_intents
from privacyops.services.finding.search import StoreRun


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
    found = correct(run.findings, run.drawn, corrections, host.settings(run.store))
    gaps = (*gaps, *(Gap(f"{collection}.{field}", code) for collection, field, code in found.left))
    done: Applied | None = None
    residue: tuple[Residue, ...] = ()
    problem = ""
    try:
        planned = plan_intents(host, run.drawn, Decided(found.intents), request)
        done = Applied(planned)
        if apply:
            apply_store(host, planned, request, done=done)
            read_back(host, done, request)
            residue = _not_corrected(host, done, request)
    except StoreProblem as failed:
        problem = failed.code
    return StoreReport(
        store=run.store, connector=host.version(run.store), ops=_reports(done), residue=residue, gaps=gaps,
        blockers=done.planned.blockers if done else (), warnings=done.planned.warnings if done else (), problem=problem,
    )  # fmt: skip


def _not_corrected(host: ConnectorHost, done: Applied, request: str) -> tuple[Residue, ...]:
    """Rows whose cells do not hold the new value when they are read again."""
    wanted = {each.op.ref.id: each.op for each in done.planned_ops()}
    refs = [op.ref for op in wanted.values()]
    left = []
    for row in host.fetch(done.planned.store, refs, (), Bounds(request, CALL_SECONDS)) if refs else ():
        op = wanted.get(row.ref.id)
        cells = op.act.fields if op is not None and isinstance(op.act, Set) else {}
        wrong = tuple(
            path
            for path, value in cells.items()
            if isinstance(value, Given) and canonical(row.values.get(path)) != canonical(value.value)
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
