"""One thread a store: calls run in it in turn, and a call that does not come back is left behind with its thread."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

T = TypeVar("T")
GRACE_SECONDS: Final = 5.0
"""How long over its deadline a call may run before its thread is abandoned."""


class Overrun(Exception):
    """The call is still running somewhere; nothing is known of its effect."""


@dataclass
class _Job:
    work: Callable[[], Any]
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: BaseException | None = None


class StoreWorker:
    """Runs work in a daemon thread of its own, one piece at a time."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name=f"store-{name}", daemon=True)
        self._thread.start()
        self.is_abandoned = False

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """The result of `work`, or what it raised.

        Raises: Overrun: it did not end within `seconds` and the grace; the worker takes no more work.
        """
        job = _Job(work)
        self._jobs.put(job)
        if not job.done.wait(max(0.0, seconds) + GRACE_SECONDS):
            self.is_abandoned = True
            raise Overrun
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def stop(self, last: Callable[[], object] | None = None, seconds: float = 2.0) -> None:
        """Ends the thread after `last`; waits at most `seconds`, for a store that hangs must not hang us."""
        if last is not None and not self.is_abandoned:
            self._jobs.put(_Job(last))
        self._jobs.put(None)
        if not self.is_abandoned:
            self._thread.join(seconds)

    def _loop(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            try:
                job.result = job.work()
            except BaseException as error:
                job.error = error
            finally:
                job.done.set()


def monotonic() -> float:
    """Seconds on the clock that deadlines of calls are told in."""
    return time.monotonic()
