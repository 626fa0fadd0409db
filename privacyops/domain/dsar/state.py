"""The states of a request and the one table that moves it.

Waiting is not pausing: whether the clock stops is decided by the rule of the regime (domain/deadline).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from privacyops.kernel.errors import TransitionRefused


class DsarState(StrEnum):
    RECEIVED = "received"
    AWAITING_IDENTITY = "awaiting_identity"
    AWAITING_CLARIFICATION = "awaiting_clarification"
    AWAITING_FEE = "awaiting_fee"
    SEARCHING = "searching"
    IN_REVIEW = "in_review"
    AWAITING_APPROVAL = "awaiting_approval"
    EXECUTING = "executing"
    ANSWERING = "answering"
    ANSWERED = "answered"
    CLOSED = "closed"


class DsarEvent(StrEnum):
    ASK_IDENTITY = "ask_identity"
    ASK_CLARIFICATION = "ask_clarification"
    DEMAND_FEE = "demand_fee"
    START_SEARCH = "start_search"
    APPLY_STOP = "apply_stop"
    START_REVIEW = "start_review"
    MERGE = "merge"
    DISMISS = "dismiss"
    TRANSFER = "transfer"
    IDENTITY_PROVED = "identity_proved"
    IDENTITY_INSUFFICIENT = "identity_insufficient"
    GIVE_UP_IDENTITY = "give_up_identity"
    EXPIRE_UNVERIFIED = "expire_unverified"
    CLARIFICATION_RECEIVED = "clarification_received"
    PROCEED_UNCLARIFIED = "proceed_unclarified"
    FEE_SETTLED = "fee_settled"
    FEE_LAPSED = "fee_lapsed"
    FEE_REFUSED = "fee_refused"
    RUN_FAILED = "run_failed"
    SEARCH_SETTLED = "search_settled"
    SEARCH_AGAIN = "search_again"
    SUBMIT_FOR_APPROVAL = "submit_for_approval"
    START_EXECUTION = "start_execution"
    FINISH_REVIEW = "finish_review"
    APPROVE_PLAN = "approve_plan"
    APPROVE_ANSWER = "approve_answer"
    RETURN = "return"
    PLAN_CHANGED = "plan_changed"
    STEP_FAILED = "step_failed"
    HALT = "halt"
    EXECUTION_SETTLED = "execution_settled"
    RELEASE = "release"
    RECALL = "recall"
    ANSWER_SENT = "answer_sent"
    DELIVERY_FAILED = "delivery_failed"
    LATE_RESULT = "late_result"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    CORRECT = "correct"
    EXTEND = "extend"


class Resume(StrEnum):
    """Not a state: the place where a transition returns to the state that was left for waiting."""

    RESUME_TO = "resume_to"


_S, _E = DsarState, DsarEvent
_WAITING: Final = (_S.AWAITING_IDENTITY, _S.AWAITING_CLARIFICATION, _S.AWAITING_FEE)
_BEFORE_ANSWERED: Final = (
    _S.RECEIVED, *_WAITING, _S.SEARCHING, _S.IN_REVIEW, _S.AWAITING_APPROVAL, _S.EXECUTING, _S.ANSWERING,
)  # fmt: skip
_WITHDRAWABLE: Final = tuple(state for state in _BEFORE_ANSWERED if state is not _S.EXECUTING)

TRANSITIONS: Final[Mapping[tuple[DsarState, DsarEvent], DsarState | Resume]] = {
    (_S.RECEIVED, _E.ASK_IDENTITY): _S.AWAITING_IDENTITY,
    (_S.SEARCHING, _E.ASK_IDENTITY): _S.AWAITING_IDENTITY,
    (_S.IN_REVIEW, _E.ASK_IDENTITY): _S.AWAITING_IDENTITY,
    (_S.RECEIVED, _E.ASK_CLARIFICATION): _S.AWAITING_CLARIFICATION,
    (_S.SEARCHING, _E.ASK_CLARIFICATION): _S.AWAITING_CLARIFICATION,
    (_S.IN_REVIEW, _E.ASK_CLARIFICATION): _S.AWAITING_CLARIFICATION,
    (_S.RECEIVED, _E.DEMAND_FEE): _S.AWAITING_FEE,
    (_S.IN_REVIEW, _E.DEMAND_FEE): _S.AWAITING_FEE,
    (_S.RECEIVED, _E.START_SEARCH): _S.SEARCHING,
    (_S.RECEIVED, _E.APPLY_STOP): _S.EXECUTING,
    (_S.RECEIVED, _E.START_REVIEW): _S.IN_REVIEW,
    **{(s, _E.MERGE): _S.CLOSED for s in (_S.RECEIVED, _S.AWAITING_IDENTITY, _S.SEARCHING, _S.IN_REVIEW)},
    **{(s, _E.DISMISS): _S.CLOSED for s in (_S.RECEIVED, _S.AWAITING_IDENTITY)},
    **{(s, _E.TRANSFER): _S.ANSWERING for s in (_S.RECEIVED, _S.IN_REVIEW)},
    (_S.AWAITING_IDENTITY, _E.IDENTITY_PROVED): Resume.RESUME_TO,
    (_S.AWAITING_IDENTITY, _E.IDENTITY_INSUFFICIENT): _S.AWAITING_IDENTITY,
    (_S.AWAITING_IDENTITY, _E.GIVE_UP_IDENTITY): _S.ANSWERING,
    (_S.AWAITING_IDENTITY, _E.EXPIRE_UNVERIFIED): _S.CLOSED,
    (_S.AWAITING_CLARIFICATION, _E.CLARIFICATION_RECEIVED): Resume.RESUME_TO,
    (_S.AWAITING_CLARIFICATION, _E.PROCEED_UNCLARIFIED): Resume.RESUME_TO,
    (_S.AWAITING_FEE, _E.FEE_SETTLED): Resume.RESUME_TO,
    (_S.AWAITING_FEE, _E.FEE_LAPSED): _S.CLOSED,
    (_S.AWAITING_FEE, _E.FEE_REFUSED): _S.IN_REVIEW,
    (_S.SEARCHING, _E.RUN_FAILED): _S.SEARCHING,
    (_S.SEARCHING, _E.SEARCH_SETTLED): _S.IN_REVIEW,
    (_S.IN_REVIEW, _E.SEARCH_AGAIN): _S.SEARCHING,
    (_S.IN_REVIEW, _E.SUBMIT_FOR_APPROVAL): _S.AWAITING_APPROVAL,
    (_S.IN_REVIEW, _E.START_EXECUTION): _S.EXECUTING,
    (_S.IN_REVIEW, _E.FINISH_REVIEW): _S.ANSWERING,
    (_S.AWAITING_APPROVAL, _E.APPROVE_PLAN): _S.EXECUTING,
    (_S.AWAITING_APPROVAL, _E.APPROVE_ANSWER): _S.ANSWERING,
    (_S.AWAITING_APPROVAL, _E.RETURN): _S.IN_REVIEW,
    (_S.AWAITING_APPROVAL, _E.PLAN_CHANGED): _S.IN_REVIEW,
    (_S.EXECUTING, _E.STEP_FAILED): _S.EXECUTING,
    (_S.EXECUTING, _E.HALT): _S.IN_REVIEW,
    (_S.EXECUTING, _E.EXECUTION_SETTLED): _S.ANSWERING,
    (_S.ANSWERING, _E.RELEASE): _S.ANSWERING,
    (_S.ANSWERING, _E.RECALL): _S.IN_REVIEW,
    (_S.ANSWERING, _E.ANSWER_SENT): _S.ANSWERED,
    (_S.ANSWERED, _E.DELIVERY_FAILED): _S.ANSWERING,
    (_S.ANSWERED, _E.LATE_RESULT): _S.IN_REVIEW,
    (_S.ANSWERED, _E.CLOSE): _S.CLOSED,
    **{(s, _E.WITHDRAW): _S.CLOSED for s in _WITHDRAWABLE},
    **{(s, _E.REOPEN): _S.IN_REVIEW for s in (_S.ANSWERED, _S.CLOSED)},
    **{(s, _E.CORRECT): s for s in (*_BEFORE_ANSWERED, _S.ANSWERED)},
    **{(s, _E.EXTEND): s for s in _BEFORE_ANSWERED},
}  # fmt: skip

RESUMABLE: Final = frozenset({_S.RECEIVED, _S.SEARCHING, _S.IN_REVIEW})
OPEN_STATES: Final = tuple(state for state in DsarState if state is not DsarState.CLOSED)


def advance(state: DsarState, event: DsarEvent, resume_to: DsarState | None = None) -> DsarState:
    """The state after `event`.

    `resume_to` is where a waiting request returns to; without one it is `received`.
    Raises: TransitionRefused: the table has no such pair; its member `allowed` lists the events it has.
    """
    try:
        target = TRANSITIONS[state, event]
    except KeyError:
        allowed = [str(known) for known in allowed_events(state)]
        raise TransitionRefused(
            f"{event} is not possible in state {state}", state=str(state), allowed=allowed
        ) from None
    if isinstance(target, Resume):
        return resume_to or DsarState.RECEIVED
    return target


def allowed_events(state: DsarState) -> tuple[DsarEvent, ...]:
    """The events listed for `state`, in the order of the table."""
    return tuple(event for known, event in TRANSITIONS if known is state)


def is_waiting_for_subject(state: DsarState) -> bool:
    """Whether the next move is the customer's."""
    return state in _WAITING
