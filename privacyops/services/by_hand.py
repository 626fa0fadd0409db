"""Stores that a person handles: whom to look for, what was found there, what was changed and how it was checked."""

from typing import Final

from privacyops.domain.account.action import Action, Extent
from privacyops.domain.account.rule import extent
from privacyops.domain.dsar import by_hand
from privacyops.domain.dsar.by_hand import Instructions, Statement
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Run
from privacyops.domain.dsar.run import RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import OPEN_TASKS, Task, TaskKind
from privacyops.kernel.errors import Forbidden, NotFound, TransitionRefused, Unprocessable
from privacyops.kernel.ids import AccountId, TaskId
from privacyops.services import sealing, task
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar import execution, search
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

SHORTEST_CHECK: Final = 10
"""Characters below which nobody has said how an erasure was checked."""


def is_search(found: Task) -> bool:
    """Whether the task is to search a store by hand."""
    return found.kind is TaskKind.MANUAL_STORE and found.code == by_hand.CODE


def is_change(found: Task) -> bool:
    """Whether the task is to change a store by hand."""
    return found.kind is TaskKind.MANUAL_STORE and found.store is not None and found.code in set(RequestType)


@reading(Action.TASK_ANSWER)
def asked(ctx: Context, tx: Tx, task_id: TaskId) -> tuple[tuple[str, str], ...]:
    """Whom to look for, as (what, value), to whoever may answer the open task; nothing for others and afterwards.

    Raises: NotFound.
    """
    found = _mine(ctx, tasks.load_task(tx, task_id))
    if found.state not in OPEN_TASKS or found.dsar_id is None or not (is_search(found) or is_change(found)):
        return ()
    who = sealing.requester_of(ctx, tx, dsars.load_dsar(tx, found.dsar_id))
    pairs = (
        ("Name", who.name), ("Mail address", who.email), ("Phone", who.phone), ("Customer number", who.customer_id),
        ("Order number", who.order_number),
    )  # fmt: skip
    return tuple((label, value) for label, value in pairs if value)


@reading(Action.TASK_LIST)
def told(ctx: Context, tx: Tx, task_id: TaskId) -> Instructions:
    """How the task's store is searched; empty for a store that is none of a person's. Raises: NotFound."""
    found = _mine(ctx, tasks.load_task(tx, task_id))
    known = next((one for one in stores.list_stores(tx) if one.name == found.store), None)
    if known is None or known.connector != by_hand.CONNECTOR:
        return Instructions()
    return by_hand.instructions(known.config.get("config", {}))


@use_case(Action.TASK_ANSWER)
def search_answered(ctx: Context, tx: Tx, task_id: TaskId, statement: Statement, note: str, table: str) -> int:
    """The owner searched the store: what was found joins the request; how many records.

    A second click finds the task done and is refused. Raises: Unprocessable: no note, or the statement and the table
    disagree. RecordsUnreadable. SearchOver: the answer is fixed already. TransitionRefused, StaleState, NotFound.
    """
    if not note.strip():
        raise Unprocessable("say in a sentence where you looked")
    if (statement is Statement.FOUND) != bool(table.strip()):
        raise Unprocessable("paste what was found, or say that nothing was found")
    found = _mine(ctx, tasks.load_task(tx, task_id))
    if found.dsar_id is None or found.store is None or not is_search(found):
        raise Unprocessable("this task is no search of a store")
    if found.state not in OPEN_TASKS:
        raise TransitionRefused("this task has ended")
    # locked: the review may not end between this look and the records that join it
    if dsars.load_dsar(tx, found.dsar_id, is_locked=True).state not in {DsarState.SEARCHING, DsarState.IN_REVIEW}:
        raise search.SearchOver
    rows = by_hand.handed_in(found.store, table) if table.strip() else ()
    run = _run(tx, found)
    if rows:
        search.add_findings(ctx, tx, run, rows)
    task.finish_within(ctx, tx, found, note)
    report = {**run.report, "found": len(rows), "by_hand": str(statement)}
    findings.move_run(tx, run, RunState.DONE_BY_HAND, settled_at=tx.now, report=report)
    tasks.cancel_tasks_of_store(tx, found.dsar_id, found.store, "done_by_hand")
    record(ctx, tx, "run.done_by_hand", "dsar", found.dsar_id, store=found.store, found=len(rows))
    search.settle(ctx, tx, found.dsar_id)
    return len(rows)


@use_case(Action.TASK_ANSWER)
def change_answered(ctx: Context, tx: Tx, task_id: TaskId, did: str, checked: str) -> None:
    """The owner changed the store: what was done, and how it was checked afterwards, as one sealed statement.

    Raises: Unprocessable: one of the two is missing. TransitionRefused, StaleState, NotFound.
    """
    if not did.strip():
        raise Unprocessable("say what you changed")
    if len(checked.strip()) < SHORTEST_CHECK:
        raise Unprocessable("say how you checked it afterwards")
    found = _mine(ctx, tasks.load_task(tx, task_id))
    if found.dsar_id is None or not is_change(found):
        raise Unprocessable("this task is no change of a store")
    task.finish_within(ctx, tx, found, f"Done: {did.strip()}\n\nChecked: {checked.strip()}")
    execution.settle_if_done(ctx, tx, found.dsar_id)


def _run(tx: Tx, found: Task) -> Run:
    """The run that waits for this task. Raises: NotFound: there is none any more."""
    if found.dsar_id is None:
        raise NotFound
    for run in findings.list_runs(tx, found.dsar_id):
        if run.store == found.store and run.state is RunState.HANDED_OVER:
            return run
    raise NotFound


def _mine(ctx: Context, found: Task) -> Task:
    """Raises: NotFound: a store owner asks for another's task. Forbidden: the actor's view is masked."""
    allowed = extent(ctx.actor, Action.TASK_LIST)
    if allowed is Extent.OWN and found.owner_id != AccountId(ctx.actor.id):
        raise NotFound
    if allowed is Extent.MASKED:
        raise Forbidden
    return found
