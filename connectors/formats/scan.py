"""Walking through a collection: hits with marks between them, within the bounds on cells, rows and pages."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from connectors.formats.shelf import Unreadable
from connectors.formats.source import Item, Source
from connectors.formats.table import KEY, ROW
from privacyops.connector_sdk import (
    BlobRef,
    Call,
    Cursor,
    Hit,
    Mark,
    Page,
    Predicate,
    Row,
    RowRef,
    Terminal,
    Value,
    canonical,
    matched,
    matches,
)
from privacyops.connector_sdk.predicate import leaves, split_path, value_at
from privacyops.connector_sdk.records import MAX_PAGE_BYTES, MAX_ROW_BYTES, MAX_VALUE_BYTES, UNKNOWN_COUNT

MARK_EVERY: Final = 1000
MARK_SECONDS: Final = 0.5
_SMALL_CELL: Final = 1000
"""Bytes of a cell that is delivered even when the page is full."""


class Scan:
    """One call of `find`, `count`, `sample` or `fetch` on one collection of the store `name`."""

    def __init__(self, name: str, source: Source, fields: Sequence[str]) -> None:
        self._name = name
        self._source = source
        self._fields = tuple(fields)
        self._page_bytes = 0

    def find(self, call: Call, where: Predicate, page: Page) -> Iterator[Hit | Mark]:
        """Hits in key order, marks between them and one at the end.

        Raises: Terminal: the cursor is not ours, or the collection cannot be read to its end, or content was asked
        of files that cannot be read (`unreadable_files`). Everything readable was yielded and marked before; a
        resumed scan raises at once.
        """
        call.check()
        call.spend(requests=1)
        asks_content = self._touches(split_path(leaf.field)[0] for leaf in leaves(where))
        after, left, scanned, marked = str(page.after or ""), page.size, 0, time.monotonic()
        last: Item | None = None
        refused: Terminal | None = None
        items = _readable(self._source.items(call, after))
        while left > 0:
            try:
                item = next(items, None)
            except Terminal as refusal:  # the rows before it are yielded already, and need their mark
                refused = refusal
                break
            if item is None:
                is_whole = not (asks_content and self._source.has_gaps(call))
                refused = None if is_whole else Terminal("unreadable_files")
                break
            last = item
            scanned += 1
            values = item.values(asks_content)
            if matches(where, values):
                hit = self._hit(item, where, values, asks_content)
                call.spend(rows=1, bytes=_size(hit.values))
                yield hit
                left -= 1
            if left > 0 and (scanned % MARK_EVERY == 0 or time.monotonic() - marked > MARK_SECONDS):
                yield self._mark(last, after, scanned)
                marked = time.monotonic()
        if scanned or refused is None:
            yield self._mark(last, after, scanned)
        if refused is not None:
            raise refused

    def count(self, call: Call, where: Predicate) -> int:
        """As many rows as `find` would yield in all."""
        call.check()
        call.spend(requests=1)
        asks_content = self._touches(split_path(leaf.field)[0] for leaf in leaves(where))
        items = _readable(self._source.items(call, ""))
        return sum(matches(where, item.values(asks_content)) for item in items)

    def first(self, call: Call, n: int) -> Iterator[Row]:
        """The first `n` rows, or as many as stand before the place where the file cannot be read any more."""
        call.check()
        call.spend(requests=1)
        items = _readable(self._source.items(call, ""))
        for at in range(n):
            try:
                item = next(items, None)
            except Terminal:
                if at:
                    return
                raise
            if item is None:
                return
            yield self._row(call, item, item.key())

    def fetch(self, call: Call, keys: list[Mapping[str, Value]]) -> Iterator[Row]:
        """The rows of these keys that are still there."""
        call.check()
        call.spend(requests=1)
        for key, item in self._source.by_keys(call, keys):
            yield self._row(call, item, key)

    # --- inside ---------------------------------------------------------------------------------------------

    def _touches(self, columns: Iterator[str]) -> bool:
        return any(column in self._source.costly for column in columns)

    def _all_values(
        self, item: Item, values: Mapping[str, Value] | None = None, *, has_content: bool = False
    ) -> Mapping[str, Value]:
        wants = bool(self._source.costly) and (
            not self._fields or self._touches(split_path(f)[0] for f in self._fields)
        )
        return values if values is not None and (has_content or not wants) else item.values(wants)

    def _hit(self, item: Item, where: Predicate, values: Mapping[str, Value], has_content: bool) -> Hit:
        ref = RowRef(self._name, self._source.name, item.key())
        chosen = self._chosen(ref, self._all_values(item, values, has_content=has_content))
        return Hit(ref, chosen, matched(where, values))

    def _row(self, call: Call, item: Item, key: Mapping[str, Value]) -> Row:
        ref = RowRef(self._name, self._source.name, key)
        values = self._chosen(ref, self._all_values(item))
        call.spend(rows=1, bytes=_size(values))
        return Row(ref, values)

    def _chosen(self, ref: RowRef, values: Mapping[str, Value]) -> dict[str, Value]:
        """The fields asked for, key fields of a table among them; long cells as handles."""
        everything = {**values, **({part: ref.key[part] for part in KEY} if ROW in ref.key else {})}
        chosen: dict[str, Value] = {}
        for field in self._fields or tuple(everything):
            if field in everything:
                chosen[field] = everything[field]
            elif found := value_at(field, everything):
                chosen[field] = found[0] if len(found) == 1 else found
        return self._bounded(ref, chosen)

    def _bounded(self, ref: RowRef, values: dict[str, Value]) -> dict[str, Value]:
        sizes = {name: _cell_size(value) for name, value in values.items()}
        row = 0
        for name in sorted(sizes, key=lambda each: sizes[each]):
            size = sizes[name]
            is_over = size > MAX_VALUE_BYTES or row + size > MAX_ROW_BYTES or self._page_bytes + size > MAX_PAGE_BYTES
            if is_over and size > _SMALL_CELL and not isinstance(values[name], BlobRef):
                values[name] = BlobRef(ref, name, name, blob_type(values[name]), size)
                size = 0
            row += size
            self._page_bytes += size
        return values

    def _mark(self, last: Item | None, after: str, scanned: int) -> Mark:
        return Mark(Cursor(_place(last)) if last else Cursor(after), scanned, UNKNOWN_COUNT)


def _place(item: Item) -> str:
    place = item.place()
    if len(place.encode()) > 1024:  # a cursor holds 1 KiB; such a path cannot be resumed at
        raise Terminal("path_too_long")
    return place


def _readable(items: Iterator[Item]) -> Iterator[Item]:
    """A damaged table ends with its code as a refusal; what stood before was read."""
    try:
        yield from items
    except Unreadable as error:
        raise Terminal(error.gap.value) from None


def blob_type(value: Value) -> str:
    """The media type of a cell's bytes."""
    return "text/plain; charset=utf-8" if isinstance(value, str) else "application/json"


def blob_bytes(value: Value) -> bytes:
    """A cell as bytes: text in UTF-8, everything else in its canonical JSON."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else canonical(value).encode()


def _cell_size(value: Value) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if isinstance(value, tuple | dict):
        return len(canonical(value))
    return 64


def _size(values: Mapping[str, Value]) -> int:
    return sum(_cell_size(value) for value in values.values())
