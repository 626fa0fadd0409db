"""Double opt-in: a grant that counts only after the contact's owner confirmed it."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, TransitionRefused

LIFE: Final = timedelta(days=7)
MAX_RESENDS: Final = 2
RESEND_PAUSE: Final = timedelta(minutes=10)


class ConfirmationState(StrEnum):
    NONE = "none"
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


class ConfirmationEvent(StrEnum):
    ASK = "ask"
    RESEND = "resend"
    CONFIRM = "confirm"
    STOP = "stop"
    CONTACT_CHANGED = "contact_changed"
    ERASED = "erased"
    TIME = "time"


_S, _E = ConfirmationState, ConfirmationEvent

TRANSITIONS: Final = {
    (_S.NONE, _E.ASK): _S.REQUESTED,
    (_S.LAPSED, _E.ASK): _S.REQUESTED,
    (_S.CANCELLED, _E.ASK): _S.REQUESTED,
    (_S.REQUESTED, _E.RESEND): _S.REQUESTED,
    (_S.REQUESTED, _E.CONFIRM): _S.CONFIRMED,
    (_S.REQUESTED, _E.STOP): _S.CANCELLED,
    (_S.REQUESTED, _E.CONTACT_CHANGED): _S.CANCELLED,
    (_S.REQUESTED, _E.ERASED): _S.CANCELLED,
    (_S.REQUESTED, _E.TIME): _S.LAPSED,
    (_S.CONFIRMED, _E.CONFIRM): _S.CONFIRMED,
}
"""The same token opens the same page twice; the second time nothing is written."""


class ResendRefused(Conflict):
    type = "/problems/resend-refused"
    title = "At most two further mails are sent, ten minutes apart"


def advance(state: ConfirmationState, event: ConfirmationEvent) -> ConfirmationState:
    """The state after `event`. Raises: TransitionRefused; `allowed` names the events that are possible."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        allowed = sorted(possible for known, possible in TRANSITIONS if known is state)
        raise TransitionRefused(f"{event} is not possible when {state}", allowed=allowed) from None


def admit_resend(sent_at: Sequence[Instant], now: Instant) -> None:
    """Let one more mail pass; `sent_at` are those sent so far, the first one included. Raises: ResendRefused."""
    if len(sent_at) > MAX_RESENDS or (sent_at and now - max(sent_at) < RESEND_PAUSE):
        raise ResendRefused
