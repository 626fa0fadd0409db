"""A thread that does one thing again and again, and goes on after an error."""

import threading
from collections.abc import Callable
from typing import Final

from privacyops.ports.telemetry import Telemetry

_LONGEST_PAUSE_S: Final = 5.0


class Loop:
    """Calls `work` every `pause_s` seconds until stopped; at once again while `work` returns True.

    An error is told by its class and doubles the pause up to five seconds; the next success resets it.
    """

    def __init__(self, name: str, pause_s: float, work: Callable[[], bool], telemetry: Telemetry) -> None:
        self._name = name
        self._telemetry = telemetry
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

    def ask_to_stop(self) -> None:
        """Begin no further round."""
        self._stop.set()
        self._wake.set()

    def stop(self, wait_s: float = 5.0) -> None:
        """Let the present round end and return."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        pause = self._pause_s
        while not self._stop.is_set():
            try:
                more = self._work()
                pause = self._pause_s
            except Exception as error:
                self._telemetry.failure("loop.failed", error, step=self._name)
                more, pause = False, min(pause * 2, _LONGEST_PAUSE_S)
            if not more:
                self._wake.wait(pause)
                self._wake.clear()
