"""DBOS behind the Durable port: one generic loop that drives a job page by page and survives its process.

The engine's rows carry ids, page numbers and codes, nothing else. What a job is and how far it got stands in our own
tables, so losing the engine's database costs repeated pages and no work. `claim` is a plain call on purpose, not a
recorded step: a recovered drive must own a new epoch instead of replaying the dead worker's.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar
from uuid import UUID

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, _dbos, _workflow_commands
from dbos._serialization import DefaultSerializer

from privacyops.domain.job import MAX_ATTEMPTS, MAX_STEPS, Again, Done, Job, JobLost, Later
from privacyops.jobs.kind import JobKind, StepFailed
from privacyops.jobs.queue_rest import SELDOM_S, QueueRest
from privacyops.kernel.clock import Instant
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.errors import Problem, Unavailable
from privacyops.kernel.ids import JobId
from privacyops.ports.telemetry import Counter, Timer
from privacyops.services import job as jobs
from privacyops.services.context import Context

R = TypeVar("R")
_inside: Final[Any] = _dbos
_QUEUE_THREAD: Final = _inside.queue_thread
_DATABASE_PAUSE_S: Final = 1.0
_STATES: Final = {
    "ENQUEUED": "queued", "DELAYED": "queued", "PENDING": "running", "SUCCESS": "ended", "ERROR": "ended",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "ended", "CANCELLED": "cancelled",
}  # fmt: skip


class PickleRefused(Exception):
    """A row of the engine's database names the pickle decoder: nobody of us wrote it."""


def _refuse_pickle(*_: Any) -> NoReturn:
    raise PickleRefused("the engine stores portable JSON only")


class DbosEngine:
    """The Durable port on DBOS 3.4, with SQLite or PostgreSQL as its own database. One per process."""

    def __init__(
        self,
        url: str,
        executor_id: str,
        kinds: Mapping[str, JobKind],
        context: Callable[[], Context],
        *,
        migrates: bool = True,
        concurrency: int = 4,
        poll_seconds: float = 0.2,
        may_work: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_work` is asked before each page: a worker that cannot renew its heartbeat starts nothing more."""
        # The row, not the setting, chooses the decoder; a forged row must not run code in a worker.
        DefaultSerializer.deserialize = _refuse_pickle  # type: ignore[assignment,method-assign]  # closes the pickle reader
        self._kinds = kinds
        self._context = context
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        self._may_work = may_work
        self._leaving = threading.Event()
        self._rest = QueueRest()
        self._busy = 0
        self._guard = threading.Condition()
        config: DBOSConfig = {
            "name": "privacyops",
            "system_database_url": url,
            "application_version": "drive-1",
            "executor_id": executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "use_listen_notify": False,
            "run_migrations": migrates,
            "enable_otlp": False,
            "log_level": "ERROR",
            "notification_listener_polling_interval_sec": 1.0,
        }
        DBOS(config=config)
        self._register()

    def _register(self) -> None:
        """DBOS marks the functions it is given, which a bound method does not allow."""

        @DBOS.workflow(name="drive")
        def drive(kind: str, job: str) -> str:
            return self._run(kind, job)

        @DBOS.step(name="page")
        def page(kind: str, job: str, epoch: int) -> str:
            return self._run_page(kind, job, epoch)

        self._drive, self._page = drive, page

    def launch(self) -> None:
        """Connect, migrate the engine's own tables if it may, and start taking work."""
        _inside.queue_thread = self._rest.around(_QUEUE_THREAD)
        _workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC = SELDOM_S  # noqa: SLF001 - it has no setting
        DBOS.launch()
        for queue in sorted({kind.queue for kind in self._kinds.values()}):
            DBOS.register_queue(
                queue, worker_concurrency=self._concurrency, polling_interval_sec=self._poll_seconds,
                on_conflict="always_update",
            )  # fmt: skip
        self._rest.nudge()

    def shut_down(self, wait_seconds: float = 5) -> bool:
        """Take no more work and let running pages end for up to `wait_seconds`; whether all of them did.

        A job that has further pages is handed back, so that the next worker goes on with it at once.
        """
        self._leaving.set()
        with self._guard:
            in_order = self._guard.wait_for(lambda: self._busy == 0, wait_seconds)
        self._rest.end()
        DBOS.destroy(workflow_completion_timeout_sec=0, destroy_registry=True)
        return in_order

    def enqueue(self, workflow_id: str, queue: str, kind: str, job: JobId) -> None:
        with SetWorkflowID(workflow_id):
            DBOS.enqueue_workflow(queue, self._drive, kind, str(job))
        self._rest.nudge(queue)

    def status(self, workflow_id: str) -> str | None:
        found = DBOS.get_workflow_status(workflow_id)
        return None if found is None else _STATES[found.status]

    def cancel(self, workflow_id: str) -> None:
        DBOS.cancel_workflow(workflow_id)

    def reap(self, executor_id: str) -> int:
        running = DBOS.list_workflows(executor_id=[executor_id], status="PENDING", load_input=False)
        for drive in running:
            # Without the queue's name the drive would fall to an internal queue without our limits.
            DBOS.resume_workflow(drive.workflow_id, queue_name=drive.queue_name)
            if drive.queue_name is not None:
                self._rest.nudge(drive.queue_name)
        return len(running)

    def forget(self, before: Instant) -> int:
        ended = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"], end_time=before.isoformat(), limit=500, load_input=False
        )
        ids = [drive.workflow_id for drive in ended]
        if ids:
            DBOS.delete_workflows(ids)
        return len(ids)

    def _run(self, kind: str, job_id: str) -> str:
        with self._guard:
            self._busy += 1
        try:
            return self._drive_on(kind, job_id)
        except JobLost:
            return "lost"
        finally:
            with self._guard:
                self._busy -= 1
                self._guard.notify_all()
            self._rest.nudge(self._kinds[kind].queue)  # there is room for the next one

    def _drive_on(self, kind: str, job_id: str) -> str:
        ctx = self._context()
        job = _patiently(lambda: jobs.claim(ctx, JobId(UUID(job_id))))
        if job is None:
            return "ended"
        crash_point("job.after_claim")
        if job.attempts >= MAX_ATTEMPTS:
            return self._given_up(ctx, self._kinds[kind], job, "worker_died")
        for _ in range(MAX_STEPS):
            self._wait_for_leave_to_work()
            if self._leaving.is_set():
                break
            outcome: str = self._page(kind, job_id, job.epoch)
            if outcome != "again":
                return outcome
        jobs.rest(ctx, job, ctx.clock.now())
        return "later"

    def _wait_for_leave_to_work(self) -> None:
        while not self._may_work() and not self._leaving.is_set():
            time.sleep(0.2)

    def _run_page(self, kind: str, job_id: str, epoch: int) -> str:
        """One page. Never raises: the engine stores exception texts, and ours are codes in our own tables."""
        ctx = self._context()
        try:
            return _patiently(lambda: self._step(ctx, self._kinds[kind], JobId(UUID(job_id)), epoch))
        except JobLost:
            return "lost"

    def _step(self, ctx: Context, kind: JobKind, job_id: JobId, epoch: int) -> str:
        job = jobs.current(ctx, job_id, epoch)
        began = ctx.clock.boot_seconds()
        try:
            outcome = kind.step(ctx, job)
        except JobLost:
            raise
        except StepFailed as failure:
            return self._failed(ctx, kind, job, failure)
        except Problem as problem:
            return self._failed(ctx, kind, job, StepFailed(problem.type.removeprefix("/problems/")))
        except Exception as bug:
            ctx.ports.telemetry.failure("job.bug", bug, job=job_id, kind=kind.name)
            return self._failed(ctx, kind, job, StepFailed(f"bug:{type(bug).__name__}"))
        finally:
            ctx.ports.telemetry.observe(Timer.JOB_STEP, ctx.clock.boot_seconds() - began, kind.name)
        match outcome:
            case Again():
                return "again"
            case Later(at):
                jobs.rest(ctx, job, at)
                return "later"
            case Done(result):
                crash_point("job.before_done")
                jobs.finish(ctx, job, result)
                ctx.ports.telemetry.count(Counter.JOBS, kind.name, result)
                return "done"

    def _failed(self, ctx: Context, kind: JobKind, job: Job, failure: StepFailed) -> str:
        if jobs.step_failed(ctx, job, failure.code, failure.after) is not None:
            ctx.ports.telemetry.count(Counter.JOBS, kind.name, "failed")
            return "later"
        return self._given_up(ctx, kind, job, failure.code)

    @staticmethod
    def _given_up(ctx: Context, kind: JobKind, job: Job, code: str) -> str:
        kind.given_up(ctx, job, code)
        jobs.give_up(ctx, job, code)
        ctx.ports.telemetry.count(Counter.JOBS, kind.name, "dead")
        return "dead"


def _patiently(work: Callable[[], R]) -> R:
    """Do it as soon as our own database takes writes again: without it not even a failure can be recorded."""
    while True:
        try:
            return work()
        except Unavailable:
            time.sleep(_DATABASE_PAUSE_S)
