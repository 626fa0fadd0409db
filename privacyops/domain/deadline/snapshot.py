"""What a request remembers of its clock, so that a new law or library changes nothing behind its back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Self

from privacyops.domain.deadline.arithmetic import zone_named
from privacyops.domain.deadline.book import RuleBook, rule_book
from privacyops.domain.deadline.clock import ClockView, fold
from privacyops.domain.deadline.event import ClockEvent
from privacyops.domain.deadline.holiday_calendar import HolidayCalendar, library_version
from privacyops.domain.deadline.regime import RegimeChoice, RegimeReason
from privacyops.domain.deadline.rule import DeadlineRule
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable

# The receipt may be corrected into the year before; extension and pauses may reach into the second year after.
YEARS_BEFORE: Final = 1
YEARS_AFTER: Final = 2


class SnapshotMalformed(Unprocessable):
    type = "/problems/clock-snapshot-malformed"
    title = "This is not the snapshot of a clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSnapshot:
    """Everything beside the events that the dates of one clock depend on. One per regime of a request.

    `calendar` holds the holidays of the years around the receipt as `library` knew them. `own_period_days` is the
    controller's published period, for a law that gives none.
    """

    rule_id: str
    rule_version: int
    request_type: str
    is_general_term: bool
    is_accepted: bool
    zone: str
    calendar: HolidayCalendar
    library: str
    reasons: tuple[RegimeReason, ...]
    own_period_days: int | None = None

    @classmethod
    def take(cls, choice: RegimeChoice, zone: str, received: date, own_period_days: int | None = None) -> Self:
        """The snapshot of a choice at intake. `zone` is the IANA zone of the establishment.

        Raises: UnknownZone.
        """
        zone_named(zone)
        return cls(
            rule_id=choice.rule.id,
            rule_version=choice.rule.version,
            request_type=choice.rule.request_type,
            is_general_term=RegimeReason.GENERAL_TERM in choice.reasons,
            is_accepted=choice.rule.is_accepted,
            zone=zone,
            calendar=choice.calendar.pin(received.year - YEARS_BEFORE, received.year + YEARS_AFTER),
            library=library_version(),
            reasons=choice.reasons,
            own_period_days=own_period_days,
        )

    @property
    def calendar_id(self) -> str:
        return self.calendar.id

    def rule(self, book: RuleBook | None = None) -> DeadlineRule:
        """The rule in the version of the snapshot. Raises: RuleUnknown."""
        book = book or rule_book()
        find = book.general_rule if self.is_general_term else book.rule
        rule = find(self.rule_id, self.request_type, self.rule_version)
        if self.own_period_days is not None and rule.respond is None:
            rule = rule.with_period(self.own_period_days)
        return rule.accepted() if self.is_accepted else rule

    def fold(self, events: Sequence[ClockEvent], now: Instant, book: RuleBook | None = None) -> ClockView:
        """The dates of the clock under this snapshot. Raises: as `fold`, and RuleUnknown."""
        return fold(events, self.rule(book), self.calendar, zone_named(self.zone), now)

    def accepted(self) -> Self:
        """The snapshot after an administrator accepted its rule by name."""
        return replace(self, is_accepted=True)

    def to_json(self) -> dict[str, Any]:
        """A JSON value; `from_json` gives back an equal snapshot."""
        return {
            "rule_id": self.rule_id,
            "rule_version": self.rule_version,
            "request_type": self.request_type,
            "is_general_term": self.is_general_term,
            "is_accepted": self.is_accepted,
            "zone": self.zone,
            "calendar": {
                "country": self.calendar.country,
                "subdivision": self.calendar.subdivision,
                "holidays": _years(self.calendar.pinned),
                "national": _years(self.calendar.pinned_national),
            },
            "library": self.library,
            "reasons": [reason.value for reason in self.reasons],
            "own_period_days": self.own_period_days,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Raises: SnapshotMalformed: an unknown or missing member, or a value of the wrong form."""
        unknown = sorted(set(row) ^ set(cls.__slots__))
        if unknown:
            raise SnapshotMalformed(f"member {unknown[0]!r} is unknown or missing")
        try:
            stored = row["calendar"]
            calendar = HolidayCalendar(
                stored["country"],
                stored["subdivision"],
                _pinned(stored["holidays"]),
                _pinned(stored["national"]),
            )
            return cls(
                rule_id=str(row["rule_id"]),
                rule_version=int(row["rule_version"]),
                request_type=str(row["request_type"]),
                is_general_term=bool(row["is_general_term"]),
                is_accepted=bool(row["is_accepted"]),
                zone=zone_named(row["zone"]).key,
                calendar=calendar,
                library=str(row["library"]),
                reasons=tuple(RegimeReason(reason) for reason in row["reasons"]),
                own_period_days=None if row["own_period_days"] is None else int(row["own_period_days"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SnapshotMalformed("a value of the snapshot has the wrong form") from None


def _years(pinned: Mapping[int, Mapping[date, str]]) -> dict[str, dict[str, str]]:
    return {str(year): {day.isoformat(): name for day, name in days.items()} for year, days in pinned.items()}


def _pinned(years: Mapping[str, Mapping[str, str]]) -> dict[int, dict[date, str]]:
    return {
        int(year): {date.fromisoformat(day): str(name) for day, name in days.items()} for year, days in years.items()
    }
