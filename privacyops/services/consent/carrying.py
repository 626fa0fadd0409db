"""What stands against a contact comes into the state of whoever is given it, with the write that gives it.

The list of suppressed contacts is asked by contact. A question by a person's id names none, so the person's own rows
have to say as much as the list says of every contact they hold. `write_events` and the import call this for whatever
they attach; nothing else attaches.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from privacyops.domain.consent.event import ConsentEvent, PurposeRef
from privacyops.domain.consent.state import ClockTrust, EventType
from privacyops.domain.consent.suppression import SuppressionReason, channels_of
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType, SubjectIdentifier
from privacyops.kernel.ids import EventId, uuid7
from privacyops.services.consent import subjects
from privacyops.services.context import Context
from privacyops.store import suppression as suppressions
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import NewIdentifier
from privacyops.store.suppression import Suppression
from privacyops.store.uow import Tx


def carried(
    ctx: Context, tx: Tx, names: Catalogue, fresh: Iterable[NewIdentifier], blank: Callable[[], ConsentEvent]
) -> Iterator[ConsentEvent]:
    """The entries against the contacts among identifiers that a write attaches, as events of their new owner.

    `blank` makes what every event of the call shares; mostly there is no entry, and none is made.
    """
    yield from standing_against(ctx, tx, names, [one.contact for one in fresh if one.contact is not None], blank)


def standing_against(
    ctx: Context, tx: Tx, names: Catalogue, contacts: Sequence[SubjectIdentifier], blank: Callable[[], ConsentEvent]
) -> Iterator[ConsentEvent]:
    """The entries against contacts, as events of whoever holds them: one a channel, each at the time of its entry."""
    entries = entries_against(ctx, tx, contacts)
    for contact in contacts:
        for one in entries.get(contact, ()):
            yield from as_events(ctx, names, contact, one, blank())


def entries_against(
    ctx: Context, tx: Tx, contacts: Iterable[SubjectIdentifier]
) -> Mapping[SubjectIdentifier, Sequence[Suppression]]:
    """What stands on the list against each contact, read in one statement; those without an entry are left out."""
    owners = {ref: contact for contact in contacts for ref in subjects.contact_refs(ctx, contact)}
    found: dict[SubjectIdentifier, list[Suppression]] = {}
    if owners:
        for one in suppressions.list_entries(tx, owners):
            found.setdefault(owners[one.ref], []).append(one)
    return found


def as_events(
    ctx: Context, names: Catalogue, contact: SubjectIdentifier, one: Suppression, blank: ConsentEvent
) -> Iterator[ConsentEvent]:
    """One entry as events of the contact's owner: one a channel that writes to this kind of contact."""
    reason = SuppressionReason(one.reason)
    purpose = names.purpose_of(one.purpose_no)
    ref = subjects.refs_of(ctx, contact)[0].hex()
    for channel in channels_of(reason, contact.type, used_channels(names)):
        yield replace(
            blank, id=EventId(uuid7(blank.recorded_at)), type=EventType.SUPPRESSION_ADDED, scope=str(reason),
            purpose=PurposeRef(purpose, names.purposes[purpose].current.version) if purpose else None,
            brand=names.brand_of(one.brand_no), channel=channel, contact=ref, occurred_at=one.at,
            clock=ClockTrust.TRUSTED,
        )  # fmt: skip


def used_channels(names: Catalogue) -> dict[str, IdentifierType]:
    """The channels of the catalogue that write to a contact, and the kind of it."""
    return {channel: kind for channel, kind in CONTACT_OF_CHANNEL.items() if channel in names.channels}
