"""Record a choice, withdraw it, stop everything. One transaction, one audit row, one leaf a choice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import may
from privacyops.domain.consent.collection import PointClock
from privacyops.domain.consent.confirmation import LIFE
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, state_after
from privacyops.domain.consent.order import admit_grant
from privacyops.domain.consent.projection import StateRow, choice_key, no_recorded_as
from privacyops.domain.consent.state import EventType
from privacyops.domain.purpose import PurposeScope
from privacyops.domain.signals.evidence import with_summaries
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import EventId, uuid7
from privacyops.services.consent import subjects
from privacyops.services.consent.admitting import needs_owner, require_askable, require_explicit, require_of_age
from privacyops.services.consent.appending import begin_write, blank_event, settled, with_clock, write_events
from privacyops.services.consent.promising import promised
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import (
    Choice,
    ChoiceAnswer,
    Circumstances,
    DuplicateChoice,
    NoticeMismatch,
    NoticeNotPublished,
    Scope,
    UnknownChannel,
    UnknownPurpose,
    Written,
    brand_named,
    purpose_named,
    require_offered,
)
from privacyops.services.context import Context, use_case
from privacyops.services.idempotency import Call
from privacyops.store.purpose import Brand, Catalogue
from privacyops.store.uow import Tx

_TRIES: Final = 3
_ASKED_FOR: Final = frozenset({ChoiceAnswer.GRANT, ChoiceAnswer.ASK})
"""What nobody can answer any more once the purpose is retired; a no is taken as ever."""
GRANTING_AT_ONCE: Final = frozenset({EventType.GIVEN, EventType.RENEWED})
_R = TypeVar("_R")


def record_choices(
    ctx: Context, whom: Whom, choices: Sequence[Choice], how: Circumstances, call: Call | None = None
) -> Written:
    """Write down what a person chose. A grant that came too late is recorded and not applied.

    Raises: UnknownPurpose, PurposeRetired, UnknownChannel, UnknownBrand, DuplicateChoice, OccurredInFuture,
    OccurredTooOld, NoticeNotPublished, NoticeMismatch, GuardianRequired, EvidenceMalformed, ConsentStringUndecodable,
    ExplicitMethodNeeded, IdentityConflict, SubjectUnknown, IdempotencyKeyReused: nothing was written.
    """
    grants = any(choice.answer is ChoiceAnswer.GRANT for choice in choices)
    read = _read(how, grants=grants)
    return promised(ctx, settled(lambda: _record_choices(ctx, whom, choices, read, call)))


def _read(how: Circumstances, *, grants: bool) -> Circumstances:
    return replace(how, evidence=with_summaries(how.evidence, grants=grants)) if how.evidence else how


@use_case(Action.CONSENT_WRITE, shares_commit=True)
def _record_choices(
    ctx: Context, tx: Tx, whom: Whom, choices: Sequence[Choice], how: Circumstances, call: Call | None
) -> Written:
    before, names = begin_write(ctx, tx, how, call)
    if before is not None:
        return before
    brand = brand_named(names, how.brand)
    how = with_clock(ctx, tx, how)
    _require_admissible(ctx, tx, names, choices, how)
    require_of_age(choices, how, names.brands[brand].jurisdiction)
    opened = subjects.find_or_prepare(ctx, tx, whom, how.jurisdiction, names)

    def events(rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        shared = _Shared(ctx, names, names.brands[brand], how, whom, opened, blank_event(ctx, tx, how))
        for choice in choices:
            yield _chosen(shared, choice, rows)

    return write_events(ctx, tx, names, opened, events, how, call, "consent.recorded")


def withdraw(ctx: Context, whom: Whom, scope: Scope, how: Circumstances, call: Call | None = None) -> Written:
    """Stop what was allowed, or never was. Needs no more than the contact; unknown people are taken at their word.

    A stop over everything selects nothing first: it reaches purposes without a row, and those published later.
    Raises: UnknownPurpose, UnknownChannel, UnknownBrand, EvidenceMalformed, IdentityConflict, SubjectUnknown,
    IdempotencyKeyReused: nothing was written.
    """
    read = _read(how, grants=False)
    return promised(ctx, settled(lambda: _withdraw(ctx, whom, scope, read, call)))


@use_case(Action.CONSENT_WRITE, shares_commit=True)
def _withdraw(ctx: Context, tx: Tx, whom: Whom, scope: Scope, how: Circumstances, call: Call | None) -> Written:
    return withdraw_within(ctx, tx, whom, scope, how, call)


def withdraw_within(
    ctx: Context, tx: Tx, whom: Whom, scope: Scope, how: Circumstances, call: Call | None = None
) -> Written:
    """As `withdraw`, in a transaction that does more: a request to stop is taken in and applied at once.

    Raises: SubjectRaced: run the whole use case again.
    """
    before, names = begin_write(ctx, tx, how, call)
    if before is not None:
        return before
    if how.brand is not None:
        brand_named(names, how.brand)
    if scope.channel is not None and scope.channel not in names.channels:
        raise UnknownChannel
    how = with_clock(ctx, tx, how)
    opened = subjects.find_or_prepare(ctx, tx, whom, how.jurisdiction, names)
    stops = list(_stops(ctx, tx, names, scope, how))
    return write_events(ctx, tx, names, opened, lambda _rows: iter(stops), how, call, "consent.withdrawn")


@dataclass(slots=True)
class _Shared:
    """What the choices of one call have in common; `bound` are contacts by channel, each looked for once."""

    ctx: Context
    names: Catalogue
    brand: Brand
    how: Circumstances
    whom: Whom
    opened: OpenSubject
    blank: ConsentEvent
    bound: dict[str, str | None] = field(default_factory=dict)

    def contact(self, channel: str) -> str | None:
        """The keyed hash, in hex, of the contact that a choice over the channel is bound to."""
        if channel not in self.bound:
            found = subjects.bound_contact(self.ctx, self.whom, self.opened, channel)
            self.bound[channel] = found.hex() if found else None
        return self.bound[channel]


def _chosen(call: _Shared, choice: Choice, rows: Mapping[Any, StateRow]) -> ConsentEvent:
    names, how, blank, now = call.names, call.how, call.blank, call.blank.recorded_at
    purpose = purpose_named(names, choice.purpose, choice.channel).current
    ground, place = purpose.ground_in(how.jurisdiction, call.opened.subject.jurisdiction, call.brand.jurisdiction)
    require_explicit(ground, choice, how)
    brand = call.brand.key if purpose.scope is PurposeScope.BRAND else None
    contact = call.contact(choice.channel)
    kind = _kind_of(choice.answer, rows.get(choice_key(purpose.key, choice.channel, brand)), now, how)
    confirm_until = None
    if choice.answer is ChoiceAnswer.ASK:
        require_askable(rows, purpose, place, now)
    elif kind in GRANTING_AT_ONCE:
        must_confirm = needs_owner(purpose, choice.channel, brand, contact, rows, how)
        if must_confirm or purpose.needs_confirmation(choice.channel, place):
            kind, confirm_until = EventType.REQUESTED, now + LIFE
    shown = names.notices.get((how.notice.id, how.notice.version)) if how.notice else None
    return ConsentEvent(
        id=EventId(uuid7(now)), type=kind, controller=blank.controller, occurred_at=blank.occurred_at, recorded_at=now,
        method=blank.method, actor_kind=blank.actor_kind, clock=blank.clock, indicated_by=blank.indicated_by,
        brand=brand, purpose=PurposeRef(purpose.key, purpose.version), channel=choice.channel, state=state_after(kind),
        basis=ground.basis, regime=ground.regime, jurisdiction=place, notice=how.notice,
        valid_for=purpose.valid_for if kind in GRANTING_AT_ONCE else None, confirm_until=confirm_until,
        contact=contact, notice_published_at=shown.published_at if shown else None,
    )  # fmt: skip


def _kind_of(answer: ChoiceAnswer, row: StateRow | None, now: Instant, how: Circumstances) -> EventType:
    match answer:
        case ChoiceAnswer.REFUSE:
            return no_recorded_as(row, now)
        case ChoiceAnswer.DEFER:
            return EventType.DEFERRED
        case ChoiceAnswer.ASK:
            return EventType.REQUESTED
        case ChoiceAnswer.GRANT:
            renews = how.notice is not None and row is not None and row.is_valid_grant(now)
            return EventType.RENEWED if renews else EventType.GIVEN


def _stops(ctx: Context, tx: Tx, names: Catalogue, scope: Scope, how: Circumstances) -> Iterator[ConsentEvent]:
    blank = blank_event(ctx, tx, how)
    if scope.purpose is None:
        reach = "all" if scope.channel is None else "channel"
        yield replace(blank, type=EventType.STOP_ALL, channel=scope.channel, brand=how.brand, scope=reach)
        return
    known = names.purposes.get(scope.purpose)
    if known is None:
        raise UnknownPurpose
    if scope.channel is not None:
        purpose_named(names, scope.purpose, scope.channel)
    purpose = known.current
    brands: Sequence[str | None] = [None]
    if purpose.scope is PurposeScope.BRAND:
        brands = [how.brand] if how.brand is not None else sorted(names.brands)
    for brand in brands:
        for channel in [scope.channel] if scope.channel else sorted(purpose.channels):
            yield replace(
                blank,
                id=EventId(uuid7(tx.now)),
                type=EventType.WITHDRAWN,
                state=state_after(EventType.WITHDRAWN),
                purpose=PurposeRef(purpose.key, purpose.version),
                channel=channel,
                brand=brand,
                jurisdiction=how.jurisdiction,
            )


def _require_admissible(ctx: Context, tx: Tx, names: Catalogue, choices: Sequence[Choice], how: Circumstances) -> None:
    pairs = [(choice.purpose, choice.channel) for choice in choices]
    if len(set(pairs)) != len(pairs):
        raise DuplicateChoice
    for choice in choices:
        purpose_named(names, choice.purpose, choice.channel)
    require_offered(names, *(choice.purpose for choice in choices if choice.answer in _ASKED_FOR))
    if how.occurred_at is not None and any(choice.answer is not ChoiceAnswer.REFUSE for choice in choices):
        may_backdate, is_offline = may(ctx.actor, Action.CONSENT_BACKDATE), how.clock is PointClock.OFFLINE
        admit_grant(how.occurred_at, tx.now, may_backdate=may_backdate, is_offline=is_offline)
    if how.notice is None:
        return
    shown = names.notices.get((how.notice.id, how.notice.version))
    if shown is None:
        raise NoticeNotPublished
    if how.notice.locale not in shown.notice.texts or shown.notice.ref(how.notice.locale) != how.notice:
        raise NoticeMismatch
    if not {choice.purpose for choice in choices} <= set(shown.notice.purposes):
        raise NoticeMismatch
