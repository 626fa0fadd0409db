"""Why a date is what it is: lines with a code and facts, so that every door can say them in its language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "received": "Received on {date}, local date in {zone}.",
    "received_counts_from": "Recorded {recorded}; the period counts from the receipt on {date}.",
    "reopened": "Reopened on {date}; the term runs from there.",
    "corrected": "{count} recorded event(s) were corrected; the dates are those of a request without the mistake.",
    "restarted": "The period starts on {date}, when the last item asked for arrived ({reason}).",
    "restart_open": "The period starts when the item asked for arrives ({reason}); shown as if it came today.",
    "term": "{value} {unit} from {start}: {date}.",
    "term_with_pauses": "{value} {unit} from {start}, and {days} day(s) that do not count: {date}.",
    "extended": "Extended to {value} {unit} in total from {start}: {date}.",
    "extended_with_pauses": "Extended to {value} {unit} from {start}, and {days} day(s) that do not count: {date}.",
    "extended_by_notice": "Extended to the date named in the notice: {date}.",
    "extension_late": "The notice of {date} came after its limit {limit} and extends nothing.",
    "extension_again": "Only the first extension notice counts; the one of {date} extends nothing.",
    "extension_open": "An extension can still be announced until {date}.",
    "paused": "{reason}: {days} day(s) do not count, asked {since}, answered {until}.",
    "pause_open": "{reason}: asked {since}, not answered; {days} day(s) so far, if answered today.",
    "pause_without_effect": "{reason}: asked {since}; this law does not stop the clock.",
    "pause_asked_late": "{reason}: asked {since}, later than {limit}; not counted, as it was not asked at once.",
    "rolled": "{date} is no working day ({reason}); the next one is {due}.",
    "own_date": "The last day {date} was set for this reopening.",
    "target": "To be done at once; product target {hours} hours from receipt.",
    "safe_due": "Plan on {date}: the earliest date that every reading accepts.",
    "needs_counsel": "Confidence {confidence}: needs counsel.",
    "note": "{text}",
    "answered": "Answered on {date}.",
    "delivery_failed": "The delivery failed on {date}; the request is open again.",
    "rules_changed": "Recomputed under other rules on {date} by decision of a person; both results are kept.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One reason. `code` names the template, `facts` fill it, `source` cites the article it rests on."""

    code: str
    facts: tuple[tuple[str, str], ...] = ()
    source: str = ""

    @property
    def text(self) -> str:
        """The line in English."""
        return TEMPLATES[self.code].format_map(dict(self.facts))


def line(code: str, source: str = "", /, **facts: object) -> Line:
    """A line of `code`. Facts become text; dates are ISO 8601."""
    return Line(code, tuple((name, str(value)) for name, value in facts.items()), source)
