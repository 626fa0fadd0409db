"""Rows on their way out of a store that reads record by record: hits with marks between them, within the bounds on
cells, rows and pages. For stores whose predicates are answered in the connector, by `matches`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.connector_sdk.catalogue import Collection
from privacyops.connector_sdk.connector import Call
from privacyops.connector_sdk.errors import Terminal
from privacyops.connector_sdk.predicate import Predicate, leaves, matched, matches, split_path, value_at
from privacyops.connector_sdk.records import (
    MAX_PAGE_BYTES,
    MAX_ROW_BYTES,
    MAX_VALUE_BYTES,
    UNKNOWN_COUNT,
    BlobRef,
    Count,
    Cursor,
    Hit,
    Mark,
    Page,
    Row,
    RowRef,
    Value,
    canonical,
)

MARK_EVERY: Final = 1000
MARK_SECONDS: Final = 0.5
INLINE_BINARY: Final = 4096
"""Bytes of a binary cell beyond which it comes as a handle."""
_SMALL_CELL: Final = 1000


@dataclass(frozen=True, repr=False)
class Seen:
    """One record as it was read. `place` is where a scan goes on behind it."""

    place: Callable[[], str]
    ref: RowRef
    values: Mapping[str, Value]


def catalogued(
    names: Sequence[str], after: Cursor | None, described: Callable[[str], Collection]
) -> Iterator[Collection | Mark]:
    """The collections of these names, which are in order, from the cursor on, each followed by its mark."""
    for at, name in enumerate(names, start=1):
        if after is None or name > str(after):
            yield described(name)
            yield Mark(Cursor(name), at, Count(len(names)))


class Delivery:
    """One call on one collection: which fields were asked for, and how many bytes the page has taken."""

    def __init__(self, call: Call, fields: Sequence[str]) -> None:
        self._call, self._fields = call, tuple(fields)
        self._page_bytes = 0

    def find(
        self, seen: Iterable[Seen], where: Predicate, page: Page, of: Count = UNKNOWN_COUNT
    ) -> Iterator[Hit | Mark]:
        """The records that fit, in the order in which they come, up to the page's size; the last item is a mark.

        Raises: Terminal: from `seen`, behind a last mark.
        """
        left, scanned, marked = page.size, 0, time.monotonic()
        last: Seen | None = None
        after = page.after or Cursor("")
        refused: Terminal | None = None
        items = iter(seen if left > 0 else ())
        while left > 0:
            try:
                each = next(items, None)
            except Terminal as refusal:  # what came before it is delivered, and needs its mark
                refused = refusal
                break
            if each is None:
                break
            last, scanned = each, scanned + 1
            if matches(where, each.values):
                values = self.chosen(each.ref, each.values)
                self._call.spend(rows=1, bytes=size_of(values))
                yield Hit(each.ref, values, matched(where, each.values))
                left -= 1
            if left > 0 and (scanned % MARK_EVERY == 0 or time.monotonic() - marked > MARK_SECONDS):
                self._call.check()
                yield Mark(Cursor(each.place()), scanned, of)
                marked = time.monotonic()
        yield Mark(after if last is None else Cursor(last.place()), scanned, of)
        if refused is not None:
            raise refused

    def row(self, ref: RowRef, values: Mapping[str, Value]) -> Row:
        """One row with the fields asked for."""
        chosen = self.chosen(ref, values)
        self._call.spend(rows=1, bytes=size_of(chosen))
        return Row(ref, chosen)

    def chosen(self, ref: RowRef, values: Mapping[str, Value]) -> dict[str, Value]:
        """The fields asked for, paths into documents too; what is too long for a cell as a handle."""
        chosen: dict[str, Value] = {}
        for field in self._fields or tuple(values):
            if field in values:
                chosen[field] = values[field]
            elif found := value_at(field, values):
                chosen[field] = found[0] if len(found) == 1 else found
        row = 0
        sizes = {name: cell_size(value) for name, value in chosen.items()}
        for name in sorted(sizes, key=lambda each: sizes[each]):
            size, value = sizes[name], chosen[name]
            is_over = size > MAX_VALUE_BYTES or row + size > MAX_ROW_BYTES or self._page_bytes + size > MAX_PAGE_BYTES
            is_long = isinstance(value, bytes) and size > INLINE_BINARY
            if is_long or (is_over and size > _SMALL_CELL):
                chosen[name] = BlobRef(ref, name, name, blob_type(value), size)
                size = 0
            row += size
            self._page_bytes += size
        return chosen


def columns_of(where: Predicate, fields: Sequence[str]) -> frozenset[str] | None:
    """The columns that a find has to read; None: all of them, since every field was asked for."""
    if not fields:
        return None
    return frozenset(split_path(path)[0] for path in (*fields, *(leaf.field for leaf in leaves(where))))


def blob_type(value: Value) -> str:
    """The media type of a cell's bytes."""
    if isinstance(value, bytes):
        return "application/octet-stream"
    return "text/plain; charset=utf-8" if isinstance(value, str) else "application/json"


def blob_bytes(value: Value) -> bytes:
    """A cell as bytes: binary as it is, text in UTF-8, everything else in its canonical JSON."""
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "replace") if isinstance(value, str) else canonical(value).encode()


def cell_size(value: Value) -> int:
    """Bytes of a cell, near enough for the bounds."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    return len(canonical(value)) if isinstance(value, tuple | Mapping) else 16


def size_of(values: Mapping[str, Value]) -> int:
    """Bytes of a row."""
    return sum(cell_size(value) for value in values.values())
