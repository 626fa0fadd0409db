"""What services and commands ask of detection."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from privacyops.domain.detection.span import Detected, Profile


@dataclass(frozen=True, slots=True)
class Text:
    """One text and its language (ISO 639-1)."""

    text: str
    language: str = "en"


class PiiDetector(Protocol):
    """Finds identifiers in texts. It suggests; a person decides. It keeps no text and logs none."""

    @property
    def degraded(self) -> tuple[str, ...]:
        """What is weaker here than it could be, each with what mends it. Belongs into the audit row of a run."""
        ...

    def searches(self, entity: str, language: str) -> bool:
        """Whether this type is looked for in this language at all."""
        ...

    def detect(self, texts: Iterable[Text], profile: Profile) -> Iterator[Detected]:
        """One answer for each text, in order. Texts are taken in batches; memory does not grow with their number."""
        ...
