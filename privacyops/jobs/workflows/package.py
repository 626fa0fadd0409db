"""Builds answer packages into the vault."""

from uuid import UUID

from privacyops.domain.job import Done, Job, Outcome
from privacyops.domain.task import TaskKind
from privacyops.kernel.ids import DsarId
from privacyops.services import task
from privacyops.services.context import Context
from privacyops.services.dsar import package


class PackageKind:
    """One package a job; a build that was interrupted begins anew and leaves nothing half registered."""

    name = package.JOB
    queue = "deliver"

    def step(self, ctx: Context, job: Job) -> Outcome:
        return Done(package.build_package(ctx, job))

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        task.open_for(ctx, DsarId(UUID(job.object_id)), TaskKind.JOB_DEAD, "admin", f"package:{code}")
