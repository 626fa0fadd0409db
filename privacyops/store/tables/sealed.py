"""The one way to declare a column that holds a ciphertext: what sealed it, and under which place it opens.

Rewrapping (store/rewrap.py) finds its work here and nowhere else; tests/architecture/test_sealed_columns.py compares
these declarations with what services seal.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import LargeBinary
from sqlmodel import Field

INFO: Final = "sealed"


class SealedBy(StrEnum):
    """Which key a column's values open with."""

    RING = "ring"
    """The key-encryption key itself: rewrapped when that rotates."""
    REQUEST = "request"
    SUBJECT = "subject"
    """A wrapped key of its own: rewrapping the key is enough."""
    EITHER = "either"
    """The ring, or the key of the request or person that the row belongs to; a value says which in its first byte."""

    @property
    def hangs_on_ring(self) -> bool:
        """Whether a value may have to be rewrapped."""
        return self in (SealedBy.RING, SealedBy.EITHER)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a column's `info` says. `place`: table and column of the ciphertext's place, where they are not its own."""

    by: SealedBy
    place: tuple[str, str] | None = None


def ciphertext(by: SealedBy, *, optional: bool = False, place: tuple[str, str] | None = None) -> Any:
    """The field of a sealed column. Whoever moves values between two columns names the place they were sealed for."""
    default: dict[str, Any] = {"default": None} if optional else {}
    return Field(**default, sa_type=LargeBinary, sa_column_kwargs={"info": {INFO: Sealed(by, place)}})
