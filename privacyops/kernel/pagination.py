"""Keyset pages: bounded lists with a cursor to the next one, never an offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from privacyops.kernel.errors import BadRequest

T = TypeVar("T")
MAX_LIMIT: Final = 200


class BadLimit(BadRequest):
    type = "/problems/bad-limit"
    title = f"A page holds between 1 and {MAX_LIMIT} items"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`items` in order and the opaque cursor of the page after it; None at the end."""

    items: Sequence[T]
    next: str | None = None


def bounded(limit: int) -> int:
    """`limit` itself. Raises: BadLimit: it lies outside 1 to MAX_LIMIT."""
    if not 1 <= limit <= MAX_LIMIT:
        raise BadLimit
    return limit
