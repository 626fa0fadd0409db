"""What systems have acted on, and what is overdue: every stop has a clock, and what runs over becomes a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.task import TaskKind
from privacyops.domain.webhook.delivery import Delivery, DeliveryState
from privacyops.domain.webhook.subscriber import Subscriber
from privacyops.kernel.errors import Forbidden, NotFound
from privacyops.kernel.ids import TaskId
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import task as tasks
from privacyops.store import webhook as webhooks
from privacyops.store.uow import Tx

PAGE: Final = 500


class SystemNotYours(Forbidden):
    type = "/problems/system-not-yours"
    title = "This key was not made for that system; an administrator makes one that names it"


@dataclass(frozen=True, slots=True)
class Spread:
    """How far one event has come: every system with its delivery, and the time from the event to the last of them."""

    deliveries: Sequence[tuple[Subscriber, Delivery]]
    last_after: timedelta | None

    @property
    def is_everywhere(self) -> bool:
        return all(delivery.state is DeliveryState.ACKNOWLEDGED for _, delivery in self.deliveries)


@use_case(Action.FEED_READ)
def acknowledge(ctx: Context, tx: Tx, name: str, events: Sequence[UUID], up_to: int | None) -> int:
    """A system says what it has acted on; how many of these were open.

    Only by a key that was made for this system: what is acknowledged is what an authority is shown, and ends a clock.
    Raises: NotFound: no such system. SystemNotYours: another system's key.
    """
    one = webhooks.find_subscriber(tx, name)
    if one is None:
        raise NotFound
    if one.name not in ctx.actor.systems:
        raise SystemNotYours
    count = webhooks.acknowledge(tx, one.id, events, up_to)
    record(ctx, tx, "webhook.acknowledged", "subscriber", one.id, events=count)
    return count


@reading(Action.FEED_READ)
def spread(ctx: Context, tx: Tx, event: UUID) -> Spread:
    """Where one event has arrived. Raises: NotFound: no system was told of it."""
    found = webhooks.list_deliveries(tx, event=event)
    if not found:
        raise NotFound
    known = {one.id: one for one in webhooks.list_subscribers(tx)}
    last = max((one.acknowledged_at for one in found if one.acknowledged_at is not None), default=None)
    is_everywhere = all(one.acknowledged_at is not None for one in found)
    first = min(one.since for one in found)
    return Spread([(known[one.subscriber_id], one) for one in found], last - first if last and is_everywhere else None)


@reading(Action.FEED_READ)
def open_acknowledgements(ctx: Context, tx: Tx, limit: int = 100) -> Sequence[tuple[Subscriber, Delivery]]:
    """What is not acknowledged yet, the newest first."""
    known = {one.id: one for one in webhooks.list_subscribers(tx)}
    return [(known[one.subscriber_id], one) for one in webhooks.list_deliveries(tx, is_open=True, limit=limit)]


@use_case(Action.JOB_RUN)
def watch(ctx: Context, tx: Tx) -> int:
    """Open a task for each system that has not acknowledged a stop in time; how many stops are newly overdue.

    One open task a system: a receiver that is down must not bury the team.
    """
    overdue = webhooks.list_overdue(tx, PAGE)
    known = {one.id: one for one in webhooks.list_subscribers(tx)}
    by_system: dict[UUID, list[UUID]] = {}
    for delivery in overdue:
        by_system.setdefault(delivery.subscriber_id, []).append(delivery.id)
    for subscriber, late in by_system.items():
        webhooks.mark_tasked(tx, late, _task_for(ctx, tx, known[subscriber]))
    return len(overdue)


def _task_for(ctx: Context, tx: Tx, one: Subscriber) -> TaskId:
    known = tasks.find_open_task(tx, TaskKind.ACK_OVERDUE, one.name)
    if known is not None:
        return known
    made = tasks.add_task(tx, TaskKind.ACK_OVERDUE, tx.now.date(), owner_role="dpo", code=one.name)
    record(ctx, tx, "task.open", "task", made, kind=str(TaskKind.ACK_OVERDUE), code=one.name)
    return made
