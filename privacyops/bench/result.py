"""Figures of a benchmark: a name, a value, its unit, the goal, and whether it is met."""

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

NO_RESULT_ABOVE: Final = 0.25
"""A spread of the rounds beyond this says that the machine was busy with something else."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `goal` is the most it may be, or with `at_least` the least; None: shown for comparison."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def host(rounds: int, spread: float) -> Mapping[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "rounds": rounds,
        "spread_percent": round(spread * 100),
    }


def spread(values: Sequence[float]) -> float:
    """How far the middle half of the rounds lies apart, as a share of the median."""
    if len(values) < 4:
        return (max(values) - min(values)) / statistics.median(values) if values else 0.0
    quarters = statistics.quantiles(values, n=4)
    return (quarters[2] - quarters[0]) / statistics.median(values)


def as_json(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """One object: `host`, and `rows` of {name, value, unit, goal, met}."""
    return json.dumps({"host": about, "rows": [{**asdict(row), "met": row.is_met} for row in rows]})


def as_lines(title: str, about: Mapping[str, Any], rows: Sequence[Row]) -> list[str]:
    """The same for people."""
    width = max(len(row.name) for row in rows)
    lines = [f"{title}   " + "  ".join(f"{name} {value}" for name, value in about.items())]
    for row in rows:
        goal = "" if row.goal is None else f"   goal {row.goal:g}  {'met' if row.is_met else 'MISSED'}"
        lines.append(f"  {row.name:<{width}}  {row.value:>10.3f} {row.unit:<10}{goal}".rstrip())
    if about["spread_percent"] > NO_RESULT_ABOVE * 100:
        lines.append("  The rounds lie too far apart for a result: the machine was busy. Wall times say little here.")
    return lines
