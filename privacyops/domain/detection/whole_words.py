"""Spans over whole words. A part of a name that is left over is a leak."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from privacyops.domain.detection.span import Span

_GAP: Final = re.compile(r"[^\w]{0,2}")
_ENDS: Final = " \t\r\n,;:"


def widened(text: str, start: int, end: int) -> tuple[int, int]:
    """The smallest stretch of whole words around `start` to `end`; a word is a run of letters, digits and `_`."""
    while start > 0 and start < len(text) and _is_word(text[start]) and _is_word(text[start - 1]):
        start -= 1
    while 0 < end < len(text) and _is_word(text[end - 1]) and _is_word(text[end]):
        end += 1
    return start, end


def whole_words(text: str, spans: Iterable[Span]) -> list[Span]:
    """Each span widened to whole words, trimmed of blanks and commas at its ends; empty ones are dropped."""
    found = []
    for span in spans:
        start, end = widened(text, span.start, span.end)
        while start < end and text[start] in _ENDS:
            start += 1
        while end > start and text[end - 1] in _ENDS:
            end -= 1
        if start < end:
            found.append(replace(span, start=start, end=end))
    return found


def joined(text: str, spans: Sequence[Span], types: frozenset[str]) -> list[Span]:
    """Neighbours of one of these types with at most two separators between become one span, and so do overlapping
    ones; `why` keeps what each part said.
    """
    done: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.type, one.start, -one.end)):
        last = done[-1] if done else None
        if last is not None and last.type == span.type and (
            span.start < last.end or (span.type in types and _GAP.fullmatch(text, last.end, span.start))
        ):  # fmt: skip
            done[-1] = replace(
                last, end=max(last.end, span.end), score=max(last.score, span.score), why=both(last.why, span.why)
            )
        else:
            done.append(span)
    return sorted(done, key=lambda one: (one.start, one.end, one.type))


def both(one: str, other: str) -> str:
    """Two reasons as one line; what both say stands once."""
    parts = list(dict.fromkeys([*one.split(" + "), *other.split(" + ")]))
    return " + ".join(parts)


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
