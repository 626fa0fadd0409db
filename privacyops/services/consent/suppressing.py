"""Suppressions: keep a contact from being written to, look up what stands against it, lift it again.

The list holds keyed hashes alone. Whoever the contact belongs to gets the same entry into their own state, so that a
question by the person's id is answered alike; carrying.py sees to whoever is given the contact later.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import ActorKind
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.account.rule import require_step_up
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, leaf_members
from privacyops.domain.consent.projection import LIFTED, StateRow
from privacyops.domain.consent.state import EventType, Method, RowKind
from privacyops.domain.consent.suppression import (
    NEEDS_TWO,
    SCOPED,
    STRENGTH,
    NotAContact,
    SuppressionMalformed,
    SuppressionReason,
    channels_of,
)
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType, SubjectIdentifier
from privacyops.kernel.errors import Forbidden, NotFound, Unprocessable
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.leaf import canonical
from privacyops.services import purpose as published
from privacyops.services.consent import subjects
from privacyops.services.consent.appending import blank_event, settled, write_events
from privacyops.services.consent.carrying import as_events, entries_against, used_channels
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import Circumstances, UnknownBrand, UnknownPurpose
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.store import consent as consents
from privacyops.store import suppression as suppressions
from privacyops.store.purpose import Catalogue
from privacyops.store.suppression import LiftProposal, Suppression
from privacyops.store.uow import Tx

MAX_WHY: Final = 200


@dataclass(frozen=True, slots=True)
class Reach:
    """What a suppression is about; None: all of them."""

    purpose: str | None = None
    brand: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list as it is shown; the contact is the asker's."""

    reason: SuppressionReason
    reach: Reach
    event_id: UUID


def suppress(
    ctx: Context,
    contact: SubjectIdentifier,
    reason: SuppressionReason,
    reach: Reach = Reach(),
    method: Method = Method.API,
    call: Call | None = None,
) -> Entry:
    """Keep a contact from being written to from the next check on. A second time changes nothing.

    Raises: NotAContact, SuppressionMalformed, UnknownPurpose, UnknownBrand, IdempotencyKeyReused.
    """
    return settled(lambda: _suppress(ctx, contact, reason, reach, method, call))


@use_case(Action.CONSENT_WRITE)
def _suppress(
    ctx: Context,
    tx: Tx,
    contact: SubjectIdentifier,
    reason: SuppressionReason,
    reach: Reach,
    method: Method,
    call: Call | None,
) -> Entry:
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return Entry(SuppressionReason(before["reason"]), reach, UUID(before["event_id"]))
    names = published.catalogue(ctx, tx)
    _require_sensible(names, contact, reason, reach)
    entry = suppress_within(ctx, tx, names, contact, reason, reach, method)
    if call is not None:
        end_call(ctx, tx, call, {"reason": str(reason), "event_id": str(entry.event_id)})
    return entry


def suppress_within(
    ctx: Context,
    tx: Tx,
    names: Catalogue,
    contact: SubjectIdentifier,
    reason: SuppressionReason,
    reach: Reach = Reach(),
    method: Method = Method.SYSTEM,
) -> Entry:
    """As `suppress`, in a transaction that does more. The caller knows that the values fit together."""
    refs = refs_of_contact(ctx, contact)
    _hold_if_nobodys(ctx, tx, contact, refs)
    purpose_no, brand_no = _numbers(names, reach)
    known = suppressions.find_entry(tx, refs, reason, purpose_no, brand_no)
    if known is not None:
        return Entry(reason, reach, known.event_id)
    how = Circumstances(method)
    event = replace(
        blank_event(ctx, tx, how),
        type=EventType.SUPPRESSION_ADDED,
        scope=str(reason),
        purpose=_ref(names, reach.purpose),
        brand=reach.brand,
    )
    written = _write(ctx, tx, names, contact, [event], how, "suppression.added")
    row = StateRow(
        kind=RowKind.SUPPRESSION, purpose=reach.purpose, channel=None, brand=reach.brand, state=str(reason),
        t=event.t, since=event.occurred_at, event_id=written,
    )  # fmt: skip
    consents.add_suppression(tx, refs[0], row, names)
    return Entry(reason, reach, written)


@reading(Action.CONSENT_READ)
def entries(ctx: Context, tx: Tx, contact: SubjectIdentifier) -> list[Entry]:
    """What stands against a contact. Raises: NotAContact."""
    return entries_within(ctx, tx, contact)


def entries_within(ctx: Context, tx: Tx, contact: SubjectIdentifier) -> list[Entry]:
    """As `entries`, in a transaction that does more. Raises: NotAContact."""
    names = published.catalogue(ctx, tx)
    return [
        Entry(SuppressionReason(one.reason), _reach(names, one), one.event_id)
        for one in suppressions.list_entries(tx, refs_of_contact(ctx, contact))
    ]


@use_case(Action.SUPPRESSION_LIFT)
def lift(
    ctx: Context,
    tx: Tx,
    contact: SubjectIdentifier,
    reason: SuppressionReason,
    why: str,
    reach: Reach = Reach(),
) -> UUID | None:
    """A person lets a contact be written to again, and says why. An order needs a second person: the id to decide on.

    What waits for its second person already is not asked twice: the same id. Raises: Forbidden: not a person.
    Unprocessable: no reason. NotFound: no such entry. NotAContact, UnknownPurpose, UnknownBrand.
    """
    if ctx.actor.kind is not ActorKind.STAFF:
        raise Forbidden("a person lifts a suppression, and says why")
    if not why.strip():
        raise Unprocessable("say in a sentence why this contact may be written to again")
    names = published.catalogue(ctx, tx)
    _require_known(names, reach)
    refs = refs_of_contact(ctx, contact)
    _hold_if_nobodys(ctx, tx, contact, refs)
    entry = suppressions.find_entry(tx, refs, reason, *_numbers(names, reach))
    if entry is None:
        raise NotFound
    if reason in NEEDS_TWO:
        waiting = suppressions.find_proposal(tx, entry)
        if waiting is not None:
            return waiting
        proposal = suppressions.add_proposal(tx, entry, contact.type.value, why.strip()[:MAX_WHY], ctx.actor.id)
        record(ctx, tx, "suppression.lift_proposed", "suppression_lift", proposal, reason=str(reason))
        return proposal
    _lift(ctx, tx, names, contact, [entry], Method.SYSTEM, why=why.strip()[:MAX_WHY])
    return None


@reading(Action.SUPPRESSION_LIFT)
def proposals(ctx: Context, tx: Tx) -> list[LiftProposal]:
    """What waits for a second person."""
    return list(suppressions.list_proposals(tx))


@use_case(Action.SUPPRESSION_LIFT)
def decide_lift(ctx: Context, tx: Tx, proposal: UUID, contact: SubjectIdentifier, *, agrees: bool) -> None:
    """The second person, who knows which contact is meant, agrees or sends it back.

    Raises: Forbidden: not a person. SamePerson: the one who proposed it. StepUpNeeded. NotFound: decided, lifted, or
    another contact than the proposal's.
    """
    if ctx.actor.kind is not ActorKind.STAFF:
        raise Forbidden("only a person can be the second person")
    require_step_up(ctx.actor, tx.now)
    known = suppressions.load_proposal(tx, proposal)
    if known.proposed_by == ctx.actor.id:
        raise SamePerson
    refs = refs_of_contact(ctx, contact)
    if known.entry.ref not in refs:
        raise NotFound
    suppressions.decide_proposal(tx, proposal, ctx.actor.id, lifted=agrees)
    record(ctx, tx, "suppression.lift_decided", "suppression_lift", proposal, agrees="yes" if agrees else "no")
    if not agrees:
        return
    _hold_if_nobodys(ctx, tx, contact, refs)
    seen = known.entry
    entry = suppressions.find_entry(tx, refs, seen.reason, seen.purpose_no, seen.brand_no)
    if entry is None:
        raise NotFound
    _lift(ctx, tx, published.catalogue(ctx, tx), contact, [entry], Method.SYSTEM, why=known.why)


def lifted_by_owner(
    ctx: Context, tx: Tx, names: Catalogue, opened: OpenSubject, contacts: Iterable[tuple[bytes, IdentifierType]],
    how: Circumstances,
) -> Iterator[ConsentEvent]:  # fmt: skip
    """The events by which a confirmation shows that a mailbox that was dead is alive. Call it within `write_events`."""
    held = subjects.contacts_of(ctx, tx, opened.subject.no)
    for ref, type_ in contacts:
        value = subjects.value_of(ctx, tx, opened, ref)
        if value is None:
            continue
        contact = SubjectIdentifier(type_, value)
        against = suppressions.list_entries(tx, refs_of_contact(ctx, contact))
        dead = [one for one in against if one.reason == SuppressionReason.HARD_BOUNCE]
        for one in dead:
            suppressions.remove_entry(tx, one)
        yield from _lifting(ctx, tx, names, contact, dead, held, how)


def refs_of_contact(ctx: Context, contact: SubjectIdentifier) -> list[bytes]:
    """The keyed hashes under which a contact may be on the list, the newest first. Raises: NotAContact."""
    if contact.type not in CONTACT_OF_CHANNEL.values():
        raise NotAContact
    return list(subjects.contact_refs(ctx, contact))


def _hold_if_nobodys(ctx: Context, tx: Tx, contact: SubjectIdentifier, refs: Sequence[bytes]) -> None:
    """Before a contact is looked up: nobody is given it meanwhile. Whoever has it already is locked by themselves.

    Not before that is known: whoever writes about a person locks the person first, then shares the contact.
    """
    if subjects.find(ctx, tx, Whom(None, (contact,))) is None:
        suppressions.hold_alone(tx, refs)


def _require_sensible(names: Catalogue, contact: SubjectIdentifier, reason: SuppressionReason, reach: Reach) -> None:
    if contact.type not in CONTACT_OF_CHANNEL.values():
        raise NotAContact
    if (reach.purpose is not None and reason not in SCOPED) or not channels_of(
        reason, contact.type, used_channels(names)
    ):
        raise SuppressionMalformed
    _require_known(names, reach)


def _require_known(names: Catalogue, reach: Reach) -> None:
    if reach.purpose is not None and reach.purpose not in names.purposes:
        raise UnknownPurpose
    if reach.brand is not None and reach.brand not in names.brands:
        raise UnknownBrand


def _lift(
    ctx: Context, tx: Tx, names: Catalogue, contact: SubjectIdentifier, lifted: list[Suppression], method: Method,
    *, why: str,
) -> None:  # fmt: skip
    how = Circumstances(method, evidence={"why": why})
    for one in lifted:
        suppressions.remove_entry(tx, one)
    owner = subjects.find(ctx, tx, Whom(None, (contact,)))
    held = subjects.contacts_of(ctx, tx, owner.no) if owner is not None else [contact]
    first = replace(
        blank_event(ctx, tx, how), type=EventType.SUPPRESSION_LIFTED, scope=lifted[0].reason, causes=lifted[0].event_id
    )
    events = list(_lifting(ctx, tx, names, contact, lifted, held, how)) or [first]
    _write(ctx, tx, names, contact, events, how, "suppression.lifted", are_bound=True)


def _lifting(
    ctx: Context, tx: Tx, names: Catalogue, contact: SubjectIdentifier, lifted: Sequence[Suppression],
    held: Iterable[SubjectIdentifier], how: Circumstances,
) -> Iterator[ConsentEvent]:  # fmt: skip
    """What was taken off the list, and what still stands: against this contact, or another that its owner holds.

    One row of the owner's shows what several entries say, so lifting one of them tells the others again.
    """
    blank = blank_event(ctx, tx, how)
    kin = [one for one in held if one.type is contact.type] if lifted else []
    left = [(own, one) for own, entries in entries_against(ctx, tx, kin).items() for one in entries]
    left.sort(key=lambda pair: STRENGTH.get(pair[1].reason, 0))
    for gone in lifted:
        for event in as_events(ctx, names, contact, gone, blank):
            yield replace(event, type=EventType.SUPPRESSION_LIFTED, causes=gone.event_id, occurred_at=tx.now)
        for own, one in left:
            if (one.purpose_no, one.brand_no) == (gone.purpose_no, gone.brand_no):
                yield from as_events(ctx, names, own, one, blank)


def _write(
    ctx: Context, tx: Tx, names: Catalogue, contact: SubjectIdentifier, events: list[ConsentEvent],
    how: Circumstances, action: str, *, are_bound: bool = False,
) -> UUID:  # fmt: skip
    """Write the events of whoever has the contact, one a channel; of nobody in particular where nobody has it.

    The first one's id names the entry. `are_bound`: the events stand per channel already.
    """
    whom = Whom(None, (contact,))
    if subjects.find(ctx, tx, whom) is None:
        event = replace(events[0], channel=None, contact=None)
        consents.add_leaves(tx, [(event.id, canonical(leaf_members(event, {})))])
        record(ctx, tx, action, "suppression", event.id, reason=str(event.scope))
        return event.id
    opened = subjects.find_or_prepare(ctx, tx, whom, None, names)
    if not are_bound:
        reason = SuppressionReason(str(events[0].scope))
        ref = subjects.refs_of(ctx, contact)[0].hex()
        events = [
            replace(events[0], id=EventId(uuid7(tx.now)), channel=channel, contact=ref)
            for channel in channels_of(reason, contact.type, used_channels(names))
        ]
    written = write_events(ctx, tx, names, opened, lambda _rows: iter(events), how, None, action)
    return UUID(str(written.events[0]["event_id"]))


def is_in_force(row: StateRow) -> bool:
    """Whether a row is a suppression that stands."""
    return row.kind is RowKind.SUPPRESSION and row.state != LIFTED


def _numbers(names: Catalogue, reach: Reach) -> tuple[int, int]:
    purpose = names.purposes[reach.purpose].no if reach.purpose else 0
    return purpose, names.brands[reach.brand].no if reach.brand else 0


def _reach(names: Catalogue, one: Suppression) -> Reach:
    return Reach(names.purpose_of(one.purpose_no), names.brand_of(one.brand_no))


def _ref(names: Catalogue, purpose: str | None) -> PurposeRef | None:
    return PurposeRef(purpose, names.purposes[purpose].current.version) if purpose else None
