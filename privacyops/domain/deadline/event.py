"""What happened to the clock of a request, one event a row. Nothing is edited: a correction is an event too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Self

from privacyops.kernel.clock import Instant, NaiveInstant, require_utc
from privacyops.kernel.errors import Conflict, Unprocessable


class EventMalformed(Unprocessable):
    type = "/problems/clock-event-malformed"
    title = "This is not an event of a clock"


class EventOutOfPlace(Conflict):
    """The event is well formed, and does not fit to what is already recorded."""

    type = "/problems/clock-event-out-of-place"
    title = "This event does not fit to what is recorded"


class ClockEventKind(StrEnum):
    RECEIVED = "received"
    ACK_SENT = "ack_sent"
    IDENTITY_ASKED = "identity_asked"
    IDENTITY_PROVED = "identity_proved"
    AUTHORITY_ASKED = "authority_asked"
    AUTHORITY_PROVED = "authority_proved"
    CLARIFICATION_ASKED = "clarification_asked"
    CLARIFICATION_RECEIVED = "clarification_received"
    FEE_DEMANDED = "fee_demanded"
    FEE_SETTLED = "fee_settled"
    EXTENSION_NOTICE_SENT = "extension_notice_sent"
    ANSWERED = "answered"
    DELIVERY_FAILED = "delivery_failed"
    REOPENED = "reopened"
    CORRECTED = "corrected"
    RULES_CHANGED = "rules_changed"


class PauseReason(StrEnum):
    IDENTITY = "identity"
    AGENT_AUTHORITY = "agent_authority"
    CLARIFICATION = "clarification"
    FEE = "fee"


_K = ClockEventKind
ASKS: Final[Mapping[ClockEventKind, PauseReason]] = {
    _K.IDENTITY_ASKED: PauseReason.IDENTITY,
    _K.AUTHORITY_ASKED: PauseReason.AGENT_AUTHORITY,
    _K.CLARIFICATION_ASKED: PauseReason.CLARIFICATION,
    _K.FEE_DEMANDED: PauseReason.FEE,
}
ANSWERS: Final[Mapping[ClockEventKind, PauseReason]] = {
    _K.IDENTITY_PROVED: PauseReason.IDENTITY,
    _K.AUTHORITY_PROVED: PauseReason.AGENT_AUTHORITY,
    _K.CLARIFICATION_RECEIVED: PauseReason.CLARIFICATION,
    _K.FEE_SETTLED: PauseReason.FEE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """One fact. `at` is when it happened, `recorded_at` when it was typed or noticed; both UTC.

    `until`: for an extension notice the new date it names, for a reopening the last day of its own term.
    `corrects`: for a correction the id of the earlier event; `corrected_at` is its right moment, or None if the
    event never was. A correction without `corrects` records a change that moves no date by itself (type,
    regime, language).

    Raises: EventMalformed: a moment without a zone, or a field that this kind does not have.
    """

    id: str
    kind: ClockEventKind
    at: Instant
    recorded_at: Instant | None = None
    until: date | None = None
    corrects: str | None = None
    corrected_at: Instant | None = None

    def __post_init__(self) -> None:
        if not self.id:
            raise EventMalformed("an event needs an id")
        for name in ("at", "recorded_at", "corrected_at"):
            moment = getattr(self, name)
            if moment is None:
                continue
            try:
                object.__setattr__(self, name, require_utc(moment))
            except (NaiveInstant, OverflowError):
                raise EventMalformed(f"{name} needs a time zone and a year within the calendar") from None
        if self.until is not None and self.kind not in (_K.EXTENSION_NOTICE_SENT, _K.REOPENED):
            raise EventMalformed(f"an event {self.kind} names no date of its own")
        if self.corrects is not None and self.kind is not _K.CORRECTED:
            raise EventMalformed(f"an event {self.kind} corrects nothing")
        if self.corrected_at is not None and self.corrects is None:
            raise EventMalformed("a corrected moment needs the event that it belongs to")

    def to_json(self) -> dict[str, str]:
        """A flat map of strings; members that say nothing are left out."""
        row = {"id": self.id, "kind": self.kind.value, "at": _text(self.at)}
        if self.recorded_at is not None:
            row["recorded_at"] = _text(self.recorded_at)
        if self.until is not None:
            row["until"] = self.until.isoformat()
        if self.corrects is not None:
            row["corrects"] = self.corrects
        if self.corrected_at is not None:
            row["corrected_at"] = _text(self.corrected_at)
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The event of such a map.

        Raises: EventMalformed: an unknown kind or member, a missing one, or a value of the wrong form.
        """
        unknown = sorted(set(row) - _MEMBERS)
        if unknown:
            raise EventMalformed(f"unknown member {unknown[0]!r}")
        missing = sorted({"id", "kind", "at"} - set(row))
        if missing:
            raise EventMalformed(f"member {missing[0]!r} is missing")
        try:
            return cls(
                id=str(row["id"]),
                kind=ClockEventKind(row["kind"]),
                at=datetime.fromisoformat(row["at"]),
                recorded_at=_moment(row.get("recorded_at")),
                until=None if row.get("until") is None else date.fromisoformat(row["until"]),
                corrects=row.get("corrects"),
                corrected_at=_moment(row.get("corrected_at")),
            )
        except (TypeError, ValueError) as wrong:
            raise EventMalformed(str(wrong)) from None


_MEMBERS: Final = frozenset({"id", "kind", "at", "recorded_at", "until", "corrects", "corrected_at"})


def _text(moment: Instant) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def settled(events: Sequence[ClockEvent]) -> tuple[ClockEvent, ...]:
    """The events that count after every correction, in the order in which they happened.

    Corrections are events too, so a later correction may undo an earlier one. A correction of an event that is
    not known, or that stands later in the list, changes nothing. `corrected` events themselves are left out.
    """
    position = {event.id: index for index, event in enumerate(events)}
    decided: dict[str, Instant | None] = {}
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if event.kind is not _K.CORRECTED or event.corrects is None:
            continue
        if event.id in decided and decided[event.id] is None:
            continue
        if event.corrects not in decided and position.get(event.corrects, index) < index:
            decided[event.corrects] = event.corrected_at
    kept: list[ClockEvent] = []
    for event in events:
        if event.kind is _K.CORRECTED:
            continue
        moment = decided.get(event.id, event.at)
        if moment is not None:
            kept.append(event if moment == event.at else _moved(event, moment))
    return tuple(sorted(kept, key=lambda event: event.at))


def _moved(event: ClockEvent, to: Instant) -> ClockEvent:
    return ClockEvent(id=event.id, kind=event.kind, at=to, recorded_at=event.recorded_at or event.at, until=event.until)


def appended(events: Sequence[ClockEvent], new: ClockEvent, now: Instant) -> tuple[ClockEvent, ...]:
    """The list with `new` at its end: the check to make before a row is stored.

    Raises: EventOutOfPlace: the id is taken; the moment lies in the future or before the receipt; the first
    event is no receipt or a second receipt is added; an answer has no open question; the corrected event is
    unknown; the only receipt would be removed.
    """
    if any(event.id == new.id for event in events):
        raise EventOutOfPlace("an event of this id is recorded already")
    if new.at > now or (new.corrected_at is not None and new.corrected_at > now):
        raise EventOutOfPlace("the moment lies in the future")
    before = settled(events)
    receipts = [event for event in before if event.kind is _K.RECEIVED]
    if (new.kind is _K.RECEIVED) == bool(receipts):
        raise EventOutOfPlace("a request is received once, and before everything else")
    if receipts and new.at < receipts[0].at:
        raise EventOutOfPlace(f"{new.kind} cannot happen before the receipt")
    if new.kind in ANSWERS and not _is_open(before, ANSWERS[new.kind]):
        raise EventOutOfPlace(f"{new.kind} answers nothing that was asked")
    if new.corrects is not None:
        if all(event.id != new.corrects for event in events):
            raise EventOutOfPlace("the event to correct is not recorded")
        if all(event.kind is not _K.RECEIVED for event in settled([*events, new])):
            raise EventOutOfPlace("the receipt of a request can be moved and not removed")
    return (*events, new)


def _is_open(events: Sequence[ClockEvent], reason: PauseReason) -> bool:
    is_open = False
    for event in events:
        if ASKS.get(event.kind) is reason:
            is_open = True
        elif ANSWERS.get(event.kind) is reason:
            is_open = False
    return is_open
