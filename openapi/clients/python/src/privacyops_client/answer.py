"""What a check answers. An answer is true if it may be done and false if not; there is no third value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Decision(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class Source(StrEnum):
    """Who answered: the service, the client's own copy of its answers, or nobody."""

    SERVICE = "service"
    COPY = "copy"
    NOBODY = "nobody"


class Reason(StrEnum):
    """The reasons that this client gives itself; all others are the service's own (`GRANTED`, `WITHDRAWN`, ...)."""

    COPIED = "COPIED"
    """From the copy, which holds answers without their reasons; `Client.why` asks for it."""
    STALE = "STALE"
    """What is known is older than allowed, and nobody could say anything newer."""
    UNAVAILABLE = "UNAVAILABLE"
    """Nobody answered, or not in a way that can be trusted."""
    NOBODY = "NOBODY"
    """There was no person to ask about: a visitor who is not signed in and has no device id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """May it be done, and why. `facts` is the service's answer as it came; it is empty for an answer from the copy.

    `problem` names the problem type where the service refused the question, such as `/problems/unknown-purpose`.
    `stale`: an allow for a strictly necessary purpose from a copy older than its bound.
    """

    decision: Decision
    reason: str
    source: Source
    stale: bool = False
    problem: str | None = None
    facts: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.decision is Decision.ALLOW

    @property
    def state_version(self) -> int | None:
        """The number of the person's last event that this answer knows of."""
        found = self.facts.get("state_version")
        return found if isinstance(found, int) else None

    @property
    def expires_at(self) -> datetime | None:
        """When a grant ends by itself."""
        found = self.facts.get("expires_at")
        return datetime.fromisoformat(found) if isinstance(found, str) else None


YES_COPIED: Final = Answer(Decision.ALLOW, Reason.COPIED, Source.COPY)
NO_COPIED: Final = Answer(Decision.DENY, Reason.COPIED, Source.COPY)
YES_STALE: Final = Answer(Decision.ALLOW, Reason.STALE, Source.COPY, stale=True)
NO_STALE: Final = Answer(Decision.DENY, Reason.STALE, Source.NOBODY)
NO_PERSON: Final = Answer(Decision.DENY, Reason.NOBODY, Source.NOBODY)


def unavailable(problem: str | None = None) -> Answer:
    """A no because nobody answered, or because the service refused the question."""
    return Answer(Decision.DENY, Reason.UNAVAILABLE, Source.NOBODY, problem=problem)
