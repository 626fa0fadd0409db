"""Looks up who asked for a link to their choices, apart from the call that asked."""

from uuid import UUID

from privacyops.domain.job import Done, Job, Outcome
from privacyops.services.consent import preference_link
from privacyops.services.context import Context


class PreferenceLinkKind:
    """One question a job; the mail it gives rise to is a job of its own."""

    name = preference_link.JOB
    queue = "deliver"

    def step(self, ctx: Context, job: Job) -> Outcome:
        return Done(preference_link.answer(ctx, UUID(job.object_id)))

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        preference_link.given_up(ctx, UUID(job.object_id), code)
