"""Why something is suggested, in words that a reviewer understands."""

import pytest

from privacyops.console.pages.third_party_words import DOUBTS, UNREAD, WAITS, reason_words
from privacyops.domain.redaction.keep import Doubt
from privacyops.domain.redaction.record import OthersWait, Unread


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("model rampart; label GIVEN_NAME", "found by a language model as a first name"),
        ("model en_core_web_sm; label PERSON + model rampart; label SURNAME",
         "found by a language model as a name; found by a language model as a surname"),
        ("model rampart; label WHIM", "found by a language model as a name or address"),
        ("pattern 'IBAN Generic'; mod 97 passed; context 'iban'",
         "written as such are written; its check digits fit; the word “iban” stands near it"),
        ("numbering plan of DE passed", "fits the phone numbers of DE"),
        ("form 'street-de'", "written as addresses are written"),
        ("word for a phone before it", "a word for a phone stands before it"),
        ("structure of the text", "the structure of the text names it"),
        ("marked by hand", "marked by hand"), ("", ""),
    ],
)  # fmt: skip
def test_a_reason_is_told_in_words(why: str, said: str) -> None:
    assert reason_words(why) == said


def test_every_code_has_its_words() -> None:
    assert (set(WAITS), set(DOUBTS), set(UNREAD)) == (set(OthersWait), set(Doubt), set(Unread))
