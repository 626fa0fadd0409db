"""Receipts of consent as people read them."""

from typing import Protocol

from privacyops.domain.receipt.facts import ReceiptFacts
from privacyops.domain.receipt.standing import Standing


class ReceiptWriter(Protocol):
    """Writes receipts. The same facts give the same page, byte for byte."""

    @property
    def languages(self) -> frozenset[str]:
        """Languages with reviewed words, such as `en` and `de`."""
        ...

    def page(self, facts: ReceiptFacts, standing: Standing, language: str) -> str:
        """A whole HTML page without script or outside asset; a language without words is served in English."""
        ...

    def pdf(self, facts: ReceiptFacts, standing: Standing, language: str) -> bytes:
        """The same as PDF/UA-1. Raises: PdfNotDrawn."""
        ...

    def policy(self) -> str:
        """The Content-Security-Policy under which the page is shown: it names the style by its hash."""
        ...
