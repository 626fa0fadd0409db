"""Deadline vectors: a file of inputs and the names of the values to compute from them.

A vector states its arithmetic in full (kind, days, pauses), so that a file can test a law the catalog does not
hold. It is turned into the same terms, suspensions and readings that a request is reckoned with.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from privacyops.domain.deadline.arithmetic import add_days, end_of_day_utc, local_date, zone_named
from privacyops.domain.deadline.holiday_calendar import WEEKENDS_ONLY, HolidayCalendar
from privacyops.domain.deadline.hours import hour_clock
from privacyops.domain.deadline.reckoning import Reckoning, Suspension, Term, Unit, reckon
from privacyops.kernel.clock import Instant, NaiveInstant, require_utc
from privacyops.kernel.errors import Problem, Unprocessable

BREACH_HOURS: Final = 72
_FIELDS: Final = frozenset(
    {"id", "kind", "regime", "tz", "calendar", "received_at", "aware_at", "rule", "events", "expect"}
    | {"ambiguous", "why", "basis", "note"}
)
_RULE_FIELDS: Final = frozenset({"days", "ext", "ack_bd", "roll", "safe"})
_EVENT_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "restart": frozenset({"type", "date", "reason"}),
    "pause": frozenset({"type", "from", "to", "method", "reason"}),
    "extension_notice": frozenset({"type", "date"}),
    "note": frozenset({"type", "text"}),
}


class VectorMalformed(Unprocessable):
    """`vector` names the one at fault."""

    type = "/problems/deadline-vector-malformed"
    title = "A deadline vector cannot be computed"


@dataclass(frozen=True, slots=True)
class _Given:
    """The inputs of a vector that counts days or months, read and checked."""

    kind: str
    zone: ZoneInfo
    calendar: HolidayCalendar
    received: date
    start: date
    pauses: tuple[tuple[Suspension, bool], ...]
    notice: date | None
    days: int | None
    extra_days: int | None
    ack_days: int | None
    rolls: bool
    safe_includes_start: bool


def compute_vectors(document: object) -> list[dict[str, Any]]:
    """One map per vector, in file order: `id` and exactly the keys that `expect` names, as JSON values.

    Raises: VectorMalformed: an unknown kind, key, zone, country or event, a date that is none; `vector` has the id.
    """
    vectors = document.get("vectors") if isinstance(document, Mapping) else None
    if not isinstance(vectors, Sequence) or isinstance(vectors, str):
        raise VectorMalformed("the file has no list called vectors", vector=None)
    seen: set[str] = set()
    results = []
    for number, vector in enumerate(vectors, start=1):
        name = _name(vector, number)
        if name in seen:
            raise VectorMalformed(f"{name}: the id occurs twice", vector=name)
        seen.add(name)
        try:
            results.append(compute_vector(vector))
        except VectorMalformed as wrong:
            raise VectorMalformed(f"{name}: {wrong.detail}", vector=name) from None
        except Problem as wrong:
            raise VectorMalformed(f"{name}: {wrong.detail or wrong.title}", vector=name) from None
    return results


def compute_vector(vector: Mapping[str, Any]) -> dict[str, Any]:
    """`id` and the keys named in `expect` of one vector.

    Raises: Problem: something in it is unknown or missing; the detail says what.
    """
    _only(vector, _FIELDS, "the vector")
    expect = vector.get("expect")
    if not isinstance(expect, Mapping):
        raise VectorMalformed("expect has to name the keys to compute")
    kind = vector.get("kind")
    if kind == "breach72":
        values = _breach(vector)
    elif kind in ("month", "days", "bdays"):
        values = _dates(_given(vector, str(kind)))
    else:
        raise VectorMalformed(f"unknown kind {kind!r}")
    result: dict[str, Any] = {"id": vector["id"]}
    for key in expect:
        compute = values.get(key)
        if compute is None:
            raise VectorMalformed(f"unknown key {key!r} for kind {kind}")
        result[key] = compute()
    return result


def _name(vector: object, number: int) -> str:
    name = vector.get("id") if isinstance(vector, Mapping) else None
    if not isinstance(name, str) or not name:
        raise VectorMalformed(f"vector number {number} has no id", vector=f"number {number}")
    return name


def _breach(vector: Mapping[str, Any]) -> Mapping[str, Callable[[], object]]:
    zone = zone_named(_text(vector, "tz"))
    clock = hour_clock(_moment(vector, "aware_at"), BREACH_HOURS, zone)
    return {
        "strict": lambda: clock.strict.astimezone(zone).isoformat(timespec="minutes"),
        "legal_latest": lambda: clock.legal_latest.astimezone(zone).isoformat(timespec="minutes"),
    }


def _given(vector: Mapping[str, Any], kind: str) -> _Given:
    zone = zone_named(_text(vector, "tz"))
    received = local_date(_moment(vector, "received_at"), zone)
    rule = vector.get("rule") or {}
    _only(rule, _RULE_FIELDS, "rule")
    if rule.get("safe") not in (None, "include_start_day"):
        raise VectorMalformed(f"unknown safe count {rule['safe']!r}")
    if not isinstance(rule.get("roll", False), bool):
        raise VectorMalformed("roll is true or false")
    rows = vector.get("events") or []
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise VectorMalformed("events is no list of maps")
    restarts, pauses, notices = _events(rows)
    days = _count(rule, "days")
    if kind != "month" and days is None:
        raise VectorMalformed("rule.days is missing")
    return _Given(
        kind=kind,
        zone=zone,
        calendar=_calendar(vector),
        received=received,
        start=max([received, *restarts]),
        pauses=tuple(pauses),
        notice=min(notices, default=None),
        days=days,
        extra_days=_count(rule, "ext"),
        ack_days=_count(rule, "ack_bd"),
        rolls=rule.get("roll", False),
        safe_includes_start=rule.get("safe") is not None,
    )


def _dates(given: _Given) -> Mapping[str, Callable[[], object]]:
    legal = _reading(given, safe=False)
    safe = _reading(given, safe=True)
    # In a vector that counts days an extension is a date beside the first one, not instead of it.
    due = legal.due if given.kind == "month" else legal.first_due
    safe_due = safe.due if given.kind == "month" else safe.first_due
    values: dict[str, Callable[[], object]] = {
        "local_received": given.received.isoformat,
        "unrolled": legal.unrolled.isoformat,
        "due": due.isoformat,
        "due_excl_utc": lambda: end_of_day_utc(due, given.zone).strftime("%Y-%m-%dT%H:%MZ"),
        "safe_due": min(due, safe_due).isoformat,
        "extension_notice_due": legal.first_due.isoformat,
        "extension_valid": lambda: bool(legal.extension_valid),
    }
    if legal.extended_due is not None:
        values["extended_due"] = legal.extended_due.isoformat
    if given.ack_days is not None:
        ack = given.calendar.after_working_days(given.start, given.ack_days)
        values["ack_due"] = ack.isoformat
    return values


def _reading(given: _Given, *, safe: bool) -> Reckoning:
    earlier = 1 if safe and given.safe_includes_start and given.kind == "days" else 0
    term, extended = _terms(given, earlier)
    counted = [span for span, rests_on_statute in given.pauses if rests_on_statute or not safe]
    calendar = given.calendar.national() if safe else given.calendar
    return reckon(given.start, term, calendar, suspensions=counted, extended=extended, notice=given.notice)


def _terms(given: _Given, earlier: int) -> tuple[Term, Term | None]:
    if given.days is None or given.kind == "month":
        return Term(1, Unit.MONTH, rolls=True), Term(3, Unit.MONTH, rolls=True)
    unit = Unit.CALENDAR_DAY if given.kind == "days" else Unit.BUSINESS_DAY
    first = Term(given.days - earlier, unit, given.rolls)
    if given.extra_days is None:
        return first, None
    return first, Term(given.days + given.extra_days - earlier, unit, given.rolls)


def _events(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[list[date], list[tuple[Suspension, bool]], list[date]]:
    """Restarts, pauses (with whether they count for the safe date), dates of extension notices."""
    restarts: list[date] = []
    pauses: list[tuple[Suspension, bool]] = []
    notices: list[date] = []
    for row in rows:
        kind = row.get("type")
        if not isinstance(kind, str) or kind not in _EVENT_FIELDS:
            raise VectorMalformed(f"unknown event {kind!r}")
        _only(row, _EVENT_FIELDS[kind], f"event {kind}")
        if kind == "restart":
            restarts.append(_date(row, "date"))
        elif kind == "extension_notice":
            notices.append(_date(row, "date"))
        elif kind == "pause":
            pauses.append(_pause(row))
    return restarts, pauses, notices


def _pause(row: Mapping[str, Any]) -> tuple[Suspension, bool]:
    first, last = _date(row, "from"), _date(row, "to")
    if last < first:
        raise VectorMalformed(f"a pause ends before it begins: {first} to {last}")
    method = row.get("method")
    if method == "shift_exclusive":
        return Suspension(first, last), False
    if method == "shift_inclusive":
        return Suspension(first, add_days(last, 1)), True
    raise VectorMalformed(f"unknown pause method {method!r}")


def _calendar(vector: Mapping[str, Any]) -> HolidayCalendar:
    row = vector.get("calendar")
    rule = vector.get("rule") or {}
    if row is None and vector.get("kind") == "days" and not rule.get("roll") and "ack_bd" not in rule:
        return WEEKENDS_ONLY
    if not isinstance(row, Mapping):
        raise VectorMalformed("the calendar is missing")
    _only(row, frozenset({"country", "subdiv"}), "calendar")
    subdivision = row.get("subdiv")
    return HolidayCalendar.of(_text(row, "country"), None if subdivision is None else _text(row, "subdiv"))


def _only(row: object, known: frozenset[str], where: str) -> None:
    if not isinstance(row, Mapping):
        raise VectorMalformed(f"{where} is not a map")
    unknown = [key for key in row if key not in known]
    if unknown:
        raise VectorMalformed(f"unknown key {unknown[0]!r} in {where}")


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise VectorMalformed(f"{key} is missing or is no text")
    return value


def _count(row: Mapping[str, Any], key: str) -> int | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3650:
        raise VectorMalformed(f"{key} is no number of days between 0 and 3650")
    return value


def _date(row: Mapping[str, Any], key: str) -> date:
    try:
        return date.fromisoformat(_text(row, key))
    except ValueError:
        raise VectorMalformed(f"{key} is no date") from None


def _moment(row: Mapping[str, Any], key: str) -> Instant:
    try:
        return require_utc(datetime.fromisoformat(_text(row, key)))
    except NaiveInstant:
        raise VectorMalformed(f"{key} has no offset, so it names no moment") from None
    except (ValueError, OverflowError):
        raise VectorMalformed(f"{key} is no instant") from None
