"""Names of people: folded for comparison, never enough alone.

`Gonçalves, Luís` and `luis goncalves` are one name; `L. Gonçalves` agrees with it; `Luis Gomes` does not.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_LETTERS: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t", "ß": "ss"}
)
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text."""

    start: int
    end: int


def fold(text: str) -> str:
    """Case and accents off: `Köhler` gives `kohler`, `Łukasz` gives `lukasz`."""
    lowered = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    return "".join(sign for sign in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(sign))


def fold_spelled_out(text: str) -> str:
    """As `fold`, but umlauts become two letters: `Köhler` gives `koehler`."""
    return fold(unicodedata.normalize("NFC", text).lower().translate(_UMLAUTS))


@lru_cache(maxsize=4096)
def fold_name(name: str) -> tuple[str, ...]:
    """The folded words of a name in the order given name first; `Surname, First` is turned."""
    last, comma, first = name.partition(",")
    if comma and first.strip() and "," not in first:
        name = f"{first} {last}"
    return _words(fold(name))


def name_agrees(one: str, other: str) -> bool:
    """Whether two spellings may be one person's: the surname is equal, each given name equal or its initial.

    A single word agrees with nothing, for a surname or a given name alone says too little.
    """
    for folding in (fold, fold_spelled_out):
        left, right = _turned(one, folding), _turned(other, folding)
        if len(left) >= 2 and len(right) >= 2 and _agree(left, right):
            return True
    return False


def _turned(name: str, folding: Callable[[str], str]) -> tuple[str, ...]:
    last, comma, first = name.partition(",")
    if comma and first.strip() and "," not in first:
        name = f"{first} {last}"
    return _words(folding(name))


def _agree(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    if sorted(left) == sorted(right):
        return True
    if left[-1] != right[-1]:
        return False
    given = left[0], right[0]
    return given[0] == given[1] or any(len(word) == 1 and other[0] == word for word, other in (given, given[::-1]))


def name_spans(name: str, text: str) -> tuple[Span, ...]:
    """Where the full name stands in a text: all its words side by side, in either order, accents aside."""
    wanted = fold_name(name)
    if len(wanted) < 2:
        return ()
    spoken = tuple(fold_spelled_out(name).split())
    forms = {wanted, wanted[-1:] + wanted[:-1], spoken, spoken[-1:] + spoken[:-1]}
    words = _words_with_spans(text)
    found = []
    for at in range(len(words)):
        for form in forms:
            run = words[at : at + len(form)]
            if len(run) == len(form) and all(word == part for (word, _), part in zip(run, form, strict=True)):
                found.append(Span(run[0][1].start, run[-1][1].end))
                break
    return tuple(found)


def search_fragment(word: str) -> str:
    """The longest run of letters of a name's word that no spelling of accents can change, to search a text by.

    Where nothing plain is left (other scripts), the word itself.
    """
    runs, run = [""], ""
    for sign in unicodedata.normalize("NFC", word).lower() + "\0":
        if sign.isascii() and sign.isalnum():
            run += sign
        else:
            runs.append(run)
            run = ""
    best = max(runs, key=len)
    return best if len(best) >= 2 else unicodedata.normalize("NFC", word).lower()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word, _ in _words_with_spans(text, folded=True))


def _words_with_spans(text: str, *, folded: bool = False) -> list[tuple[str, Span]]:
    words: list[tuple[str, Span]] = []
    start = None
    for at, sign in enumerate(text + " "):
        if sign.isalnum() or unicodedata.combining(sign):
            start = at if start is None else start
        elif start is not None and not (sign in "'’" and at + 1 < len(text) and text[at + 1].isalnum()):
            word = text[start:at].replace("'", "").replace("’", "")
            words.append((word if folded else fold(word), Span(start, at)))
            start = None
    return words
