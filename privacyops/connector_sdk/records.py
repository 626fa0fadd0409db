"""Rows and what points at them. Everything that crosses the seam is a frozen value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeAlias
from uuid import UUID

MAX_CURSOR_BYTES: Final = 1024
MAX_VALUE_BYTES: Final = 1_000_000
"""A larger cell is not delivered but handed over as a `BlobRef`."""
MAX_ROW_BYTES: Final = 4_000_000
MAX_PAGE_BYTES: Final = 32_000_000
MAX_JSON_DEPTH: Final = 32


class CursorTooLong(ValueError):
    """A cursor is over 1 KiB; it would not fit beside the progress it stands for."""


class Cursor(str):
    """Where a scan goes on. Opaque to everyone but the connector; sealed by the host before it is stored.

    It may hold the last key, so its `repr` shows the length only.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "Cursor":
        """Raises: CursorTooLong: over 1 KiB in UTF-8."""
        if len(text.encode()) > MAX_CURSOR_BYTES:
            raise CursorTooLong("a cursor holds at most 1 KiB")
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return f"Cursor(<{len(self)} characters>)"


@dataclass(frozen=True, repr=False)
class RowRef:
    """One row of one store, by its key.

    Without a key: `key` holds all scalar columns and `version` the row's hash. Where the store keeps versions
    or entity tags, `version` is that tag. `repr` names the key's columns and never their values.
    """

    store: str
    collection: str
    key: Mapping[str, "Value"]
    version: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", dict(self.key))

    def __hash__(self) -> int:
        return hash((self.store, self.collection, canonical(self.key), self.version))

    def __repr__(self) -> str:
        return f"RowRef({self.store!r}, {self.collection!r}, key of {', '.join(self.key)})"


@dataclass(frozen=True, repr=False)
class BlobRef:
    """A handle for what is too large or too opaque to be a cell: an attachment, an object, a text over 1 MB.

    `bytes` is the size, or None where the store does not tell it without reading.
    """

    ref: RowRef
    field: str
    name: str
    media_type: str
    bytes: int | None

    def __repr__(self) -> str:
        return f"BlobRef({self.ref!r}, {self.field!r}, {self.media_type!r}, {self.bytes})"


Scalar: TypeAlias = bool | int | float | Decimal | str | bytes | datetime | date | time | timedelta | UUID | None
Value: TypeAlias = Scalar | BlobRef | tuple["Value", ...] | Mapping[str, "Value"]


@dataclass(frozen=True, repr=False)
class Row:
    """A row with the fields that were asked for. A field the row does not have is absent, not None."""

    ref: RowRef
    values: Mapping[str, Value]

    def __repr__(self) -> str:
        return f"Row({self.ref!r}, {', '.join(self.values)})"


@dataclass(frozen=True, repr=False)
class Hit:
    """A row that fits the predicate; `matched` are the ids of the leaves it fits, in the predicate's order."""

    ref: RowRef
    values: Mapping[str, Value]
    matched: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Hit({self.ref!r}, {', '.join(self.values)}, matched {', '.join(self.matched)})"


class Certainty(StrEnum):
    """How good a number is."""

    EXACT = "exact"
    ESTIMATE = "estimate"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Count:
    """A number of rows. UNKNOWN goes with 0."""

    n: int
    certainty: Certainty = Certainty.EXACT


UNKNOWN_COUNT: Final = Count(0, Certainty.UNKNOWN)


@dataclass(frozen=True)
class Mark:
    """Progress and resume point in one. Every row up to `after` was looked at, its hits were yielded before.

    `scanned` counts rows since the scan began in this call; `of` is what the collection holds.
    """

    after: Cursor
    scanned: int
    of: Count = UNKNOWN_COUNT


@dataclass(frozen=True)
class Page:
    """How many hits at most, and where to go on. An iterator ends at the page's size or at the last row."""

    size: int
    after: Cursor | None = None


class Sampling(StrEnum):
    """Which rows a sample takes. SPREAD: from all over the collection, and the same ones each time."""

    FIRST = "first"
    RANDOM = "random"
    SPREAD = "spread"


def canonical(value: Value) -> str:
    """The one text form of a value: equal values have equal texts, whatever driver brought them.

    Numbers lose their trailing zeros, so that 17, 17.0 and Decimal("17.00") are one; text stays text.
    """
    return json.dumps(_plain(value), ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def row_hash(values: Mapping[str, Value]) -> str:
    """SHA-256 of the row's canonical text, in hex. Equal rows have equal hashes; blobs count by handle."""
    return sha256(canonical(values).encode()).hexdigest()


def _plain(value: Value) -> object:  # one return a type is the point of it
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float | Decimal):
        return ["n", number_text(value)]
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return ["a", [_plain(part) for part in value]]
    return _plain_other(value)


def _plain_other(value: Value) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return ["b", bytes(value).hex()]
    if isinstance(value, datetime | date | time):
        return ["t", value.isoformat()]
    if isinstance(value, timedelta):
        return ["d", str(value / timedelta(microseconds=1))]
    if isinstance(value, BlobRef):
        return ["blob", value.field, value.name, value.bytes]
    return ["o", str(value)]


def number_text(value: int | float | Decimal) -> str:
    """The shortest text of a number: no trailing zeros, no exponent."""
    if isinstance(value, int):
        return str(value)
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        return str(exact)
    text = format(exact, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
