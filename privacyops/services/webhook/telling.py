"""From the log to the systems: who is told of which event, and what exactly is sent.

Nothing is copied: a message is made anew from the log for each try, and is the same bytes each time. Of somebody who
was erased meanwhile nothing is sent.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.consent.event import ConsentEvent, event_of
from privacyops.domain.consent.state import EventType
from privacyops.domain.webhook.delivery import Delivery, DeliveryState, clock_of, envelope, next_try
from privacyops.domain.webhook.subscriber import Subscriber, SubscriberState
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import StaleState
from privacyops.kernel.ids import uuid7
from privacyops.ledger.leaf import instant_text, parse
from privacyops.ports.keyring import MacLabel
from privacyops.ports.webhook_sender import Message, Reply
from privacyops.services import job as jobs
from privacyops.services.consent.feeding import subject_ref
from privacyops.services.context import Context, record, use_case
from privacyops.services.sealing import place
from privacyops.services.webhook.subscribing import JOB
from privacyops.store import change as changes
from privacyops.store import webhook as webhooks
from privacyops.store.change import Change
from privacyops.store.uow import Tx

PAGE: Final = 200
SMS_CONFIRMATION: Final = "sms.confirmation"
_JITTER: Final = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Sending:
    """One message on its way, with what it is signed with."""

    delivery: Delivery
    url: str
    message: Message
    secrets: tuple[str, ...]


def fan_out(ctx: Context) -> bool:
    """Promise a delivery to each system that wants it, of what was numbered since; whether there may be more."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        if not webhooks.is_anybody_behind(tx):
            return False
    return _fan_out(ctx)


@use_case(Action.JOB_RUN)
def _fan_out(ctx: Context, tx: Tx) -> bool:
    more = False
    for one in webhooks.list_subscribers(tx):
        if one.state is not SubscriberState.ACTIVE:
            continue
        found = changes.list_changes(tx, one.cursor, PAGE)
        if found and webhooks.move_cursor(tx, one.id, one.cursor, found[-1].seq):
            for change in found:
                _promise(tx, one, change)
        more = more or len(found) == PAGE
    return more


def _promise(tx: Tx, one: Subscriber, change: Change) -> None:
    event = event_of(parse(change.leaf))
    if not one.wants(str(event.type)) or _is_void(change, event):
        return
    clock = clock_of(event.type, event.channel, event.jurisdiction)
    delivery = Delivery(
        id=uuid7(tx.now), subscriber_id=one.id, event_id=change.event_id, seq=change.seq, type=str(event.type),
        state=DeliveryState.WAITING, since=tx.now, rule=clock.rule if clock else None,
        due_at=event.recorded_at + clock.target if clock else None, tries=0, code=None, acknowledged_at=None,
    )  # fmt: skip
    if webhooks.add_delivery(tx, delivery) and one.url is not None:
        jobs.enqueue(tx, JOB, delivery.id)


def tell_by_hand(ctx: Context, tx: Tx, type_: str, arguments: Mapping[str, Any]) -> int:
    """Promise a message that is no event of the log to each system that asks for its type by name; how many.

    `arguments` are ids and codes: nothing of a person.
    """
    told = 0
    for one in webhooks.list_subscribers(tx):
        if one.state is SubscriberState.ACTIVE and one.url is not None and one.types and one.wants(type_):
            delivery = Delivery(
                id=uuid7(tx.now), subscriber_id=one.id, event_id=uuid7(tx.now), seq=0, type=type_,
                state=DeliveryState.WAITING, since=tx.now, rule=None, due_at=None, tries=0, code=None,
                acknowledged_at=None,
            )  # fmt: skip
            webhooks.add_delivery(tx, delivery)
            jobs.enqueue(tx, JOB, delivery.id, **arguments)
            told += 1
    return told


def to_send(ctx: Context, delivery_id: UUID, arguments: Mapping[str, Any]) -> Sending | str:
    """The message, or a code that says why nothing is sent."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        delivery = webhooks.find_delivery(tx, delivery_id)
        if delivery is None or delivery.state is not DeliveryState.WAITING:
            return "settled"
        one = webhooks.load_subscriber(tx, delivery.subscriber_id)
        if one.url is None or one.state is not SubscriberState.ACTIVE:
            return "disabled"
        body = _by_hand(ctx, delivery, arguments) if delivery.seq == 0 else _from_log(ctx, tx, one, delivery)
        held = webhooks.load_secrets(tx, one.id)
        now = tx.now
    if body is None:
        return "void"
    counts = held.previous is not None and held.previous_until is not None and now < held.previous_until
    sealed = [held.sealed, held.previous if counts else None]
    opened = tuple(
        ctx.ports.keyring.open(one_sealed, place(ctx, "subscriber", "sealed", one.id)).decode()
        for one_sealed in sealed
        if one_sealed is not None
    )
    return Sending(delivery, one.url, Message(str(delivery.event_id), body), opened)


@use_case(Action.JOB_RUN)
def settle(ctx: Context, tx: Tx, sending: Sending, reply: Reply) -> Instant | None:
    """Note what came back: acknowledged, or when to try again. None: nothing more is to be done.

    A receiver that answers 410 is switched off; whoever looks after the systems is told by a task once something that
    has a clock is overdue there.
    """
    delivery = sending.delivery
    if reply.is_acknowledged:
        webhooks.settle_delivery(tx, delivery.id, DeliveryState.ACKNOWLEDGED, None)
        return None
    if reply.is_gone:
        _switch_off(ctx, tx, delivery.subscriber_id, reply.code)
        webhooks.settle_delivery(tx, delivery.id, DeliveryState.FAILED, reply.code)
        return None
    again = next_try(delivery.since, tx.now, delivery.tries + 1, _JITTER.random())
    if again is None:
        webhooks.settle_delivery(tx, delivery.id, DeliveryState.FAILED, reply.code)
        return None
    webhooks.note_try(tx, delivery.id, reply.code)
    return max(again, tx.now + (reply.after or timedelta(0)))


@use_case(Action.JOB_RUN)
def drop(ctx: Context, tx: Tx, delivery_id: UUID, code: str) -> None:
    """Nothing is to be sent any more: the system is switched off, or the person was erased."""
    is_void = code == "void"
    webhooks.settle_delivery(tx, delivery_id, DeliveryState.ACKNOWLEDGED if is_void else DeliveryState.FAILED, code)


def _switch_off(ctx: Context, tx: Tx, subscriber: UUID, code: str) -> None:
    try:
        webhooks.move_subscriber(tx, subscriber, SubscriberState.DISABLED, code)
    except StaleState:
        return  # an answer before this one did it
    record(ctx, tx, "webhook.disabled", "subscriber", subscriber, code=code)


def _from_log(ctx: Context, tx: Tx, one: Subscriber, delivery: Delivery) -> bytes | None:
    found = changes.list_changes(tx, delivery.seq - 1, 1)
    if not found or found[0].seq != delivery.seq:
        return None  # older than the feed: whoever was not told in a week reads the feed's snapshot
    change = found[0]
    event = event_of(parse(change.leaf))
    if _is_void(change, event):
        return None
    person = change.subject_id
    if event.type is EventType.SUBJECT_ERASED and change.erased is not None:
        gone = place(ctx, "erased_subject", "sealed", change.event_id)
        person = ctx.ports.keyring.open(change.erased, gone).decode()
    key = ctx.ports.keyring.mac(MacLabel.FEED, ctx.controller.key, str(one.id).encode()).digest
    data = {
        "seq": change.seq,
        "purpose": event.purpose.key if event.purpose else None,
        "channel": event.channel,
        "brand": event.brand,
        "state": str(event.state) if event.state else None,
        "scope": event.scope,
        "state_version": change.state_version,
        "valid_until": instant_text(event.valid_until) if event.valid_until else None,
    }
    return envelope(
        ctx.controller.key, str(change.event_id), str(event.type), subject_ref(key, person) if person else None,
        instant_text(event.recorded_at), data,
    )  # fmt: skip


def _by_hand(ctx: Context, delivery: Delivery, arguments: Mapping[str, Any]) -> bytes:
    at = instant_text(delivery.since)
    return envelope(ctx.controller.key, str(delivery.event_id), delivery.type, None, at, arguments)


def _is_void(change: Change, event: ConsentEvent) -> bool:
    """About somebody who has been erased since; the erasure itself is told."""
    about_nobody = event.type in (
        EventType.NOTICE_PUBLISHED, EventType.PURPOSE_PUBLISHED, EventType.SUBJECT_ERASED, EventType.LEDGER_PRUNED,
    )  # fmt: skip
    return change.subject_id is None and not about_nobody and "subject" in parse(change.leaf)
