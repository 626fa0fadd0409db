"""Values of the hot path: immutable to the type checker, and made at the price of a plain object.

A frozen dataclass sets each of its members through `object.__setattr__`, which takes seven times as long: a consent
check makes half a dozen of them, one with twenty members. Used as `@record(frozen=True, slots=True)`; everything that
is not made for each call of the check stays a dataclass.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, slots: bool, **more: Any):
        """A dataclass, by value as a frozen one is; only the type checker refuses to change it."""
        if not frozen:
            raise TypeError("a record is frozen")
        return dataclass(slots=slots, unsafe_hash=True, **more)
