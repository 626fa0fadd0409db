"""Durable work as the product sees it: what one step may answer, and when a failing job is given up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict
from privacyops.kernel.ids import JobId

MAX_ATTEMPTS: Final = 5
MAX_STEPS: Final = 2000
"""Steps of one drive; a longer job goes on in a drive of its own, so that no recorded history grows without end."""
_FIRST_WAIT: Final = timedelta(seconds=2)
_LONGEST_WAIT: Final = timedelta(minutes=15)


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"
    DEAD = "dead"


ENDED: Final = frozenset({JobState.DONE, JobState.CANCELLED, JobState.DEAD})


class JobLost(Conflict):
    """Another execution owns the job, or it has ended: whoever gets this stops and changes nothing."""

    type = "/problems/job-lost"
    title = "The job belongs to another worker now"


@dataclass(frozen=True, slots=True)
class Job:
    """One job as a step sees it. `cursor` is what the step before left, opened; `result` the code it ended with."""

    id: JobId
    controller: str
    kind: str
    object_id: str
    state: JobState
    epoch: int
    attempts: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    cursor: bytes | None = None
    progress: Mapping[str, Any] | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """The step did its page and there is more."""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing to do before `at`; the job holds no thread until then."""

    at: Instant


@dataclass(frozen=True, slots=True)
class Done:
    """The job has ended; `result` is a code."""

    result: str = "done"


Outcome: TypeAlias = Again | Later | Done


def next_attempt(attempts: int, now: Instant, asked: timedelta | None = None) -> Instant | None:
    """When to try again after the `attempts`-th failure in a row; None: give up and ask a person.

    The wait doubles from 2 s to at most 15 min; `asked` is what the other side demanded (Retry-After) and wins
    when it is longer.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    wait = min(_FIRST_WAIT * (1 << (attempts - 1)), _LONGEST_WAIT)
    return now + max(wait, asked or timedelta(0))
