"""A text message that says stop. Any of these words stops; where it is only part of the message, a person reads it too.

Source: 47 CFR 64.1200(a)(10) and (12): the words, any reasonable means, one confirmation without promotion within five
minutes. Words of other languages are ours (needs counsel).
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

CONFIRM_WITHIN: Final = timedelta(minutes=5)
_ENGLISH: Final = frozenset({"stop", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe", "stopall"})
KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "en": _ENGLISH,
    "de": _ENGLISH | {"stopp", "ende", "abmelden", "abbestellen", "widerruf", "kündigen", "austragen"},
    "fr": _ENGLISH | {"arrêt", "arret", "arrêter", "désabonner", "desabonner", "fin"},
    "es": _ENGLISH | {"parar", "baja", "alto", "cancelar", "fin"},
    "it": _ENGLISH | {"basta", "annulla", "disiscrivi", "cancella", "fine"},
    "nl": _ENGLISH | {"stoppen", "afmelden", "einde", "opzeggen"},
    "pl": _ENGLISH | {"koniec", "rezygnuję", "rezygnuje", "wypisz"},
}
"""Per language; the English words count everywhere."""
_REPLIES: Final[Mapping[str, str]] = {
    "en": "{sender}: You are unsubscribed. You get no more text messages from us.",
    "de": "{sender}: Sie sind abgemeldet. Sie erhalten keine weiteren SMS von uns.",
}
_NOT_A_WORD: Final = re.compile(r"[^\w]+|_+")


class StopReading(StrEnum):
    """WHOLE: the message is the word. PART: the word stands among others. NONE: no such word."""

    WHOLE = "whole"
    PART = "part"
    NONE = "none"


def read_stop(text: str, language: str) -> StopReading:
    """What a message says, without regard to case, punctuation and spaces. `language` as in `de` or `de-AT`."""
    words = _NOT_A_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    keywords = KEYWORDS.get(language.partition("-")[0].lower(), _ENGLISH)
    if words in keywords:
        return StopReading.WHOLE
    padded = f" {words} "
    return StopReading.PART if any(f" {keyword} " in padded for keyword in keywords) else StopReading.NONE


def stop_reply(sender: str, language: str) -> str:
    """The one text that confirms a stop; it promotes nothing and asks nothing."""
    return _REPLIES.get(language.partition("-")[0].lower(), _REPLIES["en"]).format(sender=sender)
