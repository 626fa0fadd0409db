"""Numbers that stand beside a word for a phone, and how much the way a number is written says of itself.

Numbering plans know neither old numbers nor those of countries the shop does not sell to; the word beside them does.
"""

import re
from collections.abc import Iterator
from typing import Final

from privacyops.adapters.pii.hit import Hit
from privacyops.domain.classification.values import is_written_as_phone

NAME: Final = "PhoneCue"
SCORE: Final = 0.5
CUES: Final = (
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "call", "fax", "dial", "whatsapp", "sms", "reach",
    "telefon", "telefonnummer", "handy", "mobil", "rufnummer", "fon", "téléphone", "telephone", "portable", "teléfono",
    "telefono", "móvil", "cellulare", "telefoon", "mobiel", "telefonnr",
)  # fmt: skip
"""Words beside which a number is a phone; `number` alone is not one of them."""

_SAID: Final = sorted({*CUES, "calling", "called", "answering at", "ring", "text me at"}, key=len, reverse=True)
_NUMBER: Final = r"\(?\+?\d[\d ().\u00a0/-]{4,20}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?"
_BETWEEN: Final = r"\b\W{0,3}(?:(?:is|me|us|at|on|no|nr|number|them|under)\b\W{0,3}){0,3}"
_BEFORE: Final = re.compile(rf"\b(?:{'|'.join(_SAID)})s?{_BETWEEN}({_NUMBER})(?!\w)", re.IGNORECASE)
_BEHIND: Final = re.compile(
    rf"(?<![\w])({_NUMBER})[\s(,\\-]{{1,3}}(?:office|fax|mobile|home|work|cell|phone|mobil|privat)\b", re.IGNORECASE
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d[./]\d\d[./]\d{4}")
_SSN: Final = re.compile(r"\d{3}-\d{2}-\d{4}")
WEAK: Final = 0.3


def by_cue(text: str) -> Iterator[Hit]:
    """Numbers of 6 to 15 digits beside a word for a phone. Overlaps are left in."""
    for rule, side in ((_BEFORE, "before"), (_BEHIND, "behind")):
        for match in rule.finditer(text):
            start, end = match.span(1)
            piece = match[1]
            digits = sum(map(str.isdigit, re.split("[xX]|ext", piece)[0]))
            if 6 <= digits <= 15 and not _DATE.search(piece):
                yield Hit(start, end, "PHONE_NUMBER", SCORE, -1, side)


def plan_score(piece: str, score: float) -> float:
    """What fitting a numbering plan is worth: a run of digits fits one by chance, as does a social security number."""
    is_phone_like = is_written_as_phone(re.split("[xX]|ext", piece)[0].strip()) and not _SSN.fullmatch(piece.strip())
    return score if is_phone_like else WEAK
