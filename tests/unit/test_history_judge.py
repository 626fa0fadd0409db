"""The judge of the never-stale histories: what it lets pass, and that it sees a single stale answer among thousands."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fault.histories import Check, History, Write, violations

GRANT = Write(1, 0.0, 1.0, True, 1)
STOP = Write(1, 2.0, 3.0, False, 2)
BOTH = [GRANT, STOP]


def test_an_allow_after_the_acknowledgement_is_a_violation() -> None:
    late = Check(1, 3.1, 3.2, True, 1, "gate")
    assert len(violations(BOTH, [late])) == 2
    assert violations(BOTH, [replace(late, allowed=False, version=2)]) == []


def test_a_door_that_names_no_version_is_judged_by_its_answer() -> None:
    late = Check(1, 3.1, 3.2, True, None, "batch")
    assert len(violations(BOTH, [late])) == 1


def test_somebody_who_never_chose_is_not_allowed() -> None:
    assert violations([], [Check(1, 0.0, 0.1, False, 0, "gate")]) == []
    assert len(violations([], [Check(1, 0.0, 0.1, True, 0, "gate")])) == 1


def test_while_a_withdrawal_is_on_its_way_either_answer_is_right() -> None:
    for allowed, version in ((True, 1), (False, 2)):
        assert violations(BOTH, [Check(1, 2.5, 2.6, allowed, version, "gate")]) == []


def test_a_door_may_be_behind_by_its_bound_and_no_further() -> None:
    late = Check(1, 3.9, 3.95, True, 1, "copy", behind=1.0)
    assert violations(BOTH, [late]) == []
    assert len(violations(BOTH, [replace(late, began=4.1, ended=4.2)])) == 2


def test_a_question_with_a_token_is_owed_its_write_however_far_the_door_may_be_behind() -> None:
    late = Check(1, 3.1, 3.2, True, 1, "copy", behind=1.0)
    assert violations(BOTH, [late]) == []
    assert len(violations(BOTH, [replace(late, claimed=2)])) == 2
    assert len(violations(BOTH, [replace(late, claimed=2, version=None)])) == 1


def test_an_answer_that_turns_back_is_a_violation() -> None:
    first, second = Check(1, 2.1, 2.2, False, 2, "http"), Check(1, 2.3, 2.4, True, 1, "gate")
    assert len(violations(BOTH, [first, second])) == 1
    assert violations(BOTH, [first, replace(second, behind=1.0)]) == []


def test_a_denial_after_an_acknowledged_grant_is_a_violation_too() -> None:
    assert len(violations([GRANT], [Check(1, 1.1, 1.2, False, 1, "gate")])) == 1


def past(seed: int) -> History:
    """A made-up history of a service without fault: each answer shows a moment that its door may show."""
    dice, found = random.Random(seed), History()
    for person in range(6):
        now, allows = 0.0, False
        moments = [(-1.0, False, 0)]
        for version in range(1, 120):
            began = now + dice.random()
            happened, ended = began + dice.random() * 0.01, began + 0.01 + dice.random() * 0.01
            allows, now = dice.random() < 0.5, ended
            found.writes.append(Write(person, began, ended, allows, version))
            moments.append((happened, allows, version))
        found.checks += _asked(person, moments, now, dice)
    return found


def _asked(person: int, moments: list[tuple[float, bool, int]], until: float, dice: random.Random) -> Iterator[Check]:
    for _ in range(400):
        behind, began = dice.choice([0.0, 0.3]), dice.random() * until
        ended = began + dice.random() * 0.02
        shown = dice.uniform(began - behind, ended)
        _, allows, version = max(one for one in moments if one[0] <= shown)
        yield Check(person, began, ended, allows, dice.choice([version, None]), f"within {behind}", behind)


@pytest.mark.parametrize("seed", range(3))
def test_a_history_without_fault_has_no_violation(seed: int) -> None:
    made = past(seed)
    assert violations(made.writes, made.checks) == []


@pytest.mark.parametrize("seed", range(3))
def test_one_stale_yes_planted_among_thousands_is_found_and_named(seed: int) -> None:
    made, dice = past(seed), random.Random(seed)
    stops = [
        (one, after)
        for one, after in zip(made.writes, made.writes[1:], strict=False)
        if one.person == after.person and not one.allows and after.began - one.ended > 0.4
    ]
    for stop, after in dice.sample(stops, 8):
        began = dice.uniform(stop.ended + 0.31, after.began - 0.01)
        planted = Check(stop.person, began, began + 0.005, True, None, "planted", 0.3)
        at = dice.randrange(len(made.checks))
        found = violations(made.writes, [*made.checks[:at], planted, *made.checks[at:]])
        assert found == [f"planted: person {stop.person} was allowed after an acknowledged withdrawal (version None)"]


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = past(0)
    made.silences["gate"] = 3
    made.save(tmp_path / "history.ndjson")
    assert History.load(tmp_path / "history.ndjson") == made
