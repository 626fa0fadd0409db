"""Work for a person. A task has an owner, a date before the legal one, one question and a proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import TransitionRefused
from privacyops.kernel.ids import AccountId, DsarId, TaskId


class TaskKind(StrEnum):
    CHECK_IDENTITY = "check_identity"
    CLARIFY = "clarify"
    MANUAL_STORE = "manual_store"
    STORE_FAILED = "store_failed"
    RESIDUAL = "residual"
    REVIEW_FINDINGS = "review_findings"
    REDACT = "redact"
    APPROVE = "approve"
    READ_MESSAGE = "read_message"
    NOTIFY_RECIPIENT = "notify_recipient"
    SEND_BY_POST = "send_by_post"
    UNDELIVERED = "undelivered"
    DUE_SOON = "due_soon"
    JOB_DEAD = "job_dead"
    RENEW_CONSENT = "renew_consent"
    WEIGH_OBJECTION = "weigh_objection"
    READ_STOP = "read_stop"
    ACK_OVERDUE = "ack_overdue"
    STORE_DRIFT = "store_drift"


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
_SCAN: Final = "scan:"
OPEN_TASKS: Final = (TaskState.OPEN, TaskState.IN_PROGRESS)


def advance_task(state: TaskState, target: TaskState) -> TaskState:
    """`target`, if a task may go there from `state`. Raises: TransitionRefused."""
    if target not in TASK_TRANSITIONS[state]:
        allowed = sorted(TASK_TRANSITIONS[state])
        raise TransitionRefused(f"a task cannot go from {state} to {target}", state=str(state), allowed=allowed)
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One question to one owner: a person, or whoever holds `owner_role`."""

    id: TaskId
    kind: TaskKind
    state: TaskState
    dsar_id: DsarId | None
    store: str | None
    owner_role: str
    owner_id: AccountId | None
    code: str | None
    due_on: date
    created_at: Instant
    ended_at: Instant | None = None
    ended_by: AccountId | None = None
    end_reason: str | None = None
    answer_sealed: bytes | None = None


def scan_code(store: str) -> str:
    """The code of the task about a store that could not be scanned."""
    return f"{_SCAN}{store}"[:64]


def unscanned(task: Task) -> str | None:
    """The store that a task says could not be scanned; None: it is about something else."""
    is_scan = task.kind is TaskKind.JOB_DEAD and (task.code or "").startswith(_SCAN)
    return (task.code or "").removeprefix(_SCAN) if is_scan else None


def store_of(task: Task) -> str | None:
    """The store that a task is about."""
    return task.store or unscanned(task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a second person agreed to, or is asked to agree to."""

    id: UUID
    dsar_id: DsarId
    subject: str
    state: ApprovalState
    plan_hash: str
    requested_by: AccountId
    requested_at: Instant
    decided_by: AccountId | None = None
    decided_at: Instant | None = None
    reason: str | None = None
