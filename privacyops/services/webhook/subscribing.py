"""Systems that are told: connect one, look at them, rotate a secret, switch off and on, send again."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.webhook.delivery import Delivery
from privacyops.domain.webhook.subscriber import (
    ROTATION,
    Scheme,
    Subscriber,
    SubscriberMalformed,
    SubscriberState,
    require_address,
)
from privacyops.kernel.errors import Conflict, NotFound, StaleState
from privacyops.kernel.ids import uuid7
from privacyops.ports.webhook_sender import SigningKey
from privacyops.services import job as jobs
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.services.sealing import place
from privacyops.store import change as changes
from privacyops.store import webhook as webhooks
from privacyops.store.uow import Tx
from privacyops.store.webhook import Tally

JOB = "webhook"
REPLAYED = 1_000


class NameTaken(Conflict):
    type = "/problems/name-taken"
    title = "Another system has this name"


class SecretShownBefore(Conflict):
    type = "/problems/secret-shown-before"
    title = "This secret was shown once and is not shown again; rotate it"


@use_case(Action.WEBHOOK_MANAGE)
def subscribe(
    ctx: Context, tx: Tx, name: str, url: str | None, types: Sequence[str], scheme: Scheme, call: Call | None = None
) -> tuple[Subscriber, SigningKey | None]:
    """Tell a system of everything from now on; its signing key, shown here and nowhere else.

    Without `url` the system reads the feed and acknowledges by itself.
    Raises: SubscriberMalformed, NameTaken, SecretShownBefore.
    """
    if call is not None and begin_call(ctx, tx, call) is not None:
        raise SecretShownBefore
    require_address(name, url)
    if url is not None and (refused := ctx.ports.webhooks.check(url)) is not None:
        raise SubscriberMalformed(f"the address is refused: {refused}")
    key = ctx.ports.webhooks.new_key(scheme) if url is not None else None
    one = Subscriber(
        id=uuid7(tx.now), name=name.strip(), url=url, types=tuple(types), scheme=scheme,
        public_key=key.public if key else None, state=SubscriberState.ACTIVE, code=None,
        cursor=changes.extent(tx).last, created_at=tx.now,
    )  # fmt: skip
    try:
        webhooks.add_subscriber(tx, one, _sealed(ctx, one.id, key) if key else None)
    except StaleState:
        raise NameTaken from None
    record(ctx, tx, "webhook.subscribed", "subscriber", one.id, name=one.name)
    if call is not None:
        end_call(ctx, tx, call, {"id": str(one.id)})
    return one, key


@reading(Action.WEBHOOK_SEE)
def subscribers(ctx: Context, tx: Tx) -> Sequence[Subscriber]:
    """Every system, without secrets."""
    return webhooks.list_subscribers(tx)


@reading(Action.WEBHOOK_SEE)
def tallies(ctx: Context, tx: Tx) -> Mapping[UUID, Tally]:
    """What each system was told, in numbers; one that was told nothing is missing."""
    return webhooks.tally_deliveries(tx)


@reading(Action.WEBHOOK_SEE)
def deliveries(ctx: Context, tx: Tx, id_: UUID, *, is_open: bool, limit: int = 100) -> Sequence[Delivery]:
    """What a system was told of, the newest first. Raises: NotFound."""
    return webhooks.list_deliveries(tx, subscriber=webhooks.load_subscriber(tx, id_).id, is_open=is_open, limit=limit)


@use_case(Action.WEBHOOK_MANAGE)
def rotate(ctx: Context, tx: Tx, id_: UUID, scheme: Scheme | None = None, call: Call | None = None) -> SigningKey:
    """A new signing key, shown here and nowhere else. For a day messages carry both signatures.

    Raises: NotFound, SecretShownBefore; SubscriberMalformed: the system has no address, so nothing is signed.
    """
    if call is not None and begin_call(ctx, tx, call) is not None:
        raise SecretShownBefore
    one = webhooks.load_subscriber(tx, id_)
    if one.url is None:
        raise SubscriberMalformed("this system reads the feed; nothing is signed for it")
    key = ctx.ports.webhooks.new_key(scheme or one.scheme)
    webhooks.rotate_secret(tx, id_, key.scheme, key.public, _sealed(ctx, id_, key), ROTATION)
    record(ctx, tx, "webhook.rotated", "subscriber", id_)
    if call is not None:
        end_call(ctx, tx, call, {"id": str(id_)})
    return key


@use_case(Action.WEBHOOK_MANAGE)
def disable(ctx: Context, tx: Tx, id_: UUID) -> None:
    """Send nothing more there. Raises: NotFound, StaleState."""
    webhooks.load_subscriber(tx, id_)
    webhooks.move_subscriber(tx, id_, SubscriberState.DISABLED, "by_hand")
    record(ctx, tx, "webhook.disabled", "subscriber", id_, code="by_hand")


@use_case(Action.WEBHOOK_MANAGE)
def enable(ctx: Context, tx: Tx, id_: UUID) -> None:
    """Go on where the system was left. Raises: NotFound, StaleState."""
    webhooks.load_subscriber(tx, id_)
    webhooks.move_subscriber(tx, id_, SubscriberState.ACTIVE, None)
    record(ctx, tx, "webhook.enabled", "subscriber", id_)


@use_case(Action.WEBHOOK_MANAGE)
def replay(ctx: Context, tx: Tx, id_: UUID, from_seq: int, call: Call | None = None) -> int:
    """Send again what was sent from this number on, at most a thousand events; how many.

    What is older than the system itself is in the feed. Raises: NotFound.
    """
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return int(before["replayed"])
    one = webhooks.load_subscriber(tx, id_)
    again = webhooks.wait_again(tx, id_, max(from_seq, 1), REPLAYED) if one.url is not None else []
    for delivery in again:
        jobs.enqueue(tx, JOB, delivery)
    record(ctx, tx, "webhook.replayed", "subscriber", id_, events=len(again))
    if call is not None:
        end_call(ctx, tx, call, {"replayed": len(again)})
    return len(again)


@use_case(Action.WEBHOOK_MANAGE)
def send_again(ctx: Context, tx: Tx, id_: UUID, delivery_id: UUID) -> bool:
    """Send one event again, whatever came of it before; False: it is on its way already. Raises: NotFound."""
    one = webhooks.load_subscriber(tx, id_)
    delivery = webhooks.find_delivery(tx, delivery_id)
    if one.url is None or delivery is None or delivery.subscriber_id != id_:
        raise NotFound
    if not webhooks.wait_for(tx, id_, delivery_id):
        return False
    jobs.enqueue(tx, JOB, delivery_id)
    record(ctx, tx, "webhook.replayed", "subscriber", id_, events=1)
    return True


def _sealed(ctx: Context, id_: UUID, key: SigningKey) -> bytes:
    return ctx.ports.keyring.seal(key.secret.encode(), place(ctx, "subscriber", "sealed", id_))
