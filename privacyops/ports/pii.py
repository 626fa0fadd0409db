"""What services and commands ask of detection."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from privacyops.domain.detection.span import Detected, Profile
from privacyops.kernel.errors import Unavailable


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


class DetectionFailed(Unavailable):
    """It ended, or took too long, over these texts; nothing is known of them."""

    type = "/problems/detection-failed"
    title = "Detection gave no answer about these texts"


@dataclass(frozen=True, slots=True)
class Looked:
    """One answer for each text, in order, and what detection lacks here, each with what mends it."""

    found: tuple[Detected, ...]
    degraded: tuple[str, ...] = ()


class TextDetection(Protocol):
    """Detection as a worker uses it: a few texts at a time, in bounded time, apart from everything else."""

    def look(self, texts: Sequence[Text], profile: Profile) -> Looked:
        """Look through some texts. Callers take turns. Raises: DetectionFailed."""
        ...

    def close(self) -> None:
        """End for good; a call that still waits for its answer fails."""
        ...
