"""What the records of a request say about other people, as it is stored: places and decisions, no piece of a text."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from privacyops.domain.redaction.keep import Doubt
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId, FindingId

TAKEN_OUT: Final = frozenset({Decision.ACCEPTED, Decision.ADDED})


class ReadingState(StrEnum):
    """How far the machine has read the texts of a request. FAILED: it cannot, and a person reads all of them."""

    WAITING = "waiting"
    READING = "reading"
    READ = "read"
    FAILED = "failed"


class OthersWait(StrEnum):
    """Why passages about other people hold an answer back. NEVER: nobody had the texts read. UNREADABLE: the machine
    cannot, and no person has said to have done it. UNSEEN: texts that a person has to read.
    """

    NEVER = "never"
    READING = "reading"
    UNREADABLE = "unreadable"
    OPEN = "open"
    UNSEEN = "unseen"


class Unread(StrEnum):
    """Why the machine did not look through a text wholly."""

    NO_MODEL = "no_model"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NO_ANSWER = "no_answer"
    OVER_LIMIT = "over_limit"
    PATTERN_SLOW = "pattern_slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The reading of one request's texts. `after`: the last finding that was read, as (store, collection, id).

    `files` goes out as it is: documents that nothing looks into. `notes`: what detection lacks here, each with what
    mends it. `vouched_by`: who said to have read everything without the machine.
    """

    dsar_id: DsarId
    state: ReadingState
    version: int
    after: tuple[str, str, UUID] | None
    texts: int
    files: int
    notes: tuple[str, ...]
    labels_sealed: bytes | None
    settled_at: Instant | None
    vouched_by: UUID | None
    vouched_at: Instant | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be waited for: read by the machine, or by a person in its stead."""
        return self.state is ReadingState.READ or (self.state is ReadingState.FAILED and self.vouched_by is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredText:
    """One text with suggestions, or one that the machine could not look through. `digest` is keyed: it tells whether
    the text is still the one that was read. `at`: which string inside the field it is.
    """

    id: UUID
    dsar_id: DsarId
    finding_id: FindingId
    field: str
    at: int
    digest: bytes
    unread: tuple[Unread, ...]
    seen_by: UUID | None
    seen_at: Instant | None

    @property
    def is_unseen(self) -> bool:
        """Whether a person still has to read it."""
        return bool(self.unread) and self.seen_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRedaction:
    """Code points `start` to `end` of a text, what they are taken for, and what a person decided."""

    id: UUID
    text_id: UUID
    start: int
    end: int
    type: str
    label: str
    score: float
    why: str
    is_certain: bool
    doubts: tuple[Doubt, ...]
    decision: Decision
    is_by_hand: bool
    decided_by: UUID | None
    decided_at: Instant | None
