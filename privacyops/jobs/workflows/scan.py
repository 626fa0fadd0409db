"""Reads a store's catalogue and samples for the data map."""

from datetime import timedelta

from privacyops.domain.job import Done, Job, Outcome
from privacyops.jobs.kind import StepFailed
from privacyops.kernel.errors import NotFound, StaleState
from privacyops.ports.connector_host import StoreProblem
from privacyops.services import scanning
from privacyops.services.context import Context


class ScanKind:
    """One scan of one store a job, in one step: a worker that dies begins it anew, and nothing was kept meanwhile."""

    name = scanning.JOB
    queue = "connector"

    def step(self, ctx: Context, job: Job) -> Outcome:
        try:
            scanning.carry_out(ctx, job)
        except NotFound:
            return Done("store_gone")
        except StaleState:
            return Done("scanned_meanwhile")
        except StoreProblem as problem:
            raise StepFailed(problem.code, timedelta(minutes=1)) from None
        return Done("scanned")

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        scanning.give_up(ctx, job)
