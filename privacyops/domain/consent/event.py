"""A consent event: one immutable fact about one person, and its leaf, which names nobody.

One choice for one purpose over one channel is one event. Times have milliseconds, because a leaf keeps no more:
what a fold of the log gives has to equal the rows that were written with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from privacyops.domain.consent.order import order_time
from privacyops.domain.consent.state import (
    GRANTED,
    GRANTING,
    STATE_AFTER,
    ClockTrust,
    ConsentState,
    EventType,
    Grade,
    IndicatedBy,
    Method,
    state_named,
)
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import BASIS_CODE, LegalBasis, Period, Regime
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import EventId
from privacyops.ledger.leaf import LeafNotCanonical, instant_of, instant_text

LEAF_VERSION: Final = 1
_BASIS_OF: Final = {code: basis for basis, code in BASIS_CODE.items()}


@dataclass(frozen=True, slots=True)
class PurposeRef:
    """A purpose in the version that was shown."""

    key: str
    version: int


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """`purpose`, `channel`, `brand` None: the event covers all of them.

    `state` is what the event leads to if it is applied. `scope` narrows a wildcard event in a word
    (`direct_marketing`, a suppression's reason). `contact` is the keyed hash of the address or number the choice
    is bound to, `former_contact` the one that a change of contact left behind; `notice_published_at` is looked up;
    none of them stands in the leaf in clear.
    """

    id: EventId
    type: EventType
    controller: str
    occurred_at: Instant
    recorded_at: Instant
    method: Method
    actor_kind: str
    clock: ClockTrust = ClockTrust.TRUSTED
    indicated_by: IndicatedBy = IndicatedBy.SUBJECT
    brand: str | None = None
    purpose: PurposeRef | None = None
    channel: str | None = None
    state: ConsentState | None = None
    basis: LegalBasis | None = None
    regime: Regime | None = None
    jurisdiction: str | None = None
    notice: NoticeRef | None = None
    valid_for: str | None = None
    confirm_until: Instant | None = None
    causes: UUID | None = None
    grade: Grade | None = None
    scope: str | None = None
    contact: str | None = None
    former_contact: str | None = None
    notice_published_at: Instant | None = None

    @property
    def is_stop(self) -> bool:
        """Whether the event can only narrow what is allowed: then an equal time counts as later."""
        if self.type in (EventType.IMPORT, EventType.STATE_CARRIED):
            return self.state not in GRANTED and self.state is not ConsentState.REQUESTED
        return self.type not in GRANTING

    @property
    def t(self) -> Instant:
        """The time by which events are put in order."""
        return order_time(
            is_stop=self.is_stop, clock=self.clock, occurred_at=self.occurred_at, recorded_at=self.recorded_at
        )

    @property
    def valid_until(self) -> Instant | None:
        """When a grant ends by itself; fixed by what its leaf says."""
        return Period.parse(self.valid_for).after(self.occurred_at) if self.valid_for else None


def leaf_members(event: ConsentEvent, commitments: Mapping[str, str]) -> dict[str, Any]:
    """The members of the event's leaf. `commitments` are `subject`, `contact`, `chain`, `evidence` as they apply.

    Absent members are left out, never null.
    """
    members: dict[str, Any] = {
        "v": LEAF_VERSION, "id": str(event.id), "controller": event.controller, "type": str(event.type),
        "method": str(event.method), "indicated_by": str(event.indicated_by), "actor_kind": event.actor_kind,
        "clock": str(event.clock), "occurred_at": instant_text(event.occurred_at),
        "recorded_at": instant_text(event.recorded_at), **commitments,
    }  # fmt: skip
    for name in _PLAIN:
        value = getattr(event, name)
        if value is not None:
            members[name] = value
    for name in _CODED:
        value = getattr(event, name)
        if value:
            members[name] = str(value)
    if event.purpose:
        members["purpose"] = {"key": event.purpose.key, "v": event.purpose.version}
    if event.basis:
        members["basis"] = BASIS_CODE[event.basis]
    if event.notice:
        members["notice"] = event.notice.to_json()
    if event.confirm_until:
        members["confirm_until"] = instant_text(event.confirm_until)
    return members


_PLAIN: Final = ("brand", "channel", "jurisdiction", "valid_for", "scope")
_CODED: Final = ("state", "regime", "causes", "grade")


def event_of(members: Mapping[str, Any]) -> ConsentEvent:
    """The event that a leaf tells; without the contact, which the leaf only commits to. The leaf of a notice's
    publication names every text of it and so none that somebody was shown.

    Raises: LeafNotCanonical: the members are not those of a consent event of this version.
    """
    if members.get("v") != LEAF_VERSION:
        raise LeafNotCanonical("a leaf of another version")
    try:
        purpose = members.get("purpose")
        notice = members.get("notice") if members["type"] != EventType.NOTICE_PUBLISHED else None
        return ConsentEvent(
            id=EventId(UUID(members["id"])),
            type=EventType(members["type"]),
            controller=members["controller"],
            occurred_at=instant_of(members["occurred_at"]),
            recorded_at=instant_of(members["recorded_at"]),
            method=Method(members["method"]),
            actor_kind=members["actor_kind"],
            clock=ClockTrust(members["clock"]),
            indicated_by=IndicatedBy(members["indicated_by"]),
            brand=members.get("brand"),
            purpose=PurposeRef(purpose["key"], purpose["v"]) if purpose else None,
            channel=members.get("channel"),
            state=state_named(members["state"]) if "state" in members else None,
            basis=_BASIS_OF[members["basis"]] if "basis" in members else None,
            regime=Regime(members["regime"]) if "regime" in members else None,
            jurisdiction=members.get("jurisdiction"),
            notice=NoticeRef.of_json(notice) if notice else None,
            valid_for=members.get("valid_for"),
            confirm_until=_instant(members.get("confirm_until")),
            causes=UUID(members["causes"]) if "causes" in members else None,
            grade=Grade(members["grade"]) if "grade" in members else None,
            scope=members.get("scope"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as refusal:
        if isinstance(refusal, LeafNotCanonical):
            raise
        raise LeafNotCanonical("not the members of a consent event") from None


def state_after(event_type: EventType) -> ConsentState | None:
    """The state an event of this type leads to; None for one that is not about a single choice."""
    return STATE_AFTER.get(event_type)


def _instant(text: str | None) -> datetime | None:
    return instant_of(text) if text is not None else None
