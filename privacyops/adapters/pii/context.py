"""Words before a match that make it likelier: Presidio's rule, and a rule of our own that needs no model."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from privacyops.adapters.pii.hit import Hit
from privacyops.adapters.pii.names import Reading, Words

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


def raise_by_readings(
    hits: Sequence[Hit], words: Words, reading: Callable[[str], Reading], contexts: Mapping[int, Sequence[str]]
) -> bool:
    """As `raise_by_lemmas` where that is certain before any tagger ran; otherwise False, and nothing is raised.

    `words` need no lemmas. Certain is a context word that every reading of a token holds, if the token is near in
    every reading; certain is its absence if no reading of any token that may be near holds one.
    """
    if any(":" in token[1:-1] for token in words.tokens):
        return False  # such a lemma gives keywords to other words of the text
    said: list[tuple[Hit, str]] = []
    for hit in hits:
        wanted = contexts.get(hit.owner)
        if not wanted:
            continue
        at = bisect_right(words.starts, hit.start) - 1
        if at < 0 or hit.start >= words.starts[at] + len(words.tokens[at]):
            at += 1
        surely, perhaps = _near(words.tokens, at, reading)
        word = next((low for low in wanted if any(_in_all(low, one.lemmas) for one in surely)), None)
        if word is not None:
            said.append((hit, word))
        elif any(low.lower() in lemma for low in wanted for one in perhaps for lemma in one.lemmas):
            return False
    for hit, word in said:
        _raise(hit, word)
    return True


def _in_all(word: str, lemmas: Iterable[str]) -> bool:
    low = word.lower()
    return all(low in lemma for lemma in lemmas)


def _near(tokens: Sequence[str], at: int, reading: Callable[[str], Reading]) -> tuple[list[Reading], list[Reading]]:
    """The readings of the tokens that are among the keywords around `at` whatever they are read as, and that may be."""
    surely: list[Reading] = []
    perhaps: list[Reading] = []
    for some, most in ((reversed(tokens[: at + 1]), _BEFORE + 1), (iter(tokens[at:]), 1)):
        for one, is_within in _counted((reading(token) for token in some), most):
            perhaps.append(one)
            if is_within and one.is_keyword:
                surely.append(one)
    return surely, perhaps


def _counted(readings: Iterable[Reading], most: int) -> Iterator[tuple[Reading, bool]]:
    """Those that may be among the next `most` keywords, and whether they are if each before them is a keyword too."""
    least = seen = 0
    for one in readings:
        if least >= most:
            return
        if one.may_be_keyword:
            seen += 1
            least += one.is_keyword
            yield one, seen <= most


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
