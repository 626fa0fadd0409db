"""How the engine's queues rest: long while nothing waits, and no longer than a nudge.

The engine looks into each queue every `polling_interval_sec` and knows no other way to hear of work. A look costs some
milliseconds of processor time, so that looking often is most of what an idle service costs; looking seldom would let
work wait. Its threads rest on the event that stops them: they are given this one, which a nudge ends too.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

_LOOKS_S: Final = (0.02, 0.25)
"""The rests after a nudge: what is handed over in one go is taken in one look, and the engine counts a page as running
until shortly after its end."""
SELDOM_S: Final = 10.0
"""How often it looks for what never happens here: new queues, work in its own queue, delays and time limits."""
_THREAD: Final = "queue-worker-"
_OWN_QUEUE: Final = "_dbos_internal_queue"
_MANAGER: Final = ""


_Thread: TypeAlias = Callable[[Any, Any], None]


class _Ending(Protocol):
    def is_set(self) -> bool: ...


class QueueRest:
    """What the engine's queue threads wait on: like an event that is set when they are to end.

    `nudge` ends the rest of one queue's thread. A nudge during a look is not lost: another look follows.
    """

    def __init__(self) -> None:
        self._ending: _Ending = threading.Event()
        self._has_ended = False
        self._rests: dict[str, list[float]] = {}
        self._changed = threading.Condition()

    def nudge(self, queue: str = _MANAGER) -> None:
        """There is work in the queue, or room for it in this process; without a name: there is a new queue."""
        with self._changed:
            self._rests[queue] = list(_LOOKS_S)
            self._changed.notify_all()

    def end(self) -> None:
        """Let every thread end; to be called before the engine ends them, which does not reach those that rest here."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def is_set(self) -> bool:
        return self._has_ended or self._ending.is_set()

    def wait(self, timeout: float) -> bool:
        """Rest for so many seconds; whether the thread is to end."""
        name = threading.current_thread().name
        queue = name.removeprefix(_THREAD) if name.startswith(_THREAD) else _MANAGER
        longest = max(timeout, SELDOM_S) if queue in (_MANAGER, _OWN_QUEUE) else timeout
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_nudged(queue), self._rest_of(queue, longest)):
                return False
            rests = self._rests.get(queue)
            if rests:
                self._changed.wait_for(self.is_set, rests.pop(0))
        return self.is_set()

    def _is_nudged(self, queue: str) -> bool:
        return self.is_set() or len(self._rests.get(queue, ())) == len(_LOOKS_S)

    def _rest_of(self, queue: str, longest: float) -> float:
        rests = self._rests.get(queue)
        return min(longest, rests.pop()) if rests and len(rests) < len(_LOOKS_S) else longest

    def around(self, queue_thread: _Thread) -> _Thread:
        """The engine's manager of queue threads, which rests here, as all do that it starts."""

        def resting(stop_event: Any, engine: Any) -> None:
            self._ending = stop_event
            queue_thread(self, engine)  # asks whether it is set, and waits

        return resting
