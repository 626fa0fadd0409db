"""The state that follows from the events: rows of the projection, and the one function that changes them.

`apply` is the only rule by which a row comes to be or changes; the write path, a replay of the log and the
property tests all fold through it. It is written so that the order of arrival does not decide what is allowed:
the later order time wins, a stop wins a tie, and a late grant never resurrects.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias
from uuid import UUID

from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.state import (
    GRANTED,
    STOPPED,
    UNDECIDED,
    ConsentState,
    EventType,
    Grade,
    RowKind,
    Strength,
)
from privacyops.domain.consent.suppression import STRENGTH, SuppressionReason
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import LegalBasis, Regime
from privacyops.kernel.clock import Instant
from privacyops.kernel.record import record

RowKey: TypeAlias = tuple[RowKind, str | None, str | None, str | None]
"""Kind, purpose, channel, brand; None stands for all of them."""

IN_FORCE: Final = "in_force"
LIFTED: Final = "lifted"


@record(frozen=True, slots=True)
class StateRow:
    """What is known for one key. `state` is a `ConsentState` for a choice, else `in_force`, `lifted` or a reason.

    `t` is the order time; `since` what the grant itself says. While a request is pending, `prior_state`,
    `prior_t` and `valid_until` are those of the state that returns if nobody confirms; on a confirmed grant
    `prior_t` is the time of its request.
    """

    kind: RowKind
    purpose: str | None
    channel: str | None
    brand: str | None
    state: str
    t: Instant
    since: Instant
    event_id: UUID
    prior_state: ConsentState | None = None
    prior_t: Instant | None = None
    valid_until: Instant | None = None
    confirm_until: Instant | None = None
    notice: NoticeRef | None = None
    purpose_version: int | None = None
    regime: Regime | None = None
    jurisdiction: str | None = None
    contact: str | None = None
    strength: Strength | None = None
    grade: Grade | None = None
    basis: LegalBasis | None = None

    @property
    def key(self) -> RowKey:
        return (self.kind, self.purpose, self.channel, self.brand)

    @property
    def asked_at(self) -> Instant:
        """The time that a stop is compared with: a confirmed grant is as old as its request."""
        return self.prior_t if self.strength is Strength.CONFIRMED and self.prior_t else self.t

    def is_valid_grant(self, now: Instant) -> bool:
        """Whether this is a grant that has not run out."""
        return self.state in GRANTED and (self.valid_until is None or now < self.valid_until)


Rows: TypeAlias = Mapping[RowKey, StateRow]


def fold(events: Iterable[ConsentEvent]) -> dict[RowKey, StateRow]:
    """The rows after all of one person's events, in the order in which they were recorded."""
    rows: dict[RowKey, StateRow] = {}
    for event in events:
        for row in apply(rows, event):
            rows[row.key] = row
    return rows


def apply(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    """The rows that `event` writes anew; empty when it is recorded without being applied.

    Raises: EventNotFolded: the type says something about several people at once, which no single fold can answer.
    """
    if event.type in WITHOUT_STATE:
        return ()
    try:
        rule = _RULES[event.type]
    except KeyError:
        raise EventNotFolded(event.type) from None
    return rule(rows, event)


class EventNotFolded(LookupError):
    """An event between two people reached the fold of one of them."""


def key_of(event: ConsentEvent) -> RowKey:
    """The row of the one choice that `event` is about."""
    return choice_key(event.purpose.key if event.purpose else None, event.channel, event.brand)


def choice_key(purpose: str | None, channel: str | None, brand: str | None) -> RowKey:
    """The row of one choice."""
    return (RowKind.CHOICE, purpose, channel, brand)


def no_recorded_as(row: StateRow | None, now: Instant) -> EventType:
    """A "no" ends a valid grant as a withdrawal, and is a refusal otherwise."""
    return EventType.WITHDRAWN if row is not None and row.is_valid_grant(now) else EventType.REFUSED


def stop_all_covering(rows: Rows, key: RowKey) -> Instant | None:
    """The latest unsubscribe-all that reaches the choice at `key`."""
    _, _, channel, brand = key
    reaching = [
        row.t
        for row in rows.values()
        if row.kind is RowKind.STOP_ALL and row.channel in (None, channel) and row.brand in (None, brand)
    ]
    return max(reaching, default=None)


def _grant(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    row = rows.get(key_of(event))
    if _is_behind(rows, row, event):
        return ()
    if row is not None and row.state == ConsentState.INVALIDATED:
        published = event.notice_published_at  # what was invalidated needs a text that came later
        if published is None or published <= row.t:
            return ()
    return (_choice(row, event, Strength.EXPRESSED),)


def _confirmed(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    """A confirmation counts if its request still stands: no stop in force is later than the request."""
    row = rows.get(key_of(event))
    if row is None or _is_behind(rows, row, event):
        return ()
    stop_all = stop_all_covering(rows, row.key)
    if stop_all is not None and stop_all >= row.t:
        return ()
    is_asked = row.state == ConsentState.REQUESTED and row.event_id == event.causes
    if not is_asked and row.state not in GRANTED:
        return ()
    return (replace(_choice(row, event, Strength.CONFIRMED), prior_state=ConsentState.REQUESTED, prior_t=row.t),)


def _requested(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    """Asking changes nothing while a grant stands; else the state in front of it waits for the answer."""
    row = rows.get(key_of(event))
    if _is_behind(rows, row, event) or (row is not None and _stands(rows, row, event.recorded_at)):
        return ()
    if event.confirm_until is None and row is not None and row.state not in UNDECIDED:
        return ()  # a prompt that was shown is no answer: it stands in front of nothing that was said
    fresh = replace(_choice(row, event, Strength.EXPRESSED), state=ConsentState.REQUESTED, valid_until=None)
    if row is None:
        return (fresh,)
    again = row.state == ConsentState.REQUESTED
    return (
        replace(
            fresh,
            prior_state=row.prior_state if again else ConsentState(row.state),
            prior_t=row.prior_t if again else row.t,
            valid_until=row.valid_until,
            grade=event.grade or row.grade,
        ),
    )


def _deferred(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    row = rows.get(key_of(event))
    if row is not None and (row.state not in UNDECIDED or event.t < row.t):
        return ()
    return (replace(_choice(row, event, None), valid_until=None, grade=row.grade if row else None),)


def _stop(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    row = rows.get(key_of(event))
    if row is not None and event.t < row.asked_at:
        pending = row.state == ConsentState.REQUESTED
        if pending and (row.prior_t is None or event.t >= row.prior_t):
            return (replace(row, prior_state=event.state, prior_t=event.t),)
        return ()
    return (_choice(row, event, None, lasts=False),)


def _expired(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    row = rows.get(key_of(event))
    if row is None or row.state not in GRANTED or row.valid_until is None or event.t < row.valid_until:
        return ()
    return (replace(row, state=ConsentState.EXPIRED, t=event.t, event_id=event.id),)


def _imported(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    """A legacy record: never over a stop, never over a live choice that came later."""
    row = rows.get(key_of(event))
    if event.state in STOPPED:
        return _stop(rows, event)
    if row is not None and row.state not in UNDECIDED | GRANTED:
        return ()
    if event.state in UNDECIDED:
        undecided = row is None or (row.state in UNDECIDED and event.t >= row.t)
        return (replace(_choice(row, event, None), valid_until=None),) if undecided else ()
    if event.state is ConsentState.REQUESTED:
        return tuple(replace(fresh, strength=Strength.IMPORTED) for fresh in _requested(rows, event))
    if _is_behind(rows, row, event):
        return ()
    return (_choice(row, event, Strength.IMPORTED),)


def _contact_changed(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    """Grants bound to the former contact wait for its successor's owner; stops stay where they are."""
    return tuple(
        replace(
            row,
            state=ConsentState.REQUESTED,
            t=max(event.t, row.t),
            event_id=event.id,
            prior_state=ConsentState.UNKNOWN,
            prior_t=max(event.t, row.t),
            valid_until=None,
            confirm_until=event.confirm_until,
            contact=event.contact,
        )
        for row in rows.values()
        if row.kind is RowKind.CHOICE
        and row.contact is not None
        and row.contact == event.former_contact
        and row.is_valid_grant(event.recorded_at)
    )


def _basis_established(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    row = rows.get(key_of(event))
    if row is None:
        row = replace(_choice(None, event, None), state=ConsentState.UNKNOWN, valid_until=None)
    return (replace(row, basis=event.basis),)


def _wildcard(kind: RowKind, state: str) -> Callable[[Rows, ConsentEvent], tuple[StateRow, ...]]:
    """A row over all purposes, or all channels, or all brands: the later one wins, a tie goes to the newcomer."""

    def rule(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
        purpose = event.purpose.key if event.purpose else None
        old = rows.get((kind, purpose, event.channel, event.brand))
        if old is not None and event.t < old.t:
            return ()
        return (_wide(kind, state, event),)

    return rule


def _suppressed(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    """`scope` is the reason. The strongest is shown; where two contacts are meant, the row names neither of them."""
    fresh = _wide(RowKind.SUPPRESSION, event.scope or "", event)
    old = rows.get(fresh.key)
    if old is None or old.state == LIFTED:
        return (fresh,)
    after = both_suppressed(old, fresh)
    return (after,) if after != old else ()


def both_suppressed(old: StateRow, fresh: StateRow) -> StateRow:
    """One row that stops all that either stops: the stronger reason's, as of the later time.

    An opt-out before an erasure reaches further than a complaint; `prior_t` keeps its time where it is not shown.
    """
    shown = fresh if STRENGTH.get(fresh.state, 0) >= STRENGTH.get(old.state, 0) else old
    erased = [t for row in (old, fresh) if (t := erased_at(row)) is not None]
    return replace(
        shown,
        t=max(old.t, fresh.t),
        prior_t=max(erased, default=None) if shown.state != SuppressionReason.ERASED_OPT_OUT else None,
        contact=fresh.contact if fresh.contact == old.contact else None,
    )


def erased_at(row: StateRow) -> Instant | None:
    """When what a suppression's row says of an opt-out before an erasure was put on the list; None: nothing."""
    return row.t if row.state == SuppressionReason.ERASED_OPT_OUT else row.prior_t


def _unsuppressed(rows: Rows, event: ConsentEvent) -> tuple[StateRow, ...]:
    """What else stands against the contact is added again by the events that follow."""
    fresh = _wide(RowKind.SUPPRESSION, LIFTED, event)
    old = rows.get(fresh.key)
    if old is None or old.state != event.scope or (old.contact is not None and old.contact != event.contact):
        return ()
    return (fresh,)


def _wide(kind: RowKind, state: str, event: ConsentEvent) -> StateRow:
    return StateRow(
        kind=kind, purpose=event.purpose.key if event.purpose else None, channel=event.channel, brand=event.brand,
        state=state, t=event.t, since=event.occurred_at, event_id=event.id, contact=event.contact,
        jurisdiction=event.jurisdiction,
    )  # fmt: skip


def _stands(rows: Rows, row: StateRow, now: Instant) -> bool:
    """Whether `row` is a valid grant that no unsubscribe-all and no objection has overtaken."""
    stop_all = stop_all_covering(rows, row.key)
    if not row.is_valid_grant(now) or (stop_all is not None and stop_all >= row.asked_at):
        return False
    return not any(
        other.kind is RowKind.OBJECTION
        and other.state != LIFTED
        and other.purpose in (None, row.purpose)
        and other.t >= row.asked_at
        for other in rows.values()
    )


def _is_behind(rows: Rows, row: StateRow | None, event: ConsentEvent) -> bool:
    """Whether something that a grant may not override is as late as the grant, or later."""
    stop_all = stop_all_covering(rows, key_of(event))
    if stop_all is not None and stop_all >= event.t:
        return True
    if row is None or row.state in UNDECIDED:
        return False
    if row.state in STOPPED:
        return event.t <= row.t
    return event.t < row.t  # between two grants of one time the one that arrived later counts


def _choice(old: StateRow | None, event: ConsentEvent, strength: Strength | None, *, lasts: bool = True) -> StateRow:
    kind, purpose, channel, brand = key_of(event)
    return StateRow(
        kind=kind,
        purpose=purpose,
        channel=channel,
        brand=brand,
        state=event.state or ConsentState.UNKNOWN,
        t=event.t,
        since=event.occurred_at,
        event_id=event.id,
        valid_until=event.valid_until if lasts else None,
        confirm_until=event.confirm_until,
        notice=event.notice,
        purpose_version=event.purpose.version if event.purpose else None,
        regime=event.regime,
        jurisdiction=event.jurisdiction,
        contact=event.contact,
        strength=strength,
        grade=event.grade,
        basis=old.basis if old else None,
    )


_RULES: Final[Mapping[EventType, Callable[[Rows, ConsentEvent], tuple[StateRow, ...]]]] = {
    EventType.REQUESTED: _requested,
    EventType.DEFERRED: _deferred,
    EventType.GIVEN: _grant,
    EventType.CONFIRMED: _confirmed,
    EventType.RENEWED: _grant,
    EventType.REFUSED: _stop,
    EventType.WITHDRAWN: _stop,
    EventType.EXPIRED: _expired,
    EventType.TERMINATED: _stop,
    EventType.INVALIDATED: _stop,
    EventType.BASIS_ESTABLISHED: _basis_established,
    EventType.OBJECTION_MADE: _wildcard(RowKind.OBJECTION, IN_FORCE),
    EventType.OBJECTION_LIFTED: _wildcard(RowKind.OBJECTION, LIFTED),
    EventType.GPC: _wildcard(RowKind.GPC, IN_FORCE),
    EventType.STOP_ALL: _wildcard(RowKind.STOP_ALL, IN_FORCE),
    EventType.SUPPRESSION_ADDED: _suppressed,
    EventType.SUPPRESSION_LIFTED: _unsuppressed,
    EventType.CONTACT_CHANGED: _contact_changed,
    EventType.IMPORT: _imported,
    EventType.STATE_CARRIED: _imported,
}

WITHOUT_STATE: Final = frozenset(
    {
        EventType.NOTICE_PUBLISHED,
        EventType.PURPOSE_PUBLISHED,
        EventType.SUBJECT_ERASED,
        EventType.LEDGER_PRUNED,
    }
)
BETWEEN_PEOPLE: Final = frozenset({EventType.IDENTITY_LINKED, EventType.IDENTITY_UNLINKED})
"""Events whose result needs the rows of both sides."""
