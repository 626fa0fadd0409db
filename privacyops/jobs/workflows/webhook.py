"""Sends one message to one system, again and again for three days until it is acknowledged."""

from uuid import UUID

from privacyops.domain.job import Done, Job, Later, Outcome
from privacyops.kernel.crash_point import crash_point
from privacyops.services.context import Context
from privacyops.services.webhook import subscribing, telling
from privacyops.services.webhook.telling import Sending


class WebhookKind:
    """One delivery a job. Its waits are its own and longer than those of other jobs; none of them is a failure."""

    name = subscribing.JOB
    queue = "deliver"

    def step(self, ctx: Context, job: Job) -> Outcome:
        delivery = UUID(job.object_id)
        sending = telling.to_send(ctx, delivery, job.arguments)
        if not isinstance(sending, Sending):
            if sending != "settled":
                telling.drop(ctx, delivery, sending)
            return Done(sending)
        reply = ctx.ports.webhooks.send(sending.url, sending.message, sending.secrets, ctx.clock.now())
        crash_point("webhook.after_send_before_mark")
        again = telling.settle(ctx, sending, reply)
        if again is not None:
            return Later(again)
        return Done("acknowledged" if reply.is_acknowledged else "failed")

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        telling.drop(ctx, UUID(job.object_id), code)
