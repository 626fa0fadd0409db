"""What the events of a request say under one rule: where the period starts, what stopped it, what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from privacyops.domain.catalog.confidence import Confidence
from privacyops.domain.deadline.arithmetic import add_days, local_date
from privacyops.domain.deadline.event import (
    ANSWERS,
    ASKS,
    ClockEvent,
    ClockEventKind,
    EventOutOfPlace,
    PauseReason,
    settled,
)
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar
from privacyops.domain.deadline.reckoning import Suspension
from privacyops.domain.deadline.rule import DeadlineRule, PauseMethod, PausePolicy
from privacyops.kernel.clock import Instant

NO_POLICY = PausePolicy(PauseMethod.NONE)
SHIFTS = frozenset({PauseMethod.SHIFT_EXCLUSIVE, PauseMethod.SHIFT_INCLUSIVE})


@dataclass(frozen=True, slots=True)
class Wait:
    """One question to the requester. `answered` is None while it is open; `is_late` if it was asked too late."""

    reason: PauseReason
    policy: PausePolicy
    asked: date
    answered: date | None
    ask_limit: date | None = None

    @property
    def is_late(self) -> bool:
        return self.ask_limit is not None and self.asked > self.ask_limit

    @property
    def shifts(self) -> bool:
        return self.policy.method in SHIFTS and not self.is_late

    @property
    def restarts(self) -> bool:
        return self.policy.method is PauseMethod.RESTART

    def suspension(self, start: date, today: date) -> Suspension:
        """The days that do not count; an open question counts as if it were answered today.

        Days before the start belong to no period, so they are not left out of it either.
        """
        end = max(self.asked, today) if self.answered is None else self.answered
        inclusive = self.policy.method is PauseMethod.SHIFT_INCLUSIVE
        after_last = add_days(end, 1) if inclusive else end
        first = max(self.asked, start)
        return Suspension(first, max(first, after_last))

    def confidence(self, received: date) -> Confidence:
        since = self.policy.statutory_since
        if since is not None and received < since:
            return Confidence.MEDIUM
        return self.policy.confidence


@dataclass(frozen=True, slots=True)
class Notice:
    """An extension notice: the local date on which it left, and the new date that it names."""

    sent: date
    names: date | None


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The events of a request, read once. Dates are local to the establishment.

    `today` is the day up to which open questions count: the day of the answer once there is one. `opened` is the
    receipt, or the last reopening; `own_last_day` is a last day that the reopening set for itself.
    """

    received: ClockEvent
    received_on: date
    opened: date
    is_reopened: bool
    own_last_day: date | None
    start: date
    today: date
    waits: tuple[Wait, ...]
    notices: tuple[Notice, ...]
    acked_at: Instant | None
    answered_at: Instant | None
    first_answered_at: Instant | None
    failed_at: Instant | None
    rules_changed_at: Instant | None
    corrections: int

    @property
    def notice(self) -> Notice | None:
        """The one that counts: the first."""
        return self.notices[0] if self.notices else None

    @property
    def open_waits(self) -> tuple[Wait, ...]:
        """Open questions that hold the date up; none once the answer is out."""
        if self.answered_at is not None:
            return ()
        return tuple(wait for wait in self.waits if wait.answered is None and (wait.shifts or wait.restarts))


def facts_of(
    events: Sequence[ClockEvent], rule: DeadlineRule, calendar: HolidayCalendar, zone: ZoneInfo, now: Instant
) -> ClockFacts:
    """Read the events under `rule`.

    Raises: EventOutOfPlace: there is no receipt. DateOutOfRange: a date before 1970 or after 2199.
    """
    history = settled(events)
    receipts = [event for event in history if event.kind is ClockEventKind.RECEIVED]
    if not receipts:
        raise EventOutOfPlace("a clock starts with a receipt")
    received = receipts[0]
    reopenings = [index for index, event in enumerate(history) if event.kind is ClockEventKind.REOPENED]
    reopening = history[reopenings[-1]] if reopenings else None
    current = history[reopenings[-1] + 1 :] if reopenings else history
    opened = local_date((reopening or received).at, zone)
    answered_at, failed_at = _handed_over(current)
    today = max(opened, local_date(answered_at or now, zone))
    waits = _waits(current, rule, calendar, zone, opened)
    return ClockFacts(
        received=received,
        received_on=local_date(received.at, zone),
        opened=opened,
        is_reopened=reopening is not None,
        own_last_day=None if reopening is None else reopening.until,
        start=_start(opened, waits, today),
        today=today,
        waits=waits,
        notices=tuple(
            Notice(local_date(event.at, zone), event.until)
            for event in current
            if event.kind is ClockEventKind.EXTENSION_NOTICE_SENT
        ),
        acked_at=_first(history, ClockEventKind.ACK_SENT),
        answered_at=answered_at,
        first_answered_at=_first(history, ClockEventKind.ANSWERED),
        failed_at=failed_at,
        rules_changed_at=_first(tuple(reversed(history)), ClockEventKind.RULES_CHANGED),
        corrections=sum(event.corrects is not None for event in events),
    )


def _first(events: Sequence[ClockEvent], kind: ClockEventKind) -> Instant | None:
    return next((event.at for event in events if event.kind is kind), None)


def _handed_over(events: Sequence[ClockEvent]) -> tuple[Instant | None, Instant | None]:
    """When the answer that stands was handed over, and when the last delivery failed if none stands."""
    answered: Instant | None = None
    failed: Instant | None = None
    for event in events:
        if event.kind is ClockEventKind.ANSWERED:
            answered, failed = answered or event.at, None
        elif event.kind is ClockEventKind.DELIVERY_FAILED:
            answered, failed = None, event.at
    return answered, failed


def _waits(
    events: Sequence[ClockEvent],
    rule: DeadlineRule,
    calendar: HolidayCalendar,
    zone: ZoneInfo,
    opened: date,
) -> tuple[Wait, ...]:
    """Every question with its answer. A second ask while one is open changes nothing; so does a stray answer."""
    waits: list[Wait] = []
    asked: dict[PauseReason, date] = {}

    def close(reason: PauseReason, answered: date | None) -> None:
        policy = rule.pauses.get(reason, NO_POLICY)
        within = policy.ask_within
        limit = None if within is None else within.from_start(opened, calendar)
        waits.append(Wait(reason, policy, asked.pop(reason), answered, limit))

    for event in events:
        if event.kind in ASKS:
            asked.setdefault(ASKS[event.kind], local_date(event.at, zone))
        elif event.kind in ANSWERS and ANSWERS[event.kind] in asked:
            close(ANSWERS[event.kind], local_date(event.at, zone))
    for reason in tuple(asked):
        close(reason, None)
    return tuple(waits)


def _start(opened: date, waits: Sequence[Wait], today: date) -> date:
    """The later of the opening and every restart; an open restart counts as if it came today."""
    restarts = [today if wait.answered is None else wait.answered for wait in waits if wait.restarts]
    return max([opened, *restarts])
