"""Searching the stores: one run a store, each on its own, each page committed, failures handed to a person.

A store that fails never ends the request: its run is handed over as a task with an owner and a date, and everything
else goes on. A run out of retries is never "nothing found".
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.dsar import by_hand
from privacyops.domain.dsar.proof import LEVELS, ProofMethod
from privacyops.domain.dsar.record import Dsar, Proof, Requester, Run
from privacyops.domain.dsar.run import SETTLED_RUNS, Decision, RunState
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.finding.codec import state_from_json, state_to_json
from privacyops.domain.finding.model import Finding, FindingTier, Match, SearchState, begin
from privacyops.domain.identity.identifier import Identifier, IdentifierKind, Tier
from privacyops.domain.job import Job
from privacyops.domain.record import encode, spelled
from privacyops.domain.task import TaskKind
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.errors import Conflict, Unprocessable
from privacyops.kernel.ids import DsarId, RunId, uuid7
from privacyops.ports.keyring import DataKey, Place
from privacyops.services import job as jobs
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.columns import names_an_order
from privacyops.services.dsar.lifecycle import ask_for_review, move
from privacyops.services.dsar.reading import begin_reading
from privacyops.services.finding.search import reopened
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import job as job_store
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

JOB: Final = "search"
MAX_ROUNDS: Final = 8
_SHARED: Final = frozenset({Tier.VERIFIED, Tier.STRONG})
_SEARCHED: Final = frozenset({RunState.SUCCEEDED, RunState.NO_MATCH})
_BY_RULE: Final = frozenset({Match.EXACT, Match.LINKED})


class SearchOver(Conflict):
    type = "/problems/search-over"
    title = "The answer is fixed; return the request to review before a store is searched again"


def begin_search(ctx: Context, tx: Tx, dsar: Dsar) -> Dsar:
    """One run for each connected store, at once. Without any store a task asks for one and the request waits."""
    connected = stores.list_stores(tx, only_enabled=True)
    if not connected:
        tasks.add_task(
            tx, TaskKind.MANUAL_STORE, dsar.safe_due_on, owner_role="dpo", dsar_id=dsar.id, code="no_store_connected"
        )
        return dsar
    for store in connected:
        run = findings.load_run(tx, findings.add_run(tx, dsar.id, store.name))
        _enqueue(tx, run)
    return move(ctx, tx, dsar, DsarEvent.START_SEARCH, audit={"stores": len(connected)})


def identifiers_of(requester: Requester) -> tuple[Identifier, ...]:
    """What the search starts from. The address is verified; the rest was only typed and never stands alone."""
    given = [Identifier(IdentifierKind.EMAIL, requester.email)]
    if requester.name:
        given.append(Identifier(IdentifierKind.NAME, requester.name, Tier.WEAK))
    if requester.phone:
        given.append(Identifier(IdentifierKind.PHONE, requester.phone, Tier.PROBABLE))
    return tuple(given)


def open_state(ctx: Context, job: Job) -> tuple[Run, SearchState]:
    """The run of a job and where its search stands. Raises: RequestEmptied, NotFound."""
    run_id = RunId(UUID(str(job.arguments["run"])))
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        run = findings.load_run(tx, run_id)
        dsar = dsars.load_dsar(tx, run.dsar_id)
        key = sealing.key_of(ctx, tx, dsar.id)
        requester = sealing.requester_of(ctx, tx, dsar)
        others = [one for one in findings.list_runs(tx, run.dsar_id) if one.id != run.id]
    if job.cursor is not None:
        return run, state_from_json(json.loads(key.open(job.cursor, _cursor_place(ctx, job))))
    given = identifiers_of(requester)
    if run.state_sealed is not None:
        before = state_from_json(json.loads(key.open(run.state_sealed, _state_place(ctx, run))))
        return run, reopened(before, (*given, *_taught(ctx, run, key)))
    is_patient = any(one.state not in SETTLED_RUNS or one.report.get("texts_wait") for one in others)
    return run, begin(run.store, given, is_patient=is_patient)


@use_case(Action.DSAR_RUN)
def start_run(ctx: Context, tx: Tx, job: Job, run_id: RunId) -> None:
    """The job has begun to work on the run. Repeating changes nothing. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    run = findings.load_run(tx, run_id)
    if run.state is RunState.QUEUED:
        findings.move_run(tx, run, RunState.RUNNING, started_at=tx.now, job_id=job.id, attempts=run.attempts + 1)


@use_case(Action.DSAR_RUN)
def save_page(ctx: Context, tx: Tx, job: Job, run_id: RunId, state: SearchState, found: tuple[Finding, ...]) -> None:
    """Commit one page: its findings, the cursor and the progress together. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    run = findings.load_run(tx, run_id)
    key = sealing.key_of(ctx, tx, run.dsar_id)
    _save_findings(ctx, tx, run, key, found)
    crash_point("search.after_findings_before_cursor")
    sealed = key.seal(json.dumps(state_to_json(state)).encode(), _cursor_place(ctx, job))
    job_store.save_page(tx, job, sealed, _progress(state))


@use_case(Action.DSAR_RUN)
def end_run(ctx: Context, tx: Tx, job: Job, run_id: RunId, state: SearchState) -> str:
    """The search of this store is over: whole, partial, or in doubt. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    run = findings.load_run(tx, run_id)
    if state.doubt is not None:
        _hand_over(ctx, tx, run, TaskKind.CHECK_IDENTITY, f"doubt:{state.doubt}")
        return "doubt"
    key = sealing.key_of(ctx, tx, run.dsar_id)
    sealed = key.seal(json.dumps(state_to_json(state)).encode(), _state_place(ctx, run))
    counts = [row for row in findings.count_findings(tx, run.dsar_id) if row.store == run.store]
    found = sum(int(row.records) for row in counts)
    report = {**run.report, **_report(state), "found": found, "texts_wait": state.awaits_others}
    if not state.is_whole and not state.awaits_others:
        findings.save_run(tx, run, report=report, state_sealed=sealed)
        _hand_over(ctx, tx, findings.load_run(tx, run_id), TaskKind.STORE_FAILED, "partial")
        return "partial"
    target = RunState.SUCCEEDED if found else RunState.NO_MATCH
    findings.move_run(tx, run, target, settled_at=tx.now, report=report, code=None, state_sealed=sealed)
    record(ctx, tx, "run.settled", "dsar", run.dsar_id, store=run.store, result=str(target), found=found)
    _teach_others(ctx, tx, run, key, state)
    settle(ctx, tx, run.dsar_id)
    return str(target)


@use_case(Action.DSAR_RUN)
def run_failed(ctx: Context, tx: Tx, run_id: RunId, code: str) -> None:
    """The run is out of retries, or a retry cannot help: a person takes it over; the rest goes on."""
    run = findings.load_run(tx, run_id)
    if run.state is RunState.QUEUED:
        findings.move_run(tx, run, RunState.RUNNING, started_at=tx.now)
        run = findings.load_run(tx, run_id)
    if run.state is RunState.RUNNING:
        _hand_over(ctx, tx, run, TaskKind.MANUAL_STORE if code == by_hand.CODE else TaskKind.STORE_FAILED, code)


def add_findings(ctx: Context, tx: Tx, run: Run, found: tuple[Finding, ...]) -> None:
    """Records that a person handed in for a run join the request. One in review has read its texts already, without
    these: all are read once more, and what was planned of the answer is void.
    """
    _save_findings(ctx, tx, run, sealing.key_of(ctx, tx, run.dsar_id), found)
    dsar = dsars.load_dsar(tx, run.dsar_id, is_locked=True)
    if dsar.state is DsarState.IN_REVIEW:
        begin_reading(tx, dsars.save_dsar(tx, dsar, plan_hash=None))


@use_case(Action.DSAR_SEARCH)
def retry_run(ctx: Context, tx: Tx, dsar_id: DsarId, run_id: RunId) -> None:
    """Search a store that was handed over once more. Raises: TransitionRefused, StaleState."""
    run = _own_run(tx, dsar_id, run_id)
    findings.move_run(tx, run, RunState.QUEUED, code=None)
    _enqueue(tx, findings.load_run(tx, run_id))
    tasks.cancel_tasks_of_store(tx, dsar_id, run.store, "retried")
    dsar = dsars.load_dsar(tx, dsar_id)
    if dsar.state is DsarState.IN_REVIEW:
        move(ctx, tx, dsar, DsarEvent.SEARCH_AGAIN, audit={"store": run.store})
    else:
        record(ctx, tx, "run.retry", "dsar", dsar_id, store=run.store)


@use_case(Action.DSAR_SEARCH)
def run_done_by_hand(ctx: Context, tx: Tx, dsar_id: DsarId, run_id: RunId, note: str) -> None:
    """A person searched the store and says what was found. Raises: Unprocessable: no note. TransitionRefused."""
    if not note.strip():
        raise Unprocessable("say what you looked for and what you found")
    run = _own_run(tx, dsar_id, run_id)
    key = sealing.key_of(ctx, tx, dsar_id)
    sealed = key.seal(note.strip()[:4000].encode(), sealing.place(ctx, "dsar_message", "sealed", dsar_id))
    dsars.add_message(tx, dsar_id, "note", sealed)
    findings.move_run(tx, run, RunState.DONE_BY_HAND, settled_at=tx.now)
    tasks.cancel_tasks_of_store(tx, dsar_id, run.store, "done_by_hand")
    record(ctx, tx, "run.done_by_hand", "dsar", dsar_id, store=run.store)
    settle(ctx, tx, dsar_id)


@use_case(Action.DSAR_SEARCH)
def answer_without(ctx: Context, tx: Tx, dsar_id: DsarId, run_id: RunId, reason: str) -> None:
    """Answer without this store; the letter names it. Raises: Unprocessable: no reason. TransitionRefused."""
    if not reason.strip():
        raise Unprocessable("say why the answer goes out without this store")
    run = _own_run(tx, dsar_id, run_id)
    _note(ctx, tx, dsar_id, reason)
    findings.move_run(tx, run, RunState.ANSWERED_WITHOUT, settled_at=tx.now)
    tasks.cancel_tasks_of_store(tx, dsar_id, run.store, "answered_without")
    record(ctx, tx, "run.answered_without", "dsar", dsar_id, store=run.store)
    settle(ctx, tx, dsar_id)


def _note(ctx: Context, tx: Tx, dsar_id: DsarId, text: str) -> None:
    """A note of the team, sealed with the request; the customer does not see it."""
    key = sealing.key_of(ctx, tx, dsar_id)
    sealed = key.seal(text.strip()[:4000].encode(), sealing.place(ctx, "dsar_message", "sealed", dsar_id))
    dsars.add_message(tx, dsar_id, "note", sealed)


def settle(ctx: Context, tx: Tx, dsar_id: DsarId) -> None:
    """When every run has ended, those that waited for the others read their texts; then the request goes to review."""
    dsar = dsars.load_dsar(tx, dsar_id, is_locked=True)  # of two runs that end at once, the second sees the first
    runs = findings.list_runs(tx, dsar_id)
    if dsar.state is not DsarState.SEARCHING or any(run.state not in SETTLED_RUNS for run in runs):
        return
    waiting = [run for run in runs if run.state in _SEARCHED and run.report.get("texts_wait")]
    for run in waiting:
        _go_on(tx, run)
    if waiting:
        return
    begin_reading(tx, move(ctx, tx, dsar, DsarEvent.SEARCH_SETTLED, audit={"runs": len(runs)}))
    ask_for_review(tx, dsar)


def _enqueue(tx: Tx, run: Run) -> None:
    jobs.enqueue(tx, JOB, run.dsar_id, outbox_id=f"run:{run.id}:{run.version}", run=str(run.id))


def _own_run(tx: Tx, dsar_id: DsarId, run_id: RunId) -> Run:
    """A run of an open search or review: once the answer is fixed, nothing may join it. Raises: SearchOver."""
    if dsars.load_dsar(tx, dsar_id).state not in {DsarState.SEARCHING, DsarState.IN_REVIEW}:
        raise SearchOver
    run = findings.load_run(tx, run_id)
    if run.dsar_id != dsar_id:
        raise Unprocessable("this run belongs to another request")
    return run


def _hand_over(ctx: Context, tx: Tx, run: Run, kind: TaskKind, code: str) -> None:
    findings.move_run(tx, run, RunState.FAILED, code=code)
    findings.move_run(tx, findings.load_run(tx, run.id), RunState.HANDED_OVER, settled_at=tx.now)
    dsar = dsars.load_dsar(tx, run.dsar_id)
    store = next((one for one in stores.list_stores(tx) if one.name == run.store), None)
    owned = kind in {TaskKind.STORE_FAILED, TaskKind.MANUAL_STORE} and store is not None and store.owner_id is not None
    role = "store_owner" if owned else "analyst"
    due = dsar.safe_due_on
    if kind is TaskKind.MANUAL_STORE and store is not None:
        days = by_hand.instructions(store.config.get("config", {})).days
        due = by_hand.due_on(tx.now.date(), days, due)
    tasks.add_task(
        tx, kind, due, owner_role=role, owner_id=store.owner_id if store else None, dsar_id=run.dsar_id,
        store=run.store, code=code,
    )  # fmt: skip
    if dsar.state is DsarState.SEARCHING:
        move(ctx, tx, dsar, DsarEvent.RUN_FAILED, audit={"store": run.store, "code": code})
    settle(ctx, tx, run.dsar_id)


def _save_findings(ctx: Context, tx: Tx, run: Run, key: DataKey, found: tuple[Finding, ...]) -> None:
    dsar = dsars.load_dsar(tx, run.dsar_id)
    requester = sealing.requester_of(ctx, tx, dsar)
    order = requester.order_number if requester.order_number.casefold() not in _said(requester) else ""
    rows = [_row(ctx, tx, run, key, one) for one in found]
    findings.save_findings(tx, rows)
    if order and any(_states(one, order) for one in found):
        _prove_order(ctx, tx, dsar)


def _states(finding: Finding, order: str) -> bool:
    """Whether an owned record holds the named number where orders keep theirs: no quantity or name proves anything."""
    if finding.tier is not FindingTier.OWNED or finding.match not in _BY_RULE:
        return False
    return any(
        spelled(value).casefold() == order.casefold() and names_an_order(finding.collection, name)
        for name, value in finding.values.items()
    )


def _said(requester: Requester) -> frozenset[str]:
    """What the requester wrote besides: repeating it proves nothing."""
    said = (requester.email, requester.name, requester.phone, requester.customer_id)
    return frozenset(text.casefold() for text in said)


def _prove_order(ctx: Context, tx: Tx, dsar: Dsar) -> None:
    known = {proof.method for proof in dsars.list_proofs(tx, dsar.id)}
    if ProofMethod.ORDER_FACT in known:
        return
    level = LEVELS[ProofMethod.ORDER_FACT]
    dsars.add_proof(tx, dsar.id, Proof(level, str(ProofMethod.ORDER_FACT), tx.now, "order_number"))
    dsars.save_dsar(tx, dsar, proven_level=max(level, dsar.proven_level))
    record(ctx, tx, "dsar.order_fact_met", "dsar", dsar.id, level=level)


def _row(ctx: Context, tx: Tx, run: Run, key: DataKey, one: Finding) -> Mapping[str, Any]:
    row_ref = bytes.fromhex(one.ref.id)
    body = {
        "key": {name: encode(value) for name, value in one.key},
        "values": {name: encode(value) for name, value in one.values.items()},
        "spans": [[span.field, span.start, span.end] for span in one.spans],
        "version": one.ref.version,
        "reason": one.reason,
        "repeats": list(one.repeats),
    }
    by_rule = one.match in _BY_RULE and one.tier is not FindingTier.CANDIDATE
    return {
        "id": uuid7(tx.now), "dsar_id": run.dsar_id, "store": run.store, "collection": one.collection,
        "row_ref": row_ref, "tier": str(one.tier), "match": str(one.match), "columns": list(one.fields),
        "via": list(one.via), "persons_mentioned": 0,
        "sealed": key.seal(json.dumps(body).encode(), sealing.place(ctx, "finding", "sealed", row_ref.hex())),
        "decision": Decision.INCLUDE if by_rule else Decision.UNDECIDED, "reason": one.reason or None,
        "decided_by": None, "decided_at": None, "found_at": tx.now,
    }  # fmt: skip


def _teach_others(ctx: Context, tx: Tx, run: Run, key: DataKey, state: SearchState) -> None:
    """What this store taught (a customer number, another address) is asked of the stores that ended before."""
    taught = [one for one in state.identifiers if one.tier in _SHARED and one.origin != "given"]
    for other in findings.list_runs(tx, run.dsar_id):
        rounds = int(other.report.get("rounds", 1))
        if other.id == run.id or other.state_sealed is None or rounds >= MAX_ROUNDS:
            continue
        if other.state not in _SEARCHED or other.report.get("texts_wait"):
            continue  # it goes on by itself when all have ended, and asks for everything that was taught by then
        before = state_from_json(json.loads(key.open(other.state_sealed, _state_place(ctx, other))))
        if reopened(before, taught) is not before:
            _go_on(tx, other)


def _go_on(tx: Tx, run: Run) -> None:
    """Another round of a store that was searched."""
    rounds = int(run.report.get("rounds", 1))
    findings.move_run(tx, run, RunState.QUEUED, report={**run.report, "rounds": rounds + 1})
    _enqueue(tx, findings.load_run(tx, run.id))


def _taught(ctx: Context, run: Run, key: DataKey) -> tuple[Identifier, ...]:
    """What the other stores of the request have taught so far."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        others = [one for one in findings.list_runs(tx, run.dsar_id) if one.id != run.id and one.state_sealed]
    learnt: list[Identifier] = []
    for other in others:
        state = state_from_json(json.loads(key.open(other.state_sealed or b"", _state_place(ctx, other))))
        learnt += [one for one in state.identifiers if one.tier in _SHARED and one.origin != "given"]
    return tuple(learnt)


def _progress(state: SearchState) -> Mapping[str, Any]:
    return {
        "phase": str(state.phase),
        "collections": len(state.progress),
        "rows": len(state.taken),
        "statements": state.spent.statements,
        "scanned": state.spent.scanned,
    }


def _report(state: SearchState) -> Mapping[str, Any]:
    return {
        "identifiers": sorted({str(one.kind) for one in state.identifiers}),
        "statements": state.spent.statements,
        "scanned": state.spent.scanned,
        "contradictions": len(state.contradictions),
        "collections": {
            name: {"state": str(one.state), "scanned": one.scanned, "of": one.of, "hits": one.hits, "code": one.code}
            for name, one in state.progress.items()
        },
    }


def _cursor_place(ctx: Context, job: Job) -> Place:
    return sealing.place(ctx, "job", "cursor", job.id)


def _state_place(ctx: Context, run: Run) -> Place:
    return sealing.place(ctx, "dsar_run", "state_sealed", run.id)
