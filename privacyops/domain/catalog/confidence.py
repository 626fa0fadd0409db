"""How sure a row of the catalog is, and what follows from it."""

from enum import StrEnum


class Confidence(StrEnum):
    """high: applied by default. medium: applied, shown with "needs counsel". low: refused until accepted by name."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def needs_counsel(self) -> bool:
        return self is not Confidence.HIGH


_ORDER = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


def least(*levels: Confidence) -> Confidence:
    """A date is as sure as the least sure thing that went into it; high where nothing did."""
    return min(levels, key=_ORDER.index, default=Confidence.HIGH)


def require_note(confidence: Confidence, note: str) -> None:
    """A row that is not sure says what counsel has to look at.

    Raises: ValueError: confidence below high without a note that begins with "needs counsel".
    """
    if confidence.needs_counsel and not note.startswith("needs counsel"):
        raise ValueError("confidence below high needs a note that begins with 'needs counsel'")
