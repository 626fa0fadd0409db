"""The engine's queue threads rest long, and no longer than a nudge or the end."""

import threading
import time
from collections.abc import Callable

import dbos._dbos

from privacyops.jobs.queue_rest import QueueRest


def rested(rest: QueueRest, queue: str, seconds: float, meanwhile: Callable[[], None]) -> tuple[float, bool]:
    """How long a queue's thread rests while something happens, and whether it is to end."""
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(rest.wait(timeout=seconds)), name=f"queue-worker-{queue}")
    began = time.monotonic()
    thread.start()
    meanwhile()
    thread.join(10)
    return time.monotonic() - began, told[0]


def test_a_nudge_ends_the_rest_of_its_queue_and_of_no_other() -> None:
    rest = QueueRest()
    took, is_over = rested(rest, "model", 5, lambda: rest.nudge("model"))
    assert took < 1
    assert not is_over
    assert rested(rest, "deliver", 0.3, lambda: rest.nudge("model"))[0] >= 0.3


def test_a_nudge_during_a_look_is_not_lost_and_a_second_look_follows() -> None:
    rest = QueueRest()
    rest.nudge("model")
    took = [rested(rest, "model", 0.6, lambda: None)[0] for _ in range(3)]
    assert took[0] < 0.2
    assert took[1] < 0.5
    assert took[2] >= 0.6


def test_the_end_ends_every_rest() -> None:
    rest = QueueRest()
    took, is_over = rested(rest, "model", 5, rest.end)
    assert (took < 1, is_over, rest.is_set()) == (True, True, True)


def test_what_never_has_work_here_is_looked_at_seldom() -> None:
    rest = QueueRest()
    assert rested(rest, "_dbos_internal_queue", 0.01, lambda: time.sleep(0.2) or rest.end())[0] >= 0.2  # type: ignore[func-returns-value]


def test_what_the_engine_starts_rests_here() -> None:
    given: list[object] = []
    rest, stop = QueueRest(), threading.Event()
    rest.around(lambda event, engine: given.extend((event, engine)))(stop, "engine")
    assert given == [rest, "engine"]
    stop.set()
    assert rest.is_set()


def test_the_engine_still_has_the_names_that_are_taken_hold_of() -> None:
    assert callable(dbos._dbos.queue_thread)
    assert dbos._workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC > 0
