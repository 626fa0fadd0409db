"""What a store said when it failed: the codes of connectors in the words of the people who mend it."""

from collections.abc import Mapping
from typing import Final

from privacyops.console.words import code_text

_SAID: Final[Mapping[str, str]] = {
    "busy": "it is busy",
    "circuit_open": "it failed several times in a row and is left alone for a while",
    "connection": "no connection came about",
    "credentials": "the name or the password is refused",
    "damaged": "the file is damaged",
    "database": "the server knows no such database",
    "denied": "access is denied",
    "host": "no such host is known",
    "io": "its disk does not answer",
    "lock": "another program holds it",
    "missing": "nothing is there",
    "not_a_database": "the file is no database",
    "overran_its_deadline": "it took too long",
    "path": "no file is there",
    "path_missing": "nothing is there",
    "read_only": "it can only be read",
    "schema_changed": "its tables have changed",
    "timeout": "it took too long",
    "tls": "no encrypted connection came about",
    "unknown_host": "no such host is known",
    "unresolvable": "no such host is known",
}


def said(code: str) -> str:
    """A code of a store in words; one that is not known, its own words."""
    return _SAID.get(code) or code_text(code)


def blamed(code: str | None, setting: str | None, allowed: str | None) -> str:
    """What is wrong with a store: `setting batch: wrong type; allowed: a whole number`, or only the code in words."""
    told = f"setting {setting}: {said(code or '')}" if setting else said(code or "")
    return f"{told}; allowed: {allowed}" if allowed else told
