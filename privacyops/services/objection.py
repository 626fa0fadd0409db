"""Objections: to advertising, which ends it at once; to a legitimate interest, which a person then weighs.

Source: GDPR Art. 21(1) to (3).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import ActorKind
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, event_of
from privacyops.domain.consent.projection import LIFTED, StateRow
from privacyops.domain.consent.state import EventType, Method, RowKind
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.purpose import LegalBasis, PurposeFlag, PurposeScope, PurposeVersion
from privacyops.domain.subject import IdentifierType
from privacyops.domain.task import Task, TaskKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Forbidden, NotFound, Unprocessable
from privacyops.kernel.ids import EventId, TaskId, uuid7
from privacyops.ledger.leaf import parse
from privacyops.ports.keyring import DataKey, SealBroken
from privacyops.services import purpose as published
from privacyops.services import task as task_service
from privacyops.services.consent import subjects
from privacyops.services.consent.appending import begin_write, blank_event, settled, with_clock, write_events
from privacyops.services.consent.promising import promised
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import Circumstances, UnknownBrand, UnknownPurpose, Written
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar.intake import Submission, submit_within
from privacyops.services.idempotency import Call
from privacyops.store import consent as consents
from privacyops.store import dsar as dsars
from privacyops.store import subject as people
from privacyops.store import task as tasks
from privacyops.store.purpose import Catalogue, KnownPurpose
from privacyops.store.uow import Tx

DIRECT_MARKETING: Final = "direct_marketing"
WEIGHED: Final = frozenset({LegalBasis.LEGITIMATE_INTERESTS, LegalBasis.PUBLIC_TASK})
WEIGH_WITHIN: Final = timedelta(days=28)
"""Where no address is known no request is opened; the task then ends before the month of Art. 12(3) does."""


class NothingToObjectTo(Unprocessable):
    type = "/problems/nothing-to-object-to"
    title = "The purpose rests on no interest that could be objected to; a consent is withdrawn instead"


@dataclass(frozen=True, slots=True)
class Objection:
    """What was written, and the reference of the request that weighs it, where one was opened."""

    written: Written
    reference: str | None = None


def object_to(ctx: Context, whom: Whom, purpose: str | None, how: Circumstances, call: Call | None = None) -> Objection:
    """Object: without `purpose` to all advertising over every channel, else to one purpose. No reason, no proof.

    The next check denies. An objection to a legitimate interest opens the request that weighs it.
    Raises: UnknownPurpose, NothingToObjectTo, IdentityConflict, IdempotencyKeyReused.
    """
    made = settled(lambda: _object(ctx, whom, purpose, how, call))
    return replace(made, written=promised(ctx, made.written))


@use_case(Action.CONSENT_WRITE)
def _object(ctx: Context, tx: Tx, whom: Whom, purpose: str | None, how: Circumstances, call: Call | None) -> Objection:
    before, names = begin_write(ctx, tx, how, call)
    if before is not None:
        return Objection(before)
    if how.brand is not None and how.brand not in names.brands:
        raise UnknownBrand
    how = with_clock(ctx, tx, how)
    known = _purpose(names, purpose)
    opened = subjects.find_or_prepare(ctx, tx, whom, how.jurisdiction, names)

    def events(_rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        yield _made(ctx, tx, known, how)

    written = write_events(ctx, tx, names, opened, events, how, call, "objection.made")
    if known is None or known.current.has(PurposeFlag.DIRECT_MARKETING):
        return Objection(written)
    return Objection(written, _weigh(ctx, tx, whom, opened, UUID(str(written.events[0]["event_id"])), known))


def _made(ctx: Context, tx: Tx, known: KnownPurpose | None, how: Circumstances) -> ConsentEvent:
    blank = replace(blank_event(ctx, tx, how), type=EventType.OBJECTION_MADE, jurisdiction=how.jurisdiction)
    if known is None:
        return replace(blank, scope=DIRECT_MARKETING)
    brand = how.brand if known.current.scope is PurposeScope.BRAND else None
    return replace(blank, purpose=PurposeRef(known.current.key, known.current.version), brand=brand)


def _purpose(names: Catalogue, purpose: str | None) -> KnownPurpose | None:
    if purpose is None:
        return None
    known = names.purposes.get(purpose)
    if known is None:
        raise UnknownPurpose
    rests_on = {ground.basis for ground in known.current.grounds.values()}
    if known.current.ignores_stops or not (rests_on & WEIGHED or known.current.has(PurposeFlag.DIRECT_MARKETING)):
        raise NothingToObjectTo
    return known


def _weigh(ctx: Context, tx: Tx, whom: Whom, opened: OpenSubject, event: UUID, known: KnownPurpose) -> str | None:
    """A request of the person's, with the task of weighing; a task alone where no address is known."""
    email = next((one.value for one in whom.identifiers if one.type is IdentifierType.EMAIL), None) or _mailbox(
        ctx, tx, opened
    )
    if email is None:
        due = (tx.now + WEIGH_WITHIN).astimezone(ZoneInfo(ctx.controller.zone)).date()
        tasks.add_task(tx, TaskKind.WEIGH_OBJECTION, due, owner_role="dpo", code=str(event))
        return None
    message = f"Objection to the purpose {known.current.key} (event {event})"
    requester = Requester(email=email, message=message)
    receipt = submit_within(ctx, tx, Submission(type=RequestType.OBJECTION, requester=requester, channel=Channel.API))
    dsar = dsars.load_dsar(tx, receipt.id)
    tasks.add_task(tx, TaskKind.WEIGH_OBJECTION, dsar.safe_due_on, owner_role="dpo", dsar_id=dsar.id, code=str(event))
    return receipt.reference


def _mailbox(ctx: Context, tx: Tx, opened: OpenSubject) -> str | None:
    held = opened.standing.held if opened.standing else {}
    ref = next((ref for ref, type_ in held.items() if type_ == IdentifierType.EMAIL.value), None)
    return subjects.value_of(ctx, tx, opened, ref) if ref is not None else None


@use_case(Action.OBJECTION_DECIDE)
def decide(ctx: Context, tx: Tx, subject_id: str, purpose: str, why: str, *, upheld: bool) -> None:
    """Say what weighing an objection to one purpose came to: upheld, it goes on denying; rejected, it is lifted.

    Raises: Forbidden: not a person. Unprocessable: no reason. SubjectUnknown; NotFound: nothing is objected to, or
    the objection is to advertising, which nobody weighs.
    """
    if ctx.actor.kind is not ActorKind.STAFF:
        raise Forbidden("a person weighs an objection")
    if not why.strip():
        raise Unprocessable("say in a sentence how the interests were weighed")
    _decide(ctx, tx, subject_id, purpose, why, upheld=upheld)


@dataclass(frozen=True, slots=True)
class Weighing:
    """What a task of weighing is about. `subject_id` None: the person was erased. `stands`: it still denies."""

    task: Task
    subject_id: str | None
    purpose: PurposeVersion | None
    made_at: Instant | None
    stands: bool


@reading(Action.OBJECTION_DECIDE)
def weighing(ctx: Context, tx: Tx, task_id: TaskId) -> Weighing:
    """Raises: NotFound: unknown, or another kind of task."""
    return _weighing(ctx, tx, task_id)


def weigh(ctx: Context, task_id: TaskId, why: str, *, upheld: bool) -> None:
    """Decide on the objection of a task, and end the task with the reason, in one go.

    An objection that stands no more, or whose person was erased, leaves nothing to decide: the task ends.
    Raises: as `decide`; TransitionRefused, StaleState: somebody else has weighed it.
    """
    settled(lambda: _weighed(ctx, task_id, why, upheld=upheld))


@use_case(Action.OBJECTION_DECIDE)
def _weighed(ctx: Context, tx: Tx, task_id: TaskId, why: str, *, upheld: bool) -> None:
    if ctx.actor.kind is not ActorKind.STAFF:
        raise Forbidden("a person weighs an objection")
    if not why.strip():
        raise Unprocessable("say in a sentence how the interests were weighed")
    found = _weighing(ctx, tx, task_id)
    task_service.finish_within(ctx, tx, found.task, why, _key_of(ctx, tx, found))
    if found.stands and found.subject_id is not None and found.purpose is not None:
        _decide(ctx, tx, found.subject_id, found.purpose.key, why, upheld=upheld)


@reading(Action.OBJECTION_DECIDE)
def reason(ctx: Context, tx: Tx, task_id: TaskId) -> str | None:
    """How the interests were weighed, as it was noted; None: not yet, or the person was erased and it with them.

    Raises: NotFound.
    """
    found = _weighing(ctx, tx, task_id)
    try:
        return task_service.note_within(ctx, tx, found.task, _key_of(ctx, tx, found))
    except SealBroken:
        if found.subject_id is not None:
            raise
        return None  # it was sealed with the key of somebody who has been erased since


def _key_of(ctx: Context, tx: Tx, found: Weighing) -> DataKey | None:
    """The key of whoever objected, so that what is noted of them goes with them. It is the event's own owner: a
    device that is tied to a person now may be untied later.
    """
    owner = consents.owner_of(tx, UUID(found.task.code or ""))
    return subjects.opened(ctx, tx, people.load_subject(tx, owner)).key if owner is not None else None


def _weighing(ctx: Context, tx: Tx, task_id: TaskId) -> Weighing:
    task = tasks.load_task(tx, task_id)
    if task.kind is not TaskKind.WEIGH_OBJECTION or task.code is None:
        raise NotFound
    event_id = UUID(task.code)
    owner = consents.owner_of(tx, event_id)
    if owner is None:
        return Weighing(task, None, None, None, stands=False)
    names = published.catalogue(ctx, tx)
    event = event_of(parse(consents.load_leaf(tx, event_id)))
    known = names.purposes.get(event.purpose.key) if event.purpose else None
    rows = consents.load_rows(tx, owner, names).values()
    subject = people.load_subject(tx, owner)
    stands = known is not None and bool(_standing(rows, known.current.key))
    return Weighing(task, subject.public_id, known.current if known else None, event.occurred_at, stands)


def _standing(rows: Iterable[StateRow], purpose: str) -> list[StateRow]:
    return [row for row in rows if row.kind is RowKind.OBJECTION and row.purpose == purpose and row.state != LIFTED]


def _decide(ctx: Context, tx: Tx, subject_id: str, purpose: str, why: str, *, upheld: bool) -> None:
    how = Circumstances(Method.SYSTEM, evidence={"why": why.strip()[:500]})
    _, names = begin_write(ctx, tx, how, None)
    known = names.purposes.get(purpose)
    opened = subjects.find_or_prepare(ctx, tx, Whom(subject_id), None, names)
    rows = opened.standing.rows.values() if opened.standing else ()
    against = _standing(rows, purpose)
    if known is None or known.current.has(PurposeFlag.DIRECT_MARKETING) or not against:
        raise NotFound
    record(ctx, tx, "objection.weighed", "subject", subject_id, upheld="yes" if upheld else "no", purpose=purpose)
    if upheld:
        return
    ref = PurposeRef(purpose, known.current.version)

    def events(_rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        for row in against:
            yield replace(
                blank_event(ctx, tx, how), id=EventId(uuid7(tx.now)), type=EventType.OBJECTION_LIFTED, purpose=ref,
                channel=row.channel, brand=row.brand, causes=row.event_id,
            )  # fmt: skip

    write_events(ctx, tx, names, opened, events, how, None, "objection.lifted")
