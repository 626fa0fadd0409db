"""How the data of a purpose is handled: what a notice says of it in words, as values that a machine can compare.

Source: ISO/IEC TS 27560:2023 (collection and processing method, storage and processing locations, geographic
restrictions, optional and special categories); W3C DPV for the names of processing operations.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

_PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_OPERATION: Final = re.compile(r"[A-Z][A-Za-z]{1,40}")


class HandlingMalformed(ValueError):
    """The message names the rule that was broken, never a value."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Places are ISO 3166 codes (or `EU`), operations DPV's names (`Collect`, `Store`, `Use`, `Profiling`, `Share`).

    `collected_by` says in a word how the data comes in (`form`, `observation`). `optional` and `special` are among
    the purpose's data categories; what is not optional is needed for it, `special` is Art. 9 GDPR.
    Raises: HandlingMalformed.
    """

    collected_by: str = ""
    operations: tuple[str, ...] = ()
    stored_in: tuple[str, ...] = ()
    processed_in: tuple[str, ...] = ()
    restricted_to: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    special: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(_PLACE.fullmatch(place) for place in (*self.stored_in, *self.processed_in, *self.restricted_to)):
            raise HandlingMalformed("a place of handling is an ISO 3166 code such as DE, or EU")
        if not all(_OPERATION.fullmatch(operation) for operation in self.operations):
            raise HandlingMalformed("an operation is one of DPV's names, such as Store")

    def to_json(self) -> dict[str, Any]:
        """Only what is said, so that the digest of a purpose that says nothing here stays what it was."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items() if value}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> "Handling":
        """Raises: HandlingMalformed; TypeError: an unknown member."""
        told: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in body.items()
        }
        return cls(**told)
