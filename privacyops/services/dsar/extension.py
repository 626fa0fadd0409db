"""More time for an answer: once, with reasons, and only while the notice itself is in time."""

from collections.abc import Sequence
from datetime import date

from privacyops.domain.account.action import Action
from privacyops.domain.deadline.clock import ClockView
from privacyops.domain.deadline.event import ClockEventKind
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarEvent, advance
from privacyops.domain.letter import LetterKind
from privacyops.kernel.errors import Conflict, Unprocessable
from privacyops.kernel.ids import DsarId
from privacyops.services import mail, sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar import clock
from privacyops.services.dsar.lifecycle import require_seen
from privacyops.services.dsar.wording import authority_of, letter, local_date, regime_of
from privacyops.store import deadline as deadlines
from privacyops.store import dsar as dsars
from privacyops.store import task as tasks
from privacyops.store.uow import Tx


class ExtensionClosed(Conflict):
    """`why` as a member: no_extension, used, too_late."""

    type = "/problems/extension-closed"
    title = "The time cannot be extended"


def why_closed(view: ClockView) -> str | None:
    """Why no extension can be announced any more, as a code; None: it can."""
    if view.can_extend:
        return None
    if view.extension_notice_due is None:
        return "no_extension"
    return "used" if view.extension_valid is not None else "too_late"


@use_case(Action.DSAR_EXTEND)
def extend(
    ctx: Context, tx: Tx, dsar_id: DsarId, reasons: Sequence[str], until: date | None = None, seen: int | None = None
) -> Dsar:
    """Extend the time, with the letter that the law demands in the same transaction.

    `until` is needed where the law lets the notice itself name the date. `seen` is the version that the decision was
    made on.
    Raises: ExtensionClosed, Unprocessable: no reason, or no date where the notice names it. TransitionRefused.
    StaleState.
    """
    given = [reason.strip()[:1000] for reason in reasons if reason.strip()]
    if not given:
        raise Unprocessable("say why the answer takes longer; the customer reads it")
    dsar = dsars.load_dsar(tx, dsar_id)
    require_seen(dsar, seen)
    advance(dsar.state, DsarEvent.EXTEND, dsar.resume_to)
    before = clock.view_of(dsar, dsars.list_clock_events(tx, dsar_id), tx.now)
    closed = why_closed(before)
    if closed is not None:
        raise ExtensionClosed(why=closed)
    if before.extended_due is None and (until is None or until <= before.due):
        raise Unprocessable("name the new date; it lies after the present one")
    if before.extended_due is not None:
        until = None
    dates = clock.happen(tx, dsar, ClockEventKind.EXTENSION_NOTICE_SENT, until=until)
    deadlines.disarm(tx, dsar_id, "extension_notice", "met")
    tasks.cancel_reminders(tx, dsar_id, "extension_notice", "extended")
    after = dsars.save_dsar(tx, dsar, **dates)
    record(
        ctx, tx, "dsar.extend", "dsar", dsar_id, due_before=before.due.isoformat(), due=after.due_on.isoformat(),
        safe_due=after.safe_due_on.isoformat(), reasons=len(given),
    )  # fmt: skip
    requester = sealing.requester_of(ctx, tx, dsar)
    notice = letter(
        ctx, LetterKind.EXTENSION_NOTICE, after, requester if dsar.is_proven else None, tx.now, reasons=given,
        received_on=local_date(ctx, dsar.received_at), due_before=before.due, due_on=after.due_on,
        rule=clock.rule_of(dsar, before).article or before.rule_id, authority=authority_of(ctx),
        regime=regime_of(dsar.regime),
    )  # fmt: skip
    mail.promise(ctx, tx, requester.email, notice, dsar_id)
    return after
