"""A loop rests longer while there is nothing to do, and is awake again as soon as there is."""

import threading
import time
from itertools import pairwise
from typing import Any

from privacyops.adapters.system_clock import SystemClock
from privacyops.adapters.telemetry import JsonTelemetry
from privacyops.jobs.loop import Loop


def _times(work: Any, seconds: float, **how: float) -> list[float]:
    """When the loop worked, in seconds since it began."""
    began, seen = time.monotonic(), list[float]()

    def timed() -> bool:
        seen.append(time.monotonic() - began)
        return bool(work(len(seen)))

    loop = Loop("test", 0.01, timed, JsonTelemetry(SystemClock()), **how)
    loop.start()
    threading.Event().wait(seconds)
    loop.stop()
    return seen


def test_an_idle_loop_works_ever_more_seldom() -> None:
    seen = _times(lambda _: False, 1.2, rest_s=0.2)
    assert max(later - earlier for earlier, later in pairwise(seen)) >= 0.19
    assert len(seen) < 20


def test_a_loop_without_a_rest_keeps_its_pace() -> None:
    assert len(_times(lambda _: False, 0.5)) > 15


def test_a_loop_that_found_something_begins_anew_with_its_shortest_pause() -> None:
    seen = _times(lambda number: number == 8, 0.7, rest_s=0.2)
    assert seen[7] - seen[6] > 0.05
    assert seen[9] - seen[8] < 0.05


def _kicked(on_round: Any) -> int:
    """How many rounds follow a kick within five seconds in a loop that rests for half a minute by now."""
    seen = list[float]()

    def work() -> bool:
        seen.append(time.monotonic())
        on_round(loop, len(seen))
        return False

    loop = Loop("test", 0.01, work, JsonTelemetry(SystemClock()), rest_s=30)
    loop.start()
    while len(seen) < 12:  # the next pause is longer than a second
        time.sleep(0.01)
    loop.kick()
    time.sleep(0.5)
    loop.stop()
    return len(seen) - 12


def test_a_kick_ends_the_rest() -> None:
    assert _kicked(lambda _loop, _number: None) == 1


def test_a_kick_during_a_round_brings_another_round() -> None:
    assert _kicked(lambda loop, number: loop.kick() if number == 13 else None) == 2


def test_kicks_do_not_hurry_what_fails() -> None:
    seen = list[float]()

    def work() -> bool:
        seen.append(time.monotonic())
        raise ValueError

    loop = Loop("test", 0.05, work, JsonTelemetry(SystemClock()))
    loop.start()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        loop.kick()
        time.sleep(0.002)
    loop.stop()
    assert len(seen) <= 6
