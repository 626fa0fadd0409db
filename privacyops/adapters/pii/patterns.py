"""Presidio's pattern recognizers, run without building what most texts do not need.

The results are those of `PatternRecognizer.analyze`, match for match; tests hold the two against each other.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import regex
from presidio_analyzer import EntityRecognizer, PatternRecognizer

from privacyops.adapters.pii.hit import Hit, from_presidio, without_doubles

TIMEOUT_S: Final = 2
"""A pattern that takes longer on one text is given up for it, and the text is told as unsearched. Presidio's own
limit is a minute, after which it goes on in silence.
"""
FLAGS: Final = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE


class _Expiries(logging.Handler):
    """Presidio tells an expired pattern only to its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.seen += "timed out" in str(record.msg)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One expression of one recognizer; its place in the set is its number for the prefilter."""

    owner: int
    name: str
    expression: str
    flags: int
    score: float
    compiled: Any


class PatternSet:
    """All expressions of some recognizers. One thread at a time."""

    def __init__(self, recognizers: Sequence[PatternRecognizer]) -> None:
        self.recognizers = tuple(recognizers)
        self.patterns: tuple[Pattern, ...] = tuple(
            Pattern(owner, one.name, one.regex, int(flags), one.score, regex.compile(one.regex, flags))
            for owner, recognizer in enumerate(self.recognizers)
            for flags in (recognizer.global_regex_flags,)
            for one in recognizer.patterns
        )
        self._of: tuple[tuple[int, ...], ...] = tuple(
            tuple(number for number, one in enumerate(self.patterns) if one.owner == owner)
            for owner in range(len(self.recognizers))
        )
        self._own_way = tuple(_has_own_way(recognizer) for recognizer in self.recognizers)
        self._plain_check = tuple(
            type(one).validate_result is PatternRecognizer.validate_result
            and type(one).invalidate_result is PatternRecognizer.invalidate_result
            for one in self.recognizers
        )
        self._all: tuple[int, ...] = tuple(range(len(self.recognizers)))

    def owners(self, numbers: Collection[int]) -> list[int]:
        """The recognizers of these patterns, in order."""
        return sorted({self.patterns[number].owner for number in numbers})

    def find(self, text: str, wanted: Collection[int] | None, expired: list[str]) -> Iterator[Hit]:
        """What the patterns find; `wanted`: the numbers of those that can match at all, None: every one.

        A pattern that ran out of time is named in `expired`.
        """
        for owner in self._all if wanted is None else self.owners(wanted):
            if self._own_way[owner]:
                yield from self._by_its_own(owner, text, expired)
                continue
            found: list[Hit] = []
            for number in self._of[owner]:
                if wanted is None or number in wanted:
                    try:
                        found.extend(self._matches(self.patterns[number], text))
                    except TimeoutError:
                        expired.append(f"{self.recognizers[owner].name}: {self.patterns[number].name}")
            yield from without_doubles(found)

    def _matches(self, pattern: Pattern, text: str) -> Iterator[Hit]:
        recognizer = self.recognizers[pattern.owner]
        entity = recognizer.supported_entities[0]
        is_plain = self._plain_check[pattern.owner]
        for match in pattern.compiled.finditer(text, timeout=TIMEOUT_S):
            start, end = match.span()
            if start == end:
                continue
            score, checked = pattern.score, None
            if not is_plain:
                piece = text[start:end]
                checked = recognizer.validate_result(piece)
                if checked is not None:
                    score = EntityRecognizer.MAX_SCORE if checked else EntityRecognizer.MIN_SCORE
                if recognizer.invalidate_result(piece):
                    score = EntityRecognizer.MIN_SCORE
            if score > EntityRecognizer.MIN_SCORE:
                yield Hit(start, end, entity, score, pattern.owner, pattern.name, checked)

    def _by_its_own(self, owner: int, text: str, expired: list[str]) -> list[Hit]:
        recognizer = self.recognizers[owner]
        log, listener = logging.getLogger("presidio-analyzer"), _Expiries()
        log.addHandler(listener)
        try:
            hits = from_presidio(recognizer.analyze(text, recognizer.supported_entities), owner)
        finally:
            log.removeHandler(listener)
        if listener.seen:
            expired.append(recognizer.name)
        return hits


def _has_own_way(recognizer: PatternRecognizer) -> bool:
    return type(recognizer).analyze is not PatternRecognizer.analyze
