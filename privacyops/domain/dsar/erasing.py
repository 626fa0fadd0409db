"""The erasure of one request in one store, from the dry run to the last look for what came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import TransitionRefused
from privacyops.kernel.ids import DsarId

PLAN_LIFE: Final = timedelta(hours=24)
"""How long a dry run may be approved and carried out: afterwards the rows may be others."""
SWEEPS: Final = (timedelta(hours=24), timedelta(days=7))
"""When a store is searched again after an erasure: imports and late writers bring people back."""


class ErasingState(StrEnum):
    """PLANNED: the dry run is there. BY_HAND: this store cannot be planned, a person does it. VERIFIED: done and read
    back. RESIDUAL: something is left and a person has a task. HANDED_OVER: the store did not answer to the end.
    PENDING: the store has accepted the work and does it later; it is asked again until it has ended.
    """

    PLANNING = "planning"
    PLANNED = "planned"
    BY_HAND = "by_hand"
    QUEUED = "queued"
    ERASING = "erasing"
    PENDING = "pending"
    VERIFIED = "verified"
    RESIDUAL = "residual"
    HANDED_OVER = "handed_over"


_S = ErasingState
ERASING_TRANSITIONS: Final[Mapping[ErasingState, frozenset[ErasingState]]] = {
    _S.PLANNING: frozenset({_S.PLANNED, _S.BY_HAND}),
    _S.PLANNED: frozenset({_S.PLANNING, _S.QUEUED}),
    _S.BY_HAND: frozenset({_S.PLANNING}),
    _S.QUEUED: frozenset({_S.ERASING, _S.HANDED_OVER}),
    _S.ERASING: frozenset({_S.PENDING, _S.VERIFIED, _S.RESIDUAL, _S.HANDED_OVER}),
    _S.PENDING: frozenset({_S.VERIFIED, _S.RESIDUAL, _S.HANDED_OVER}),
    _S.VERIFIED: frozenset({_S.RESIDUAL, _S.PLANNING}),
    _S.RESIDUAL: frozenset({_S.VERIFIED, _S.PLANNING}),
    _S.HANDED_OVER: frozenset({_S.PLANNING}),
}
RUNNING: Final = frozenset({_S.QUEUED, _S.ERASING, _S.PENDING})
ENDED: Final = frozenset({_S.VERIFIED, _S.RESIDUAL, _S.HANDED_OVER})


def advance_erasing(state: ErasingState, target: ErasingState) -> ErasingState:
    """`target`, if an erasure may go there from `state`. Raises: TransitionRefused."""
    if target not in ERASING_TRANSITIONS[state]:
        allowed = sorted(str(known) for known in ERASING_TRANSITIONS[state])
        raise TransitionRefused(f"an erasure cannot go from {state} to {target}", state=str(state), allowed=allowed)
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreErasure:
    """One row. `plan` and `report` are counts and codes; what is sealed opens with the request's key."""

    id: UUID
    dsar_id: DsarId
    store: str
    state: ErasingState
    version: int
    plan_hash: str | None
    decided_hash: str | None
    plan: Mapping[str, Any]
    plan_sealed: bytes | None
    results_sealed: bytes | None
    report: Mapping[str, Any]
    code: str | None
    planned_at: Instant | None
    ended_at: Instant | None
    sweeps: int
    sweep_at: Instant | None
    poll_at: Instant | None
    """When the store is asked again how its jobs stand; None: it has none that run."""

    def is_fresh(self, now: Instant) -> bool:
        """Whether the dry run may still be approved."""
        return self.planned_at is not None and now - self.planned_at < PLAN_LIFE
