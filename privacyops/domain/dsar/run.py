"""The search of one store for one request, and what a person decides about each record it found."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from privacyops.kernel.errors import TransitionRefused


class RunState(StrEnum):
    """One search of one store for one request."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    NO_MATCH = "no_match"
    WAITING_REMOTE = "waiting_remote"
    FAILED = "failed"
    HANDED_OVER = "handed_over"
    DONE_BY_HAND = "done_by_hand"
    ANSWERED_WITHOUT = "answered_without"


_R = RunState
RUN_TRANSITIONS: Final[Mapping[RunState, frozenset[RunState]]] = {
    _R.QUEUED: frozenset({_R.RUNNING}),
    _R.RUNNING: frozenset({_R.SUCCEEDED, _R.NO_MATCH, _R.WAITING_REMOTE, _R.FAILED}),
    _R.WAITING_REMOTE: frozenset({_R.SUCCEEDED, _R.NO_MATCH, _R.FAILED}),
    _R.FAILED: frozenset({_R.QUEUED, _R.HANDED_OVER}),
    _R.HANDED_OVER: frozenset({_R.DONE_BY_HAND, _R.ANSWERED_WITHOUT, _R.QUEUED}),
    _R.SUCCEEDED: frozenset({_R.QUEUED}),
    _R.NO_MATCH: frozenset({_R.QUEUED}),
    _R.DONE_BY_HAND: frozenset(),
    _R.ANSWERED_WITHOUT: frozenset({_R.QUEUED}),
}
SETTLED_RUNS: Final = frozenset({_R.SUCCEEDED, _R.NO_MATCH, _R.HANDED_OVER, _R.DONE_BY_HAND, _R.ANSWERED_WITHOUT})


class Decision(StrEnum):
    """What a person decided about one record."""

    UNDECIDED = "undecided"
    INCLUDE = "include"
    EXCLUDE = "exclude"


def advance_run(state: RunState, target: RunState) -> RunState:
    """`target`, if a run may go there from `state`. Raises: TransitionRefused."""
    if target not in RUN_TRANSITIONS[state]:
        allowed = sorted(str(known) for known in RUN_TRANSITIONS[state])
        raise TransitionRefused(f"a run cannot go from {state} to {target}", state=str(state), allowed=allowed)
    return target
