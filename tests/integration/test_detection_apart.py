"""Detection in its child process: it answers, ends without anybody's loss, and is not waited for for ever."""

import os
import signal
from collections.abc import Iterator

import pytest

from privacyops.adapters.pii.apart import ApartDetection
from privacyops.domain.detection.span import Profile
from privacyops.ports.pii import DetectionFailed, Text

TEXTS = [Text("😀 write to peter@example.org \ud800"), Text("nobody")]


@pytest.fixture
def detection() -> Iterator[ApartDetection]:
    """Patterns alone, which every installation has."""
    made = ApartDetection(("DE",), uses_models=False)
    yield made
    made.close()


def test_a_child_that_ended_is_replaced_and_what_is_missing_is_told(detection: ApartDetection) -> None:
    first = detection.look(TEXTS, Profile.REDACT)
    [span] = first.found[0].spans
    assert (span.start, span.end, span.type) == (11, 28, "EMAIL_ADDRESS")
    assert any("PERSON" in one for one in first.found[1].unsearched)
    assert any("no model; patterns only" in one for one in first.degraded)
    assert detection._child is not None
    os.kill(detection._child.pid, signal.SIGKILL)
    assert detection.look(TEXTS, Profile.REDACT) == first


def test_a_child_that_does_not_answer_in_time_fails_and_a_closed_one_is_not_started_again() -> None:
    slow = ApartDetection(("DE",), uses_models=False, start_seconds=0.0)
    with pytest.raises(DetectionFailed):
        slow.look(TEXTS, Profile.REDACT)
    slow.close()
    with pytest.raises(DetectionFailed):
        slow.look(TEXTS, Profile.REDACT)
