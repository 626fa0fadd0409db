"""Hands promised mails over to the mail server."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.job import Done, Job, Outcome
from privacyops.domain.letter import LetterKind
from privacyops.domain.task import TaskKind
from privacyops.jobs.kind import StepFailed
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import OutboxId
from privacyops.ports.mailer import Mail, MailDelayed, MailerMisconfigured, MailRefused
from privacyops.services import mail, task
from privacyops.services.context import Context
from privacyops.services.dsar import answer

_ANSWERS = frozenset(
    {
        str(kind)
        for kind in (
            LetterKind.PACKAGE_READY,
            LetterKind.ANSWER_FULL,
            LetterKind.ANSWER_PARTIAL,
            LetterKind.NO_DATA,
            LetterKind.REFUSAL,
            LetterKind.ACK,
        )
    }
)
"""Handing one of these to the mail server is the answer. An `ack` is one where the request was carried out at once."""

WAITS: Final = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""After each failure in a row: a mail server that greets late or is restarted costs no mail."""


class MailKind:
    """One mail a job. A mail that was handed over just before a kill is handed over again with the same Message-ID."""

    name = mail.JOB
    queue = "deliver"

    def step(self, ctx: Context, job: Job) -> Outcome:
        found = mail.to_deliver(ctx, UUID(job.object_id))
        if found is None:
            return Done("nothing_to_send")
        letter = Mail(OutboxId(found.id), found.to, found.subject, found.text, found.html)
        try:
            ctx.ports.mailer.send(letter, ctx.clock.now())
        except MailDelayed as delayed:
            raise StepFailed(delayed.code, WAITS[min(job.attempts, len(WAITS) - 1)]) from None
        except MailerMisconfigured as wrong:
            raise StepFailed(wrong.code, WAITS[min(job.attempts, len(WAITS) - 1)]) from None
        except MailRefused as refused:
            self._give_up(ctx, found, refused.code)
            return Done("refused")
        crash_point("mail.after_send_before_mark")
        if found.dsar_id is not None and found.kind in _ANSWERS:
            answer.answer_sent(ctx, found.dsar_id, found.kind)
        mail.delivered(ctx, found.id)
        return Done("sent")

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        found = mail.to_deliver(ctx, UUID(job.object_id))
        if found is not None:
            self._give_up(ctx, found, code)

    def _give_up(self, ctx: Context, found: mail.Outgoing, code: str) -> None:
        if found.dsar_id is not None:
            task.open_for(ctx, found.dsar_id, TaskKind.UNDELIVERED, "analyst", code)
        mail.undeliverable(ctx, found.id, code)
