"""Mails leave through the outbox: promised with their cause, handed over by a worker, emptied afterwards."""

import json
from dataclasses import dataclass
from html import escape
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.letter import Letter
from privacyops.kernel.ids import DsarId, uuid7
from privacyops.services import job as jobs
from privacyops.services.context import Context, record, use_case
from privacyops.services.sealing import place
from privacyops.store import mail as mails
from privacyops.store.uow import Tx

JOB: Final = "mail"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail as it leaves. `id` is the outbox id, so that a mail sent twice can be recognised."""

    id: UUID
    kind: str
    to: str
    subject: str
    text: str
    html: str
    dsar_id: DsarId | None = None


def promise(ctx: Context, tx: Tx, to: str, letter: Letter, dsar_id: DsarId | None = None) -> UUID:
    """Write the mail down and promise its delivery, in the transaction of its cause."""
    mail = uuid7(tx.now)
    body = {"to": to, "subject": letter.subject, "text": letter.text, "html": letter.html}
    sealed = ctx.ports.keyring.seal(json.dumps(body, ensure_ascii=False).encode(), place(ctx, "mail", "sealed", mail))
    mails.add_mail(tx, mail, str(letter.kind), sealed, dsar_id)
    jobs.enqueue(tx, JOB, mail, outbox_id=str(mail))
    return mail


def promise_text(ctx: Context, tx: Tx, to: str, kind: str, subject: str, text: str) -> UUID:
    """As `promise`, for a mail to somebody who works with this service: plain words, no template."""
    mail = uuid7(tx.now)
    body = {"to": to, "subject": subject, "text": text, "html": f"<pre>{escape(text)}</pre>"}
    sealed = ctx.ports.keyring.seal(json.dumps(body, ensure_ascii=False).encode(), place(ctx, "mail", "sealed", mail))
    mails.add_mail(tx, mail, kind, sealed, None)
    jobs.enqueue(tx, JOB, mail, outbox_id=str(mail))
    return mail


def to_deliver(ctx: Context, mail: UUID) -> Outgoing | None:
    """The mail, if it still has to leave."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        found = mails.load_mail(tx, mail)
    if found is None or found.state != "queued" or found.sealed is None:
        return None
    opened = json.loads(ctx.ports.keyring.open(found.sealed, place(ctx, "mail", "sealed", mail)))
    return Outgoing(found.id, found.kind, dsar_id=found.dsar_id, **opened)


@use_case(Action.JOB_RUN)
def delivered(ctx: Context, tx: Tx, mail: UUID) -> None:
    """The mail server took it; its content goes."""
    mails.settle_mail(tx, mail, "sent")


@use_case(Action.JOB_RUN)
def undeliverable(ctx: Context, tx: Tx, mail: UUID, code: str) -> None:
    """It will not arrive: `code` says why, without an address."""
    mails.settle_mail(tx, mail, "failed", code)
    record(ctx, tx, "mail.failed", "mail", mail, code=code)
