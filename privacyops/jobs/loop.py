"""A thread that does one thing again and again, and goes on after an error."""

import threading
from collections.abc import Callable
from typing import Final

from privacyops.ports.telemetry import Telemetry

_LONGEST_PAUSE_S: Final = 5.0


class Loop:
    """Calls `work` every `pause_s` seconds until stopped; at once again while `work` returns True.

    While there is nothing to do the pause grows by half each time, up to `rest_s`: an idle service costs nothing. A
    `kick` ends the rest, but two rounds never follow each other faster than every `pause_s` because of it.
    An error is told by its class and doubles the pause up to five seconds; the next success resets it.
    """

    def __init__(
        self, name: str, pause_s: float, work: Callable[[], bool], telemetry: Telemetry, rest_s: float | None = None
    ) -> None:
        self._name = name
        self._telemetry = telemetry
        self._pause_s = pause_s
        self._rest_s = rest_s or pause_s
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
            self._wake.clear()  # a kick from here on is about something that this round may not see
            try:
                more = self._work()
                pause = self._pause_s if more else min(pause, self._rest_s)
            except Exception as error:
                self._telemetry.failure("loop.failed", error, step=self._name)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                self._stop.wait(pause)  # a kick does not hurry what fails
                continue
            if not more:
                self._stop.wait(self._pause_s)
                self._wake.wait(max(0.0, pause - self._pause_s))
                pause = max(pause, min(pause * 1.5, self._rest_s))
