"""Telling a customer that what they asked to stop has stopped."""

from privacyops.domain.deadline.event import ClockEventKind
from privacyops.domain.dsar.record import Dsar, Requester
from privacyops.domain.dsar.state import DsarEvent
from privacyops.domain.letter import LetterKind
from privacyops.services import mail
from privacyops.services.context import Context
from privacyops.services.dsar.lifecycle import move
from privacyops.services.dsar.wording import letter, local_date, right_of, url
from privacyops.store.uow import Tx


def confirm_stop(ctx: Context, tx: Tx, dsar: Dsar, requester: Requester) -> Dsar:
    """Release the confirmation; the request closes when the mail server has it."""
    dsar = move(ctx, tx, dsar, DsarEvent.RELEASE, ClockEventKind.ACK_SENT)
    done = letter(
        ctx, LetterKind.ACK, dsar, None, tx.now, right=right_of(dsar.type),
        received_on=local_date(ctx, dsar.received_at), due_on=dsar.due_on, rule=dsar.regime,
        status_url=url(ctx, "privacy/status"), done_on=local_date(ctx, tx.now),
    )  # fmt: skip
    mail.promise(ctx, tx, requester.email, done, dsar.id)
    return dsar
