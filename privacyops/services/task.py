"""Tasks: what waits for a person, and answering it."""

from collections.abc import Collection, Sequence
from typing import Final

from privacyops.domain.account.action import Action, Extent, Role
from privacyops.domain.account.rule import extent
from privacyops.domain.task import OPEN_TASKS, Task, TaskKind, TaskState
from privacyops.kernel.errors import NotFound, Unprocessable
from privacyops.kernel.ids import AccountId, DsarId, TaskId
from privacyops.ports.keyring import DataKey
from privacyops.services import sealing
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar import execution, recipients
from privacyops.services.sealing import RequestEmptied
from privacyops.store import dsar as dsars
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

LONGEST_NOTE: Final = 4000
_IN_A_STORE: Final = frozenset({TaskKind.RESIDUAL, TaskKind.STORE_FAILED})
"""After an erasure or a correction: a person did in a store what no machine could."""


@use_case(Action.TASK_ASSIGN)
def open_for(ctx: Context, tx: Tx, dsar_id: DsarId, kind: TaskKind, owner_role: str, code: str) -> TaskId:
    """A task about a request, due with it; the one that is open already, if it says the same."""
    dsar = dsars.load_dsar(tx, dsar_id)
    for known in tasks.list_tasks_of(tx, dsar_id):
        if (known.kind, known.code) == (kind, code) and known.state in OPEN_TASKS:
            return known.id
    task = tasks.add_task(
        tx, kind, dsar.safe_due_on, owner_role=owner_role, owner_id=dsar.assignee_id, dsar_id=dsar_id, code=code
    )
    record(ctx, tx, "task.open", "task", task, kind=str(kind), dsar=str(dsar_id), code=code)
    return task


@use_case(Action.TASK_ASSIGN)
def open_about(ctx: Context, tx: Tx, kind: TaskKind, owner_role: str, code: str) -> TaskId:
    """A task about no request, due today; the one that is open already, if it says the same."""
    known = tasks.find_open_task(tx, kind, code)
    if known is not None:
        return known
    task = tasks.add_task(tx, kind, tx.now.date(), owner_role=owner_role, code=code)
    record(ctx, tx, "task.open", "task", task, kind=str(kind), code=code)
    return task


@reading(Action.TASK_LIST)
def list_open(ctx: Context, tx: Tx) -> tuple[Task, ...]:
    """The open tasks the actor may see: a store owner's own, everybody's for the team; the most urgent first."""
    every = tasks.list_open_tasks(tx)
    if extent(ctx.actor, Action.TASK_LIST) is Extent.OWN:
        every = [task for task in every if task.owner_id == ctx.actor.id]
    return tuple(every)


@reading(Action.TASK_LIST)
def read(ctx: Context, tx: Tx, task_id: TaskId) -> Task:
    """Raises: NotFound: unknown, or not the actor's to see."""
    return _visible(ctx, tasks.load_task(tx, task_id))


@reading(Action.TASK_LIST)
def note(ctx: Context, tx: Tx, task_id: TaskId) -> str | None:
    """What was noted when the task was done. None: nothing, the request was emptied, or the actor's view is masked.

    Raises: NotFound.
    """
    task = _visible(ctx, tasks.load_task(tx, task_id))
    if extent(ctx.actor, Action.TASK_LIST) is Extent.MASKED:
        return None
    return note_within(ctx, tx, task)


@reading(Action.TASK_LIST)
def keeps_note(ctx: Context, tx: Tx, task: Task) -> bool:
    """Whether a note can be kept: the data of the task's request has not been destroyed."""
    return task.dsar_id is None or dsars.load_request_key(tx, task.dsar_id) is not None


def note_within(ctx: Context, tx: Tx, task: Task, key: DataKey | None = None) -> str | None:
    """As `note`, in a transaction that does more; `key` as for `finish_within`. Raises: SealBroken."""
    if task.answer_sealed is None:
        return None
    place = sealing.place(ctx, "task", "answer_sealed", task.id)
    try:
        if task.dsar_id is not None:
            key = sealing.key_of(ctx, tx, task.dsar_id)
        opened = key.open(task.answer_sealed, place) if key else ctx.ports.keyring.open(task.answer_sealed, place)
    except RequestEmptied:
        return None
    return opened.decode()


@reading(Action.TASK_LIST)
def references(ctx: Context, tx: Tx, ids: Sequence[DsarId]) -> dict[DsarId, str]:
    """The numbers of the requests that tasks belong to."""
    return dict(dsars.references_of(tx, ids))


@reading(Action.TASK_LIST)
def store_titles(ctx: Context, tx: Tx, names: Collection[str]) -> dict[str, str]:
    """What people call the stores that tasks are about."""
    return {one.name: one.title for one in stores.list_stores(tx) if one.name in names}


def mine(ctx: Context, task: Task) -> bool:
    """Whether the actor is meant: by name, or as the holder of the role."""
    if task.owner_id is not None:
        return task.owner_id == ctx.actor.id
    return Role(task.owner_role) in ctx.actor.roles


@use_case(Action.TASK_ANSWER)
def claim(ctx: Context, tx: Tx, task_id: TaskId) -> None:
    """Take a task on. Raises: TransitionRefused, StaleState, NotFound."""
    task = _visible(ctx, tasks.load_task(tx, task_id))
    tasks.move_task(tx, task, TaskState.IN_PROGRESS, AccountId(ctx.actor.id), owner_id=ctx.actor.id)
    record(ctx, tx, "task.claim", "task", task_id)


@use_case(Action.TASK_ANSWER)
def answer(ctx: Context, tx: Tx, task_id: TaskId, note: str) -> None:
    """Done, with a note that is sealed with its request.

    Raises: Unprocessable: no note, or a task that is decided on and not noted. TransitionRefused, StaleState.
    """
    if not note.strip():
        raise Unprocessable("say in a sentence what you did")
    task = _visible(ctx, tasks.load_task(tx, task_id))
    if task.kind is TaskKind.WEIGH_OBJECTION:
        raise Unprocessable("an objection is weighed: uphold it or reject it")
    if task.kind is TaskKind.NOTIFY_RECIPIENT:
        raise Unprocessable("say whom you told, when and how, on the page of the recipient")
    finish_within(ctx, tx, task, note)
    if task.dsar_id is not None and task.kind in _IN_A_STORE:
        recipients.open_notices(ctx, tx, dsars.load_dsar(tx, task.dsar_id), by_hand=True)
    if task.dsar_id is not None and task.kind is TaskKind.MANUAL_STORE:
        execution.settle_if_done(ctx, tx, task.dsar_id)


def finish_within(ctx: Context, tx: Tx, task: Task, note: str, key: DataKey | None = None) -> None:
    """Done, in a transaction that does more. The note is sealed with the request the task belongs to; without one,
    with `key`, that of the person it is about; and where it is about nobody, with the service's own. Of a request whose
    data has been destroyed no note is kept (`keeps_note`).

    Raises: TransitionRefused, StaleState.
    """
    if task.dsar_id is not None:
        try:
            key = sealing.key_of(ctx, tx, task.dsar_id)
        except RequestEmptied:
            tasks.move_task(tx, task, TaskState.DONE, AccountId(ctx.actor.id))
            record(ctx, tx, "task.done", "task", task.id, kind=str(task.kind), kept=0)
            return
    text, place = note.strip()[:LONGEST_NOTE].encode(), sealing.place(ctx, "task", "answer_sealed", task.id)
    sealed = key.seal(text, place) if key is not None else ctx.ports.keyring.seal(text, place)
    tasks.move_task(tx, task, TaskState.DONE, AccountId(ctx.actor.id), answer_sealed=sealed)
    record(ctx, tx, "task.done", "task", task.id, kind=str(task.kind))


def _visible(ctx: Context, task: Task) -> Task:
    if extent(ctx.actor, Action.TASK_LIST) is Extent.OWN and task.owner_id != ctx.actor.id:
        raise NotFound
    return task
