"""Systems that are told of choices: connect them, look at what they have acted on, let them confirm it."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from privacyops.api.deps import Caller, IdempotencyKey, action
from privacyops.api.schemas.webhook import (
    AcksIn,
    AcksOut,
    DeliveryList,
    DeliveryOut,
    ReplayIn,
    ReplayOut,
    RotateIn,
    SecretOut,
    SpreadOut,
    SubscriberIn,
    SubscriberOut,
)
from privacyops.domain.account.action import Action
from privacyops.domain.webhook.delivery import Delivery
from privacyops.domain.webhook.subscriber import Subscriber
from privacyops.ledger.leaf import instant_text
from privacyops.services.idempotency import Call
from privacyops.services.webhook import acknowledging, subscribing

router = APIRouter(prefix="/v1", tags=["systems"])
Limit = Annotated[int, Query(ge=1, le=500)]


@router.post("/webhooks", status_code=201, summary="Connect a system", **action(Action.WEBHOOK_MANAGE))
def subscribe(ctx: Caller, body: SubscriberIn, idempotency_key: IdempotencyKey = None) -> SecretOut:
    """Tell a system of everything from now on. Its signing key stands in this answer and nowhere else."""
    one, key = subscribing.subscribe(
        ctx, body.name, body.url, body.types, body.scheme, _call(idempotency_key, body)
    )  # fmt: skip
    return SecretOut(id=one.id, secret=key.secret if key else None, public_key=one.public_key)


@router.get("/webhooks", summary="Systems", **action(Action.WEBHOOK_SEE))
def subscribers(ctx: Caller) -> list[SubscriberOut]:
    """Every system, without its secret."""
    return [_subscriber(one) for one in subscribing.subscribers(ctx)]


@router.get("/webhooks/{id}/deliveries", summary="What a system was told", **action(Action.WEBHOOK_SEE))
def deliveries(ctx: Caller, id: UUID, open: bool = False, limit: Limit = 100) -> DeliveryList:  # noqa: A002 - wire names
    """The newest first; with `open=true` only what is not acknowledged."""
    names = {one.id: one for one in subscribing.subscribers(ctx)}
    found = subscribing.deliveries(ctx, id, is_open=open, limit=limit)
    return DeliveryList(items=[_delivery(names[id], one) for one in found])


@router.post("/webhooks/{id}:rotate", summary="A new signing key", **action(Action.WEBHOOK_MANAGE))
def rotate(ctx: Caller, id: UUID, body: RotateIn, idempotency_key: IdempotencyKey = None) -> SecretOut:  # noqa: A002 - wire name
    """For a day every message carries a signature of the new key and one of the key before."""
    key = subscribing.rotate(ctx, id, body.scheme, _call(idempotency_key, body, str(id)))
    return SecretOut(id=id, secret=key.secret, public_key=key.public)


@router.post("/webhooks/{id}:disable", status_code=204, summary="Send nothing more", **action(Action.WEBHOOK_MANAGE))
def disable(ctx: Caller, id: UUID) -> None:  # noqa: A002 - wire name
    """Switch a system off. What it was told keeps its clocks. A second time is a 409 and changes nothing."""
    subscribing.disable(ctx, id)


@router.post("/webhooks/{id}:enable", status_code=204, summary="Go on", **action(Action.WEBHOOK_MANAGE))
def enable(ctx: Caller, id: UUID) -> None:  # noqa: A002 - wire name
    """Switch a system on again, also one that answered 410. A second time is a 409 and changes nothing."""
    subscribing.enable(ctx, id)


@router.post("/webhooks/{id}:replay", summary="Send again", **action(Action.WEBHOOK_MANAGE))
def replay(ctx: Caller, id: UUID, body: ReplayIn, idempotency_key: IdempotencyKey = None) -> ReplayOut:  # noqa: A002 - wire name
    """The same ids and bodies as before, freshly signed. What is older than a week is in the snapshot of the feed."""
    return ReplayOut(replayed=subscribing.replay(ctx, id, body.from_seq, _call(idempotency_key, body, str(id))))


@router.post("/acks", summary="Confirm what was done", **action(Action.FEED_READ))
def acknowledge(ctx: Caller, body: AcksIn) -> AcksOut:
    """For systems that read the feed, or act later than they answer. Repeating it changes nothing.

    Only with a key that names the system; any other is refused (403 `system-not-yours`).
    """
    return AcksOut(acknowledged=acknowledging.acknowledge(ctx, body.subscriber, body.event_ids, body.up_to_seq))


@router.get("/acks", summary="What is not confirmed", **action(Action.FEED_READ))
def open_acks(ctx: Caller, limit: Limit = 100) -> DeliveryList:
    """Every event that a system has not acknowledged, the newest first."""
    found = acknowledging.open_acknowledgements(ctx, limit)
    return DeliveryList(items=[_delivery(one, delivery) for one, delivery in found])


@router.get("/acks/{event_id}", summary="Where an event has arrived", **action(Action.FEED_READ))
def spread(ctx: Caller, event_id: UUID) -> SpreadOut:
    """Each system with what it has confirmed of this event."""
    found = acknowledging.spread(ctx, event_id)
    return SpreadOut(
        event_id=event_id, is_everywhere=found.is_everywhere,
        last_after_s=found.last_after.total_seconds() if found.last_after is not None else None,
        items=[_delivery(one, delivery) for one, delivery in found.deliveries],
    )  # fmt: skip


def _call(key: str | None, body: BaseModel, about: str = "") -> Call:
    return Call.of(key, json.dumps([about, body.model_dump(mode="json")], sort_keys=True).encode())


def _subscriber(one: Subscriber) -> SubscriberOut:
    return SubscriberOut(
        id=one.id, name=one.name, url=one.url, types=list(one.types), scheme=one.scheme, public_key=one.public_key,
        state=one.state, code=one.code, cursor=one.cursor, created_at=instant_text(one.created_at),
        previous_secret_until=instant_text(one.previous_until) if one.previous_until else None,
    )  # fmt: skip


def _delivery(one: Subscriber, delivery: Delivery) -> DeliveryOut:
    return DeliveryOut(
        subscriber=one.name, event_id=delivery.event_id, seq=delivery.seq, type=delivery.type, state=delivery.state,
        tries=delivery.tries, code=delivery.code, rule=delivery.rule,
        due_at=instant_text(delivery.due_at) if delivery.due_at else None,
        limit_at=instant_text(delivery.limit_at) if delivery.limit_at else None,
        acknowledged_at=instant_text(delivery.acknowledged_at) if delivery.acknowledged_at else None,
    )  # fmt: skip
