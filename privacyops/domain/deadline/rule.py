"""One rule: which terms the law of one regime gives for one type of request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from privacyops.domain.catalog.confidence import Confidence
from privacyops.domain.deadline.event import PauseReason
from privacyops.domain.deadline.reckoning import Term, Unit
from privacyops.kernel.errors import Conflict, NotFound, Unprocessable


class RuleUnknown(NotFound):
    type = "/problems/deadline-rule-unknown"
    title = "The catalog has no such deadline rule"


class RuleNotInForce(Conflict):
    type = "/problems/deadline-rule-not-in-force"
    title = "This rule was not in force on the day of receipt"


class RuleNotAccepted(Conflict):
    """Confidence is low: an administrator accepts the rule by name before anything is computed from it."""

    type = "/problems/deadline-rule-not-accepted"
    title = "This deadline rule needs to be accepted first"


class TermNotGiven(Conflict):
    """The law leaves the length to the controller, and the controller has not published one."""

    type = "/problems/deadline-term-not-given"
    title = "This law sets no number of days; publish a period of your own first"


class PauseMethod(StrEnum):
    """What waiting for the requester does to the period.

    shift_exclusive: the days from the ask to the answer are added, one end day counts.
    shift_inclusive: both end days are added. restart: the period starts anew with the answer. none: nothing.
    """

    SHIFT_EXCLUSIVE = "shift_exclusive"
    SHIFT_INCLUSIVE = "shift_inclusive"
    RESTART = "restart"
    NONE = "none"


class Duty(StrEnum):
    """What has to be done by the due date."""

    ANSWER = "answer"
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True)
class PausePolicy:
    """How one kind of waiting counts. `ask_within`: an ask later than this after the start does not count.

    `safe_due_ignores`: the pause rests on guidance only. `statutory_since`: before that day of receipt the same
    arithmetic rests on guidance, so that the confidence is medium.
    """

    method: PauseMethod
    confidence: Confidence = Confidence.HIGH
    safe_due_ignores: bool = False
    ask_within: Term | None = None
    statutory_since: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension. `total` counts from the start date; None where the notice itself names the new date."""

    total: Term | None
    conditions: tuple[str, ...] = ()
    notice_contents: tuple[str, ...] = ()
    confidence: Confidence = Confidence.HIGH
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRule:
    """Version of a regime, resolved for one type of request. `respond` is None where the law gives no length.

    `valid_from` None means that the rule was in force before 2024. `target` is a product default inside the legal
    term, for acts that the law wants at once. `safe_count_includes_start`: the cautious count of calendar days
    takes the start day as day 1.
    """

    id: str
    version: int
    request_type: str
    law: str
    article: str = ""
    valid_from: date | None = None
    duty: Duty = Duty.ANSWER
    respond: Term | None
    safe_count_includes_start: bool = False
    acknowledge: Term | None = None
    acknowledge_required: bool = False
    pauses: Mapping[PauseReason, PausePolicy] = field(default_factory=dict)
    extension: Extension | None = None
    target: timedelta | None = None
    calendar: str = "place_of_action"
    confidence: Confidence = Confidence.HIGH
    notes: tuple[str, ...] = ()
    is_accepted: bool = False

    @property
    def key(self) -> str:
        """`eu_gdpr@1`: the name under which an administrator accepts a rule."""
        return f"{self.id}@{self.version}"

    @property
    def needs_acceptance(self) -> bool:
        return self.confidence is Confidence.LOW and not self.is_accepted

    def accepted(self) -> "DeadlineRule":
        """The rule after an administrator accepted it by name; the caller writes the audit row."""
        return replace(self, is_accepted=True)

    def with_period(self, days: int) -> "DeadlineRule":
        """The rule with the controller's own published period, where the law gives none.

        Raises: Unprocessable: fewer than one day, or the law gives a period already.
        """
        if self.respond is not None or days < 1:
            raise Unprocessable(f"{self.key} takes no period of {days} days")
        return replace(self, respond=Term(days, Unit.CALENDAR_DAY))
