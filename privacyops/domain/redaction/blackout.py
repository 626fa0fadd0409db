"""What stands in a handed-over text in place of a passage about somebody else, in the language of the answer."""

import re
from collections.abc import Mapping
from typing import Final

GROUND: Final = "THIRD_PARTY_RIGHTS"
"""The code of the catalog under which such passages are withheld."""
_LABEL: Final = re.compile(r"\[(Person|Address|E-mail|Phone|Number|Agent) ([A-Z]+|[0-9]+)\]")
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "": "[redacted: another person]",
        "Person": "[redacted: another person, {}]",
        "Address": "[redacted: another person's address, {}]",
        "E-mail": "[redacted: another person's e-mail address, {}]",
        "Phone": "[redacted: another person's phone number, {}]",
        "Number": "[redacted: another person's number, {}]",
        "Agent": "[redacted: one of our staff, {}]",
    },
    "de": {
        "": "[geschwärzt: andere Person]",
        "Person": "[geschwärzt: andere Person, {}]",
        "Address": "[geschwärzt: Anschrift einer anderen Person, {}]",
        "E-mail": "[geschwärzt: E-Mail-Adresse einer anderen Person, {}]",
        "Phone": "[geschwärzt: Telefonnummer einer anderen Person, {}]",
        "Number": "[geschwärzt: Nummer einer anderen Person, {}]",
        "Agent": "[geschwärzt: Person aus unserem Haus, {}]",
    },
}


def blackout(label: str, language: str) -> str:
    """The mark for a label such as `[Person B]`: one person keeps one letter over all texts of an answer."""
    words = _WORDS.get(language.partition("-")[0].lower(), _WORDS["en"])
    found = _LABEL.fullmatch(label)
    return words[""] if found is None else words[found[1]].format(found[2])
