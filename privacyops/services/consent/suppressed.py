"""The list of suppressed contacts held against the log. It outlives the people on it, so it is not a fold per person.

Every entry names the event that put it there; what nobody's event explains was written by hand. In the other
direction, what a person's events leave in force has to stand on the list under that person's contact, and what was
added for a contact of nobody has to stand there until an event lifts it.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import EventType
from privacyops.domain.subject import CONTACT_OF_CHANNEL, SubjectIdentifier
from privacyops.ledger.leaf import LeafNotCanonical, parse
from privacyops.services.consent import subjects, suppressing
from privacyops.services.consent.subjects import OpenSubject
from privacyops.services.context import Context
from privacyops.store import ledger as ledgers
from privacyops.store import suppression as suppressions
from privacyops.store.purpose import Catalogue
from privacyops.store.suppression import Suppression
from privacyops.store.uow import Tx

_MARK: Final = b'"type":"suppression.'


def of_person(ctx: Context, tx: Tx, opened: OpenSubject, rows: Iterable[StateRow]) -> Iterator[str]:
    """What stands in a person's folded state as suppressed and is not on the list: channel and reason of each."""
    held: dict[str, SubjectIdentifier] | None = None
    for row in rows:
        type_ = CONTACT_OF_CHANNEL.get(row.channel or "")
        if not suppressing.is_in_force(row) or row.contact is None or type_ is None:
            continue
        if held is None:
            contacts = subjects.contacts_of(ctx, tx, opened.subject.no)
            held = {ref.hex(): one for one in contacts for ref in subjects.refs_of(ctx, one)}
        if row.contact not in held:
            continue  # the contact was taken from the person since; the list is asked by the contact alone
        refs = suppressing.refs_of_contact(ctx, held[row.contact])
        if not any(one.reason == row.state for one in suppressions.list_entries(tx, refs)):
            yield f"{row.channel}/{row.state} is not on the list"


def of_nobody(tx: Tx, names: Catalogue) -> Iterator[str]:
    """Entries that no event explains, and events of nobody in particular that no entry follows from; by event id."""
    added: dict[str, dict[str, Any]] = {}
    lifted: set[str] = set()
    for members in _events(tx):
        if members["type"] == str(EventType.SUPPRESSION_ADDED):
            added[str(members["id"])] = members
        else:
            lifted.add(str(members.get("causes")))
    standing: set[str] = set()
    for entry in suppressions.list_all(tx):
        standing.add(str(entry.event_id))
        if not _explains(added.get(str(entry.event_id)), entry, names):
            yield f"the entry of event {entry.event_id} is not what was recorded"
    for record_id, members in added.items():
        if "subject" not in members and record_id not in standing | lifted:
            yield f"event {record_id} has no entry on the list"


def _explains(members: dict[str, Any] | None, entry: Suppression, names: Catalogue) -> bool:
    if members is None or members.get("scope") != entry.reason:
        return False
    purpose = members["purpose"]["key"] if "purpose" in members else None
    return (purpose, members.get("brand")) == (names.purpose_of(entry.purpose_no), names.brand_of(entry.brand_no))


def _events(tx: Tx) -> Iterator[dict[str, Any]]:
    """Every event about suppressions, numbered or not yet; one that is no leaf any more is verification's finding."""
    for _, leaf in ledgers.stream_events(tx):
        if _MARK in leaf:
            with suppress(LeafNotCanonical):
                yield parse(leaf)
