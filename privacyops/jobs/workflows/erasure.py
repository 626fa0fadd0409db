"""Plans, carries out and looks again at the erasure of one request in one store."""

from collections.abc import Mapping
from uuid import UUID

from privacyops.domain.erasure.operation import OpResult
from privacyops.domain.job import Done, Job, Outcome
from privacyops.jobs.kind import StepFailed
from privacyops.ports.connector_host import StoreMisconfigured, StoreProblem, StoreRefused
from privacyops.services.context import Context
from privacyops.services.dsar import erasing, erasing_work, erasure_plan


class ErasureKind:
    """One store a job. Each transaction of the store is recorded before the next begins; after a kill the same plan is
    applied again, and what is done says so.
    """

    name = erasure_plan.JOB
    queue = "connector"

    def step(self, ctx: Context, job: Job) -> Outcome:
        erasure = UUID(str(job.arguments["erasure"]))
        try:
            if job.arguments["mode"] == erasure_plan.PLAN:
                return self._plan(ctx, job, erasure)
            if job.arguments["mode"] == erasure_plan.SWEEP:
                erasing.swept(ctx, job, erasure, *erasing_work.look_again(ctx, erasure))
                return Done("swept")
            return self._erase(ctx, job, erasure)
        except (StoreMisconfigured, StoreRefused) as refused:
            self.given_up(ctx, job, refused.code)
            return Done("handed_over")
        except StoreProblem as problem:
            raise StepFailed(problem.code) from None

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        erasure = UUID(str(job.arguments["erasure"]))
        if job.arguments["mode"] == erasure_plan.PLAN:
            erasure_plan.plan_failed(ctx, erasure, code)
        elif job.arguments["mode"] == erasure_plan.ERASE:
            erasing.failed(ctx, erasure, code)

    def _plan(self, ctx: Context, job: Job, erasure: UUID) -> Outcome:
        planned, decided = erasing_work.plan_one(ctx, erasure)
        erasure_plan.save_plan(ctx, job, erasure, planned, decided)
        return Done("planned")

    def _erase(self, ctx: Context, job: Job, erasure_id: UUID) -> Outcome:
        erasure = erasing.start(ctx, job, erasure_id)

        def record(results: Mapping[str, OpResult]) -> None:
            erasing.save_results(ctx, job, erasure_id, results)

        report = erasing_work.erase_one(ctx, erasure, record)
        if report.problem:
            raise StepFailed(report.problem)
        return Done(erasing.end(ctx, job, erasure_id, report))
