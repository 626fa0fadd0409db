"""Operations, plans, results and verdicts of the writing half."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType, TypeAlias

from privacyops.connector_sdk.catalogue import LinkAction
from privacyops.connector_sdk.records import Count, RowRef, Value

OpId = NewType("OpId", str)


@dataclass(frozen=True)
class Null:
    """The empty value."""


@dataclass(frozen=True, repr=False)
class Constant:
    """The same value for everybody, such as an empty text or 0."""

    value: Value


@dataclass(frozen=True)
class RandomToken:
    """A token drawn anew for each cell, never derived from the value by hash, HMAC or cipher.

    `template` holds `{r}` where `length` random characters (a-z, 2-7) go: `erased-{r}@invalid.example`.
    """

    template: str = "erased-{r}"
    length: int = 16


class GeneralKind(StrEnum):
    """How a value is made coarse. Applying it twice changes nothing more."""

    BIRTH_YEAR = "birth_year"
    """The date becomes 1 January of its year."""
    POSTCODE_PREFIX = "postcode_prefix"
    """The first two characters stay."""
    IP_PREFIX = "ip_prefix"
    """IPv4 keeps 24 bits, IPv6 48."""
    DAY = "day"
    """The instant becomes midnight UTC of its day."""


@dataclass(frozen=True)
class Generalise:
    """The value made coarse in place."""

    kind: GeneralKind


@dataclass(frozen=True)
class Fake:
    """A made-up value of the same form, drawn at random and unrelated to the one it replaces."""

    kind: str
    locale: str = "en"


@dataclass(frozen=True, repr=False)
class Given:
    """A value the subject gave: rectification only."""

    value: Value


Replacement: TypeAlias = Null | Constant | RandomToken | Generalise | Fake | Given


@dataclass(frozen=True)
class Delete:
    """The row goes."""


@dataclass(frozen=True)
class Set:
    """Cells of the row are replaced; the row stays."""

    fields: Mapping[str, Replacement]


@dataclass(frozen=True)
class Unlink:
    """The row stays without the person: the pointing cell is nulled, or set to `to` where null is not
    allowed.
    """

    field: str
    to: Value = None


@dataclass(frozen=True)
class RedactSpan:
    """Parts of a text are blacked out. Spans are [start, end) in characters and do not overlap."""

    field: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class DropPath:
    """A path of a document goes: `$.customer.email`."""

    field: str
    path: str


@dataclass(frozen=True)
class RemoveElement:
    """One element of an array goes, by position counted from 0."""

    field: str
    at: int


@dataclass(frozen=True)
class Tombstone:
    """A marker that hides the row where the store cannot remove it."""


@dataclass(frozen=True)
class Keep:
    """The row is retained for `code` until `until` (None: open); the cells in `cut` go now.

    With nothing to cut the row stays as it is: every store takes that, whatever it can change, and answers `kept`.
    """

    code: str
    until: date | None
    cut: Mapping[str, Replacement]


Act: TypeAlias = Delete | Set | Unlink | RedactSpan | DropPath | RemoveElement | Tombstone | Keep


@dataclass(frozen=True)
class Op:
    """What the core wants done to one row."""

    id: OpId
    ref: RowRef
    act: Act


@dataclass(frozen=True)
class PlannedOp:
    """An operation as the store will do it.

    `order` counts from 0, `after` are the operations that must be done before. `before` ties the operation to
    what was read: keyed hashes of the row and of the touched cells, opaque to everyone but the connector.
    `effect` is a code; `text` is for people and has placeholders where values would be.
    """

    op: Op
    order: int
    after: tuple[OpId, ...]
    before: str
    effect: str
    text: str
    irreversible: bool


@dataclass(frozen=True)
class Cascade:
    """Rows that the store itself would touch. `inside`: all of them are operations of this plan."""

    constraint: str
    source: str
    target: str
    action: LinkAction
    rows: Count
    inside: bool


@dataclass(frozen=True)
class Blocker:
    """Why an operation cannot be done as asked, and what would help. `op` is None where all are concerned."""

    code: str
    collection: str
    field: str | None = None
    constraint: str | None = None
    remedy: str = ""
    op: OpId | None = None


@dataclass(frozen=True)
class Plan:
    """All operations for one store. Equal input on an equal store gives an equal `hash`; `id` is that of this
    making. `warnings` are codes, with a collection or constraint after a colon.
    """

    id: str
    hash: str
    made_at: datetime
    expires_at: datetime
    ops: tuple[PlannedOp, ...]
    cascades: tuple[Cascade, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How one operation ended. DONE, ALREADY and KEPT are success."""

    DONE = "done"
    ALREADY = "already"
    KEPT = "kept"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    PENDING = "pending"
    REQUESTED = "requested"
    RETRIABLE = "retriable"
    FAILED = "failed"


@dataclass(frozen=True)
class Ticket:
    """A job the store does later."""

    id: str
    submitted_at: datetime
    poll_after: datetime
    give_up_at: datetime


@dataclass(frozen=True)
class OpResult:
    """`fields` are the cells really changed, `after` the keyed hash of the row then; `code` says why not."""

    op: OpId
    outcome: Outcome
    fields: tuple[str, ...] = ()
    after: str = ""
    ticket: Ticket | None = None
    code: str = ""
    at: datetime | None = None


@dataclass(frozen=True, repr=False)
class Asked:
    """A request that a platform passes on. `what` is the manifest's word for it (`access`, `erasure`, `uninstalled`),
    `identifiers` are by kind (`email`, `phone`). `delivery` is the same for a message delivered twice; it may be blank.
    """

    what: str
    identifiers: Mapping[str, str]
    delivery: str = ""


@dataclass(frozen=True, repr=False)
class Heard:
    """What a service told of its own accord, once its word was proven. `event` is the same for a word that is told
    twice, and says nothing of a person; `settled` are the tickets whose jobs it speaks of, and how each ended. `asked`
    is a request that it passes on instead.
    """

    event: str
    settled: tuple[tuple[Ticket, OpResult], ...] = ()
    asked: Asked | None = None


class Expectation(StrEnum):
    """What a read-back looks for."""

    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True)
class Check:
    """One thing to read back. `before` is `PlannedOp.before`; with it each field of `fields` is compared."""

    ref: RowRef
    expects: Expectation
    fields: tuple[str, ...] = ()
    before: str = ""


class Finding(StrEnum):
    """What a read-back found."""

    GONE = "gone"
    CHANGED = "changed"
    STILL_THERE = "still_there"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """The answer to one check; `fields` are those still as they were."""

    check: Check
    outcome: Finding
    fields: tuple[str, ...] = ()
    code: str = ""
