"""A thread that does one thing again and again, and goes on after an error."""

import logging
import threading
from collections.abc import Callable
from typing import Final

_log = logging.getLogger("privacyops.jobs")
_LONGEST_PAUSE_S: Final = 5.0


class Loop:
    """Calls `work` every `pause_s` seconds until stopped; at once again while `work` returns True.

    An error is logged by its class and doubles the pause up to five seconds; the next success resets it.
    """

    def __init__(self, name: str, pause_s: float, work: Callable[[], bool]) -> None:
        self._pause_s = pause_s
        self._work = work
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"privacyops-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def kick(self) -> None:
        """Do not wait for the rest of the pause."""
        self._wake.set()

    def stop(self, wait_s: float = 5.0) -> None:
        """Let the present round end and return."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        pause = self._pause_s
        while not self._stop.is_set():
            try:
                more = self._work()
                pause = self._pause_s
            except Exception as error:
                _log.warning("loop failed", extra={"loop": self._thread.name, "code": type(error).__name__})
                more, pause = False, min(pause * 2, _LONGEST_PAUSE_S)
            if not more:
                self._wake.wait(pause)
                self._wake.clear()
