"""Record a choice, withdraw it, stop everything. One transaction, one audit row, one leaf a choice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import may
from privacyops.domain.consent.confirmation import LIFE
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, leaf_members, state_after
from privacyops.domain.consent.order import admit_grant
from privacyops.domain.consent.projection import StateRow, apply, key_of, no_recorded_as
from privacyops.domain.consent.state import ClockTrust, EventType, IndicatedBy
from privacyops.domain.purpose import PurposeScope
from privacyops.kernel.clock import Instant
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.leaf import LeafNotCanonical, canonical, instant_text, to_milliseconds
from privacyops.ledger.merkle import leaf_hash
from privacyops.ports.keyring import Place
from privacyops.services import purpose as published
from privacyops.services.consent import subjects
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import (
    Choice,
    ChoiceAnswer,
    Circumstances,
    DuplicateChoice,
    EvidenceMalformed,
    GuardianRequired,
    NoticeMismatch,
    NoticeNotPublished,
    Scope,
    UnknownChannel,
    UnknownPurpose,
    Written,
    brand_named,
    purpose_named,
)
from privacyops.services.context import Context, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.store import consent as consents
from privacyops.store.consent import WrittenEvent
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import SubjectRaced
from privacyops.store.uow import Tx

_TRIES: Final = 3
_R = TypeVar("_R")


def record_choices(
    ctx: Context, whom: Whom, choices: Sequence[Choice], how: Circumstances, call: Call | None = None
) -> Written:
    """Write down what a person chose. A grant that came too late is recorded and not applied.

    Raises: UnknownPurpose, UnknownChannel, UnknownBrand, DuplicateChoice, OccurredInFuture, OccurredTooOld,
    NoticeNotPublished, NoticeMismatch, GuardianRequired, EvidenceMalformed, IdentityConflict, SubjectUnknown,
    IdempotencyKeyReused: nothing was written.
    """
    return _settled(lambda: _record_choices(ctx, whom, choices, how, call))


@use_case(Action.CONSENT_WRITE)
def _record_choices(
    ctx: Context, tx: Tx, whom: Whom, choices: Sequence[Choice], how: Circumstances, call: Call | None
) -> Written:
    before = _answered(ctx, tx, how, call)
    if before is not None:
        return before
    names = published.catalogue(ctx, tx)
    brand = brand_named(names, how.brand)
    how = _with_clock(ctx, tx, how)
    _require_admissible(ctx, tx, names, choices, how)
    opened = subjects.find_or_add(ctx, tx, whom, how.jurisdiction)

    def events(rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        for choice in choices:
            yield _chosen(ctx, tx, names, choice, replace(how, brand=brand), whom, opened, rows)

    return _write(ctx, tx, names, opened, events, how, call, "consent.recorded")


def withdraw(ctx: Context, whom: Whom, scope: Scope, how: Circumstances, call: Call | None = None) -> Written:
    """Stop what was allowed, or never was. Needs no more than the contact; unknown people are taken at their word.

    A stop over everything selects nothing first: it reaches purposes without a row, and those published later.
    Raises: UnknownPurpose, UnknownChannel, UnknownBrand, EvidenceMalformed, IdentityConflict, SubjectUnknown,
    IdempotencyKeyReused: nothing was written.
    """
    return _settled(lambda: _withdraw(ctx, whom, scope, how, call))


@use_case(Action.CONSENT_WRITE)
def _withdraw(ctx: Context, tx: Tx, whom: Whom, scope: Scope, how: Circumstances, call: Call | None) -> Written:
    return withdraw_within(ctx, tx, whom, scope, how, call)


def withdraw_within(
    ctx: Context, tx: Tx, whom: Whom, scope: Scope, how: Circumstances, call: Call | None = None
) -> Written:
    """As `withdraw`, in a transaction that does more: a request to stop is taken in and applied at once.

    Raises: SubjectRaced: run the whole use case again.
    """
    before = _answered(ctx, tx, how, call)
    if before is not None:
        return before
    names = published.catalogue(ctx, tx)
    if how.brand is not None:
        brand_named(names, how.brand)
    if scope.channel is not None and scope.channel not in names.channels:
        raise UnknownChannel
    how = _with_clock(ctx, tx, how)
    opened = subjects.find_or_add(ctx, tx, whom, how.jurisdiction)
    stops = list(_stops(ctx, tx, names, scope, how))
    return _write(ctx, tx, names, opened, lambda _rows: iter(stops), how, call, "consent.withdrawn")


def _chosen(
    ctx: Context,
    tx: Tx,
    names: Catalogue,
    choice: Choice,
    how: Circumstances,
    whom: Whom,
    opened: OpenSubject,
    rows: Mapping[Any, StateRow],
) -> ConsentEvent:
    purpose = purpose_named(names, choice.purpose, choice.channel).current
    brand = names.brands[how.brand or ""]
    ground, place = purpose.ground_in(how.jurisdiction, opened.subject.jurisdiction, brand.jurisdiction)
    contact = subjects.contact_for(ctx, tx, whom, opened.subject, choice.channel)
    blank = _event(ctx, tx, how)
    shown = names.notices.get((how.notice.id, how.notice.version)) if how.notice else None
    about = replace(
        blank,
        purpose=PurposeRef(purpose.key, purpose.version),
        channel=choice.channel,
        brand=brand.key if purpose.scope is PurposeScope.BRAND else None,
        basis=ground.basis,
        regime=ground.regime,
        jurisdiction=place,
        notice=how.notice,
        notice_published_at=shown.published_at if shown else None,
        contact=contact.hex() if contact else None,
    )
    row = rows.get(key_of(about))
    kind = _kind_of(choice.answer, row, tx.now, has_notice=how.notice is not None)
    confirm_until = None
    if kind in (EventType.GIVEN, EventType.RENEWED) and purpose.needs_confirmation(choice.channel, place):
        kind, confirm_until = EventType.REQUESTED, tx.now + LIFE
    lasts = purpose.valid_for if kind in (EventType.GIVEN, EventType.RENEWED) else None
    return replace(about, type=kind, state=state_after(kind), valid_for=lasts, confirm_until=confirm_until)


def _kind_of(answer: ChoiceAnswer, row: StateRow | None, now: Instant, *, has_notice: bool) -> EventType:
    match answer:
        case ChoiceAnswer.REFUSE:
            return no_recorded_as(row, now)
        case ChoiceAnswer.DEFER:
            return EventType.DEFERRED
        case ChoiceAnswer.GRANT:
            renews = has_notice and row is not None and row.is_valid_grant(now)
            return EventType.RENEWED if renews else EventType.GIVEN


def _stops(ctx: Context, tx: Tx, names: Catalogue, scope: Scope, how: Circumstances) -> Iterator[ConsentEvent]:
    blank = _event(ctx, tx, how)
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


def _event(ctx: Context, tx: Tx, how: Circumstances) -> ConsentEvent:
    """What every event of one call shares. Without a claimed time, or from who may backdate, the clock is trusted."""
    trusted = how.occurred_at is None or may(ctx.actor, Action.CONSENT_BACKDATE)
    return ConsentEvent(
        id=EventId(uuid7(tx.now)),
        type=EventType.STOP_ALL,
        controller=tx.controller,
        occurred_at=how.occurred_at or tx.now,
        recorded_at=tx.now,
        method=how.method,
        actor_kind=str(ctx.actor.kind),
        clock=ClockTrust.TRUSTED if trusted else ClockTrust.CLIENT,
        indicated_by=how.indicated_by,
    )


def _with_clock(ctx: Context, tx: Tx, how: Circumstances) -> Circumstances:
    if how.indicated_by is not IndicatedBy.SUBJECT and not (how.evidence or {}).get("mandate"):
        raise GuardianRequired
    return replace(how, occurred_at=to_milliseconds(how.occurred_at)) if how.occurred_at else how


def _require_admissible(ctx: Context, tx: Tx, names: Catalogue, choices: Sequence[Choice], how: Circumstances) -> None:
    pairs = [(choice.purpose, choice.channel) for choice in choices]
    if len(set(pairs)) != len(pairs):
        raise DuplicateChoice
    for choice in choices:
        purpose_named(names, choice.purpose, choice.channel)
    if how.occurred_at is not None and any(choice.answer is not ChoiceAnswer.REFUSE for choice in choices):
        admit_grant(how.occurred_at, tx.now, may_backdate=may(ctx.actor, Action.CONSENT_BACKDATE))
    if how.notice is None:
        return
    shown = names.notices.get((how.notice.id, how.notice.version))
    if shown is None:
        raise NoticeNotPublished
    if how.notice.locale not in shown.notice.texts or shown.notice.ref(how.notice.locale) != how.notice:
        raise NoticeMismatch
    if not {choice.purpose for choice in choices} <= set(shown.notice.purposes):
        raise NoticeMismatch


def _write(
    ctx: Context,
    tx: Tx,
    names: Catalogue,
    opened: OpenSubject,
    events: Callable[[Mapping[Any, StateRow]], Iterator[ConsentEvent]],
    how: Circumstances,
    call: Call | None,
    action: str,
) -> Written:
    """Number, commit to, apply and store the events of one call, in the order in which they come."""
    number = opened.subject.no
    version = consents.lock_subject(tx, number)
    rows = consents.load_rows(tx, number, names)
    previous = consents.last_leaf_hash(tx, number, version)
    stored: list[WrittenEvent] = []
    told: list[dict[str, Any]] = []
    changed: dict[Any, tuple[StateRow, int]] = {}
    for event in events(rows):
        version += 1
        after = apply(rows, event)
        for row in after:
            rows[row.key] = row
            changed[row.key] = row, version
        written = _stored(ctx, opened, event, how, version, previous, applied=bool(after))
        previous = leaf_hash(written.leaf)
        stored.append(written)
        told.append(_told(event, applied=bool(after)))
    consents.add_events(tx, number, stored)
    consents.save_rows(tx, number, dict(changed.values()), names)
    crash_point("ledger.after_event")
    record(ctx, tx, action, "subject", opened.subject.public_id, events=len(stored), method=str(how.method))
    answer = Written(told, opened.subject.public_id, version, instant_text(tx.now))
    if how.client_event_id is not None:
        consents.add_client_event(tx, str(ctx.actor.id), how.client_event_id, answer.to_json())
    if call is not None:
        end_call(ctx, tx, call, answer.to_json())
    return answer


def _stored(
    ctx: Context,
    opened: OpenSubject,
    event: ConsentEvent,
    how: Circumstances,
    version: int,
    previous: bytes | None,
    *,
    applied: bool,
) -> WrittenEvent:
    record_id, commit = str(event.id), opened.commit
    commitments = {
        "subject": commit.subject(
            controller=event.controller, subject_id=opened.subject.public_id, record_id=record_id
        ),
        "chain": commit.chain(record_id=record_id, state_version=version, previous=previous),
    }
    if event.contact is not None:
        commitments["contact"] = commit.contact(record_id=record_id, contact_hash=event.contact)
    sealed = None
    if how.evidence:
        place = Place(ctx.controller.key, "event_private", "sealed", record_id)
        try:
            plain = canonical(dict(how.evidence))
        except LeafNotCanonical:
            raise EvidenceMalformed from None
        commitments["evidence"] = commit.evidence(record_id=record_id, evidence=dict(how.evidence))
        sealed = opened.key.seal(plain, place)
    leaf = canonical(leaf_members(event, commitments))
    contact = bytes.fromhex(event.contact) if event.contact else None
    return WrittenEvent(event.id, leaf, version, applied, contact, sealed)


def _told(event: ConsentEvent, *, applied: bool) -> dict[str, Any]:
    about = {
        "event_id": str(event.id),
        "type": str(event.type),
        "purpose": event.purpose.key if event.purpose else None,
        "channel": event.channel,
        "brand": event.brand,
        "state": str(event.state) if event.state else None,
        "applied": applied,
    }
    return about | ({"awaiting": "confirmation"} if event.type is EventType.REQUESTED else {})


def _answered(ctx: Context, tx: Tx, how: Circumstances, call: Call | None) -> Written | None:
    """The answer of an earlier call with the same key, or of the same event of the caller's."""
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return Written.replayed(before)
    if how.client_event_id is None:
        return None
    known = consents.find_client_event(tx, str(ctx.actor.id), how.client_event_id)
    if known is None:
        return None
    if call is not None:
        end_call(ctx, tx, call, known)
    return Written.replayed(known)


def _settled(write: Callable[[], _R]) -> _R:
    """Run a write again when two first writes met over one identifier: the second finds the person."""
    for _ in range(_TRIES - 1):
        try:
            return write()
        except SubjectRaced:
            continue
    return write()
