"""Telling a system: the event's envelope, when to try again, and by when a stop has to have arrived.

The service's own answer changes in the transaction of a stop; the clocks here bound the systems that act on it.

Source: CloudEvents 1.0; Standard Webhooks 1.0.0; GDPR Art. 7(3), 21(3); 47 CFR 64.1200(a)(10); 15 USC 7704(a);
11 CCR 7026; CASL s. 11(3); Spam Act 2003 (AU) s. 18.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from privacyops.domain.consent.state import EventType
from privacyops.kernel.clock import Instant

LIFE: Final = timedelta(days=3)
"""For how long a message is tried again."""
_FIRST: Final = timedelta(seconds=5)
_LONGEST: Final = timedelta(hours=8)
TYPE_PREFIX: Final = "org.privacyops"


class DeliveryState(StrEnum):
    """ACKNOWLEDGED: answered with 2xx, or confirmed by the system itself. FAILED: given up after three days."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one system. `rule` and `due_at` None: nothing in it has a clock."""

    id: UUID
    subscriber_id: UUID
    event_id: UUID
    seq: int
    type: str
    state: DeliveryState
    since: Instant
    rule: str | None
    due_at: Instant | None
    tries: int
    code: str | None
    acknowledged_at: Instant | None

    @property
    def limit_at(self) -> Instant | None:
        """The end of the law's own limit; None: nothing has a clock here, or the law says at once."""
        if self.rule is None or self.due_at is None:
            return None
        return limit_at(self.rule, self.due_at - _BY_RULE[self.rule].target)


@dataclass(frozen=True, slots=True)
class StopClock:
    """By when every system has to have acknowledged a stop: our target, and the law's own limit."""

    rule: str
    target: timedelta
    limit_business_days: int | None = None


_WITHDRAWAL: Final = StopClock("gdpr_7_3", timedelta(hours=24))
_OBJECTION: Final = StopClock("gdpr_21_3", timedelta(hours=48))
_BY_PLACE: Final[Mapping[str, StopClock]] = {
    "US-CA": StopClock("ccpa_7026", timedelta(hours=24), 15),
    "US": StopClock("can_spam", timedelta(hours=24), 10),
    "CA": StopClock("casl", timedelta(hours=24), 10),
    "AU": StopClock("au_spam_act", timedelta(hours=24), 5),
}
_TCPA: Final = StopClock("tcpa", timedelta(hours=24), 10)
_BY_RULE: Final = {clock.rule: clock for clock in (_WITHDRAWAL, _OBJECTION, _TCPA, *_BY_PLACE.values())}
_STOPS: Final = frozenset(
    {EventType.WITHDRAWN, EventType.REFUSED, EventType.TERMINATED, EventType.INVALIDATED, EventType.STOP_ALL,
     EventType.GPC, EventType.SUPPRESSION_ADDED}
)  # fmt: skip


def clock_of(type_: EventType, channel: str | None, jurisdiction: str | None) -> StopClock | None:
    """The clock that runs from this event; None: it stops nothing."""
    if type_ is EventType.OBJECTION_MADE:
        return _OBJECTION
    if type_ not in _STOPS:
        return None
    place = jurisdiction or ""
    if place.startswith("US") and channel in ("sms", "phone"):
        return _TCPA
    return _BY_PLACE.get(place) or _BY_PLACE.get(place.partition("-")[0]) or _WITHDRAWAL


def limit_at(rule: str, since: Instant) -> Instant | None:
    """The end of the law's own limit for a stop of this moment; None: at once.

    Holidays are counted as business days, which is stricter. Raises: KeyError: no such rule.
    """
    days = _BY_RULE[rule].limit_business_days
    if days is None:
        return None
    at, left = since, days
    while left:
        at += timedelta(days=1)
        left -= at.weekday() < 5
    return at


def next_try(since: Instant, now: Instant, tries: int, jitter: float) -> Instant | None:
    """When to try again after `tries` failures; None: three days are over. `jitter` from 0 to 1 spreads many retries.

    Waits double from five seconds to eight hours, each drawn out by up to half of itself.
    """
    wait = min(_FIRST * 2 ** min(tries - 1, 20), _LONGEST)
    at = now + wait * (1 + jitter / 2)
    return at if at <= since + LIFE else None


def envelope(
    controller: str, event_id: str, type_: str, subject: str | None, at: str, data: Mapping[str, Any]
) -> bytes:
    """One CloudEvent in its structured form; the same event gives the same bytes each time."""
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/controllers/{controller}",
        "type": f"{TYPE_PREFIX}.{type_}.v1",
        "time": at,
        "datacontenttype": "application/json",
        "data": {name: value for name, value in data.items() if value is not None},
    }
    if subject is not None:
        body["subject"] = subject
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
