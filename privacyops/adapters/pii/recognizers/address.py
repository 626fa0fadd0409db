"""Street addresses by their form, for installations without a model that knows them.

Finds a house number beside a word for a kind of street, in the languages shops deliver to; boxes, flats and suites;
and what follows such a line up to a postcode. A city or country that stands alone is not found.
"""

import re
from collections.abc import Iterator
from typing import Final

from privacyops.adapters.pii.hit import Hit

SCORE: Final = 0.6
NAME: Final = "AddressRule"

_AFTER: Final = (
    "street|st|road|rd|avenue|ave|boulevard|blvd|drive|dr|lane|ln|court|ct|circle|cir|way|place|pl|square|sq|terrace|"
    "parkway|pkwy|highway|hwy|trail|crescent|close|grove|mews|alley|plaza|loop|ridge|hill|quay"
)
_GLUED: Final = (
    "straße|strasse|str|gasse|weg|platz|allee|ufer|damm|ring|laan|straat|plein|gracht|kade|dijk|singel|steeg|gatan|"
    "vägen|gränd|veien|vegen|gata|gaten|vej|gade|vænge|katu|tie|kuja|polku|utca"
)
_APART: Final = (
    "út|utca|tér|krt|körút|straße|strasse|gasse|weg|platz|allee|laan|straat|plein|vej|gade|gata|veien|ulica|utcája|"
    "náměstí|ulice|cesta|trg"
)
_BEFORE: Final = (
    "rue|avenue|av|boulevard|bd|place|chemin|allée|impasse|quai|route|cours|via|viale|piazza|corso|vicolo|largo|strada|"
    "calle|c/|avenida|avda|plaza|paseo|camino|carrer|rua|travessa|praça|estrada|ulica|ul|aleja|al|os|plac|"
    "strada|bulevardul|κ|οδός|λεωφόρος"
)
_NUMBER: Final = r"\d{1,5}(?:\s?[-/]\s?\d{1,4})?(?:\s?[a-zA-Z](?![\w]))?"
_WORD: Final = r"[^\W\d_][\w.'’-]{0,30}"
_END: Final = r"(?![\w]|[.,]\d)"
_GAP: Final = r"\.?\s{1,2}"
_POSTCODE: Final = (
    r"(?:[A-Z]{1,2}-)?\d{4,6}(?:-\d{3,4})?|\d{3}\s\d{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|"
    r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|\d{4}\s?[A-Z]{2}"
)
_TOO: Final = rf"(?:\s{{1,2}}{_NUMBER}(?![\w.,]*\d))?"
_RULES: Final = (
    (
        "number, name, kind",
        rf"(?<![\w.,]){_NUMBER}[ ,]{{1,2}}(?:{_WORD}\s){{1,4}}?(?:{_AFTER}|{_APART})\b\.?" + _TOO,
    ),
    (
        "name with kind, number",
        rf"(?<!\w)(?:{_WORD}\s){{0,2}}?[^\W\d_][\w'’-]{{1,30}}(?:{_GLUED})\b{_GAP}{_NUMBER}{_END}",
    ),
    ("name, kind, number", rf"(?<!\w)(?:{_WORD}\s){{1,3}}?(?:{_APART}|{_AFTER})\b{_GAP}{_NUMBER}{_END}"),
    ("kind, name, number", rf"(?<!\w)(?:{_BEFORE})\b\.?\s(?:{_WORD}\s){{1,5}}?(?:n[º°o]\.?\s?)?{_NUMBER}{_END}"),
    ("number, kind, name", rf"(?<![\w.,]){_NUMBER},?\s(?:{_BEFORE})\b\.?(?:\s{_WORD}){{1,4}}"),
    ("flat or suite", r"(?<!\w)(?:apt|apartment|suite|ste|unit|flat|wohnung)\b\.?\s?#?\s?\d{1,5}[a-z]?(?!\w)"),
    (
        "box",
        r"(?<!\w)(?:p\.?\s?o\.?\s?box|postfach|boîte postale|apartado|casella postale|postbus)\s?#?\d{1,6}(?!\w)",
    ),
)
_COMPILED: Final = tuple((name, re.compile(expression, re.IGNORECASE)) for name, expression in _RULES)
_TAIL: Final = re.compile(
    rf"(?:[\s,;]{{1,4}}(?:{_WORD}|{_NUMBER}[.]?)){{0,8}}?[\s,;]{{1,4}}(?:{_POSTCODE})(?!\w)(?:[ ]{_WORD}){{0,2}}",
)
_MAY: Final = re.compile(r"\d")


def addresses(text: str) -> Iterator[Hit]:
    """Each address by its form. Overlaps are left in."""
    if not _MAY.search(text):
        return
    for name, rule in _COMPILED:
        for match in rule.finditer(text):
            end = match.end()
            tail = _TAIL.match(text, end)
            if tail is not None and len(tail[0]) <= 90 and not _ends_a_sentence(tail[0]):
                end = tail.end()
            yield Hit(match.start(), end, "LOCATION", SCORE, -1, name)


def _ends_a_sentence(tail: str) -> bool:
    return bool(re.search(r"[a-z]{3,}\.\s|[?!]", tail))
