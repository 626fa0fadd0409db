"""Boot time: seconds since the machine started. It never jumps, and it counts while the machine sleeps.

A copy of answers must not look young after a laptop was closed or a virtual machine was paused. Where the system has no
boot clock, the monotonic clock is what there is.
"""

import functools
import time
from collections.abc import Callable
from typing import Final

Clock = Callable[[], float]

boottime: Final[Clock] = (
    functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
