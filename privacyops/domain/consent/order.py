"""Which of two facts counts as the later one, and which claims about time are refused at the door.

A foreign clock can only make the answer stricter: a stop counts from the moment we learned of it, a grant from
the earliest moment it may have been given, and never from one that lies ahead.
"""

from datetime import timedelta
from typing import Final

from privacyops.domain.consent.state import ClockTrust
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Unprocessable

CLOCK_SLACK: Final = timedelta(seconds=300)
OLDEST_GRANT: Final = timedelta(hours=24)
OLDEST_OFFLINE_GRANT: Final = timedelta(days=30)


class OccurredInFuture(Unprocessable):
    type = "/problems/occurred-in-future"
    title = "The choice lies in the future"


class OccurredTooOld(Unprocessable):
    type = "/problems/occurred-too-old"
    title = "The choice is too old to be recorded without the right to backdate"


def order_time(*, is_stop: bool, clock: ClockTrust, occurred_at: Instant, recorded_at: Instant) -> Instant:
    """The time by which facts are put in order. Computed, never sent."""
    if clock is ClockTrust.TRUSTED:
        return occurred_at if is_stop else min(occurred_at, recorded_at)
    if is_stop:
        return recorded_at
    is_late = recorded_at - occurred_at > CLOCK_SLACK
    return min(occurred_at, recorded_at) - (CLOCK_SLACK if is_late else timedelta())


def admit_grant(occurred_at: Instant, recorded_at: Instant, *, may_backdate: bool, is_offline: bool = False) -> None:
    """Let a grant of this claimed time pass. A stop is never refused for its time, so it is not asked about.

    `is_offline`: it comes from a till or form that hands its records over later.

    Raises: OccurredInFuture: more than 300 s ahead. OccurredTooOld: older than 24 h (30 days offline).
    """
    if occurred_at - recorded_at > CLOCK_SLACK:
        raise OccurredInFuture
    oldest = OLDEST_OFFLINE_GRANT if is_offline else OLDEST_GRANT
    if recorded_at - occurred_at > oldest and not may_backdate:
        raise OccurredTooOld
