"""Plans, carries out, asks after and looks again at the erasure of one request in one store."""

from collections.abc import Mapping
from uuid import UUID

from privacyops.domain.erasure.operation import OpResult
from privacyops.domain.job import Done, Job, Outcome
from privacyops.jobs.kind import StepFailed
from privacyops.ports.connector_host import StoreMisconfigured, StoreProblem, StoreRefused
from privacyops.services.context import Context
from privacyops.services.dsar import erasing, erasing_work, erasure_plan, pending
from privacyops.services.sealing import RequestEmptied


class ErasureKind:
    """One store a job. Each transaction of the store is recorded before the next begins; after a kill the same plan is
    applied again, and what is done says so. A store that accepts and works later is asked by jobs of their own.
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
            if job.arguments["mode"] == erasure_plan.POLL:
                return self._poll(ctx, job, erasure)
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
        elif job.arguments["mode"] == erasure_plan.POLL:
            self._unanswered(ctx, erasure, code, is_ours=True)

    def _plan(self, ctx: Context, job: Job, erasure: UUID) -> Outcome:
        planned, decided = erasing_work.plan_one(ctx, erasure)
        erasure_plan.save_plan(ctx, job, erasure, planned, decided)
        return Done("planned")

    def _erase(self, ctx: Context, job: Job, erasure_id: UUID) -> Outcome:
        erasure = erasing.start(ctx, job, erasure_id)

        def record(results: Mapping[str, OpResult]) -> None:
            erasing.save_results(ctx, job, erasure_id, results)

        report = erasing_work.erase_one(ctx, erasure, record)
        if report.is_pending:
            pending.accepted(ctx, job, erasure_id, report)
            return Done("accepted")
        if report.problem:
            raise StepFailed(report.problem)
        return Done(erasing.end(ctx, job, erasure_id, report))

    def _poll(self, ctx: Context, job: Job, erasure_id: UUID) -> Outcome:
        """Asks once; when all has ended, reads back. Whatever happens, the store is asked again or a person is."""
        try:
            waiting = pending.waiting_for(ctx, erasure_id)
        except RequestEmptied:
            pending.forget(ctx, erasure_id)
            return Done("emptied")
        if waiting is None:
            return Done("ended")
        try:
            settle_in = erasing_work.ask_after(ctx, waiting, lambda found: pending.note(ctx, job, erasure_id, found))
            if not pending.later(ctx, job, erasure_id, settle_in):
                return Done("pending")
            report = erasing_work.erase_one(ctx, waiting.erasure, lambda results: None, applies=False)
        except StoreProblem as problem:
            ours = isinstance(problem, StoreMisconfigured)
            return Done(self._unanswered(ctx, erasure_id, problem.code, is_ours=ours))
        if report.problem:
            return Done(self._unanswered(ctx, erasure_id, report.problem))
        return Done(pending.ended(ctx, job, erasure_id, report))

    def _unanswered(self, ctx: Context, erasure_id: UUID, code: str, *, is_ours: bool = False) -> str:
        if pending.unanswered(ctx, erasure_id, code, is_ours=is_ours):
            return "unanswered"
        erasing.failed(ctx, erasure_id, code)
        pending.forget(ctx, erasure_id)
        return "handed_over"
