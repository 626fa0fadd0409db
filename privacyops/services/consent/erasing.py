"""Erase a person from the consent ledger: what was stopped stays stopped, the proofs stay good, nobody stays readable.

Leaves hold commitments alone. Without the person's key they cannot be joined, and nothing in them can be guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import require
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, leaf_members
from privacyops.domain.consent.linking import fold_life
from privacyops.domain.consent.projection import LIFTED, RowKey, StateRow
from privacyops.domain.consent.state import STOPPED, EventType, Method, RowKind
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.purpose import Period
from privacyops.domain.subject import SubjectUnknown
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.leaf import Json, canonical, parse
from privacyops.ports.keyring import Place
from privacyops.services import purpose as published
from privacyops.services.consent import life, subjects
from privacyops.services.consent.appending import blank_event, settled, write_events
from privacyops.services.consent.contacts import stopped_reaches
from privacyops.services.consent.feeding import tombstone_place
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.suppressing import suppress_within
from privacyops.services.consent.terms import Circumstances
from privacyops.services.context import Context, reading, record, use_case
from privacyops.store import change as changes
from privacyops.store import consent as consents
from privacyops.store import erasure
from privacyops.store import export as exports
from privacyops.store import identity_link as links
from privacyops.store import subject as people
from privacyops.store.erasure import Ring
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

AT_ONCE: Final = "at_once"


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure left: its own leaf, which names nobody, and how many events' evidence the ring keeps."""

    event_id: UUID
    suppressed: int
    kept: int


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """Evidence out of the ring, and the leaf that commits to it."""

    evidence: Mapping[str, Json]
    leaf: Mapping[str, Any]


def erase(ctx: Context, subject_id: str) -> Erased:
    """Erase the person and every device that is tied to them.

    Contacts are kept from being written to by keyed hash, for what was stopped. Where the controller keeps proof,
    the key and the sealed evidence rest in the ring until the term ends, and nothing else leads there but the id of
    an event. Raises: SubjectUnknown.
    """
    erased = settled(lambda: _erase(ctx, subject_id))
    ctx.ports.keyring.forget()
    return erased


@use_case(Action.SUBJECT_ERASE)
def _erase(ctx: Context, tx: Tx, subject_id: str) -> Erased:
    subject = subjects.find(ctx, tx, Whom(subject_id))
    if subject is None:
        raise SubjectUnknown
    return erase_within(ctx, tx, subject.no)


def erase_within(ctx: Context, tx: Tx, subject_no: int) -> Erased:
    """As `erase`, in a transaction that does more. The caller lets the key ring forget afterwards."""
    names = published.catalogue(ctx, tx)
    ties = links.list_links(tx, subject_no)
    gone = sorted({subject_no, *(tie.device_no for tie in ties if tie.is_live and tie.account_no == subject_no)})
    for number in gone:
        consents.lock_subject(tx, number)
    suppressed = _suppress(ctx, tx, names, subject_no)
    for number in gone:
        _settle_survivors(ctx, tx, names, number, gone)
    exported = [number for one in gone for number in exports.numbers_of(tx, one)]
    kept = 0
    event = replace(
        blank_event(ctx, tx, Circumstances(Method.SYSTEM)), id=EventId(uuid7(tx.now)), type=EventType.SUBJECT_ERASED
    )
    for number in gone:
        person = people.load_subject(tx, number)
        if ctx.controller.consent_proof != AT_ONCE:
            kept += erasure.keep_proof(tx, number, Period.parse(ctx.controller.consent_proof).after(tx.now))
        changes.void_changes(tx, number)
        erasure.empty_person(tx, number, person.public_id)
        told = event if number == subject_no else replace(event, id=EventId(uuid7(tx.now)))
        place = tombstone_place(ctx.controller.key, str(told.id))
        changes.add_tombstone(tx, told.id, ctx.ports.keyring.seal(person.public_id.encode(), place))
        consents.add_leaves(tx, [(told.id, canonical(leaf_members(told, {})))])
    exports.void_exports(tx, exported)
    record(ctx, tx, "subject.erased", "erasure", event.id, people=len(gone), suppressed=suppressed, kept=kept)
    return Erased(event.id, suppressed, kept)


def _suppress(ctx: Context, tx: Tx, names: Catalogue, subject_no: int) -> int:
    """Keep what was stopped: the list then stands for somebody whom nothing leads to any more."""
    rows = consents.load_rows(tx, subject_no, names).values()
    contacts = subjects.contacts_of(ctx, tx, subject_no)
    erasure.remove_identifiers(tx, subject_no)
    count = 0
    for contact in contacts:
        for reach in stopped_reaches(rows, contact.type):
            suppress_within(ctx, tx, names, contact, SuppressionReason.ERASED_OPT_OUT, reach)
            count += 1
    return count


def _settle_survivors(ctx: Context, tx: Tx, names: Catalogue, number: int, gone: Sequence[int]) -> None:
    """Who was once tied to the erased person keeps the stops that crossed, as facts of their own."""
    for tie in links.list_links(tx, number):
        other = tie.device_no if tie.account_no == number else tie.account_no
        if other in gone:
            continue
        consents.lock_subject(tx, other)
        served = consents.load_rows(tx, other, names)
        alone = fold_life(life.events_of(tx, other, names), {})
        crossed = [row for key, row in served.items() if alone.get(key) != row]
        opened = subjects.opened(ctx, tx, people.load_subject(tx, other))
        _carry(ctx, tx, names, opened, crossed)


def _carry(ctx: Context, tx: Tx, names: Catalogue, opened: OpenSubject, rows: Sequence[StateRow]) -> None:
    how = Circumstances(Method.SYSTEM)
    events = [event for row in rows if (event := _as_own(ctx, tx, names, how, row)) is not None]

    def carried(_rows: Mapping[RowKey, StateRow]) -> Iterator[ConsentEvent]:
        yield from events

    if events:
        write_events(ctx, tx, names, opened, carried, how, None, "state.carried")


_WIDE: Final = {
    RowKind.STOP_ALL: EventType.STOP_ALL,
    RowKind.OBJECTION: EventType.OBJECTION_MADE,
    RowKind.GPC: EventType.GPC,
    RowKind.SUPPRESSION: EventType.SUPPRESSION_ADDED,
}


def _as_own(ctx: Context, tx: Tx, names: Catalogue, how: Circumstances, row: StateRow) -> ConsentEvent | None:
    blank = replace(blank_event(ctx, tx, how), id=EventId(uuid7(tx.now)))
    ref = PurposeRef(row.purpose, names.purposes[row.purpose].current.version) if row.purpose else None
    about = replace(blank, purpose=ref, channel=row.channel, brand=row.brand, jurisdiction=row.jurisdiction)
    if row.kind is not RowKind.CHOICE:
        scope = row.state if row.kind is RowKind.SUPPRESSION else None
        return replace(about, type=_WIDE[row.kind], scope=scope, contact=row.contact) if row.state != LIFTED else None
    state = next((one for one in STOPPED if one in (row.state, row.prior_state)), None)
    return replace(about, type=EventType.STATE_CARRIED, state=state) if state is not None else None


@use_case(Action.RING_OPEN)
def open_kept(ctx: Context, tx: Tx, event_id: UUID, reason: str) -> KeptEvidence:
    """Open the evidence of one event of somebody who was erased. The reason goes to the audit log.

    Raises: ReasonNeeded, StepUpNeeded, Forbidden; NotFound: the ring holds nothing, or the term is over.
    """
    require(ctx.actor, Action.RING_OPEN, tx.now, reason=reason)
    kept = erasure.load_kept(tx, event_id)
    key = ctx.ports.keyring.data_key(kept.wrapped, subjects.key_place(ctx, kept.subject_no))
    plain = key.open(kept.sealed, Place(ctx.controller.key, "event_private", "sealed", str(event_id)))
    record(ctx, tx, "ring.opened", "event", event_id, reason=reason.strip()[:200])
    return KeptEvidence(parse(plain), parse(kept.leaf))


@reading(Action.CONSENT_READ)
def ring(ctx: Context, tx: Tx) -> Ring:
    """How much the ring holds; nothing of what is in it."""
    return erasure.measure_ring(tx)


@use_case(Action.JOB_RUN)
def sweep_ring(ctx: Context, tx: Tx) -> int:
    """Destroy the keys whose term is over; how many people's."""
    return erasure.drop_overdue_proof(tx)
