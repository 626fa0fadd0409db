"""The legal clock of a request: begun at intake, moved by events alone, folded anew after each."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from privacyops.domain.deadline.clock import ClockView, plan_on
from privacyops.domain.deadline.event import ClockEvent, ClockEventKind, appended
from privacyops.domain.deadline.regime import Jurisdiction, Place, select_regimes
from privacyops.domain.deadline.rule import DeadlineRule, RuleNotAccepted, TermNotGiven
from privacyops.domain.deadline.snapshot import ClockSnapshot
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable
from privacyops.kernel.ids import DsarId, uuid7
from privacyops.services.context import Context
from privacyops.store import deadline as deadlines
from privacyops.store import dsar as dsars
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

REMINDERS_DAYS_BEFORE: Final = (10, 5, 2, 0)
PAST: Final = "past"
"""The slot of the morning after a date: nobody is reminded of it any more."""
_MORNING: Final = time(8)


class NoLawApplies(Unprocessable):
    type = "/problems/no-law-applies"
    title = "No deadline rule applies here; name one to follow voluntarily in the settings (policies)"


def begin(
    ctx: Context, type_: RequestType, received_at: Instant, residence: str | None, event: ClockEvent
) -> tuple[dict[str, Any], ClockView]:
    """The snapshot to store with a new request, and its dates.

    Laws whose rule nobody accepted yet, or that give no term, are left out and named in the snapshot.
    Raises: NoLawApplies.
    """
    controller = ctx.controller
    where = Jurisdiction(
        establishment=Place(controller.country, controller.subdivision),
        residence=Place.parse(residence) if residence else None,
        voluntary=controller.policies,
    )
    received = received_at.astimezone(ZoneInfo(controller.zone)).date()
    snapshots, views, left_out = [], [], []
    for choice in select_regimes(str(type_), received, where):
        snapshot = ClockSnapshot.take(choice, controller.zone, received)
        try:
            views.append(snapshot.fold([event], ctx.clock.now()))
            snapshots.append(snapshot.to_json())
        except (RuleNotAccepted, TermNotGiven):
            left_out.append(choice.rule.key)
    if not views:
        raise NoLawApplies(rules=left_out)
    return {"snapshots": snapshots, "left_out": left_out}, plan_on(views)


def view_of(dsar: Dsar, events: Sequence[ClockEvent], now: Instant) -> ClockView:
    """The dates of the request as they stand at `now`, under the law to plan on."""
    return plan_on(views_of(dsar, events, now))


def views_of(dsar: Dsar, events: Sequence[ClockEvent], now: Instant) -> Sequence[ClockView]:
    """One clock for each law that applies."""
    return [ClockSnapshot.from_json(row).fold(events, now) for row in dsar.clock["snapshots"]]


def rule_of(dsar: Dsar, view: ClockView) -> DeadlineRule:
    """The rule that a clock of the request runs under, in the version it began with. Raises: RuleUnknown."""
    snapshots = [ClockSnapshot.from_json(row) for row in dsar.clock["snapshots"]]
    return next((one for one in snapshots if one.rule_id == view.rule_id), snapshots[0]).rule()


def new_event(tx: Tx, kind: ClockEventKind, at: Instant | None = None, until: date | None = None) -> ClockEvent:
    """An event that is recorded now and happened `at`, by default now."""
    return ClockEvent(id=str(uuid7(tx.now)), kind=kind, at=at or tx.now, recorded_at=tx.now, until=until)


def happen(tx: Tx, dsar: Dsar, *kinds: ClockEventKind, until: date | None = None) -> dict[str, Any]:
    """Append events that happen now; the date columns that change with them, for `save_dsar`.

    Raises: EventOutOfPlace.
    """
    events = dsars.list_clock_events(tx, dsar.id)
    for kind in kinds:
        event = new_event(tx, kind, until=until)
        events = appended(events, event, tx.now)
        dsars.add_clock_event(tx, dsar.id, event)
    return dates(tx, dsar, events)


def dates(tx: Tx, dsar: Dsar, events: Sequence[ClockEvent]) -> dict[str, Any]:
    """The date columns of the fold at this moment; arms the reminders for them, and ends those of other dates."""
    view = view_of(dsar, events, tx.now)
    arm_reminders(tx, dsar.id, view, ClockSnapshot.from_json(dsar.clock["snapshots"][0]).zone)
    return {"due_on": view.due, "safe_due_on": view.safe_due, "paused_since": view.paused_since}


def arm_reminders(tx: Tx, dsar_id: DsarId, view: ClockView, zone: str) -> None:
    """Reminders before `safe_due`, at eight in the morning of the establishment."""
    slots = [(f"-{days}d", _morning(view.safe_due - timedelta(days=days), zone)) for days in REMINDERS_DAYS_BEFORE]
    deadlines.arm(tx, dsar_id, "answer", slots)
    tasks.cancel_reminders(tx, dsar_id, "answer", "date_moved", but_of=view.safe_due)
    if view.ack_due is not None and view.acked_at is None:
        deadlines.arm(tx, dsar_id, "ack", [("0d", _morning(view.ack_due, zone))])
    else:
        deadlines.disarm(tx, dsar_id, "ack", "met")
        tasks.cancel_reminders(tx, dsar_id, "ack", "acknowledged")
    if view.can_extend and view.extension_notice_safe_due is not None:
        last = view.extension_notice_safe_due
        slots = [("-3d", _morning(last - timedelta(days=3), zone)), (PAST, _morning(last + timedelta(days=1), zone))]
        deadlines.arm(tx, dsar_id, "extension_notice", slots)
        tasks.cancel_reminders(tx, dsar_id, "extension_notice", "date_moved", but_of=last)


def _morning(day: date, zone: str) -> Instant:
    return datetime.combine(day, _MORNING, tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def as_columns(view: ClockView) -> Mapping[str, Any]:
    """The columns a new request is stored with."""
    return {"due_on": view.due, "safe_due_on": view.safe_due, "paused_since": view.paused_since}
