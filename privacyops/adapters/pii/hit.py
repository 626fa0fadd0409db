"""One raw result of one recognizer, and Presidio's rule of which of several stay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any


@dataclass(slots=True)
class Hit:
    """Mutable on purpose: a context word raises the score. `owner` is the recognizer's place in its set, -1 a model."""

    start: int
    end: int
    type: str
    score: float
    owner: int
    pattern: str = ""
    checked: bool | None = None
    context: str = ""


def without_doubles(hits: Sequence[Hit]) -> list[Hit]:
    """As `EntityRecognizer.remove_duplicates`: no zero scores, and nothing inside a hit of its type whose score is as
    high. Of equal ones the first stays.
    """
    if len(hits) < 2:
        return [hit for hit in hits if hit.score != 0]
    first: dict[tuple[str, int, int, float], Hit] = {}
    for hit in hits:
        first.setdefault((hit.type, hit.start, hit.end, hit.score), hit)
    ordered = sorted(first.values(), key=lambda one: (one.type, one.start, one.start - one.end, -one.score))
    kept: list[Hit] = []
    for _, group in groupby(ordered, key=lambda one: one.type):
        active: list[Hit] = []
        for hit in group:
            if hit.score == 0:
                continue
            active = [other for other in active if other.end >= hit.start]
            if not any(hit.end <= other.end and hit.score <= other.score for other in active):
                kept.append(hit)
                active.append(hit)
    return kept


def from_presidio(results: Iterable[Any], owner: int) -> list[Hit]:
    """Results of a recognizer that brings its own way of looking."""
    return [
        Hit(
            one.start, one.end, one.entity_type, one.score, owner,
            getattr(one.analysis_explanation, "pattern_name", None) or "",
            getattr(one.analysis_explanation, "validation_result", None),
        )
        for one in results
    ]  # fmt: skip
