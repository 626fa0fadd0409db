"""Words before a match that make it likelier: Presidio's rule, and a rule of our own that needs no model."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from privacyops.adapters.pii.hit import Hit
from privacyops.adapters.pii.names import Words

RAISED_BY: Final = 0.35
AT_LEAST: Final = 0.4
_BEFORE: Final = 5
_WORD: Final = re.compile(r"[^\W_]+")
_REACH: Final = 90


def raise_by_lemmas(hits: Sequence[Hit], words: Words, contexts: Mapping[int, Sequence[str]]) -> None:
    """As `LemmaContextAwareEnhancer`: a context word inside a lemma of the match's own keyword and the five before."""
    lemmas: dict[int, set[str]] = {}
    for hit in hits:
        wanted = contexts.get(hit.owner)
        if not wanted:
            continue
        at = _token_at(words, hit.start)
        if at not in lemmas:
            lemmas[at] = _around(words, at)
        said = next((word for word in wanted if any(word.lower() in lemma for lemma in lemmas[at])), None)
        if said is not None:
            _raise(hit, said)


def _token_at(words: Words, start: int) -> int:
    for at, (begins, token) in enumerate(zip(words.starts, words.tokens, strict=True)):
        if begins == start or start < begins + len(token):
            return at
    raise ValueError("a match lies behind the last token of its text")


def _around(words: Words, at: int) -> set[str]:
    found = set(_keywords(words, range(at, -1, -1), _BEFORE + 1))
    found.update(_keywords(words, range(at, len(words.lemmas)), 1))
    return found


def _keywords(words: Words, places: Iterable[int], most: int) -> Iterable[str]:
    for place in places:
        if most <= 0:
            return
        lemma = words.lemmas[place].lower()
        if lemma in words.keywords:
            most -= 1
            yield lemma


def raise_by_words(text: str, hits: Sequence[Hit], contexts: Mapping[int, Sequence[str]]) -> None:
    """Whole words alone, so that `lic` is not found in `public`; a plural counts. Six words before, two behind."""
    for hit in hits:
        wanted = contexts.get(hit.owner)
        if not wanted:
            continue
        before = _WORD.findall(text[max(0, hit.start - _REACH) : hit.start].casefold())[-_BEFORE - 1 :]
        behind = _WORD.findall(text[hit.end : hit.end + _REACH // 3].casefold())[:2]
        near = " ".join([*before, "|", *behind])
        said = next((word for word in wanted if re.search(rf"\b{re.escape(word.casefold())}(?:s|es)?\b", near)), None)
        if said is not None:
            _raise(hit, said)


def _raise(hit: Hit, word: str) -> None:
    hit.score = min(max(hit.score + RAISED_BY, AT_LEAST), 1.0)
    hit.context = word
