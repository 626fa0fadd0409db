"""From records to what the templates take: people, clocks, lines of lists."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from privacyops.console import words
from privacyops.domain.account.record import Account
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AccountId
from privacyops.services.dsar.people import Person

_LAST: Final = time(23, 59, 59)
_DONE: Final = frozenset({DsarState.ANSWERED, DsarState.CLOSED})
REQUESTS: Final = "/console/requests"


def url_of(dsar: Dsar) -> str:
    """The page of a request."""
    return f"{REQUESTS}/{dsar.reference}"


def end_of(day: date, zone: str) -> Instant:
    """The last second of a day at the establishment, for comparison with now."""
    return datetime.combine(day, _LAST, tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def today_of(now: Instant, zone: str) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def day_of(at: Instant, zone: str) -> str:
    """The day of a moment at the establishment, in words."""
    return words.day(today_of(at, zone))


def clock_of(dsar: Dsar, now: Instant, zone: str, rule: str = "") -> dict[str, Any]:
    """The due tag of a request."""
    state = "done" if dsar.state in _DONE else "paused" if dsar.paused_since else "running"
    return {
        "state": state, "due": end_of(dsar.due_on, zone), "safe_due": end_of(dsar.safe_due_on, zone),
        "paused_since": dsar.paused_since, "kept_days": (dsar.safe_due_on - today_of(now, zone)).days,
        "rule": rule or words.law(dsar.regime),
    }  # fmt: skip


def day_clock(day: date, zone: str) -> dict[str, Any]:
    """The due tag of a task: one date."""
    end = end_of(day, zone)
    return {"state": "running", "due": end, "safe_due": end, "paused_since": None, "kept_days": None, "rule": "task"}


def done_clock(day: date, zone: str) -> dict[str, Any]:
    """The due tag of a task that has ended."""
    return day_clock(day, zone) | {"state": "done"}


def person(who: Person | None, reveal_url: str | None = None) -> dict[str, Any]:
    """A person, masked or not; an emptied request has none."""
    if who is None or not (who.name or who.contact):
        return {"name": "Data destroyed", "contact": "", "is_masked": False, "reveal_url": None}
    if not who.name:
        return {"name": who.contact, "contact": "", "is_masked": who.is_masked, "reveal_url": reveal_url}
    return {"name": who.name, "contact": who.contact, "is_masked": who.is_masked, "reveal_url": reveal_url}


def briefly(drawn: dict[str, Any]) -> dict[str, Any]:
    """A drawn person by name alone where there is one: a narrow table has no room for the address as well."""
    return {**drawn, "contact": ""} if drawn["name"] else drawn


def colleague(account: Account | None) -> dict[str, str] | None:
    """Somebody of the team beside a request."""
    return None if account is None else {"name": account.name, "initials": account.initials}


def line(
    dsar: Dsar, who: Person | None, team: Mapping[AccountId, Account], now: Instant, zone: str, *, may_assign: bool
) -> dict[str, Any]:
    """One line of the queue."""
    label, note = words.STATES[dsar.state]
    if dsar.outcome is not None:
        note = words.OUTCOMES[dsar.outcome]
    elif not dsar.is_verified:
        note = "the address is not confirmed"
    return {
        "id": dsar.reference, "url": url_of(dsar), "reference": dsar.reference, "law": words.law(dsar.regime),
        "person": person(who), "type": words.type_of(dsar.type),
        "step": {"label": label, "note": note, "failed": False}, "clock": clock_of(dsar, now, zone),
        "assignee": colleague(team.get(dsar.assignee_id)) if dsar.assignee_id else None,
        "assign_url": f"{url_of(dsar)}/assign" if may_assign and dsar.is_open else None,
    }  # fmt: skip


def options(pairs: Mapping[Any, str]) -> list[dict[str, str]]:
    """Choices of a select."""
    return [{"value": str(value), "label": label} for value, label in pairs.items()]


def one_page(shown: int, after: str | None, next_url: str | None, first_url: str) -> dict[str, Any]:
    """The foot of a keyset list."""
    return {"shown": shown, "total": None, "next_url": next_url, "first_url": first_url if after else None}
