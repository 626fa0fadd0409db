"""Collections of the shelf, each a stream of items: what `find`, `count`, `sample` and `fetch` go through alike."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from privacyops.connector_sdk import Call, Collection, Value


@dataclass(frozen=True, repr=False)
class Item:
    """One row while it is read. `values` takes whether the costly fields are wanted too; `place` is its position
    for a cursor, as text.
    """

    place: Callable[[], str]
    key: Callable[[], Mapping[str, Value]]
    values: Callable[[bool], Mapping[str, Value]]


class Source(Protocol):
    """One collection."""

    name: str
    costly: frozenset[str]
    """Fields that take opening and parsing a file; empty where a row is read as a whole anyway."""

    def collection(self, call: Call) -> Collection:
        """What it is, without a value of it."""
        ...

    def items(self, call: Call, after: str) -> Iterator[Item]:
        """Rows in key order behind the position `after`; all, if that is empty.

        Raises: Terminal: the position cannot be found again (`file_changed`), or the file cannot be read to its
        end. Retriable: the file changed while it was read.
        """
        ...

    def has_gaps(self, call: Call) -> bool:
        """Whether the content of some file of the collection could not be read, or not all of it. Such a collection
        must not pass for one that was searched to its end.
        """
        ...

    def by_keys(self, call: Call, keys: list[Mapping[str, Value]]) -> Iterator[tuple[Mapping[str, Value], Item]]:
        """The rows of these keys that are still there, each with the key it was asked by."""
        ...
