"""Tasks and approvals."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update

from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.task import OPEN_TASKS, Approval, ApprovalState, Task, TaskKind, TaskState, advance_task
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import AccountId, DsarId, TaskId, uuid7
from privacyops.store.dsar import DSAR
from privacyops.store.tables.base import table_of
from privacyops.store.tables.task import ApprovalRow, TaskRow
from privacyops.store.uow import Tx

_TASK = table_of(TaskRow)
_APPROVAL = table_of(ApprovalRow)


def add_task(
    tx: Tx,
    kind: TaskKind,
    due_on: date,
    *,
    owner_role: str,
    owner_id: AccountId | None = None,
    dsar_id: DsarId | None = None,
    store: str | None = None,
    code: str | None = None,
) -> TaskId:
    """A task for `owner_id`, or for whoever holds `owner_role`."""
    task = TaskId(uuid7(tx.now))
    tx.run(
        insert(_TASK),
        {
            "id": task, "controller": tx.controller, "kind": kind, "state": TaskState.OPEN, "dsar_id": dsar_id,
            "store": store, "owner_role": owner_role, "owner_id": owner_id, "code": code, "due_on": due_on,
            "created_at": tx.now,
        },
    )  # fmt: skip
    return task


def load_task(tx: Tx, task: TaskId) -> Task:
    """Raises: NotFound: no such task of this controller."""
    row = tx.run(select(_TASK).where(_TASK.c.id == task, _TASK.c.controller == tx.controller)).one_or_none()
    if row is None:
        raise NotFound
    return _task(row)


def list_open_tasks(tx: Tx, limit: int = 200) -> Sequence[Task]:
    """The controller's open tasks, the most urgent first."""
    query = select(_TASK).where(_TASK.c.controller == tx.controller, _TASK.c.state.in_(OPEN_TASKS))
    return [_task(row) for row in tx.run(query.order_by(_TASK.c.due_on, _TASK.c.id).limit(limit))]


def find_open_task(tx: Tx, kind: TaskKind, code: str) -> TaskId | None:
    """An open task of this kind about this, if there is one."""
    query = select(_TASK.c.id).where(
        _TASK.c.controller == tx.controller, _TASK.c.kind == kind, _TASK.c.code == code, _TASK.c.state.in_(OPEN_TASKS)
    )
    found = tx.run(query.limit(1)).scalar_one_or_none()
    return TaskId(found) if found else None


def list_tasks_of(tx: Tx, dsar_id: DsarId) -> Sequence[Task]:
    """Every task of one request, oldest first."""
    return [_task(row) for row in tx.run(select(_TASK).where(_TASK.c.dsar_id == dsar_id).order_by(_TASK.c.id))]


def list_done_in_store(tx: Tx, store: str, since: Instant) -> Sequence[Task]:
    """What people did in a store for an erasure or a correction since an instant, oldest first."""
    changing = select(DSAR.c.id).where(DSAR.c.type.in_((RequestType.ERASURE, RequestType.RECTIFICATION)))
    query = select(_TASK).where(
        _TASK.c.controller == tx.controller, _TASK.c.store == store, _TASK.c.state == TaskState.DONE,
        _TASK.c.ended_at >= since, _TASK.c.dsar_id.in_(changing),
    )  # fmt: skip
    return [_task(row) for row in tx.run(query.order_by(_TASK.c.id))]


def count_open_tasks(tx: Tx) -> int:
    """How many tasks wait for somebody."""
    query = select(func.count()).where(_TASK.c.controller == tx.controller, _TASK.c.state.in_(OPEN_TASKS))
    return int(tx.run(query).scalar_one())


def move_task(tx: Tx, seen: Task, to: TaskState, by: AccountId | None, **changed: Any) -> None:
    """Compare-and-set. Raises: TransitionRefused, StaleState."""
    advance_task(seen.state, to)
    if to in {TaskState.DONE, TaskState.CANCELLED}:
        changed = {"ended_at": tx.now, "ended_by": by, **changed}
    tx.move(update(_TASK).where(_TASK.c.id == seen.id, _TASK.c.state == seen.state).values(state=to, **changed))


def hand_over(tx: Tx, seen: Task, role: str, owner: AccountId | None = None) -> None:
    """An open task waits for somebody else now. Compare-and-set. Raises: StaleState."""
    statement = update(_TASK).where(_TASK.c.id == seen.id, _TASK.c.state == seen.state, _TASK.c.state.in_(OPEN_TASKS))
    tx.move(statement.values(state=TaskState.OPEN, owner_role=role, owner_id=owner))


def cancel_tasks_of(
    tx: Tx, dsar_id: DsarId, reason: str, kind: TaskKind | None = None, but: Collection[TaskKind] = ()
) -> int:
    """End what has become pointless, all `but` some kinds; how many."""
    statement = update(_TASK).where(_TASK.c.dsar_id == dsar_id, _TASK.c.state.in_(OPEN_TASKS))
    if kind is not None:
        statement = statement.where(_TASK.c.kind == kind)
    if but:
        statement = statement.where(_TASK.c.kind.not_in(but))
    return tx.run(statement.values(state=TaskState.CANCELLED, ended_at=tx.now, end_reason=reason)).rowcount


def cancel_tasks_of_store(tx: Tx, dsar_id: DsarId, store: str, reason: str) -> int:
    """End the tasks about one store of a request; how many."""
    about = (_TASK.c.dsar_id == dsar_id, _TASK.c.store == store, _TASK.c.state.in_(OPEN_TASKS))
    ended = {"state": TaskState.CANCELLED, "ended_at": tx.now, "end_reason": reason}
    return tx.run(update(_TASK).where(*about).values(**ended)).rowcount


def cancel_reminders(tx: Tx, dsar_id: DsarId, about: str, reason: str, but_of: date | None = None) -> int:
    """End the tasks that remind of a date of the request (`about`: a kind of deadline), but not those of the day
    `but_of`; how many.
    """
    mine = (_TASK.c.dsar_id == dsar_id, _TASK.c.kind == TaskKind.DUE_SOON, _TASK.c.state.in_(OPEN_TASKS))
    statement = update(_TASK).where(*mine, _TASK.c.code.startswith(about, autoescape=True))
    if but_of is not None:
        statement = statement.where(_TASK.c.due_on != but_of)
    return tx.run(statement.values(state=TaskState.CANCELLED, ended_at=tx.now, end_reason=reason)).rowcount


def request_approval(tx: Tx, dsar_id: DsarId, subject: str, plan_hash: str, by: AccountId) -> UUID:
    """Lay a plan before a second person; approvals asked for earlier are void."""
    void_approvals(tx, dsar_id)
    key = uuid7(tx.now)
    tx.run(
        insert(_APPROVAL),
        {
            "id": key, "dsar_id": dsar_id, "subject": subject, "state": ApprovalState.REQUESTED,
            "plan_hash": plan_hash, "requested_by": by, "requested_at": tx.now,
        },
    )  # fmt: skip
    return key


def open_approval(tx: Tx, dsar_id: DsarId) -> Approval:
    """The approval that is asked for. Raises: NotFound."""
    query = select(_APPROVAL).where(_APPROVAL.c.dsar_id == dsar_id, _APPROVAL.c.state == ApprovalState.REQUESTED)
    row = tx.run(query).one_or_none()
    if row is None:
        raise NotFound
    return _approval(row)


def decide_approval(tx: Tx, seen: Approval, to: ApprovalState, by: AccountId, reason: str | None = None) -> None:
    """Compare-and-set. Raises: StaleState."""
    tx.move(
        update(_APPROVAL)
        .where(_APPROVAL.c.id == seen.id, _APPROVAL.c.state == ApprovalState.REQUESTED)
        .values(state=to, decided_by=by, decided_at=tx.now, reason=reason)
    )


def void_approvals(tx: Tx, dsar_id: DsarId) -> int:
    """What was approved has changed."""
    live = _APPROVAL.c.state.in_([ApprovalState.REQUESTED, ApprovalState.GIVEN])
    statement = update(_APPROVAL).where(_APPROVAL.c.dsar_id == dsar_id, live)
    return tx.run(statement.values(state=ApprovalState.VOID)).rowcount


def list_approvals(tx: Tx, dsar_id: DsarId) -> Sequence[Approval]:
    """Every approval of one request, oldest first."""
    query = select(_APPROVAL).where(_APPROVAL.c.dsar_id == dsar_id).order_by(_APPROVAL.c.id)
    return [_approval(row) for row in tx.run(query)]


def _task(row: Row[Any]) -> Task:
    return Task(
        id=TaskId(row.id), kind=TaskKind(row.kind), state=TaskState(row.state),
        dsar_id=DsarId(row.dsar_id) if row.dsar_id else None, store=row.store, owner_role=row.owner_role,
        owner_id=AccountId(row.owner_id) if row.owner_id else None, code=row.code, due_on=row.due_on,
        created_at=row.created_at, ended_at=row.ended_at,
        ended_by=AccountId(row.ended_by) if row.ended_by else None, end_reason=row.end_reason,
        answer_sealed=row.answer_sealed,
    )  # fmt: skip


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        id=row.id, dsar_id=DsarId(row.dsar_id), subject=row.subject, state=ApprovalState(row.state),
        plan_hash=row.plan_hash, requested_by=AccountId(row.requested_by), requested_at=row.requested_at,
        decided_by=AccountId(row.decided_by) if row.decided_by else None, decided_at=row.decided_at,
        reason=row.reason,
    )  # fmt: skip
