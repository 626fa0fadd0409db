"""What is done to a row, what a store plans of it, and how it ended: the core's side of a connector's writing half."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from privacyops.domain.record import RowRef, Value
from privacyops.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class Null:
    """The empty value."""


@dataclass(frozen=True, slots=True, repr=False)
class Constant:
    """The same value for everybody."""

    value: Value


@dataclass(frozen=True, slots=True)
class RandomToken:
    """Drawn anew for each cell, never derived from the value; `{r}` is where `length` random characters go."""

    template: str = "erased-{r}"
    length: int = 16


@dataclass(frozen=True, slots=True)
class Generalise:
    """The value made coarse: birth_year, postcode_prefix, ip_prefix or day."""

    kind: str


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """A value that the subject gave: rectification only."""

    value: Value


Replacement: TypeAlias = Null | Constant | RandomToken | Generalise | Given


@dataclass(frozen=True, slots=True)
class Delete:
    """The row goes."""


@dataclass(frozen=True, slots=True)
class Set:
    """Cells are replaced; the row stays."""

    fields: Mapping[str, Replacement]


@dataclass(frozen=True, slots=True)
class Unlink:
    """The row stays without the person: the pointing cell is emptied, or holds `to`, which points at nobody."""

    field: str
    to: Value = None


@dataclass(frozen=True, slots=True)
class RedactSpan:
    """Characters [start, end) of a text are blacked out."""

    field: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class DropPath:
    """A path of a document goes."""

    field: str
    path: str


@dataclass(frozen=True, slots=True)
class RemoveElement:
    """One element of an array goes, by position counted from 0."""

    field: str
    at: int


@dataclass(frozen=True, slots=True)
class Keep:
    """The row is retained for `code` until `until` (None: open); the cells in `cut` go now."""

    code: str
    until: date | None = None
    cut: Mapping[str, Replacement] = field(default_factory=dict)


Act: TypeAlias = Delete | Set | Unlink | RedactSpan | DropPath | RemoveElement | Keep


def act_name(act: Act) -> str:
    """The act's one word in reports: delete, set, unlink, redact_span, drop_path, remove_element, keep."""
    return _NAMES[type(act)]


_NAMES: Mapping[type, str] = {
    Delete: "delete",
    Set: "set",
    Unlink: "unlink",
    RedactSpan: "redact_span",
    DropPath: "drop_path",
    RemoveElement: "remove_element",
    Keep: "keep",
}


def touched(act: Act) -> tuple[str, ...]:
    """The fields an act changes; a delete changes none and takes all."""
    if isinstance(act, Set):
        return tuple(act.fields)
    if isinstance(act, Keep):
        return tuple(act.cut)
    return () if isinstance(act, Delete) else (act.field,)


@dataclass(frozen=True, slots=True)
class Op:
    """What the core wants done to one row. `id` names it in its store: equal rows and acts have equal ids.

    `why` is the code of the decision: by_default, policy, needed_by_another, pointer, in_text.
    """

    id: str
    ref: RowRef
    act: Act
    why: str = ""


@dataclass(frozen=True, slots=True)
class PlannedOp:
    """The operation as the store will do it: when, after which others, tied by `before` to what was read.

    `before` is opaque; `text` has placeholders where values would be.
    """

    op: Op
    order: int
    after: tuple[str, ...]
    before: str
    effect: str
    text: str
    irreversible: bool


@dataclass(frozen=True, slots=True)
class Cascade:
    """Rows that the store itself would touch; `inside`: all of them are operations of this plan."""

    constraint: str
    source: str
    target: str
    action: str
    rows: int
    inside: bool


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why an operation cannot be done as asked; `op` None: it concerns the whole plan."""

    code: str
    collection: str
    field: str | None = None
    constraint: str | None = None
    remedy: str = ""
    op: str | None = None


@dataclass(frozen=True, slots=True)
class StorePlan:
    """One transaction's worth of operations as a store planned them. Equal input, equal store: equal `hash`."""

    id: str
    hash: str
    made_at: Instant
    expires_at: Instant
    ops: tuple[PlannedOp, ...]
    cascades: tuple[Cascade, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How one operation ended. DONE, ALREADY and KEPT are success; PLANNED: it has not been tried."""

    PLANNED = "planned"
    DONE = "done"
    ALREADY = "already"
    KEPT = "kept"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    PENDING = "pending"
    REQUESTED = "requested"
    RETRIABLE = "retriable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A job that the store does later."""

    id: str
    submitted_at: Instant
    poll_after: Instant
    give_up_at: Instant


@dataclass(frozen=True, slots=True)
class OpResult:
    """`fields` are the cells really changed; `code` says why not."""

    op: str
    outcome: Outcome
    fields: tuple[str, ...] = ()
    after: str = ""
    ticket: Ticket | None = None
    code: str = ""
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to read back: the row is gone, or each of `fields` changed since `before`."""

    op: str
    ref: RowRef
    gone: bool
    fields: tuple[str, ...] = ()
    before: str = ""


class Read(StrEnum):
    """What a read-back found."""

    GONE = "gone"
    CHANGED = "changed"
    STILL_THERE = "still_there"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to the check of one operation; `fields` are those still as they were."""

    op: str
    read: Read
    fields: tuple[str, ...] = ()
    code: str = ""
