"""Systems that are told of choices, and one row for each event and system until it was acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from privacyops.domain.webhook.delivery import Delivery, DeliveryState
from privacyops.domain.webhook.subscriber import Scheme, Subscriber, SubscriberState
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound, StaleState
from privacyops.store.tables.base import table_of
from privacyops.store.tables.change import ConsentChangeRow
from privacyops.store.tables.webhook import DeliveryRow, SubscriberRow
from privacyops.store.uow import Tx

_SUBSCRIBER = table_of(SubscriberRow)
_DELIVERY = table_of(DeliveryRow)
_CHANGE = table_of(ConsentChangeRow)
_UNACKNOWLEDGED = (DeliveryState.WAITING, DeliveryState.FAILED)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The sealed signing secrets of a system: the present one, and the one before while it still counts."""

    sealed: bytes | None = field(repr=False)
    previous: bytes | None = field(repr=False)
    previous_until: Instant | None


@dataclass(frozen=True, slots=True)
class Tally:
    """What a system was told, in numbers: not acknowledged, of these given up, of these past the time of a stop; and
    when it last acknowledged something.
    """

    open: int
    failed: int
    overdue: int
    last: Instant | None


def add_subscriber(tx: Tx, one: Subscriber, sealed: bytes | None) -> None:
    """A new system. `StaleState`: its name is taken."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    fresh = dialect.insert(_SUBSCRIBER).values(
        id=one.id, controller=tx.controller, name=one.name, url=one.url, types=list(one.types), scheme=one.scheme,
        public_key=one.public_key, sealed=sealed, state=one.state, cursor=one.cursor, created_at=one.created_at,
    )  # fmt: skip
    if tx.run(fresh.on_conflict_do_nothing().returning(_SUBSCRIBER.c.id)).first() is None:
        raise StaleState


def list_subscribers(tx: Tx) -> list[Subscriber]:
    """Every system, by name."""
    query = select(_SUBSCRIBER).where(_SUBSCRIBER.c.controller == tx.controller).order_by(_SUBSCRIBER.c.name)
    return [_subscriber(row) for row in tx.run(query)]


def load_subscriber(tx: Tx, id_: UUID) -> Subscriber:
    """Raises: NotFound."""
    row = tx.run(select(_SUBSCRIBER).where(_SUBSCRIBER.c.controller == tx.controller, _SUBSCRIBER.c.id == id_)).first()
    if row is None:
        raise NotFound
    return _subscriber(row)


def find_subscriber(tx: Tx, name: str) -> Subscriber | None:
    """The system of that name."""
    query = select(_SUBSCRIBER).where(_SUBSCRIBER.c.controller == tx.controller, _SUBSCRIBER.c.name == name)
    row = tx.run(query).first()
    return _subscriber(row) if row else None


def load_secrets(tx: Tx, id_: UUID) -> Secrets:
    """What the system's messages are signed with, sealed."""
    row = tx.run(select(_SUBSCRIBER).where(_SUBSCRIBER.c.id == id_)).one()
    return Secrets(row.sealed, row.previous_sealed, row.previous_until)


def rotate_secret(tx: Tx, id_: UUID, scheme: Scheme, public: str | None, sealed: bytes, overlap: timedelta) -> None:
    """Sign with a new secret from now on; the one before signs too for `overlap`."""
    tx.run(
        update(_SUBSCRIBER)
        .where(_SUBSCRIBER.c.id == id_)
        .values(
            previous_sealed=_SUBSCRIBER.c.sealed, previous_until=tx.now + overlap, sealed=sealed, scheme=scheme,
            public_key=public,
        )
    )  # fmt: skip


def move_subscriber(tx: Tx, id_: UUID, state: SubscriberState, code: str | None) -> None:
    """Switch a system on or off, with the reason. Raises: StaleState: it is in that state already."""
    moved = update(_SUBSCRIBER).where(_SUBSCRIBER.c.id == id_, _SUBSCRIBER.c.state != state)
    if tx.run(moved.values(state=state, code=code)).rowcount == 0:
        raise StaleState


def move_cursor(tx: Tx, id_: UUID, seen: int, cursor: int) -> bool:
    """Note how far a system was told; False: another process was faster."""
    moved = update(_SUBSCRIBER).where(_SUBSCRIBER.c.id == id_, _SUBSCRIBER.c.cursor == seen)
    return tx.run(moved.values(cursor=cursor)).rowcount == 1


def is_anybody_behind(tx: Tx) -> bool:
    """Whether an active system has not been told of the newest number."""
    newest = select(func.max(_CHANGE.c.seq)).where(_CHANGE.c.controller == tx.controller).scalar_subquery()
    query = select(_SUBSCRIBER.c.id).where(
        _SUBSCRIBER.c.controller == tx.controller, _SUBSCRIBER.c.state == SubscriberState.ACTIVE,
        _SUBSCRIBER.c.cursor < newest,
    )  # fmt: skip
    return tx.run(query.limit(1)).first() is not None


def add_delivery(tx: Tx, one: Delivery) -> bool:
    """One event for one system; False: it has it already."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    fresh = dialect.insert(_DELIVERY).values(
        id=one.id, controller=tx.controller, subscriber_id=one.subscriber_id, event_id=one.event_id, seq=one.seq,
        type=one.type, state=one.state, since=one.since, rule=one.rule, due_at=one.due_at, tries=one.tries,
    )  # fmt: skip
    return tx.run(fresh.on_conflict_do_nothing().returning(_DELIVERY.c.id)).first() is not None


def find_delivery(tx: Tx, id_: UUID) -> Delivery | None:
    """One delivery."""
    row = tx.run(select(_DELIVERY).where(_DELIVERY.c.id == id_, _DELIVERY.c.controller == tx.controller)).first()
    return _delivery(row) if row else None


def settle_delivery(tx: Tx, id_: UUID, state: DeliveryState, code: str | None) -> bool:
    """Acknowledged or given up; False: it was settled before. What was given up may still be acknowledged."""
    left = [DeliveryState.WAITING, *([DeliveryState.FAILED] if state is DeliveryState.ACKNOWLEDGED else [])]
    at = tx.now if state is DeliveryState.ACKNOWLEDGED else None
    moved = update(_DELIVERY).where(_DELIVERY.c.id == id_, _DELIVERY.c.state.in_(left))
    values = {"state": state, "code": code, "acknowledged_at": at}
    return tx.run(moved.values(tries=_DELIVERY.c.tries + 1, **values)).rowcount == 1


def note_try(tx: Tx, id_: UUID, code: str) -> None:
    """A try that failed, with its reason."""
    noted = update(_DELIVERY).where(_DELIVERY.c.id == id_, _DELIVERY.c.state == DeliveryState.WAITING)
    tx.run(noted.values(tries=_DELIVERY.c.tries + 1, code=code))


def acknowledge(tx: Tx, subscriber: UUID, events: Sequence[UUID], up_to: int | None) -> int:
    """A system says what it has acted on: single events, or everything up to a number; how many were open."""
    which: ColumnElement[bool] = _DELIVERY.c.event_id.in_(events)
    if up_to is not None:
        which = which | (_DELIVERY.c.seq.between(1, up_to))
    moved = (
        update(_DELIVERY)
        .where(_DELIVERY.c.subscriber_id == subscriber, _DELIVERY.c.state != DeliveryState.ACKNOWLEDGED)
        .where(which)
        .values(state=DeliveryState.ACKNOWLEDGED, acknowledged_at=tx.now, code="by_itself")
    )
    return tx.run(moved).rowcount


def wait_again(tx: Tx, subscriber: UUID, from_seq: int, limit: int) -> list[UUID]:
    """Put what was sent from this number on back to waiting; which deliveries these are."""
    query = select(_DELIVERY.c.id).where(_DELIVERY.c.subscriber_id == subscriber, _DELIVERY.c.seq >= from_seq)
    found = list(tx.run(query.order_by(_DELIVERY.c.seq).limit(limit)).scalars())
    tx.run(update(_DELIVERY).where(_DELIVERY.c.id.in_(found)).values(**_afresh(tx)))
    return found


def _afresh(tx: Tx) -> dict[str, Any]:
    return {"state": DeliveryState.WAITING, "since": tx.now, "tries": 0, "code": None, "acknowledged_at": None}


def list_deliveries(
    tx: Tx, *, subscriber: UUID | None = None, event: UUID | None = None, is_open: bool = False, limit: int = 100
) -> list[Delivery]:
    """Deliveries of a system or of an event, the newest first."""
    query = select(_DELIVERY).where(_DELIVERY.c.controller == tx.controller)
    if subscriber is not None:
        query = query.where(_DELIVERY.c.subscriber_id == subscriber)
    if event is not None:
        query = query.where(_DELIVERY.c.event_id == event)
    if is_open:
        query = query.where(_DELIVERY.c.state != DeliveryState.ACKNOWLEDGED)
    return [_delivery(row) for row in tx.run(query.order_by(_DELIVERY.c.id.desc()).limit(limit))]


def tally_deliveries(tx: Tx) -> dict[UUID, Tally]:
    """The numbers of each system that was told anything."""
    is_open = _DELIVERY.c.state != DeliveryState.ACKNOWLEDGED
    query = (
        select(
            _DELIVERY.c.subscriber_id,
            func.count().filter(is_open).label("open"),
            func.count().filter(_DELIVERY.c.state == DeliveryState.FAILED).label("failed"),
            func.count().filter(is_open, _DELIVERY.c.due_at <= tx.now).label("overdue"),
            func.max(_DELIVERY.c.acknowledged_at).label("last"),
        )
        .where(_DELIVERY.c.controller == tx.controller)
        .group_by(_DELIVERY.c.subscriber_id)
    )
    return {row.subscriber_id: Tally(row.open, row.failed, row.overdue, row.last) for row in tx.run(query)}


def wait_for(tx: Tx, subscriber: UUID, id_: UUID) -> bool:
    """Put one delivery of the log back to waiting; False: it waits already, or there is none."""
    ended = update(_DELIVERY).where(
        _DELIVERY.c.subscriber_id == subscriber, _DELIVERY.c.id == id_, _DELIVERY.c.seq > 0,
        _DELIVERY.c.state != DeliveryState.WAITING,
    )  # fmt: skip
    return tx.run(ended.values(**_afresh(tx))).rowcount == 1


def list_overdue(tx: Tx, limit: int) -> list[Delivery]:
    """Stops whose time is over and that a system has not acknowledged, without a task so far; the oldest first."""
    query = (
        select(_DELIVERY)
        .where(_DELIVERY.c.controller == tx.controller, _DELIVERY.c.state.in_(_UNACKNOWLEDGED))
        .where(_DELIVERY.c.due_at <= tx.now, _DELIVERY.c.task_id.is_(None))
        .order_by(_DELIVERY.c.due_at)
        .limit(limit)
    )
    return [_delivery(row) for row in tx.run(query)]


def mark_tasked(tx: Tx, deliveries: Sequence[UUID], task: UUID) -> None:
    """A person knows of these."""
    tx.run(update(_DELIVERY).where(_DELIVERY.c.id.in_(deliveries)).values(task_id=task))


def _subscriber(row: Row[Any]) -> Subscriber:
    return Subscriber(
        id=row.id, name=row.name, url=row.url, types=tuple(row.types), scheme=Scheme(row.scheme),
        public_key=row.public_key, state=SubscriberState(row.state), code=row.code, cursor=row.cursor,
        created_at=row.created_at, previous_until=row.previous_until,
    )  # fmt: skip


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id, subscriber_id=row.subscriber_id, event_id=row.event_id, seq=row.seq, type=row.type,
        state=DeliveryState(row.state), since=row.since, rule=row.rule, due_at=row.due_at, tries=row.tries,
        code=row.code, acknowledged_at=row.acknowledged_at,
    )  # fmt: skip
