"""What a caller names cannot fill the memory of the check."""

from typing import Any
from unittest.mock import Mock

from privacyops.services.consent.checking import _ground, _Question


def test_places_that_callers_name_are_remembered_up_to_a_bound() -> None:
    known: Any = Mock()
    known.current.ground_in.side_effect = lambda named, home, brand: (named, home)
    question = _Question(known, Mock(), (1, 2, 3))
    for number in range(1000):
        place = f"DE-{number}"
        told: Any = [_ground(question, place, "FR") for _ in range(2)]
        assert told == [(place, "FR")] * 2
        assert len(question.grounds) <= 256
    assert known.current.ground_in.call_count == 1000, "the second time is from memory"
