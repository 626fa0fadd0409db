"""Several sources about one text become one answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from privacyops.domain.detection.span import Source, Span
from privacyops.domain.detection.whole_words import both

_RANK: Final = {source: rank for rank, source in enumerate(Source)}


def best(spans: Sequence[Span]) -> list[Span]:
    """For searching: where two spans overlap the better source stays, of one source the higher score, then the longer.

    A span that loses against one of its own type that it reaches beyond is not cut: its type stands there already.
    """
    kept: list[Span] = []
    order = sorted(spans, key=lambda one: (_RANK[one.source], -one.score, one.start - one.end, one.start))
    for span in order:
        if not any(_overlap(span, other) for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda one: (one.start, one.end))


def union(spans: Sequence[Span]) -> list[Span]:
    """For redacting: everything anybody found. What overlaps becomes its widest reach, typed by the better source;
    the others' reasons stay in `why`.
    """
    done: list[Span] = []
    best_parts: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if done and span.start < done[-1].end:
            ahead = _better(best_parts[-1], span)
            rest = span if ahead is best_parts[-1] else best_parts[-1]
            best_parts[-1] = ahead
            last = done[-1]
            why = both(ahead.why, both(last.why, rest.why)) if ahead is not last else both(last.why, rest.why)
            done[-1] = replace(ahead, start=last.start, end=max(last.end, span.end), why=why)
        else:
            done.append(span)
            best_parts.append(span)
    return done


def _better(one: Span, other: Span) -> Span:
    return min(one, other, key=lambda span: (_RANK[span.source], -span.score, span.start - span.end))


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
