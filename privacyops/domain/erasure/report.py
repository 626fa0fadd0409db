"""How an erasure stands, operation by operation: never complete with an unknown or a targeted field unchanged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from privacyops.domain.erasure.deciding import Undecided
from privacyops.domain.erasure.operation import (
    Blocker,
    Check,
    Delete,
    Keep,
    Op,
    OpResult,
    Outcome,
    PlannedOp,
    Read,
    Verdict,
    touched,
)
from privacyops.domain.finding.open_links import OpenLink
from privacyops.domain.record import RowRef

_EFFECTIVE: Final = frozenset({Outcome.DONE, Outcome.ALREADY, Outcome.KEPT})
_LATER: Final = frozenset({Outcome.PENDING, Outcome.REQUESTED})


class Standing(StrEnum):
    """Where one operation stands. SETTLED: done and read back, or kept for a reason. WAITING: the store works on it.

    RESIDUAL: done, and still readable. UNKNOWN: nobody read it back. OPEN: it was not done.
    """

    SETTLED = "settled"
    WAITING = "waiting"
    RESIDUAL = "residual"
    UNKNOWN = "unknown"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class OpReport:
    """One operation with what became of it. `left` are targeted cells that no act can change, with the code why."""

    op: Op
    order: int
    result: OpResult
    verdict: Verdict | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    appeared: bool = False
    """The row came after the first plan and fits what was approved."""

    @property
    def standing(self) -> Standing:
        """See `Standing`."""
        if self.result.outcome in _LATER:
            return Standing.WAITING
        if self.result.outcome not in _EFFECTIVE:
            return Standing.OPEN
        if self.left:
            return Standing.RESIDUAL
        if not is_read_back(self.op):
            return Standing.SETTLED
        if self.verdict is None or self.verdict.read is Read.UNKNOWN:
            return Standing.UNKNOWN
        if self.verdict.read is Read.STILL_THERE:
            return Standing.RESIDUAL
        return Standing.SETTLED

    @property
    def code(self) -> str:
        """Why it stands where it does, or for which reason it is kept."""
        if self.result.code:
            return self.result.code
        if self.left:
            return sorted(self.left.values())[0]
        if self.verdict is not None and self.verdict.code:
            return self.verdict.code
        return self.op.act.code if isinstance(self.op.act, Keep) else ""


def is_read_back(op: Op) -> bool:
    """Whether there is anything to read back: a row kept as it is has nothing that changed."""
    return not (isinstance(op.act, Keep) and not op.act.cut)


def check_of(planned: PlannedOp) -> Check:
    """What the read-back of an operation looks for."""
    op = planned.op
    return Check(op.id, op.ref, isinstance(op.act, Delete), touched(op.act), planned.before)


@dataclass(frozen=True, slots=True)
class Residue:
    """Something of the subject that the search after the erasure still found; never a value."""

    ref: RowRef
    code: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not searched or not read back: a collection, or `*` for a whole store."""

    collection: str
    code: str


@dataclass(frozen=True, slots=True)
class StoreReport:
    """One store of an erasure. `connector` is its name and version; `seconds` what it took."""

    store: str
    connector: str = ""
    ops: tuple[OpReport, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    residue: tuple[Residue, ...] = ()
    gaps: tuple[Gap, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    plan_hash: str = ""
    problem: str = ""
    seconds: float = 0.0
    open_links: tuple[OpenLink, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everything was done, kept or already so, read back, and searched again to the end.

        A candidate that nobody decided on was never targeted; a row that only lacks a confirmation was. Behind a link
        that nobody confirmed may be more of the person, so nothing is whole while one is open.
        """
        return (
            not self.problem
            and not self.residue
            and not self.gaps
            and not self.waits_for_a_person
            and not self.open_links
            and all(one.standing is Standing.SETTLED for one in self.ops)
        )

    @property
    def is_pending(self) -> bool:
        """Whether the store has jobs that it will tell the end of."""
        return any(one.result.outcome is Outcome.PENDING for one in self.ops)

    @property
    def waits_for_a_person(self) -> bool:
        """Whether a row about the subject is left because nobody confirmed its link or its text."""
        return any(one.tier.value != "candidate" for one in self.undecided)

    @property
    def nothing_held(self) -> bool:
        """Whether the store answered and holds nothing."""
        return not self.problem and not self.gaps and not self.ops and not self.undecided


def tallied(reports: Iterable[OpReport]) -> dict[str, int]:
    """How many operations stand where."""
    found: dict[str, int] = {}
    for one in reports:
        found[one.standing.value] = found.get(one.standing.value, 0) + 1
    return found


@dataclass(frozen=True, slots=True)
class KeptItem:
    """Rows of one collection that are kept, for which reason and until when (None: open)."""

    store: str
    collection: str
    code: str
    until: date | None
    rows: int


def kept_items(stores: Sequence[StoreReport]) -> tuple[KeptItem, ...]:
    """What the letter and the receipt say of kept rows; rows kept by law only, not those that lost the person."""
    counted: dict[tuple[str, str, str, date | None], int] = {}
    for store in stores:
        for one in store.ops:
            act = one.op.act
            if (isinstance(act, Keep) and act.until is not None) or (isinstance(act, Keep) and act.code.isupper()):
                key = (store.store, one.op.ref.collection, act.code, act.until)
                counted[key] = counted.get(key, 0) + 1
    order = sorted(counted.items(), key=lambda item: (*item[0][:3], str(item[0][3])))
    return tuple(KeptItem(*key, rows) for key, rows in order)
