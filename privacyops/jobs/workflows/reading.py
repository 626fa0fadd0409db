"""Reads the texts of a request for other people, a page a step."""

from typing import Final
from uuid import UUID

from privacyops.domain.job import Again, Done, Job, Outcome
from privacyops.domain.task import TaskKind
from privacyops.jobs.kind import StepFailed
from privacyops.kernel.ids import DsarId
from privacyops.ports.pii import DetectionFailed
from privacyops.services import task
from privacyops.services.context import Context
from privacyops.services.dsar import reading

CODE: Final = "detection_failed"


class ReadingKind:
    """One reading of one request a job. Its results and how far it got are committed together."""

    name = reading.JOB
    queue = "model"

    def step(self, ctx: Context, job: Job) -> Outcome:
        try:
            result = reading.read_page(ctx, job)
        except DetectionFailed:
            raise StepFailed(CODE) from None
        return Again() if result is None else Done(result)

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        dsar_id = DsarId(UUID(job.object_id))
        reading.reading_failed(ctx, dsar_id, int(str(job.arguments["version"])))
        task.open_for(ctx, dsar_id, TaskKind.JOB_DEAD, "dpo", f"reading:{code}")
