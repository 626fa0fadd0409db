"""Builds exports of the consent ledger into the vault."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.job import Job, Outcome
from privacyops.jobs.kind import StepFailed
from privacyops.ports.vault import VaultFull
from privacyops.services.consent import export_page, exporting
from privacyops.services.context import Context

SPACE_NEEDS: Final = timedelta(minutes=10)
"""A full disk is emptied by a person, not by the next try."""


class ExportKind:
    """One export a job, one page of the log a step; a worker that dies loses at most the page under its hands."""

    name = exporting.JOB
    queue = "deliver"

    def step(self, ctx: Context, job: Job) -> Outcome:
        try:
            return export_page.build_step(ctx, job)
        except VaultFull:
            raise StepFailed("vault_full", SPACE_NEEDS) from None

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        export_page.fail(ctx, UUID(job.object_id), code)
