"""What a search yields and what it has to remember: findings, questions, and a state that can be stopped anywhere.

The state holds keys, link columns and identifiers, never whole rows: those leave it as findings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from privacyops.domain.identity.identifier import Identifier
from privacyops.domain.record import Key, RowRef, Value

NOTHING: Final[Mapping[str, Value]] = MappingProxyType({})
MAX_ROUNDS: Final = 8
MAX_ACCOUNTS: Final = 20
LISTED_POINTERS: Final = 100
"""Pointer rows listed per link; beyond that they are counted, and listed on demand."""


class FindingTier(StrEnum):
    """OWNED: about the subject. POINTER: another's row, of which `fields` alone concern the subject. CANDIDATE: a
    person has to say.
    """

    OWNED = "owned"
    POINTER = "pointer"
    CANDIDATE = "candidate"


RANK: Final = {FindingTier.OWNED: 2, FindingTier.POINTER: 1, FindingTier.CANDIDATE: 0}
"""A row found twice keeps the better tier; a pointer is certain of one cell, a candidate of nothing."""


class Match(StrEnum):
    """Why a row was found: an identifier in a typed column, a key, attributes that agree, or running text."""

    EXACT = "exact"
    LINKED = "linked"
    ATTRIBUTE = "attribute"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Characters [start, end) of a text cell that name the subject; 0 to 0 where the cell is a document."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """One row that concerns the subject.

    `fields` are the filled cells that do, `values` their values; `via` is the path to the row, `orders.customer_id`
    a step. `repeats` are text cells that copy an identifier. `reason` is a code for the reviewer.
    """

    ref: RowRef
    tier: FindingTier
    match: Match
    via: tuple[str, ...]
    fields: tuple[str, ...]
    values: Mapping[str, Value] = field(default_factory=lambda: NOTHING)
    confidence: float = 1.0
    reason: str = ""
    repeats: tuple[str, ...] = ()
    spans: tuple[TextSpan, ...] = ()

    @property
    def store(self) -> str:
        """The store of the row."""
        return self.ref.store

    @property
    def collection(self) -> str:
        """The collection of the row; the parent of a partition, never a view."""
        return self.ref.collection

    @property
    def key(self) -> Key:
        """The key of the row."""
        return self.ref.key

    def __repr__(self) -> str:
        return f"Finding({self.ref!r}, {self.tier.value}, {' < '.join(self.via)})"


class Phase(StrEnum):
    """Where the search stands; the order is that of the frontier."""

    LOCATE = "locate"
    ROOTS = "roots"
    VALUES = "values"
    HOPS = "hops"
    SATELLITES = "satellites"
    TEXT = "text"
    POINTERS = "pointers"
    DONE = "done"


class AskKind(StrEnum):
    """What one statement is for."""

    LOCATE = "locate"
    ROOT = "root"
    VALUE = "value"
    INWARD = "inward"
    OUTWARD = "outward"
    REFERENCES = "references"
    VOUCH = "vouch"
    TEXT = "text"
    POINTER = "pointer"


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """One statement, or the next page of one: `keys` are those of the rows the link comes from or leads to.

    `identifiers` counts those that were known when the ask was made: a page asks what the first page asked.
    """

    kind: AskKind
    collection: str
    link: str = ""
    keys: tuple[tuple[Value, ...], ...] = ()
    since: int = 0
    identifiers: int = 0
    after: str | None = None

    def __repr__(self) -> str:
        return f"Ask({self.kind.value}, {self.collection!r}, {self.link!r}, {len(self.keys)} keys)"


@dataclass(frozen=True, slots=True, repr=False)
class Taken:
    """A row the search has decided on, with the columns that links start from or end at."""

    ref: RowRef
    tier: FindingTier
    via: tuple[str, ...]
    values: Mapping[str, Value] = field(default_factory=lambda: NOTHING)
    root: bool = False

    def __repr__(self) -> str:
        return f"Taken({self.ref!r}, {self.tier.value})"


@dataclass(frozen=True, slots=True, repr=False)
class PersonHit:
    """A row of a person collection that an identifier met, before it is known whose it is.

    `rules` are (identifier's position, rule, field); `other_email`: the row has an address that was not given.
    `named`: it has a name; `agrees`: a known name of the subject agrees with it. `via` leads there where the
    identifier met a table of contact data.
    """

    ref: RowRef
    rules: tuple[tuple[int, str, str], ...]
    other_email: bool
    named: bool
    agrees: bool
    via: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"PersonHit({self.ref!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Contact:
    """Rows of contact data that an identifier met: `link` leads from them to the person with this key of its columns.

    `rules` are as in PersonHit.
    """

    link: str
    key: tuple[Value, ...]
    rules: tuple[tuple[int, str, str], ...]

    def __repr__(self) -> str:
        return f"Contact({self.link!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Contradiction:
    """A row that was reached but speaks of another known person: not taken, not followed, listed.

    `by` is the link or field that says so.
    """

    ref: RowRef
    by: str
    via: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Contradiction({self.ref!r}, by {self.by!r})"


class CollectionState(StrEnum):
    """How far a collection was searched. A partial or unreachable one is never "nothing found"."""

    DONE = "done"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Progress:
    """One collection: rows looked at of `of` (None: unknown), rows found, statements, and why it is not done."""

    state: CollectionState = CollectionState.DONE
    scanned: int = 0
    of: int | None = None
    hits: int = 0
    statements: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the search has used so far of its budget."""

    statements: int = 0
    rows: int = 0
    bytes: int = 0
    scanned: int = 0
    seconds: float = 0.0


class Doubt(StrEnum):
    """Why the search stopped: the identifiers do not single out one person."""

    TWO_ROOTS = "two_roots"
    IDENTIFIERS_DISAGREE = "identifiers_disagree"
    TOO_MANY_ACCOUNTS = "too_many_accounts"


@dataclass(frozen=True, slots=True, repr=False)
class SearchState:
    """Everything a search of one store needs to go on after any page. `codec` turns it into JSON and back.

    `doubtful` are the hits that settling left to a person. `references` are, for each row that was reached outward,
    the ids of the rows that point at it ("*" for too many to list). `known` says of digests of values whether another
    person holds them. `is_patient` leaves the texts unread until the other stores have taught what they know: reading
    them is the dearest part, and each new name would have them read once more.
    """

    store: str
    identifiers: tuple[Identifier, ...]
    phase: Phase = Phase.LOCATE
    round: int = 1
    queue: tuple[Ask, ...] = ()
    asked: frozenset[str] = frozenset()
    taken: Mapping[str, Taken] = field(default_factory=dict)
    hits: Mapping[str, PersonHit] = field(default_factory=dict)
    contacts: tuple[Contact, ...] = ()
    doubtful: frozenset[str] = frozenset()
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)
    contradictions: Mapping[str, Contradiction] = field(default_factory=dict)
    known: Mapping[str, bool] = field(default_factory=dict)
    seeded: int = 0
    texted: int = 0
    shared_phones: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict)
    progress: Mapping[str, Progress] = field(default_factory=dict)
    spent: Spent = Spent()
    doubt: Doubt | None = None
    failed: str = ""
    is_patient: bool = False

    @property
    def awaits_others(self) -> bool:
        """Whether only the texts and what points at the subject are left, for when the other stores are done."""
        return self.is_patient and self.phase is Phase.DONE and self.doubt is None and not self.failed

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to ask: finished, in doubt, or the store failed."""
        return self.phase is Phase.DONE or self.doubt is not None or bool(self.failed)

    @property
    def is_whole(self) -> bool:
        """Whether every searched collection was searched to its end."""
        return not self.failed and all(one.state is CollectionState.DONE for one in self.progress.values())

    def owned(self) -> tuple[Taken, ...]:
        """The rows about the subject."""
        return tuple(one for one in self.taken.values() if one.tier is FindingTier.OWNED)

    def __repr__(self) -> str:
        return f"SearchState({self.store!r}, {self.phase.value}, {len(self.taken)} rows)"


def begin(store: str, identifiers: tuple[Identifier, ...], *, is_patient: bool = False) -> SearchState:
    """A search that has not asked anything yet."""
    return SearchState(store, identifiers, is_patient=is_patient)
