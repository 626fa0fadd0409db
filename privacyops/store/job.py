"""Jobs and the outbox. Everything a worker writes about a job is fenced by the epoch it claimed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Case, Row, Update, case, func, insert, or_, select, update

from privacyops.domain.job import ENDED, Job, JobLost, JobState
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import JobId
from privacyops.store.tables.base import table_of
from privacyops.store.tables.job import JobRow, OutboxRow
from privacyops.store.uow import Tx

_JOB = table_of(JobRow)
_OUTBOX = table_of(OutboxRow)
_ENDED = [str(state) for state in ENDED]


def add_job(tx: Tx, job: JobId, kind: str, object_id: str, arguments: Mapping[str, Any], outbox_id: str) -> None:
    """A new job and the outbox row that hands it to the engine, in the transaction of the fact that causes it."""
    tx.run(
        insert(_JOB),
        {
            "id": job, "controller": tx.controller, "kind": kind, "object_id": object_id, "state": JobState.QUEUED,
            "epoch": 0, "attempts": 0, "drives": 0, "arguments": dict(arguments), "created_at": tx.now,
            "progress_at": tx.now,
        },
    )  # fmt: skip
    _add_outbox(tx, outbox_id, job)


def load_job(tx: Tx, job: JobId) -> Job | None:
    """The job as it stands."""
    row = tx.run(select(_JOB).where(_JOB.c.id == job)).one_or_none()
    return None if row is None else _job(row)


def list_jobs_of(tx: Tx, object_id: str) -> Sequence[Job]:
    """The jobs about one object, newest first."""
    query = select(_JOB).where(_JOB.c.controller == tx.controller, _JOB.c.object_id == object_id)
    return [_job(row) for row in tx.run(query.order_by(_JOB.c.id.desc()).limit(100))]


def claim_job(tx: Tx, job: JobId) -> Job | None:
    """Take the job for one execution: its epoch grows. None: it has ended, or nobody knows it.

    A job that is still running here was left by a worker that died over it: that counts as a failed attempt, so
    that a job which kills its workers is given up like one whose steps fail.
    """
    statement = (
        update(_JOB)
        .where(_JOB.c.id == job, _JOB.c.state.not_in(_ENDED))
        .values(
            epoch=_JOB.c.epoch + 1, attempts=_JOB.c.attempts + _one_if_running(), state=JobState.RUNNING, wake_at=None
        )
        .returning(*_JOB.c)
    )
    row = tx.run(statement).one_or_none()
    return None if row is None else _job(row)


def save_page(tx: Tx, job: Job, cursor: bytes | None, progress: Mapping[str, Any] | None) -> None:
    """What one step leaves for the next, in the transaction of its results. Raises: JobLost."""
    _fenced(
        tx,
        update(_JOB).values(
            cursor=cursor, progress=dict(progress) if progress else None, progress_at=tx.now, attempts=0, intent=None
        ),
        job,
    )


def save_progress(tx: Tx, job: Job, progress: Mapping[str, Any]) -> None:
    """How far a step is that begins anew when it is repeated; it is no success that makes attempts start over.

    Raises: JobLost.
    """
    _fenced(tx, update(_JOB).values(progress=dict(progress), progress_at=tx.now), job)


def has_begun(tx: Tx, kind: str, object_id: str, since: Instant) -> bool:
    """Whether a job of this kind about the object was promised after `since`, however it went."""
    query = select(_JOB.c.id).where(
        _JOB.c.controller == tx.controller, _JOB.c.object_id == object_id, _JOB.c.kind == kind,
        _JOB.c.created_at > since,
    )  # fmt: skip
    return tx.run(query.limit(1)).first() is not None


def save_intent(tx: Tx, job: Job, intent: str) -> str | None:
    """Announce an effect outside the database before it is made; the intent an earlier execution left, if any.

    A left intent means that the effect may have happened: the caller verifies before it applies again.
    Raises: JobLost.
    """
    left = tx.run(select(_JOB.c.intent).where(_JOB.c.id == job.id)).scalar_one_or_none()
    _fenced(tx, update(_JOB).values(intent=intent, progress_at=tx.now), job)
    return left


def rest_job(tx: Tx, job: Job, until: Instant, attempts: int) -> None:
    """Hold no thread until `until`. Raises: JobLost."""
    _fenced(tx, update(_JOB).values(state=JobState.WAITING, wake_at=until, attempts=attempts), job)


def end_job(tx: Tx, job: Job, state: JobState, result: str) -> None:
    """The job is over; its cursor goes. Raises: JobLost."""
    _fenced(tx, update(_JOB).values(state=state, result=result, cursor=None, wake_at=None, ended_at=tx.now), job)


def assert_owned(tx: Tx, job: Job) -> None:
    """Raises: JobLost: another execution has claimed the job, or it was cancelled."""
    query = select(_JOB.c.id).where(_JOB.c.id == job.id, _JOB.c.epoch == job.epoch, _JOB.c.state == JobState.RUNNING)
    if tx.run(query.with_for_update() if tx.dialect == "postgresql" else query).first() is None:
        raise JobLost


def cancel_jobs_of(tx: Tx, object_id: str, kinds: Sequence[str] = ()) -> int:
    """Cancel what has not ended; a step under way loses its epoch check and stops."""
    statement = update(_JOB).where(
        _JOB.c.controller == tx.controller, _JOB.c.object_id == object_id, _JOB.c.state.not_in(_ENDED)
    )
    if kinds:
        statement = statement.where(_JOB.c.kind.in_(kinds))
    return tx.run(statement.values(state=JobState.CANCELLED, ended_at=tx.now, cursor=None)).rowcount


def list_unsent(tx: Tx, kinds: Collection[str], limit: int = 100) -> Sequence[tuple[str, JobId, str]]:
    """(outbox id, job, kind) of these kinds that the engine does not have yet, oldest first; locked against other
    relays.
    """
    query = (
        select(_OUTBOX.c.id, _OUTBOX.c.job_id, _JOB.c.kind)
        .join(_JOB, _JOB.c.id == _OUTBOX.c.job_id)
        .where(_OUTBOX.c.sent_at.is_(None), _JOB.c.kind.in_(kinds))
        .order_by(_OUTBOX.c.created_at)
        .limit(limit)
    )
    if tx.dialect == "postgresql":
        query = query.with_for_update(of=_OUTBOX, skip_locked=True)
    return [(row.id, JobId(row.job_id), row.kind) for row in tx.run(query)]


def has_unsent(tx: Tx, kinds: Collection[str]) -> bool:
    """Whether a relay that knows `kinds` has anything to do."""
    query = select(_OUTBOX.c.id).join(_JOB, _JOB.c.id == _OUTBOX.c.job_id).where(_OUTBOX.c.sent_at.is_(None))
    return tx.run(query.where(_JOB.c.kind.in_(kinds)).limit(1)).first() is not None


def mark_sent(tx: Tx, outbox_ids: Sequence[str]) -> None:
    """The engine has these."""
    tx.run(update(_OUTBOX).where(_OUTBOX.c.id.in_(outbox_ids)).values(sent_at=tx.now))


def drive_again(tx: Tx, stuck_after: timedelta, limit: int = 500) -> int:
    """Hand every job whose time has come, or that has not moved for too long, to the engine once more.

    The outbox id counts the drives, so two sweepers that see the same job hand it over once.
    """
    due = or_(
        (_JOB.c.state == JobState.WAITING) & (_JOB.c.wake_at <= tx.now),
        (_JOB.c.state.in_([JobState.RUNNING, JobState.QUEUED])) & (_JOB.c.progress_at <= tx.now - stuck_after),
    )
    query = select(_JOB.c.id, _JOB.c.drives).where(due).order_by(_JOB.c.progress_at).limit(limit)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    rows = tx.run(query).all()
    for row in rows:
        tx.run(
            update(_JOB)
            .where(_JOB.c.id == row.id)
            .values(
                drives=row.drives + 1,
                attempts=_JOB.c.attempts + _one_if_running(),
                state=JobState.QUEUED,
                wake_at=None,
                progress_at=tx.now,
            )
        )
        _add_outbox(tx, f"{row.id}:{row.drives + 1}", JobId(row.id))
    return len(rows)


def count_open_jobs(tx: Tx) -> Mapping[str, int]:
    """How many jobs have not ended, by state."""
    is_open = _JOB.c.state.not_in(["done", "cancelled"])
    rows = tx.run(select(_JOB.c.state, func.count().label("jobs")).where(is_open).group_by(_JOB.c.state))
    return {row.state: row.jobs for row in rows}


def _one_if_running() -> Case[int]:
    return case((_JOB.c.state == JobState.RUNNING, 1), else_=0)


def count_running_jobs(tx: Tx) -> Mapping[str, int]:
    """How many jobs a worker holds, by kind; kinds without one are 0."""
    running = func.count().filter(_JOB.c.state == JobState.RUNNING)
    return {row.kind: row.jobs for row in tx.run(select(_JOB.c.kind, running.label("jobs")).group_by(_JOB.c.kind))}


def count_unsent(tx: Tx) -> int:
    """How many hand-overs wait for a relay."""
    return int(tx.run(select(func.count()).select_from(_OUTBOX).where(_OUTBOX.c.sent_at.is_(None))).scalar_one())


def _add_outbox(tx: Tx, outbox_id: str, job: JobId) -> None:
    tx.run(insert(_OUTBOX), {"id": outbox_id, "controller": tx.controller, "job_id": job, "created_at": tx.now})


def _fenced(tx: Tx, statement: Update, job: Job) -> None:
    owned = statement.where(_JOB.c.id == job.id, _JOB.c.epoch == job.epoch, _JOB.c.state == JobState.RUNNING)
    if tx.run(owned).rowcount != 1:
        raise JobLost


def _job(row: Row[Any]) -> Job:
    return Job(
        id=JobId(row.id), controller=row.controller, kind=row.kind, object_id=row.object_id,
        state=JobState(row.state), epoch=row.epoch, attempts=row.attempts, arguments=row.arguments,
        cursor=row.cursor, progress=row.progress, result=row.result,
    )  # fmt: skip
