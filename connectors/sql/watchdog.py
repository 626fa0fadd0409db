"""One thread a store that ends a statement when its call is cancelled or out of time.

A server that stopped answering holds no timer of ours: its sockets stay open and every read waits. So the end
is made on this side: first politely (a cancel request), then by cutting the socket.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from privacyops.connector_sdk import Call

LOOK_EVERY: Final = 0.1
"""Seconds between two looks at `call.cancelled`."""
POLITE: Final = 0.6
"""Seconds a cancelled statement has before its connection is cut."""


class Watchdog:
    """Armed around each statement. `ended_by` says why it struck: `deadline`, `cancelled`, or nothing."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._call: Call | None = None
        self._cancel: Callable[[], None] = lambda: None
        self._cut: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None
        self._closed = False
        self.ended_by = ""

    def arm(self, call: Call, cancel: Callable[[], None], cut: Callable[[], None]) -> None:
        with self._wake:
            self._call, self._cancel, self._cut, self.ended_by = call, cancel, cut, ""
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sql-watchdog", daemon=True)
                self._thread.start()
            self._wake.notify()

    def disarm(self) -> None:
        with self._wake:
            self._call = None

    def close(self) -> None:
        """Ends the thread. May be called twice."""
        with self._wake:
            self._closed = True
            self._call = None
            self._wake.notify()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(5)

    def _run(self) -> None:
        struck_at = 0.0
        while True:
            with self._wake:
                if self._closed:
                    return
                call = self._call
                if call is None:
                    struck_at = 0.0
                    self._wake.wait()
                    continue
                reason = "cancelled" if call.cancelled() else "deadline" if call.remaining() <= 0 else ""
                if reason and not self.ended_by:
                    self.ended_by, struck_at = reason, time.monotonic()
                    act: Callable[[], None] | None = self._cancel
                elif self.ended_by and struck_at and time.monotonic() - struck_at >= POLITE:
                    act = self._cut
                    struck_at = time.monotonic()
                else:
                    act = None
                if act is not None:
                    # under the lock: it meets the armed statement, never the one after it
                    _quietly(act)
            with self._wake:
                if self._call is call and not self._closed:
                    self._wake.wait(min(LOOK_EVERY, max(0.005, call.remaining() or LOOK_EVERY)))


def _quietly(act: Callable[[], None]) -> None:
    with suppress(Exception):  # the connection may be gone already, which is what was wanted
        act()
