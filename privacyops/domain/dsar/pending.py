"""When a store that works on what it accepted is asked again, when a person is told, and when it is given up."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from privacyops.domain.erasure.operation import Ticket
from privacyops.kernel.clock import Instant

SOONEST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(days=1)
"""A store says when it wants to be asked; no sooner and no later than these."""
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=6)
"""A store that does not answer is asked again after a wait that doubles."""
TELL_AFTER: Final = timedelta(days=1)
"""A job that runs longer than this is shown to the store's owner."""
TELL_BEFORE: Final = timedelta(days=7)
"""So long before the safe date it is shown in any case."""
ANSWER_BEFORE: Final = timedelta(days=3)
"""So long before the safe date the request goes on without the store; its receipt says what is outstanding."""
GRACE: Final = timedelta(days=1)
"""How long past the end of its time a store that does not answer is still asked."""

GIVEN_UP: Final = "given_up"
"""The code of a store that a person no longer waits for."""


def next_look(tickets: Sequence[Ticket], now: Instant) -> Instant:
    """When the store is asked next: as soon as one of its jobs wants to be asked."""
    wanted = min((one.poll_after for one in tickets), default=now)
    return min(max(wanted, now + SOONEST), now + LONGEST)


def look_after_silence(times: int, now: Instant) -> Instant:
    """When a store is asked again that did not answer `times` times in a row, 1 at least."""
    return now + min(FIRST_WAIT * (1 << min(times - 1, 20)), LONGEST_WAIT)


def is_given_up(tickets: Sequence[Ticket], now: Instant) -> bool:
    """Whether a store that does not answer had all the time that its jobs may take, and a day more."""
    return all(now >= one.give_up_at + GRACE for one in tickets)


def is_to_be_told(since: Instant, safe_due_on: date, now: Instant) -> bool:
    """Whether a person has to hear that the store still works on it."""
    return now - since >= TELL_AFTER or now.date() >= safe_due_on - TELL_BEFORE


def is_answered_without(safe_due_on: date, now: Instant) -> bool:
    """Whether the request can wait for the store no longer."""
    return now.date() >= safe_due_on - ANSWER_BEFORE
