"""What to take out about other people before a text is handed over: suggestions and labels.

A person decides each; nothing is taken out, and no text is released, on a score alone (GDPR Art. 15(4)).
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate, islice
from typing import Final

from privacyops.domain.detection.entity import NAMED, NATIONAL_IDS, PERSON
from privacyops.domain.detection.span import Span
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.person_name import fold_name
from privacyops.domain.identity.phone import search_tail
from privacyops.domain.redaction.keep import Doubt, Judged, KeepList, Whose, judge

UNNAMED: Final = "[someone]"
MOST_LABELS: Final = 5_000
"""Names, addresses and numbers of one request that are told apart; of a text with more a person reads the rest."""
REDACTED: Final = frozenset(
    {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "LOCATION", "IBAN_CODE", "CREDIT_CARD", "US_SSN"}
    | {name for names in NATIONAL_IDS.values() for name in names}
)
_LINE: Final = re.compile(r"[^\s,;][^\r\n]*[^\s,;]|[^\s,;]")
_TITLES: Final = frozenset(
    {
        "mr", "mrs", "ms", "miss", "dr", "prof", "herr", "herrn", "frau", "monsieur", "madame", "mademoiselle", "mme",
        "mlle", "m", "sig", "sra", "sr", "mevrouw", "pan", "pani",
    }
)  # fmt: skip
"""Forms of address, which tell no two people apart."""
_KINDS: Final = {"PERSON": "Person", "LOCATION": "Address", "EMAIL_ADDRESS": "E-mail", "PHONE_NUMBER": "Phone"}


class Decision(StrEnum):
    """What a person said of a suggestion; ADDED is a span that nobody suggested."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ADDED = "added"


class StaffNames(StrEnum):
    """What the controller does with the names of people who work for it."""

    KEEP = "keep"
    LABEL = "label"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Marked:
    """A stretch of a text that its structure names: a sender's line, a mention, a form field. `is_staff`: by role."""

    start: int
    end: int
    type: str
    is_staff: bool = False


@dataclass(frozen=True, slots=True)
class SourceText:
    """One text of an answer: what structure and detection say of it."""

    key: str
    text: str
    marked: tuple[Marked, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Take out code points `start` to `end` of the text `key` and put `label` there."""

    key: str
    start: int
    end: int
    type: str
    label: str
    score: float
    why: str
    is_certain: bool = False
    doubts: tuple[Doubt, ...] = ()


@dataclass(slots=True)
class Labels:
    """Labels of one request: one person, address or number keeps one over all its texts. Which label is whom is
    personal data: it is kept with the request, encrypted, and never in the answer.

    Names are found again by their words and labels counted by their noun, so that a text full of people costs no more
    than its length.
    """

    of: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(init=False, default_factory=dict)
    _words: dict[str, list[str]] = field(init=False, default_factory=dict)
    """Names by each of their words."""
    _anchors: dict[str, list[str]] = field(init=False, default_factory=dict)
    """Names by the one of their words that the fewest have."""

    def __post_init__(self) -> None:
        for label in set(self.of.values()):
            noun = label[1:].partition(" ")[0]
            self._counts[noun] = self._counts.get(noun, 0) + 1
        for key in self.of:
            self._enter(key)

    def label(self, piece: str, kind: str, *, is_staff: bool = False) -> str:
        """The label of this piece; a new one where it is met for the first time. UNNAMED: there are too many."""
        key = self._key(piece, kind)
        if key in self.of:
            return self.of[key]
        known = self._same_person(key) if kind == "PERSON" else None
        if len(self.of) >= MOST_LABELS:
            return known or UNNAMED
        if known is None:
            noun = "Agent" if is_staff else _KINDS.get(kind, "Number")
            count = self._counts.get(noun, 0)
            self._counts[noun] = count + 1
            known = f"[{noun} {_letters(count) if noun == 'Person' else count + 1}]"
        self.of[key] = known
        self._enter(key)
        return known

    def _enter(self, key: str) -> None:
        words = set(key.split()[1:]) if key.startswith("PERSON ") else set()
        if not words:
            return
        self._anchors.setdefault(min(sorted(words), key=lambda word: len(self._words.get(word, ()))), []).append(key)
        for word in words:
            self._words.setdefault(word, []).append(key)

    def _key(self, piece: str, kind: str) -> str:
        if kind == "PERSON":
            words = fold_name(piece)
            return "PERSON " + " ".join([word for word in words if word not in _TITLES] or words)
        if kind == "EMAIL_ADDRESS":
            return f"{kind} {normal_email(piece) or piece.casefold()}"
        if kind == "PHONE_NUMBER":
            return f"{kind} {search_tail(piece) or piece}"
        return f"{kind} {' '.join(piece.casefold().split())}"

    def _same_person(self, key: str) -> str | None:
        """The label of the one person of whom this is a part of the name, or who is a part of this; of two, none."""
        words = set(key.split()[1:])
        if not words:
            return None
        # whoever holds all of these words holds the rarest; whoever is a part of them has their anchor among them
        longer = min((self._words.get(word, []) for word in words), key=len)
        shorter = (known for word in words for known in self._anchors.get(word, ()))
        found: set[str] = set()
        for known in (*longer, *shorter):
            others = set(known.split()[1:])
            if words <= others or others <= words:
                found.add(self.of[known])
                if len(found) > 1:
                    return None
        return found.pop() if found else None


def suggest(
    texts: Sequence[SourceText], keep: KeepList, labels: Labels, staff: StaffNames = StaffNames.ASK,
    most: int | None = None,
) -> list[Suggestion]:  # fmt: skip
    """Every span about somebody else, in the order of the texts; what structure says comes first and is certain.

    Full names are given their labels before parts of names, so that `Peter` after `Peter Novak` is the same person.
    `most`: of one text no more than these.
    """
    wanted = [one for text in texts for one in islice(_wanted(text, keep, staff), most)]
    for source, start, end, kind, is_staff, _, _ in sorted(wanted, key=lambda one: one[1] - one[2]):
        labels.label(source.text[start:end], kind, is_staff=is_staff)
    return [
        Suggestion(
            source.key, start, end, kind, labels.label(source.text[start:end], kind, is_staff=is_staff),
            found.score if found else 1.0, found.why if found else "structure of the text",
            is_certain=found is None and not (is_staff and staff is StaffNames.ASK),
            doubts=(*judged.doubts, *((Doubt.IN_THEIR_ROLE,) if is_staff else ())),
        )
        for source, start, end, kind, is_staff, found, judged in wanted
    ]  # fmt: skip


def _wanted(
    source: SourceText, keep: KeepList, staff: StaffNames
) -> Iterable[tuple[SourceText, int, int, str, bool, Span | None, Judged]]:
    house = sorted(_whole_names(source.text, keep))
    begins, lasts = [begin for begin, _ in house], list(accumulate((last for _, last in house), max))
    for start, end, kind, is_staff, found in _pieces(source):
        before = bisect_right(begins, start)
        if (before and lasts[before - 1] >= end) or (is_staff and staff is StaffNames.KEEP):
            continue
        judged = _judged(source.text[start:end], kind, found, keep)
        if judged.whose is Whose.OTHER:
            yield source, start, end, kind, is_staff, found, judged


def _pieces(source: SourceText) -> Iterable[tuple[int, int, str, bool, Span | None]]:
    """What is marked, then what detection found beside it, in order of place."""
    found: list[tuple[int, int, str, bool, Span | None]] = [
        (one.start, one.end, one.type, one.is_staff, None) for one in source.marked
    ]
    for span in (part for one in source.spans for part in _lines(source.text, one)):
        if span.type in REDACTED and not any(one.start < span.end and span.start < one.end for one in source.marked):
            found.append((span.start, span.end, span.type, False, span))
    return sorted(found, key=lambda one: (one[0], one[1]))


def _whole_names(text: str, keep: KeepList) -> list[tuple[int, int]]:
    """Where the shop itself or the subject is named in full: a part that a model cut out of it is nobody else's."""
    own = [name for name in keep.names if len(name.split()) > 1 and name not in keep.names_of_several]
    names = [*keep.house, *own]
    patterns = [r"\s+".join(map(re.escape, name.split())) for name in names if name.strip()]
    return [
        found.span() for pattern in patterns for found in re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
    ]


def _lines(text: str, span: Span) -> Iterable[Span]:
    """A name or address by its lines: what models join over a line's end is two things more often than one, and
    whose each is can be told apart.
    """
    if span.type not in NAMED:
        yield span
        return
    for found in _LINE.finditer(text, span.start, span.end):
        if span.type == PERSON and not any(map(str.isalpha, found[0])):
            continue
        yield replace(span, start=found.start(), end=found.end())


def _judged(piece: str, kind: str, found: Span | None, keep: KeepList) -> Judged:
    return judge(piece, found or Span(0, len(piece), kind, 1.0, "structure", ""), keep)


def _letters(number: int) -> str:
    """A to Z, then AA; the subject has none of them."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
