"""What an import does, counted."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

LISTED: Final = 20


@dataclass(slots=True)
class Tally:
    """What an import does, or would do. `overruled`: something as late or later stands against the line.

    `answers` are what a check would say afterwards; only a dry run asks. `refused` counts by reason; `first_refused`
    names the first lines of them.
    """

    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    new_people: int = 0
    stops: int = 0
    overruled: int = 0
    grades: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    first_refused: list[list[int | str]] = field(default_factory=list)

    _COUNTED: ClassVar[tuple[str, ...]] = ("grades", "states", "answers", "refused")

    def refuse(self, line: int, word: str) -> None:
        self.refused[word] += 1
        if len(self.first_refused) < LISTED:
            self.first_refused.append([line, word])

    def to_json(self) -> dict[str, Any]:
        names = ("rows", "stored", "duplicates", "new_people", "stops", "overruled", "first_refused")
        counted = {name: dict(sorted(getattr(self, name).items())) for name in self._COUNTED}
        return {name: getattr(self, name) for name in names} | counted

    @classmethod
    def of_json(cls, body: dict[str, Any]) -> "Tally":
        found = cls()
        for name, value in body.items():
            setattr(found, name, Counter(value) if name in cls._COUNTED else value)
        return found
