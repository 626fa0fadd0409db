"""The lines that say why the dates of a clock are what they are."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from privacyops.domain.catalog.confidence import Confidence
from privacyops.domain.deadline.arithmetic import local_date
from privacyops.domain.deadline.explanation import Line, line
from privacyops.domain.deadline.facts import ClockFacts, Wait
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar
from privacyops.domain.deadline.reckoning import Reckoning, Term
from privacyops.domain.deadline.rule import DeadlineRule


def narrate(
    facts: ClockFacts,
    rule: DeadlineRule,
    legal: Reckoning,
    *,
    safe_due: date,
    confidence: Confidence,
    calendar: HolidayCalendar,
    zone: ZoneInfo,
) -> tuple[Line, ...]:
    """Lines in the order of the computation: receipt, start, pauses, term, roll, extension, safe date, doubts."""
    return (
        *_opening(facts, zone),
        *(_wait_line(wait, facts) for wait in facts.waits),
        *_term(facts, rule, legal, calendar),
        *_extension(facts, rule, legal),
        *_ending(facts, rule, legal, safe_due=safe_due, confidence=confidence, zone=zone),
    )


def _opening(facts: ClockFacts, zone: ZoneInfo) -> Iterator[Line]:
    yield line("received", date=facts.received_on, zone=zone.key)
    recorded = facts.received.recorded_at
    if recorded is not None and local_date(recorded, zone) != facts.received_on:
        yield line("received_counts_from", recorded=local_date(recorded, zone), date=facts.received_on)
    if facts.corrections:
        yield line("corrected", count=facts.corrections)
    if facts.rules_changed_at is not None:
        yield line("rules_changed", date=local_date(facts.rules_changed_at, zone))
    if facts.is_reopened:
        yield line("reopened", date=facts.opened)


def _wait_line(wait: Wait, facts: ClockFacts) -> Line:
    source, reason = wait.policy.source, _words(wait.reason).capitalize()
    if wait.restarts and wait.answered is None:
        return line("restart_open", source, reason=_words(wait.reason))
    if wait.restarts:
        return line("restarted", source, date=wait.answered, reason=_words(wait.reason))
    if wait.is_late:
        return line("pause_asked_late", source, reason=reason, since=wait.asked, limit=wait.ask_limit)
    if not wait.shifts:
        return line("pause_without_effect", source, reason=reason, since=wait.asked)
    span = wait.suspension(facts.start, facts.today)
    days = (span.after_last - span.first).days
    if wait.answered is None:
        return line("pause_open", source, reason=reason, since=wait.asked, days=days)
    return line("paused", source, reason=reason, days=days, since=wait.asked, until=wait.answered)


def _term(facts: ClockFacts, rule: DeadlineRule, legal: Reckoning, calendar: HolidayCalendar) -> Iterator[Line]:
    if facts.own_last_day is not None:
        yield line("own_date", date=facts.own_last_day)
        return
    extension = rule.extension if legal.extension_valid and legal.extended_due is not None else None
    if extension is not None and extension.total is None:
        yield line("extended_by_notice", extension.source, date=legal.due)
        return
    term = rule.respond if extension is None else extension.total
    if term is not None:
        code = "term" if extension is None else "extended"
        code = f"{code}_with_pauses" if legal.paused_days else code
        value, unit = _length(term)
        yield line(
            code,
            rule.article if extension is None else extension.source,
            value=value,
            unit=unit,
            start=legal.start,
            days=legal.paused_days,
            date=legal.unrolled,
        )
    if legal.due != legal.unrolled:
        reason = calendar.free_because(legal.unrolled)
        yield line("rolled", "Reg. 1182/71 Art. 3(4)", date=legal.unrolled, reason=reason, due=legal.due)


def _extension(facts: ClockFacts, rule: DeadlineRule, legal: Reckoning) -> Iterator[Line]:
    if rule.extension is None or facts.own_last_day is not None:
        return
    source = rule.extension.source
    if facts.notice is None:
        if facts.answered_at is None and facts.today <= legal.first_due:
            yield line("extension_open", source, date=legal.first_due)
        return
    if legal.extension_valid is False:
        yield line("extension_late", source, date=facts.notice.sent, limit=legal.first_due)
    for again in facts.notices[1:]:
        yield line("extension_again", source, date=again.sent)


def _ending(
    facts: ClockFacts,
    rule: DeadlineRule,
    legal: Reckoning,
    *,
    safe_due: date,
    confidence: Confidence,
    zone: ZoneInfo,
) -> Iterator[Line]:
    if rule.target is not None:
        yield line("target", rule.article, hours=int(rule.target.total_seconds() // 3600))
    if safe_due != legal.due:
        yield line("safe_due", date=safe_due)
    if facts.answered_at is not None:
        yield line("answered", date=local_date(facts.answered_at, zone))
    if facts.failed_at is not None:
        yield line("delivery_failed", date=local_date(facts.failed_at, zone))
    if confidence.needs_counsel:
        yield line("needs_counsel", confidence=confidence.value)
    for note in rule.notes:
        yield line("note", text=note)


def _length(term: Term) -> tuple[int, str]:
    unit = _words(term.unit)
    return term.value, unit if term.value == 1 else f"{unit}s"


def _words(code: str) -> str:
    return code.replace("_", " ")
