"""Tie a device to the person who signed in on it, and untie it again.

While the tie lasts the device's identifiers lead to the person, so that one search answers for both. Each side keeps
its own chain of events, and writes a leaf of its own for the link and for its end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from privacyops.domain.account.action import Action
from privacyops.domain.consent.confirmation import ConfirmationEvent
from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.linking import ACCOUNT, DEVICE, joined
from privacyops.domain.consent.projection import RowKey, Rows, StateRow
from privacyops.domain.consent.state import GRANTED, EventType, Method, RowKind
from privacyops.domain.subject import ANONYMOUS, IdentityConflict, SubjectIdentifier, SubjectUnknown
from privacyops.kernel.errors import NotFound, Unprocessable
from privacyops.kernel.ids import EventId, uuid7
from privacyops.services import purpose as published
from privacyops.services.consent import life, subjects
from privacyops.services.consent.appending import Between, blank_event, find_or_keep, settled, write_events
from privacyops.services.consent.asking import about_of
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.terms import Circumstances, Written
from privacyops.services.context import Context, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.store import confirmation as confirmations
from privacyops.store import consent as consents
from privacyops.store import identity_link as links
from privacyops.store import subject as people
from privacyops.store.confirmation import Confirmation
from privacyops.store.identity_link import IdentityLink
from privacyops.store.purpose import Catalogue
from privacyops.store.subject import OWN_ID
from privacyops.store.uow import Tx

_NAMELESS = frozenset({OWN_ID, *(kind.value for kind in ANONYMOUS)})


class NotADevice(Unprocessable):
    type = "/problems/not-a-device"
    title = "Only a device or push token is tied to a person; two people are never made one"


class DeviceTaken(IdentityConflict):
    title = "The device belongs to another person until it is untied"


@dataclass(frozen=True, slots=True)
class Linked:
    """A tie as the caller sees it: whose it is, the device's own id, and the version of the person's state."""

    subject_id: str
    device_id: str
    state_version: int
    changed: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "subject_id": self.subject_id,
            "linked_id": self.device_id,
            "state_version": self.state_version,
            "changed": "yes" if self.changed else "no",
        }

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> "Linked":
        return cls(body["subject_id"], body["linked_id"], body["state_version"], body["changed"] == "yes")


def link(ctx: Context, subject_id: str, devices: Sequence[SubjectIdentifier], call: Call | None = None) -> Linked:
    """Tie the device behind `devices` to the person. A tie that stands already changes nothing.

    A stop of either side counts for both from now on; a grant of the device counts where nothing stands against it.
    Raises: SubjectUnknown; NotADevice; IdentityConflict: the device belongs to another person until it is untied.
    """
    return settled(lambda: _link(ctx, subject_id, devices, call))


@use_case(Action.CONSENT_WRITE)
def _link(ctx: Context, tx: Tx, subject_id: str, devices: Sequence[SubjectIdentifier], call: Call | None) -> Linked:
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return Linked.of_json(before)
    if not devices or any(one.type not in ANONYMOUS for one in devices):
        raise NotADevice
    names = published.catalogue(ctx, tx)
    person = subjects.find(ctx, tx, Whom(subject_id))
    if person is None:
        raise SubjectUnknown
    if links.list_types(tx, person.no) <= _NAMELESS:
        raise NotADevice("the id names a device, not a person")
    device = find_or_keep(ctx, tx, names, Whom(None, tuple(devices)), person.jurisdiction, Circumstances(Method.API))
    if device.subject.no == person.no:
        return _standing(ctx, tx, person.no, subject_id, devices)
    tie = links.find_live(tx, device.subject.no)
    if tie is not None or not links.list_types(tx, device.subject.no) <= _NAMELESS:
        raise DeviceTaken
    made = _tie(ctx, tx, names, subjects.opened(ctx, tx, person), device)
    if call is not None:
        end_call(ctx, tx, call, made.to_json())
    return made


def _standing(ctx: Context, tx: Tx, person_no: int, subject_id: str, devices: Sequence[SubjectIdentifier]) -> Linked:
    """The tie that stands; a device that was always the person's own has none, and no id but the person's."""
    lender = links.find_lender(tx, [ref for one in devices for ref in subjects.refs_of(ctx, one)])
    device_id = people.load_subject(tx, lender).public_id if lender is not None else subject_id
    return Linked(subject_id, device_id, consents.load_version(tx, person_no), changed=False)


def _tie(ctx: Context, tx: Tx, names: Catalogue, account: OpenSubject, device: OpenSubject) -> Linked:
    floor, mine, theirs = _lock_both(tx, names, account.subject.no, device.subject.no)
    at_account, at_device = _twins(ctx, tx, EventType.IDENTITY_LINKED)
    if not links.add_link(tx, account.subject.no, device.subject.no, at_account.id, at_device.id):
        raise DeviceTaken
    both = joined(mine, theirs, at_account.t, takes_grants=True)
    apart = joined(theirs, mine, at_device.t, takes_grants=False)
    _write(ctx, tx, names, device, at_device, theirs, apart, floor)
    _hand_over(tx, names, device.subject.no, account.subject.no, both)
    written = _write(ctx, tx, names, account, at_account, mine, both, floor)
    links.lend(tx, device.subject.no, account.subject.no)
    return Linked(account.subject.public_id, device.subject.public_id, written.state_version, changed=True)


def unlink(ctx: Context, subject_id: str, device_id: str, call: Call | None = None) -> Linked:
    """Untie a device: each side is what its own events say, and stops that crossed stay on both.

    Raises: SubjectUnknown; NotFound: no such tie stands.
    """
    return settled(lambda: _unlink(ctx, subject_id, device_id, call))


@use_case(Action.CONSENT_WRITE)
def _unlink(ctx: Context, tx: Tx, subject_id: str, device_id: str, call: Call | None) -> Linked:
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return Linked.of_json(before)
    person = subjects.find(ctx, tx, Whom(subject_id))
    number = links.find_by_public_id(tx, device_id)
    tie = links.find_live(tx, number) if number is not None else None
    if person is None or tie is None or tie.account_no != person.no:
        raise NotFound
    names = published.catalogue(ctx, tx)
    made = _untie(ctx, tx, names, subjects.opened(ctx, tx, person), tie)
    if call is not None:
        end_call(ctx, tx, call, made.to_json())
    return made


def _untie(ctx: Context, tx: Tx, names: Catalogue, account: OpenSubject, tie: IdentityLink) -> Linked:
    device = subjects.opened(ctx, tx, people.load_subject(tx, tie.device_no))
    floor, mine, theirs = _lock_both(tx, names, account.subject.no, device.subject.no)
    at_account, at_device = _twins(ctx, tx, EventType.IDENTITY_UNLINKED)
    at_account = replace(at_account, causes=tie.account_event)
    at_device = replace(at_device, causes=tie.device_event)
    links.end_link(tx, tie, at_account.id, at_device.id)
    own = [*life.events_of(tx, account.subject.no, names), at_account]
    home = life.folded(tx, names, own, account.subject.no, {at_account.id: {}})
    apart = joined(theirs, mine, at_device.t, takes_grants=False)
    _write(ctx, tx, names, device, at_device, theirs, apart, floor)
    written = _write(ctx, tx, names, account, at_account, mine, home, floor)
    _end_orphans(tx, names, account.subject.no, home)
    links.give_back(tx, device.subject.no)
    return Linked(account.subject.public_id, device.subject.public_id, written.state_version, changed=True)


def _lock_both(tx: Tx, names: Catalogue, one: int, other: int) -> tuple[int, Rows, Rows]:
    """Both sides behind their locks, in the order of their numbers, so that two ties never wait for one another."""
    versions = {number: consents.lock_subject(tx, number) for number in sorted((one, other))}
    return max(versions.values()), consents.load_rows(tx, one, names), consents.load_rows(tx, other, names)


def _twins(ctx: Context, tx: Tx, kind: EventType) -> tuple[ConsentEvent, ConsentEvent]:
    """The two leaves of one act. Nothing in them joins them; the tie's row does, until somebody is erased."""
    blank = replace(blank_event(ctx, tx, Circumstances(Method.API)), type=kind)
    return replace(blank, scope=ACCOUNT), replace(blank, id=EventId(uuid7(tx.now)), scope=DEVICE)


def _write(
    ctx: Context, tx: Tx, names: Catalogue, side: OpenSubject, event: ConsentEvent, before: Rows,
    after: Mapping[RowKey, StateRow], floor: int,
) -> Written:  # fmt: skip
    gone = [key for key in before if key not in after]
    consents.delete_rows(tx, side.subject.no, gone, names)
    changed = [row for key, row in after.items() if before.get(key) != row]

    def one(_rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        yield event

    how = Circumstances(Method.API)
    return write_events(ctx, tx, names, side, one, how, None, str(event.type), Between({event.id: changed}, floor))


def _hand_over(tx: Tx, names: Catalogue, device_no: int, account_no: int, both: Rows) -> None:
    """What waits for the device's contact waits on where it still stands, and ends where a decision stands instead."""
    known = {about_of(one) for one in confirmations.list_waiting(tx, account_no)}
    for one in confirmations.list_waiting(tx, device_no):
        row = both.get(_key_of(names, one))
        if about_of(one) in known or row is None or row.event_id != one.event_id:
            confirmations.end_confirmation(tx, one, ConfirmationEvent.STOP)
        else:
            confirmations.hand_over(tx, one, account_no)


def _end_orphans(tx: Tx, names: Catalogue, account_no: int, home: Rows) -> None:
    """A request that went home with the device can no longer be confirmed here."""
    for one in confirmations.list_waiting(tx, account_no):
        row = home.get(_key_of(names, one))
        if row is None or (row.event_id != one.event_id and row.state not in GRANTED):
            confirmations.end_confirmation(tx, one, ConfirmationEvent.STOP)


def _key_of(names: Catalogue, one: Confirmation) -> RowKey:
    purpose, channel, brand = about_of(one)
    return RowKind.CHOICE, names.purpose_of(purpose), names.channel_of(channel), names.brand_of(brand)
