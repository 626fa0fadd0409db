"""Work for a person. A task has an owner, a date before the legal one, one question and a proof."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from privacyops.kernel.errors import TransitionRefused


class TaskKind(StrEnum):
    CHECK_IDENTITY = "check_identity"
    CLARIFY = "clarify"
    MANUAL_STORE = "manual_store"
    STORE_FAILED = "store_failed"
    RESIDUAL = "residual"
    REVIEW_FINDINGS = "review_findings"
    REDACT = "redact"
    APPROVE = "approve"
    NOTIFY_RECIPIENT = "notify_recipient"
    SEND_BY_POST = "send_by_post"
    UNDELIVERED = "undelivered"
    DUE_SOON = "due_soon"
    JOB_DEAD = "job_dead"


class TaskState(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class ApprovalState(StrEnum):
    REQUESTED = "requested"
    GIVEN = "given"
    RETURNED = "returned"
    VOID = "void"


TASK_TRANSITIONS: Final[Mapping[TaskState, frozenset[TaskState]]] = {
    TaskState.OPEN: frozenset({TaskState.IN_PROGRESS, TaskState.DONE, TaskState.CANCELLED}),
    TaskState.IN_PROGRESS: frozenset({TaskState.OPEN, TaskState.DONE, TaskState.CANCELLED}),
    TaskState.DONE: frozenset(),
    TaskState.CANCELLED: frozenset(),
}
OPEN_TASKS: Final = (TaskState.OPEN, TaskState.IN_PROGRESS)


def advance_task(state: TaskState, target: TaskState) -> TaskState:
    """`target`, if a task may go there from `state`. Raises: TransitionRefused."""
    if target not in TASK_TRANSITIONS[state]:
        allowed = sorted(TASK_TRANSITIONS[state])
        raise TransitionRefused(f"a task cannot go from {state} to {target}", state=str(state), allowed=allowed)
    return target
