"""How a benchmark tells its figures."""

import json

import pytest

from privacyops.bench.result import Row, as_json, as_lines, spread

ABOUT = {"cores": 2, "rounds": 3, "spread_percent": 4}


@pytest.mark.parametrize(("value", "met"), [(0.2, True), (0.3, True), (0.31, False)])
def test_a_goal_is_the_most_a_figure_may_be(value: float, met: bool) -> None:
    assert Row("wall", value, "s", 0.3).is_met is met


def test_a_figure_without_a_goal_is_neither_met_nor_missed() -> None:
    assert json.loads(as_json(ABOUT, [Row("baseline", 1.0, "s")]))["rows"][0]["met"] is None


def test_rounds_that_agree_have_no_spread() -> None:
    assert spread([2.0, 2.0, 2.0, 2.0]) == 0


def test_rounds_that_lie_apart_are_no_result() -> None:
    lines = as_lines("dsar", {**ABOUT, "spread_percent": 60}, [Row("wall", 1, "s", 2)])
    assert "too far apart" in lines[-1]
    assert "goal 2  met" in lines[1]
