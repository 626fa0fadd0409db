"""Letters written from reviewed templates."""

from collections.abc import Mapping
from typing import Protocol

from privacyops.domain.letter import Letter, LetterKind, LetterValue


class LetterWriter(Protocol):
    """Writes letters. The same values give the same letter, byte for byte."""

    @property
    def languages(self) -> frozenset[str]:
        """Languages with reviewed templates for every kind, such as `en` and `de`."""
        ...

    def write(
        self, kind: LetterKind, language: str, values: Mapping[str, LetterValue], *, body: str | None = None
    ) -> Letter:
        """The letter in `language` (BCP 47; `de-AT` is served by `de`).

        `body` is a staff-edited template that replaces the shipped body; the locked sections stay.

        Raises: LetterIncomplete, LetterValueUnknown: the values do not fit the kind.
        Raises: LanguageNotReviewed: no template in this language.
        Raises: TemplateRefused: `body` does more than print, choose and repeat the letter's own values.
        """
        ...

    def check(self, kind: LetterKind, body: str) -> None:
        """Say yes to an edited template by returning. Raises: TemplateRefused."""
        ...
