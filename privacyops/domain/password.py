"""Which passwords are good enough: 12 to 128 characters, not common, not made of what everybody knows.

The list of common words below is small and was written for this project; it is no copy of a breach corpus and
knows nothing about leaks. It works on patterns instead: digits, signs and look-alike letters are taken away, and
what remains must not be a common word, two of them, a keyboard row, a repetition, or a name from the account.
No rule asks for kinds of characters, and nothing expires. Source: NIST SP 800-63B section 5.1.1.2.
"""

import re
import string
import unicodedata
from enum import StrEnum
from typing import Final

from privacyops.kernel.errors import Unprocessable

SHORTEST: Final = 12
LONGEST: Final = 128
PRODUCT: Final = "privacyops"

COMMON_WORDS: Final = frozenset(
    """
    abc abcd access account admin administrator alex alexander alpha amanda america amore andrea andrew angel angela
    anna anthony apple april arsenal asdf august august autumn azerty baby bailey banana baseball basketball batman
    beach beautiful berlin bienvenue biteme blink bonjour boston bradley brandon bubbles buster butterfly butter
    calvin camaro canada carlos caroline casa changeit changeme charlie cheese chelsea chester chicken chocolate
    chouchou christian coffee company compliance computer connect contrasena cookie cooper corvette cowboy dallas
    daniel database david december default demo deutschland diamond dolphin doudou dragon eagle elephant empire
    england enter estrella europa europe family february ferrari fish fisher flower football forever france francois
    frankfurt freedom friday friend friends fuck gandalf garfield george ginger gizmo god golden google gemini guest
    guitar hallo hamburg hammer hannah happy harley harry heaven hello herbst hockey hola holiday home hottie house
    hunter iceman iloveyou internet jackson january jasmine jason jennifer jessica jesus johnson jordan joseph joshua
    juillet july june junior justin kaiser killer king klaster knight koenig lasvegas legend letmein liberty little
    liverpool login london loulou love lovely loveme lover lucky maggie magic mai manchester manager march marina
    marlboro marseille martin marvin master matrix matthew maverick melissa mercedes merlin michael michelle midnight
    milano mobile monday money monkey monster montag moon mother motdepasse mountain muenchen mustang naruto nathan
    nature nicole ninja nirvana nobody november october office oliver online orange padmin panda paris pass passe
    passport passw passwd passwort password patrick peace peanut pepper phoenix playboy pokemon porsche portal prince
    princess privacy private purple qazwsx qwer qwert qwerty qwertz rabbit rainbow raiders random ranger red rocket
    root roma rosebud sabrina samantha samsung sandra saturday schalke schatz school scooter secret security
    september server service shadow shop silver simple slayer snoopy soccer soleil sommer spider spring star starwars
    steelers sterne sternchen summer sunday sunshine super superman support swordfish system teacher team temp
    temporary tennis test tester texas thomas thunder tiger tigger tomorrow trustno trustnoone tuesday turtle user
    vacation valentina victoria viking vienna wachtwoord warrior web website welcome welkom whatever white wien
    william willkommen wilson winner winter wizard wolf wonder work world yankees yellow zaq zxcv zxcvbn
    """.split()  # noqa: SIM905 - a list of 300 quoted words would be longer than this module
)
_ROWS: Final = ("qwertzuiopasdfghjklyxcvbnm", "qwertyuiopasdfghjklzxcvbnm", "azertyuiopqsdfghjklmwxcvbn")
_LADDERS: Final = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p")
_RUNS: Final = tuple(run for row in (*_ROWS, *_LADDERS) for run in (row, row[::-1]))
_LOOK_ALIKE: Final = str.maketrans("0134578@$!|€", "oieastbasiie")
_FEWEST_SIGNS: Final = 5
_SHORTEST_RUN: Final = 4
_SHORTEST_NAME: Final = 4


class Weakness(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNPRINTABLE = "unprintable"
    REPETITIVE = "repetitive"
    SEQUENCE = "sequence"
    COMMON = "common"
    PERSONAL = "personal"


class PasswordTooWeak(Unprocessable):
    """`weakness` as a member says which rule; the password itself is nowhere."""

    type = "/problems/password-too-weak"
    title = "This password is too easy to guess; three or four unrelated words are a good one"


def weakness(password: str, *known: str) -> Weakness | None:
    """The first rule that `password` breaks; None: good enough.

    `known` are words an attacker starts with: the account's e-mail address, name, company. Parts of four letters
    and more count.
    """
    text = unicodedata.normalize("NFKC", password)
    if not SHORTEST <= len(text) <= LONGEST:
        return Weakness.TOO_SHORT if len(text) < SHORTEST else Weakness.TOO_LONG
    folded = text.casefold()
    spellings = _spellings(folded)
    rules = {
        Weakness.UNPRINTABLE: not text.isprintable(),
        Weakness.REPETITIVE: len(set(folded)) < _FEWEST_SIGNS or _is_repetition(folded),
        Weakness.SEQUENCE: _outside_runs(folded) < SHORTEST // 2,
        Weakness.PERSONAL: any(name in spelling for spelling in spellings for name in _names(known)),
        Weakness.COMMON: any(_is_common(spelling) for spelling in spellings),
    }
    return next((rule for rule, is_broken in rules.items() if is_broken), None)


def require_strong(password: str, *known: str) -> None:
    """Raises: PasswordTooWeak."""
    found = weakness(password, *known)
    if found is not None:
        raise PasswordTooWeak(weakness=found.value)


def _spellings(folded: str) -> set[str]:
    """The letters of the password: as typed, with look-alike signs read as letters, and that without its tail."""
    core = folded.strip("0123456789" + string.punctuation + " ")
    return {_letters(folded), *(_letters(text.translate(_LOOK_ALIKE)) for text in (folded, core))}


def _letters(text: str) -> str:
    return "".join(sign for sign in text if sign.isalpha())


def _is_repetition(text: str) -> bool:
    """One piece over and over, the last one perhaps cut: `abcabcabcabca`."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))


def _outside_runs(text: str) -> int:
    """Characters that are no part of a row of keys, of the alphabet, of counting or of one repeated sign."""
    covered = [False] * len(text)
    for start in range(len(text) - _SHORTEST_RUN + 1):
        piece = text[start : start + _SHORTEST_RUN]
        if len(set(piece)) == 1 or any(piece in run for run in _RUNS):
            covered[start : start + _SHORTEST_RUN] = [True] * _SHORTEST_RUN
    return covered.count(False)


def _names(known: tuple[str, ...]) -> set[str]:
    parts = {PRODUCT}
    for text in known:
        folded = unicodedata.normalize("NFKC", text).casefold()
        parts |= {part for part in re.split(r"[^\w]+|_", folded) if len(_letters(part)) >= _SHORTEST_NAME}
        parts.add(_letters(folded.partition("@")[0]))
    return {_letters(part) for part in parts if len(_letters(part)) >= _SHORTEST_NAME}


def _is_common(letters: str) -> bool:
    """Fewer than four letters, one common word, or two in a row: what remains once digits and signs are gone."""
    if len(letters) < _SHORTEST_NAME or letters in COMMON_WORDS:
        return True
    return any(letters[:cut] in COMMON_WORDS and letters[cut:] in COMMON_WORDS for cut in range(1, len(letters)))
