"""A request as the services see it, and the person who asks."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self

from privacyops.domain.dsar.kind import TYPE_RULES, Channel, Outcome, RequestType, TypeRule
from privacyops.domain.dsar.run import Decision, RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import AccountId, DsarId, FindingId, JobId, RunId


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, in their own words. Lives sealed; only `Dsar.sealed` of the same request opens to it."""

    email: str
    name: str = ""
    phone: str = ""
    customer_id: str = ""
    order_number: str = ""
    message: str = ""

    def to_bytes(self) -> bytes:
        """For sealing."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, opened: bytes) -> Self:
        """The inverse of `to_bytes`; members of a later release are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(opened).items() if name in known})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsar:
    """One request. `version` grows with each change; whoever saved first wins.

    `due_on`, `safe_due_on` and `paused_since` are the last fold of the clock events, in local dates.
    """

    id: DsarId
    reference: str
    type: RequestType
    state: DsarState
    resume_to: DsarState | None
    version: int
    channel: Channel
    language: str
    residence: str | None
    received_at: Instant
    recorded_at: Instant
    contact_index: bytes
    sealed: bytes | None
    is_verified: bool
    proven_level: int
    required_level: int
    assignee_id: AccountId | None
    regime: str
    clock: Mapping[str, Any]
    due_on: date
    safe_due_on: date
    paused_since: date | None = None
    prepared_by: AccountId | None = None
    plan_hash: str | None = None
    outcome: Outcome | None = None
    answered_at: Instant | None = None
    closed_at: Instant | None = None

    @property
    def rule(self) -> TypeRule:
        return TYPE_RULES[self.type]

    @property
    def is_proven(self) -> bool:
        return self.proven_level >= self.required_level

    @property
    def is_open(self) -> bool:
        return self.state is not DsarState.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One store's search. `report` holds counts, collections with their state and codes; never a value.

    `state_sealed` is where the search ended, so that it can go on when another store teaches an identifier.
    """

    id: RunId
    dsar_id: DsarId
    store: str
    state: RunState
    version: int
    job_id: JobId | None
    attempts: int
    started_at: Instant | None
    settled_at: Instant | None
    code: str | None
    report: Mapping[str, Any]
    state_sealed: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """One record that was found; `sealed` opens to its values."""

    id: FindingId
    dsar_id: DsarId
    store: str
    collection: str
    row_ref: bytes
    tier: str
    match: str
    columns: tuple[str, ...]
    via: tuple[str, ...]
    persons_mentioned: int
    sealed: bytes | None
    decision: Decision
    reason: str | None
    decided_by: AccountId | None
    decided_at: Instant | None
    found_at: Instant


@dataclass(frozen=True, slots=True)
class Proof:
    """That the requester is who they say, on a rung of the identity ladder; bound to one request."""

    level: int
    method: str
    at: Instant
    identifier_kind: str | None = None
    sealed: bytes | None = None
