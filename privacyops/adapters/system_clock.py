"""The only place that asks the machine what time it is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from privacyops.kernel.clock import Instant

_boot_seconds: Final[Callable[[], float]] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class SystemClock:
    """Clock over the operating system.

    `boot_seconds` counts time asleep where the system can (CLOCK_BOOTTIME): a lease must end on a laptop that was
    shut too. Elsewhere it stands still during sleep, and leases last longer than they should, never shorter.
    """

    def now(self) -> Instant:
        return datetime.now(UTC)

    def boot_seconds(self) -> float:
        return _boot_seconds()
