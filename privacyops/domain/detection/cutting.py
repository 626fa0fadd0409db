"""Long texts in pieces that every detector takes, and the pieces' spans as spans of the whole."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from privacyops.domain.detection.span import Span

LONGEST: Final = 100_000
OVERLAP: Final = 256
_BREAKS: Final = ("\n\n", "\n", ". ", " ")


def pieces(text: str, longest: int = LONGEST, overlap: int = OVERLAP) -> Iterator[tuple[int, str]]:
    """Where each piece begins, and the piece: cut at a paragraph, else a line, a sentence, a blank; at most `longest`
    characters. Each piece repeats the end of the one before it, so that nothing is cut in two.
    """
    start = 0
    while len(text) - start > longest:
        end = _cut(text, start + longest // 2, start + longest)
        yield start, text[start:end]
        start = max(end - overlap, start + 1)
    yield start, text[start:]


def whole(found: Iterable[tuple[int, Iterable[Span]]]) -> list[Span]:
    """The pieces' spans by the offsets of the whole text; of those that overlap and say the same the widest stays."""
    shifted = {
        replace(span, start=span.start + begin, end=span.end + begin) for begin, spans in found for span in spans
    }
    kept: list[Span] = []
    for span in sorted(shifted, key=lambda one: (one.type, one.start, -one.end, -one.score)):
        last = kept[-1] if kept else None
        if last is None or last.type != span.type or span.end > last.end or span.score > last.score:
            kept.append(span)
    return sorted(kept, key=lambda one: (one.start, one.end, one.type))


def _cut(text: str, least: int, most: int) -> int:
    for mark in _BREAKS:
        at = text.rfind(mark, least, most)
        if at >= 0:
            return at + len(mark)
    return most
