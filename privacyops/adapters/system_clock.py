"""The only place that asks the machine what time it is."""

import time
from datetime import UTC, datetime

from privacyops.kernel.clock import Instant


class SystemClock:
    """Clock over the operating system.

    `boot_seconds` counts time asleep where the system can (CLOCK_BOOTTIME): a lease must end on a laptop that was
    shut too. Elsewhere it stands still during sleep, and leases last longer than they should, never shorter.
    """

    def now(self) -> Instant:
        return datetime.now(UTC)

    def boot_seconds(self) -> float:
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()
