"""The legal clock of a request: a fold over its events. No database, no reading of the time."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from privacyops.domain.catalog.confidence import Confidence, least
from privacyops.domain.deadline.arithmetic import end_of_day_utc, local_date
from privacyops.domain.deadline.event import ClockEvent, PauseReason
from privacyops.domain.deadline.explanation import Line
from privacyops.domain.deadline.facts import ClockFacts, Wait, facts_of
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar
from privacyops.domain.deadline.narrative import narrate
from privacyops.domain.deadline.reckoning import Reckoning, Term, Unit, reckon
from privacyops.domain.deadline.rule import DeadlineRule, Duty, RuleNotAccepted, RuleNotInForce, TermNotGiven
from privacyops.kernel.clock import Instant, require_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """Every date of one clock at one moment. Dates are local to the establishment and inclusive.

    due: last date in time; the on-time KPI is measured on it. due_excl_utc: the instant at which it is over.
    safe_due: the earliest date that every reading accepts; work is planned on it.
    first_due: `due` without any extension. extended_due: what an extension gives or would give, None if there is
    none or if the notice has to name the date. extension_notice_due and its safe twin: last date for the notice,
    None where no extension exists. can_extend: a notice sent today would be in time on every reading.
    paused_since: since when an open question holds the date up; `due` is then provisional ("if answered today").
    ack_due: last date of the acknowledgement, a product default unless ack_required.
    target_at: product target for an act that the law wants at once.
    """

    rule_id: str
    rule_version: int
    request_type: str
    duty: Duty
    received_at: Instant
    local_received: date
    start: date
    ack_due: date | None
    ack_required: bool
    acked_at: Instant | None
    unrolled: date
    first_due: date
    due: date
    due_excl_utc: Instant
    safe_due: date
    extended_due: date | None
    extension_notice_due: date | None
    extension_notice_safe_due: date | None
    extension_valid: bool | None
    can_extend: bool
    paused_since: date | None
    paused_days: int
    waiting_for: tuple[PauseReason, ...]
    provisional: bool
    target_at: Instant | None
    answered_at: Instant | None
    first_answered_at: Instant | None
    confidence: Confidence
    explanation: tuple[Line, ...]

    @property
    def is_answered(self) -> bool:
        return self.answered_at is not None

    @property
    def is_on_time(self) -> bool | None:
        """Whether the answer went out in time; None while there is none."""
        return None if self.answered_at is None else self.answered_at < self.due_excl_utc

    @property
    def needs_counsel(self) -> bool:
        return self.confidence.needs_counsel

    def to_json(self) -> dict[str, Any]:
        """Every date as a JSON value: what is stored beside a recomputation, so that both results stay."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "explanation"}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()} | {
            "explanation": [each.text for each in self.explanation]
        }

    def is_overdue(self, now: Instant) -> bool:
        """Not answered, and the last day in time is over."""
        return self.answered_at is None and now >= self.due_excl_utc


def fold(
    events: Sequence[ClockEvent],
    rule: DeadlineRule,
    calendar: HolidayCalendar,
    zone: ZoneInfo,
    now: Instant,
) -> ClockView:
    """All dates of the clock that `rule` gives to a request with these events, as seen at `now`.

    Order: start date in the establishment's zone, restarts, the total units once, paused days, roll. The events are
    in the order of recording; corrections among them are applied first. `zone` and `calendar` are those of the
    place of establishment (domain/deadline/regime.py chooses the calendar).

    Raises: RuleNotAccepted: the rule is of low confidence and nobody accepted it. TermNotGiven: the law gives no
    length. RuleNotInForce: received before `rule.valid_from`. EventOutOfPlace: no receipt among the events.
    DateOutOfRange: a date before 1970 or after 2199. NaiveInstant: `now` has no zone.
    Source: GDPR Art. 12(3); Reg. 1182/71 Art. 3; catalog/deadlines.yaml.
    """
    if rule.needs_acceptance:
        raise RuleNotAccepted(f"accept {rule.key} by name before a date is computed from it", rule=rule.key)
    if rule.respond is None:
        raise TermNotGiven(f"{rule.key} has no term for {rule.request_type}", rule=rule.key)
    facts = facts_of(events, rule, calendar, zone, require_utc(now))
    if rule.valid_from is not None and facts.received_on < rule.valid_from:
        raise RuleNotInForce(
            f"{rule.key} applies to requests received from {rule.valid_from.isoformat()} on", rule=rule.key
        )
    legal = _reading(facts, rule, rule.respond, calendar)
    safe = _safe_reading(facts, rule, rule.respond, calendar)
    view = _view(facts, rule, legal=legal, safe=safe, calendar=calendar, zone=zone)
    lines = narrate(
        facts, rule, legal, safe_due=view.safe_due, confidence=view.confidence, calendar=calendar, zone=zone
    )
    return replace(view, explanation=lines)


def plan_on(views: Sequence[ClockView]) -> ClockView:
    """Of several clocks of one request the one to plan on: the earliest `safe_due`, then the earliest `due`.

    Raises: ValueError: no clock at all.
    """
    return min(views, key=lambda view: (view.safe_due, view.due, view.rule_id))


def _reading(
    facts: ClockFacts,
    rule: DeadlineRule,
    respond: Term,
    calendar: HolidayCalendar,
    *,
    waits: Sequence[Wait] | None = None,
    earlier_by: int = 0,
) -> Reckoning:
    """The dates under `calendar`; `waits` are those that shift (all that do, unless given)."""
    counted = [wait for wait in facts.waits if wait.shifts] if waits is None else waits
    notice = facts.notice if rule.extension is not None else None
    total = None if rule.extension is None else rule.extension.total
    result = reckon(
        facts.start,
        replace(respond, value=respond.value - earlier_by),
        calendar,
        suspensions=[wait.suspension(facts.start, facts.today) for wait in counted],
        extended=None if total is None else replace(total, value=total.value - earlier_by),
        notice=None if notice is None else notice.sent,
    )
    if facts.own_last_day is not None:
        own = facts.own_last_day
        return replace(result, unrolled=own, first_due=own, due=own, extended_due=None, extension_valid=None)
    if total is None and notice is not None and notice.names is not None and result.extension_valid:
        return replace(result, unrolled=notice.names, due=notice.names, extended_due=notice.names)
    return result


def _safe_reading(facts: ClockFacts, rule: DeadlineRule, respond: Term, calendar: HolidayCalendar) -> Reckoning:
    """No help from regional holidays, no pause that rests on guidance only, the cautious count of days."""
    waits = [wait for wait in facts.waits if wait.shifts and not wait.policy.safe_due_ignores]
    cautious = rule.safe_count_includes_start and respond.unit is Unit.CALENDAR_DAY
    return _reading(facts, rule, respond, calendar.national(), waits=waits, earlier_by=1 if cautious else 0)


def _safe_due(facts: ClockFacts, rule: DeadlineRule, legal: Reckoning, safe: Reckoning, zone: ZoneInfo) -> date:
    candidates = [legal.due, safe.due]
    if legal.extension_valid and facts.notice is not None and facts.notice.names is not None:
        candidates.append(facts.notice.names)
    if rule.target is not None and not facts.is_reopened:
        candidates.append(local_date(facts.received.at + rule.target, zone))
    return min(candidates)


def _view(
    facts: ClockFacts,
    rule: DeadlineRule,
    *,
    legal: Reckoning,
    safe: Reckoning,
    calendar: HolidayCalendar,
    zone: ZoneInfo,
) -> ClockView:
    pending = facts.open_waits
    has_extension = rule.extension is not None and facts.own_last_day is None
    can_extend = has_extension and facts.notice is None and facts.answered_at is None
    return ClockView(
        rule_id=rule.id,
        rule_version=rule.version,
        request_type=rule.request_type,
        duty=rule.duty,
        received_at=facts.received.at,
        local_received=facts.received_on,
        start=facts.start,
        ack_due=None if rule.acknowledge is None else rule.acknowledge.from_start(facts.received_on, calendar),
        ack_required=rule.acknowledge_required,
        acked_at=facts.acked_at,
        unrolled=legal.unrolled,
        first_due=legal.first_due,
        due=legal.due,
        due_excl_utc=end_of_day_utc(legal.due, zone),
        safe_due=_safe_due(facts, rule, legal, safe, zone),
        extended_due=legal.extended_due,
        extension_notice_due=legal.first_due if has_extension else None,
        extension_notice_safe_due=min(safe.first_due, legal.first_due) if has_extension else None,
        extension_valid=legal.extension_valid,
        can_extend=can_extend and facts.today <= min(safe.first_due, legal.first_due),
        paused_since=min((wait.asked for wait in pending), default=None),
        paused_days=legal.paused_days,
        waiting_for=tuple(sorted({wait.reason for wait in pending})),
        provisional=bool(pending),
        target_at=None if rule.target is None else facts.received.at + rule.target,
        answered_at=facts.answered_at,
        first_answered_at=facts.first_answered_at,
        confidence=_confidence(facts, rule, legal),
        explanation=(),
    )


def _confidence(facts: ClockFacts, rule: DeadlineRule, legal: Reckoning) -> Confidence:
    """A date is as sure as the least sure thing in it: the rule, the pauses that count, the extension used."""
    used = [wait.confidence(facts.received_on) for wait in facts.waits if wait.shifts or wait.restarts]
    if rule.extension is not None and legal.extension_valid:
        used.append(rule.extension.confidence)
    return least(rule.confidence, *used)
