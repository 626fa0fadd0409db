"""Durable work: hand it over with the fact that causes it, claim it, fence what it writes, give it up in the open."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.job import Job, JobLost, JobState, Later, next_attempt
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import JobId, uuid7
from privacyops.services.context import Context, record, use_case
from privacyops.store import job as jobs
from privacyops.store import lease
from privacyops.store.uow import Tx

EXECUTOR_TTL: Final = timedelta(seconds=10)
RELAY_ROWS: Final = 100
STUCK_AFTER: Final = timedelta(minutes=15)


def enqueue(tx: Tx, kind: str, object_id: UUID | str, outbox_id: str | None = None, **arguments: Any) -> JobId:
    """Promise a job in the transaction of its cause; the relay hands it to the engine after the commit.

    `arguments` are ids and codes only. Give `outbox_id` a derived name where repeats must collapse into one.
    """
    job = JobId(uuid7(tx.now))
    jobs.add_job(tx, job, kind, str(object_id), arguments, outbox_id or str(job))
    return job


def has_unsent(ctx: Context, kinds: Collection[str]) -> bool:
    """Whether a relay that knows `kinds` has anything to do."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return jobs.has_unsent(tx, kinds)


@use_case(Action.JOB_RUN)
def relay(ctx: Context, tx: Tx, kinds: Collection[str], hand_over: Callable[[str, str, JobId], None]) -> bool:
    """Give up to 100 waiting rows to `hand_over(outbox_id, kind, job)` and mark them; whether there may be more.

    Rows of a kind that is not among `kinds` wait for a worker that knows it, and hold nobody up.

    The engine's own database is another one, so a crash before the commit hands the same ids over again.
    """
    rows = jobs.list_unsent(tx, kinds, RELAY_ROWS)
    for outbox_id, job, kind in rows:
        hand_over(outbox_id, kind, job)
    jobs.mark_sent(tx, [outbox_id for outbox_id, _, _ in rows])
    return len(rows) == RELAY_ROWS


@use_case(Action.JOB_RUN)
def claim(ctx: Context, tx: Tx, job: JobId) -> Job | None:
    """Take the job for one execution. None: it has ended."""
    return jobs.claim_job(tx, job)


@use_case(Action.JOB_RUN)
def rest(ctx: Context, tx: Tx, job: Job, until: Instant) -> None:
    """Let the job wait without a thread. Raises: JobLost."""
    jobs.rest_job(tx, job, until, 0)


@use_case(Action.JOB_RUN)
def finish(ctx: Context, tx: Tx, job: Job, result: str) -> None:
    """The job did what it was for. Raises: JobLost."""
    jobs.end_job(tx, job, JobState.DONE, result)


@use_case(Action.JOB_RUN)
def step_failed(ctx: Context, tx: Tx, job: Job, code: str, asked: timedelta | None = None) -> Later | None:
    """A step ended in an error: when it is tried again, or None where it is time to give the job up.

    Raises: JobLost.
    """
    jobs.assert_owned(tx, job)
    current = jobs.load_job(tx, job.id)
    attempts = (current.attempts if current else job.attempts) + 1
    again = next_attempt(attempts, tx.now, asked)
    if again is None:
        return None
    jobs.rest_job(tx, job, again, attempts)
    return Later(again)


@use_case(Action.JOB_RUN)
def give_up(ctx: Context, tx: Tx, job: Job, code: str) -> None:
    """The job stays visible as dead, with its code in the audit log; a person knows of it already. Raises: JobLost."""
    jobs.end_job(tx, job, JobState.DEAD, code)
    record(ctx, tx, "job.given_up", "job", job.id, kind=job.kind, code=code, object=job.object_id)


@use_case(Action.JOB_RUN)
def start_executor(ctx: Context, tx: Tx, executor: str) -> None:
    """A worker process has started."""
    lease.add_executor(tx, executor)


@use_case(Action.JOB_RUN)
def beat(ctx: Context, tx: Tx, executor: str) -> bool:
    """Renew the heartbeat; False: this executor was declared dead and must end itself."""
    return lease.beat(tx, executor)


@use_case(Action.JOB_RUN)
def end_executor(ctx: Context, tx: Tx, executor: str, state: str = "left") -> None:
    """The worker stops (`left` in order, `reaping` in the midst of work), or its work was handed on (`reaped`)."""
    lease.end_executor(tx, executor, state)


@use_case(Action.JOB_RUN)
def claim_dead_executors(
    ctx: Context, tx: Tx, but: str, *, sole: bool, silent_for: timedelta = EXECUTOR_TTL
) -> Sequence[str]:
    """Executors whose work has to be handed on: without a heartbeat for `silent_for`, or all others if `sole`."""
    return lease.claim_dead_executors(tx, silent_for, but, sole=sole)


@use_case(Action.JOB_RUN)
def drive_again(ctx: Context, tx: Tx, stuck_after: timedelta = STUCK_AFTER) -> int:
    """Hand over the jobs whose time has come and those that have not moved for `stuck_after`."""
    return jobs.drive_again(tx, stuck_after)


@use_case(Action.JOB_RUN)
def take_lease(ctx: Context, tx: Tx, name: str, owner: str, ttl: timedelta) -> int | None:
    """Take or renew a lease; its epoch, or None while somebody else holds it."""
    return lease.take_lease(tx, name, owner, ttl)


@use_case(Action.JOB_RUN)
def drop_lease(ctx: Context, tx: Tx, name: str, owner: str) -> None:
    """Let the next holder in at once."""
    lease.drop_lease(tx, name, owner)


def workers_alive(ctx: Context) -> int:
    """How many workers beat; 0 means that accepted work does not move."""
    now = ctx.clock.now()
    with ctx.database.reading(ctx.controller.key, now) as tx:
        return lease.count_live_executors(tx, EXECUTOR_TTL)


def current(ctx: Context, job: JobId, epoch: int) -> Job:
    """The job as its owner of `epoch` finds it. Raises: JobLost."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        found = jobs.load_job(tx, job)
    if found is None or found.epoch != epoch or found.state is not JobState.RUNNING:
        raise JobLost
    return found
