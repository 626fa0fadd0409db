"""The frame of a write to the ledger: what was answered before, who it is about, what every event of a call shares.

Every use case that writes events ends in `write_events`: one transaction, one audit row, one leaf an event.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final, TypeVar
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import may
from privacyops.domain.consent.arrival import told_live
from privacyops.domain.consent.collection import PointClock
from privacyops.domain.consent.event import ConsentEvent, leaf_members
from privacyops.domain.consent.projection import StateRow, apply
from privacyops.domain.consent.state import GRANTED, ClockTrust, ConsentState, EventType, IndicatedBy
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.leaf import LeafNotCanonical, canonical, instant_text, to_milliseconds
from privacyops.ledger.merkle import leaf_hash
from privacyops.ports.keyring import Place
from privacyops.services import purpose as published
from privacyops.services.consent import asking, subjects
from privacyops.services.consent.carrying import carried
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import (
    Circumstances,
    EvidenceMalformed,
    GuardianRequired,
    Written,
)
from privacyops.services.consent.token import token_of
from privacyops.services.context import ActorOutdated, Context, audit_entry
from privacyops.services.idempotency import Call, answer_given, end_call
from privacyops.store import consent as consents
from privacyops.store import consent_write as writes
from privacyops.store.consent import WrittenEvent
from privacyops.store.consent_write import NewWrite, Standing
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import SubjectRaced
from privacyops.store.uow import Tx

_TRIES: Final = 3
_MAY_WAIT: Final = frozenset({ConsentState.REQUESTED, *GRANTED})
"""States beside which a confirmation may wait: its request, or the grant that it renews."""
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Between:
    """What a link or its end writes on one side: its rows by event, and the version that both sides have reached."""

    rows: Mapping[UUID, Sequence[StateRow]] = field(default_factory=dict)
    floor: int = 0


def begin_write(ctx: Context, tx: Tx, how: Circumstances, call: Call | None) -> tuple[Written | None, Catalogue]:
    """The answer of an earlier call with the same key or event id, and the catalogue: both in one statement.

    Raises: IdempotencyKeyReused, IdempotencyInProgress, ActorOutdated.
    """
    key, digest = (call.key, call.body_hash) if call is not None else (None, None)
    opening = writes.open_write(tx, str(ctx.actor.id), key, digest, how.client_event_id)
    if ctx.as_of is not None and ctx.as_of != opening.ver:
        raise ActorOutdated
    names = published.catalogue_at(ctx, tx, opening.ver)
    before = answer_given(call, opening.call) if call is not None else None
    if before is None and opening.client_answer is not None:
        before = opening.client_answer
        if call is not None:
            end_call(ctx, tx, call, before)
    return (Written.replayed(before) if before is not None else None), names


def settled(write: Callable[[], _R]) -> _R:
    """Run a write again when two first writes met over one identifier: the second finds the person."""
    for _ in range(_TRIES - 1):
        try:
            return write()
        except SubjectRaced:
            continue
    return write()


def blank_event(ctx: Context, tx: Tx, how: Circumstances) -> ConsentEvent:
    """What every event of one call shares. Without a claimed time, or from who may backdate, the clock is trusted."""
    kept_right = how.clock is PointClock.TRUSTED or may(ctx.actor, Action.CONSENT_BACKDATE)
    trusted = how.occurred_at is None or kept_right
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


def with_clock(ctx: Context, tx: Tx, how: Circumstances) -> Circumstances:
    if how.indicated_by is not IndicatedBy.SUBJECT and not (how.evidence or {}).get("mandate"):
        raise GuardianRequired
    return replace(how, occurred_at=to_milliseconds(how.occurred_at)) if how.occurred_at else how


def write_events(
    ctx: Context,
    tx: Tx,
    names: Catalogue,
    opened: OpenSubject,
    events: Callable[[Mapping[Any, StateRow]], Iterator[ConsentEvent]],
    how: Circumstances,
    call: Call | None,
    action: str,
    between: Between = Between(),
) -> Written:
    """Number, commit to, apply and store the events of one call, in the order in which they come.

    What stands against a contact that the write attaches comes first, as events that the answer does not name: a
    check by the person's id is then never laxer than one by the contact. An event between two sides (`between`)
    brings the rows that it leads to, and a version later than both.
    """
    number = opened.subject.no
    standing = opened.standing or _standing(tx, number, names)
    version, rows, previous = max(standing.state_version, between.floor), dict(standing.rows), standing.previous
    stored: list[WrittenEvent] = []
    told: list[dict[str, Any]] = []
    changed: dict[Any, tuple[StateRow, int]] = {}
    happened: list[asking.Applied] = []
    bare = replace(how, evidence=None) if how.evidence else how
    attached = list(carried(ctx, tx, names, opened.fresh, lambda: blank_event(ctx, tx, bare))) if opened.fresh else []
    for place, told_event in enumerate(chain(attached, events(rows))):
        is_told = place >= len(attached)
        version += 1
        event = told_event if told_event.id in between.rows else told_live(rows, told_event)
        after = between.rows[event.id] if event.id in between.rows else apply(rows, event)
        happened.append((event, after))
        for row in after:
            rows[row.key] = row
            changed[row.key] = row, version
        own = how if is_told else bare
        written = sealed_event(ctx, opened, event, own, version, previous, applied=bool(after))
        previous = leaf_hash(written.leaf)
        stored.append(written)
        if is_told:
            told.append(_told(event, previous, applied=bool(after)))
    token = token_of(ctx.ports.keyring, ctx.controller.key, number, version)
    answer = Written(told, opened.subject.public_id, version, instant_text(tx.now), token)
    account = str(ctx.actor.id)
    write = NewWrite(
        subject_no=number, events=stored, rows=dict(changed.values()), state_version=version,
        audit=audit_entry(
            ctx, tx, action, "subject", opened.subject.public_id, events=len(stored), method=str(how.method)
        ),
        identifiers=opened.fresh, key=opened.fresh_key,
        answer=answer.to_json() if call is not None or how.client_event_id is not None else {},
        call=(account, call.key) if call is not None else None,
        client_event=(account, how.client_event_id) if how.client_event_id is not None else None,
    )  # fmt: skip
    writes.add_write(tx, write, names)
    waits = standing.may_wait and any(row.state in _MAY_WAIT for row in (*standing.rows.values(), *rows.values()))
    if waits or any(event.confirm_until is not None for event, _ in happened):
        asking.follow(ctx, tx, names, opened, happened)
    crash_point("ledger.after_event")
    return answer


def find_or_keep(
    ctx: Context, tx: Tx, names: Catalogue, whom: Whom, jurisdiction: str | None, how: Circumstances
) -> OpenSubject:
    """The person, with whatever of their identifiers is new stored at once: for a use case that writes no event.

    Raises: IdentityConflict, SubjectUnknown, SubjectKeyGone; SubjectRaced: run the use case again.
    """
    opened = subjects.find_or_prepare(ctx, tx, whom, jurisdiction, names)
    if opened.fresh:
        write_events(ctx, tx, names, opened, lambda _rows: iter(()), how, None, "identifiers.kept")
    return replace(opened, standing=None, fresh=(), fresh_key=None)


def _standing(tx: Tx, subject_no: int, names: Catalogue) -> Standing:
    """What stands of a person whom the use case found in its own way."""
    version = consents.lock_subject(tx, subject_no)
    rows = consents.load_rows(tx, subject_no, names)
    return Standing(version, rows, consents.last_leaf_hash(tx, subject_no, version), {})


def sealed_event(
    ctx: Context,
    opened: OpenSubject,
    event: ConsentEvent,
    how: Circumstances,
    version: int,
    previous: bytes | None,
    *,
    applied: bool,
) -> WrittenEvent:
    """The event as it is stored: leaf with the person's commitments, evidence sealed. Raises: EvidenceMalformed."""
    record_id, commit = str(event.id), opened.commit
    commitments = {
        "subject": commit.subject(
            controller=event.controller, subject_id=opened.subject.public_id, record_id=record_id
        ),
        "chain": commit.chain(record_id=record_id, state_version=version, previous=previous),
    }
    if event.contact is not None:
        commitments["contact"] = commit.contact(record_id=record_id, contact_hash=event.contact)
    if event.former_contact is not None:
        former = commit.contact(record_id=f"{record_id}/former", contact_hash=event.former_contact)
        commitments["former_contact"] = former
    sealed = None
    if how.evidence:
        place = Place(ctx.controller.key, "event_private", "sealed", record_id)
        try:
            plain = canonical(dict(how.evidence))
        except LeafNotCanonical:
            raise EvidenceMalformed from None
        commitments["evidence"] = commit.sealed_evidence(record_id=record_id, plain=plain)
        sealed = opened.key.seal(plain, place)
    leaf = canonical(leaf_members(event, commitments))
    contact = bytes.fromhex(event.contact) if event.contact else None
    left = bytes.fromhex(event.former_contact) if event.former_contact else None
    return WrittenEvent(event.id, leaf, version, applied, contact, sealed, left)


def _told(event: ConsentEvent, leaf: bytes, *, applied: bool) -> dict[str, Any]:
    about = {
        "event_id": str(event.id),
        "leaf_hash": leaf.hex(),
        "type": str(event.type),
        "purpose": event.purpose.key if event.purpose else None,
        "channel": event.channel,
        "brand": event.brand,
        "state": str(event.state) if event.state else None,
        "applied": applied,
    }
    return about | ({"awaiting": "confirmation"} if event.confirm_until is not None else {})
