"""What detection says of a text: where, of which type, how sure, and why. Never a piece of the text itself."""

from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    """What a text is looked through for.

    PLAIN gives the very results of Presidio's own engine, for proof; SEARCH finds people; REDACT misses as few as it
    can and is meant for a person to look at; STRUCTURED looks at single cell values, each as a whole.
    """

    PLAIN = "plain"
    SEARCH = "search"
    REDACT = "redact"
    STRUCTURED = "structured"


class Source(StrEnum):
    """Who said it, in the order in which SEARCH believes them: a checksum outranks a model."""

    CHECKED = "checked"
    RAMPART = "rampart"
    PATTERN = "pattern"
    RULE = "rule"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Span:
    """Code points `start` to `end` (exclusive) hold a `type`, with a score from 0 to 1.

    `why` names rules, labels and words from fixed lists.
    """

    start: int
    end: int
    type: str
    score: float
    recognizer: str
    why: str
    source: Source = Source.PATTERN


@dataclass(frozen=True, slots=True)
class Detected:
    """What one text holds. `unsearched` tells what was not looked for: a pattern that ran out of time, names in a
    language without a model. Not searched is not the same as not found.
    """

    spans: tuple[Span, ...]
    unsearched: tuple[str, ...] = ()
