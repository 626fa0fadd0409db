"""Text messages that come in: a stop word stops at once, and is confirmed by one message within five minutes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.consent.sms import CONFIRM_WITHIN, StopReading, read_stop, stop_reply
from privacyops.domain.consent.state import Method
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.subject import SubjectIdentifier
from privacyops.domain.task import TaskKind
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import instant_of, instant_text
from privacyops.services import purpose as published
from privacyops.services.consent import suppressing
from privacyops.services.consent.appending import settled
from privacyops.services.consent.suppressing import Reach
from privacyops.services.consent.terms import brand_named
from privacyops.services.context import Context, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.services.webhook.telling import SMS_CONFIRMATION, tell_by_hand
from privacyops.store import suppression as suppressions
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class InboundText:
    """A message as the gateway got it. `message_id` is the gateway's, and comes back with the confirmation."""

    number: SubjectIdentifier
    text: str
    message_id: str
    language: str
    brand: str | None = None


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """What was done. `reply` is the text to send, until `reply_before`; None: nothing is to be sent by the caller."""

    reading: StopReading
    event_id: UUID | None = None
    reply: str | None = None
    reply_before: Instant | None = None


def take_text(ctx: Context, inbound: InboundText, call: Call | None = None) -> TextAnswer:
    """Stop advertising by text message and phone for the sender's brand, if the message says so.

    A number that has stopped already is not confirmed again. Where a connected system asks for `sms.confirmation`,
    it gets the confirmation to send; else the answer holds it.
    Raises: UnknownBrand, IdempotencyKeyReused.
    """
    return settled(lambda: _take_text(ctx, inbound, call))


@use_case(Action.CONSENT_WRITE)
def _take_text(ctx: Context, tx: Tx, inbound: InboundText, call: Call | None) -> TextAnswer:
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return _answer_of(before)
    answer = _stopped(ctx, tx, inbound)
    if call is not None:
        end_call(ctx, tx, call, _members_of(answer))
    return answer


def _members_of(answer: TextAnswer) -> dict[str, str]:
    told: dict[str, str] = {"reading": str(answer.reading)}
    if answer.event_id is not None:
        told["event_id"] = str(answer.event_id)
    if answer.reply is not None and answer.reply_before is not None:
        told |= {"reply": answer.reply, "reply_before": instant_text(answer.reply_before)}
    return told


def _answer_of(members: Mapping[str, str]) -> TextAnswer:
    event, before = members.get("event_id"), members.get("reply_before")
    return TextAnswer(
        StopReading(members["reading"]), UUID(event) if event else None, members.get("reply"),
        instant_of(before) if before else None,
    )  # fmt: skip


def _stopped(ctx: Context, tx: Tx, inbound: InboundText) -> TextAnswer:
    reading = read_stop(inbound.text[:LONGEST], inbound.language)
    if reading is StopReading.NONE:
        record(ctx, tx, "sms.read", "message", "inbound", reading=str(reading))
        return TextAnswer(reading)
    names = published.catalogue(ctx, tx)
    brand = brand_named(names, inbound.brand)
    known = suppressions.list_entries(tx, suppressing.refs_of_contact(ctx, inbound.number))
    is_new = not any(
        one.reason == SuppressionReason.STOP_KEYWORD and one.brand_no in (0, names.brands[brand].no) for one in known
    )
    entry = suppressing.suppress_within(
        ctx, tx, names, inbound.number, SuppressionReason.STOP_KEYWORD, Reach(brand=brand), Method.SMS_STOP
    )
    if reading is StopReading.PART:
        task = tasks.add_task(tx, TaskKind.READ_STOP, tx.now.date(), owner_role="analyst", code=str(entry.event_id))
        record(ctx, tx, "task.open", "task", task, kind=str(TaskKind.READ_STOP))
    if not is_new:
        return TextAnswer(reading, entry.event_id)
    reply, until = stop_reply(names.brands[brand].title, inbound.language), tx.now + CONFIRM_WITHIN
    told = tell_by_hand(
        ctx, tx, SMS_CONFIRMATION,
        {"in_reply_to": inbound.message_id, "text": reply, "send_before": instant_text(until)},
    )  # fmt: skip
    return TextAnswer(reading, entry.event_id, None if told else reply, None if told else until)
