"""How hard a store is asked: a token bucket, pauses that grow with chance in them, and a circuit that opens."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

TRIES: Final = 4
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 30.0
FAILURES_THAT_OPEN: Final = 5
OPEN_SECONDS: Final = 30.0
BUGS_THAT_PAUSE: Final = 3
_CHANCE: Final = secrets.SystemRandom()
"""Not the process's own generator: searches run on threads of their own, beside work that may have seeded that one."""


def pause_before(attempt: int, after: timedelta | None, chance: Callable[[], float] = _CHANCE.random) -> float:
    """Seconds to wait before the attempt with this number (1 is the first repeat). What the store asked for wins."""
    if after is not None:
        return after.total_seconds()
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** (attempt - 1)) * (0.5 + chance()))


@dataclass
class Circuit:
    """Open after five failures in a row, for half a minute; three bugs or a wrong setting keep it open.

    `now` is a clock that never jumps, in seconds.
    """

    now: Callable[[], float] = time.monotonic
    failures: int = 0
    bugs: int = 0
    open_until: float = 0.0

    def is_open(self) -> bool:
        """Whether calls are refused without asking the store."""
        return self.now() < self.open_until

    def succeeded(self) -> None:
        """The store answered, if only to refuse."""
        self.failures = 0

    def failed(self) -> None:
        """The store did not answer."""
        self.failures += 1
        if self.failures >= FAILURES_THAT_OPEN:
            self.open_until = self.now() + OPEN_SECONDS

    def broke(self) -> None:
        """The connector raised something that no connector may raise."""
        self.bugs += 1
        if self.bugs >= BUGS_THAT_PAUSE:
            self.open_until = float("inf")

    def overran(self) -> None:
        """A call had to be abandoned: what the store is doing is unknown."""
        self.open_until = self.now() + OPEN_SECONDS


class TokenBucket:
    """At most `burst` calls at once, then `per_second`. Waiting is the caller's: `wait_time` says how long."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._now = per_second, float(max(1, burst)), now
        self._level, self._at = self._burst, now()
        self._lock = threading.Lock()

    def wait_time(self) -> float:
        """Takes a token and says how many seconds to wait before using it."""
        with self._lock:
            now = self._now()
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
            self._at = now
            self._level -= 1.0
            return max(0.0, -self._level / self._rate)
