"""Builds answer packages into the vault."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.job import Done, Job, Outcome
from privacyops.domain.task import TaskKind
from privacyops.jobs.kind import StepFailed
from privacyops.kernel.ids import DsarId
from privacyops.ports.connector_host import StoreProblem
from privacyops.ports.vault import VaultFull
from privacyops.services import task
from privacyops.services.context import Context
from privacyops.services.dsar import package

SPACE_NEEDS: Final = timedelta(minutes=10)
"""A full disk is emptied by a person, not by the next try."""


class PackageKind:
    """One package a job; a build that was interrupted begins anew and leaves nothing half registered."""

    name = package.JOB
    queue = "deliver"

    def step(self, ctx: Context, job: Job) -> Outcome:
        try:
            return Done(package.build_package(ctx, job))
        except VaultFull:
            raise StepFailed("vault_full", SPACE_NEEDS) from None
        except StoreProblem as problem:
            raise StepFailed(problem.code) from None

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        task.open_for(ctx, DsarId(UUID(job.object_id)), TaskKind.JOB_DEAD, "dpo", f"package:{code}")
