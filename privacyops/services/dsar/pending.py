"""Erasures that a store has accepted and does later: asked after until they have ended, then read back.

The request waits for them, up to the days in which it has to be answered; then it goes on, its receipt says what is
outstanding, and a second receipt follows when the store is done.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.pending import (
    is_answered_without,
    is_given_up,
    is_to_be_told,
    look_after_silence,
    next_look,
)
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.erasure.operation import OpResult, Outcome, Ticket
from privacyops.domain.erasure.report import StoreReport
from privacyops.domain.job import Job
from privacyops.domain.task import OPEN_TASKS, TaskKind, TaskState
from privacyops.kernel.clock import Instant
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.erasing import close, go_on, report_told, results_of, sealed_results, tell_owner
from privacyops.services.dsar.erasure_plan import POLL, enqueue
from privacyops.services.dsar.erasure_receipt import write_receipt
from privacyops.services.dsar.recipients import open_notices
from privacyops.store import dsar as dsars
from privacyops.store import job as job_store
from privacyops.store import store_erasure as erasures
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

ASK_AGAIN: Final = timedelta(minutes=15)
"""When a store is asked again if the job that was to ask it never came back."""
EVENT_LIFE: Final = timedelta(days=730)
"""How long what a service told is remembered, so that it counts once: whoever kept a message that opens a request, and
signed no time, could send it again."""
STILL: Final = "still_pending"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An erasure with the operations whose jobs still run, by operation."""

    erasure: StoreErasure
    tickets: Mapping[str, Ticket]


@use_case(Action.DSAR_RUN)
def accepted(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, report: StoreReport) -> None:
    """The store works on what it was asked; the other stores go on. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.state is not ErasingState.ERASING:
        return
    results = {one.op.id: one.result for one in report.ops}
    running = _running(results)
    erasures.move_erasure(
        tx, erasure, ErasingState.PENDING, poll_at=next_look(list(running.values()), tx.now),
        report={**report_told(report), "since": tx.now.isoformat()},
        results_sealed=sealed_results(ctx, tx, erasure, results),
    )  # fmt: skip
    step = f"{dsars.load_dsar(tx, erasure.dsar_id).type}.accepted"
    record(ctx, tx, step, "dsar", erasure.dsar_id, store=erasure.store, operations=len(running))
    go_on(ctx, tx, erasure.dsar_id)


@use_case(Action.JOB_RUN)
def poll_due(ctx: Context, tx: Tx) -> int:
    """Hand out the questions that are due; how many. What was told long ago is forgotten."""
    erasures.drop_events(tx, tx.now - EVENT_LIFE)
    due = erasures.list_due_polls(tx)
    for one in due:
        _hand_out(tx, one)
    return len(due)


def waiting_for(ctx: Context, erasure_id: UUID) -> Waiting | None:
    """What a worker has to ask after; None: nothing any more. Raises: RequestEmptied."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        erasure = erasures.load_erasure(tx, erasure_id)
        return None if erasure.poll_at is None else _waiting(ctx, tx, erasure)


def waiting_at(ctx: Context, store: str) -> tuple[Waiting, ...]:
    """Every erasure that waits for a store. One whose request was emptied meanwhile waits for nothing."""
    found = []
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        for one in erasures.list_pending(tx, store):
            try:
                found.append(_waiting(ctx, tx, one))
            except sealing.RequestEmptied:
                continue
    return tuple(found)


@use_case(Action.DSAR_RUN)
def note(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, result: OpResult) -> None:
    """One answer of the store is kept before the next question is asked. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    _note(ctx, tx, erasures.load_erasure(tx, erasure_id), [result])


@use_case(Action.DSAR_RUN)
def told(ctx: Context, tx: Tx, store: str, event: str, settled: Sequence[tuple[UUID, OpResult]]) -> int:
    """A store's service said by itself how jobs ended; how many operations that changed. Once said is enough: the
    same word again changes nothing. What it says is read back before it counts.
    """
    if not erasures.add_event(tx, sealing.bucket(ctx, "store_event", store, event)):
        return 0
    changed = 0
    for erasure_id in dict.fromkeys(erasure_id for erasure_id, _ in settled):
        mine = [result for one, result in settled if one == erasure_id]
        erasure = erasures.load_erasure(tx, erasure_id)
        noted = 0 if erasure.poll_at is None else _note(ctx, tx, erasure, mine)
        if noted:
            erasure = erasures.load_erasure(tx, erasure_id)
            step = f"{dsars.load_dsar(tx, erasure.dsar_id).type}.told"
            record(ctx, tx, step, "dsar", erasure.dsar_id, store=store, operations=noted)
            _hand_out(tx, erasure)
        changed += noted
    return changed


@use_case(Action.DSAR_RUN)
def later(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, settle_in: timedelta = timedelta(0)) -> bool:
    """The store was asked: when it is asked next, and whether a person has to hear of it. True: nothing runs any more,
    and what was done may be read back now; within `settle_in` of the end it may not. Raises: JobLost.
    """
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.poll_at is None:
        return False  # while the store was asked, a person gave it up
    tickets = list(_waiting(ctx, tx, erasure).tickets.values())
    report = {name: value for name, value in erasure.report.items() if name != "unanswered"}
    if tickets:
        erasures.save_erasure(tx, erasure, report=report, poll_at=next_look(tickets, tx.now))
        _remind(ctx, tx, erasure_id)
        return False
    if "over" in report or not settle_in:
        return True
    erasures.save_erasure(tx, erasure, report={**report, "over": 1}, poll_at=tx.now + settle_in)
    return False


@use_case(Action.DSAR_RUN)
def unanswered(ctx: Context, tx: Tx, erasure_id: UUID, code: str, *, is_ours: bool = False) -> bool:
    """The store could not be asked; whether it will be asked again. `is_ours`: the fault is in its settings, which only
    a person can mend.
    """
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.poll_at is None:
        return False
    if is_given_up(list(_waiting(ctx, tx, erasure).tickets.values()) or [_end_of(erasure, tx.now)], tx.now):
        return False
    times = int(erasure.report.get("unanswered", 0)) + 1
    erasures.save_erasure(
        tx, erasure, report={**erasure.report, "unanswered": times}, poll_at=look_after_silence(times, tx.now)
    )
    if is_ours:
        tell_owner(tx, dsars.load_dsar(tx, erasure.dsar_id), erasure.store, TaskKind.STORE_FAILED, code[:64])
    _remind(ctx, tx, erasure_id)
    return True


@use_case(Action.DSAR_RUN)
def forget(ctx: Context, tx: Tx, erasure_id: UUID) -> None:
    """Nobody asks after it any more: the request was emptied, or a person has it in hand."""
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.poll_at is not None:
        erasures.save_erasure(tx, erasure, poll_at=None)


@use_case(Action.DSAR_RUN)
def ended(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, report: StoreReport) -> str:
    """The store has ended what it accepted, and it was read back. A request that went on without it gets a receipt
    that supplements the first. Raises: JobLost.
    """
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.poll_at is None:
        return "ended"
    end_reminder(tx, erasure)
    close(ctx, tx, erasure, report)
    dsar = dsars.load_dsar(tx, erasure.dsar_id)
    if dsar.state is DsarState.EXECUTING:
        go_on(ctx, tx, dsar.id)
    else:
        write_receipt(ctx, tx, dsar, erasures.list_erasures(tx, dsar.id))
        open_notices(ctx, tx, dsar)
    return str(erasures.load_erasure(tx, erasure_id).state)


# --- inside -------------------------------------------------------------------------------------------------------


def _running(results: Mapping[str, OpResult]) -> dict[str, Ticket]:
    return {
        name: one.ticket for name, one in results.items() if one.outcome is Outcome.PENDING and one.ticket is not None
    }


def _waiting(ctx: Context, tx: Tx, erasure: StoreErasure) -> Waiting:
    key = sealing.key_of(ctx, tx, erasure.dsar_id)
    return Waiting(erasure, _running(results_of(ctx, key, erasure)))


def _note(ctx: Context, tx: Tx, erasure: StoreErasure, found: Iterable[OpResult]) -> int:
    """Only what is still open is answered: a late answer does not undo an earlier one."""
    results = results_of(ctx, sealing.key_of(ctx, tx, erasure.dsar_id), erasure)
    running = _running(results)
    fresh = {one.op: one for one in found if one.op in running}
    if fresh:
        erasures.save_erasure(tx, erasure, results_sealed=sealed_results(ctx, tx, erasure, {**results, **fresh}))
    return len(fresh)


def _hand_out(tx: Tx, erasure: StoreErasure) -> None:
    erasures.save_erasure(tx, erasure, poll_at=tx.now + ASK_AGAIN)
    enqueue(tx, erasures.load_erasure(tx, erasure.id), POLL)


def _remind(ctx: Context, tx: Tx, erasure_id: UUID) -> None:
    """Tells the store's owner in time; lets the request go on when it can wait no longer."""
    erasure = erasures.load_erasure(tx, erasure_id)
    dsar = dsars.load_dsar(tx, erasure.dsar_id)
    if is_to_be_told(_since(erasure, tx.now), dsar.safe_due_on, tx.now):
        tell_owner(tx, dsar, erasure.store, TaskKind.RESIDUAL, STILL)
    if erasure.state is ErasingState.PENDING and is_answered_without(dsar.safe_due_on, tx.now):
        erasures.move_erasure(tx, erasure, ErasingState.RESIDUAL, ended_at=tx.now)
        record(ctx, tx, f"{dsar.type}.outstanding", "dsar", dsar.id, store=erasure.store)
        go_on(ctx, tx, dsar.id)


def _since(erasure: StoreErasure, now: Instant) -> Instant:
    told_at: Any = erasure.report.get("since")
    return Instant.fromisoformat(told_at) if isinstance(told_at, str) else now


def _end_of(erasure: StoreErasure, now: Instant) -> Ticket:
    """Stands for jobs that have ended, of a store that does not let itself be read back: a week, and then a person."""
    since = _since(erasure, now)
    return Ticket("", since, since, since + timedelta(days=7))


def end_reminder(tx: Tx, erasure: StoreErasure) -> None:
    """The store's owner need not see to it any more that the store ends."""
    for task in tasks.list_tasks_of(tx, erasure.dsar_id):
        if (task.store, task.code) == (erasure.store, STILL) and task.state in OPEN_TASKS:
            tasks.move_task(tx, task, TaskState.CANCELLED, None, end_reason="ended")
