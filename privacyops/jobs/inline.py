"""Does waiting jobs in this process, one after another, without the engine: to seed the demo, and to walk tests.

The same kinds and the same records as the worker's; only nothing runs at the same time and nothing is taken over.
Never beside a running worker.
"""

from collections.abc import Mapping

from privacyops.domain.job import Again, Done, Later
from privacyops.jobs.kind import JobKind, StepFailed
from privacyops.kernel.ids import JobId
from privacyops.services import job as jobs
from privacyops.services.context import Context


def drive_waiting(ctx: Context, kinds: Mapping[str, JobKind]) -> list[tuple[str, str]]:
    """Hand over and do everything that waits now, and what that gives rise to; (kind, result) of what ended.

    Jobs that rest until later are left resting.
    """
    ended: list[tuple[str, str]] = []
    while handed := _hand_over(ctx, kinds):
        for kind, job in handed:
            result = drive(ctx, kinds[kind], job)
            if result is not None:
                ended.append((kind, result))
    return ended


def drive(ctx: Context, kind: JobKind, job_id: JobId) -> str | None:
    """Do one job as far as it goes now; its result, or None if it rests or has ended already."""
    job = jobs.claim(ctx, job_id)
    while job is not None:
        try:
            outcome = kind.step(ctx, job)
        except StepFailed as failure:
            if jobs.step_failed(ctx, job, failure.code, failure.after) is not None:
                return None
            kind.given_up(ctx, job, failure.code)
            jobs.give_up(ctx, job, failure.code)
            return f"dead:{failure.code}"
        match outcome:
            case Again():
                job = jobs.current(ctx, job_id, job.epoch)
            case Later(at):
                jobs.rest(ctx, job, at)
                return None
            case Done(result):
                jobs.finish(ctx, job, result)
                return result
    return None


def _hand_over(ctx: Context, kinds: Mapping[str, JobKind]) -> list[tuple[str, JobId]]:
    handed: list[tuple[str, JobId]] = []
    jobs.relay(ctx, kinds, lambda _id, kind, job: handed.append((kind, job)))
    return handed
