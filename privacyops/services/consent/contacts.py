"""A person's address or number changes: what was granted for the old one waits for the owner of the new one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from privacyops.domain.account.action import Action
from privacyops.domain.consent.confirmation import LIFE
from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.projection import LIFTED, StateRow
from privacyops.domain.consent.state import STOPPED, EventType, RowKind
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType, IdentityConflict, SubjectIdentifier
from privacyops.kernel.errors import Unprocessable
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent import subjects
from privacyops.services.consent.appending import begin_write, blank_event, settled, write_events
from privacyops.services.consent.promising import promised
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.suppressing import Reach, suppress_within
from privacyops.services.consent.terms import Circumstances, Written
from privacyops.services.context import Context, use_case
from privacyops.services.idempotency import Call, end_call
from privacyops.store import subject as people
from privacyops.store import suppression as suppressions
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

_CHANGED = frozenset({IdentifierType.EMAIL, IdentifierType.PHONE})


class FormerContactNotNamed(Unprocessable):
    type = "/problems/former-contact-not-named"
    title = "The person has several contacts of this kind; name the one that is replaced"


class ContactNotChangeable(Unprocessable):
    type = "/problems/contact-not-changeable"
    title = "Only an address or a number is replaced by another"


@dataclass(frozen=True, slots=True)
class ContactChange:
    """The new contact, and the one it replaces where the person has several of the kind."""

    contact: SubjectIdentifier
    former: SubjectIdentifier | None = None


def change_contact(
    ctx: Context, subject_id: str, change: ContactChange, how: Circumstances, call: Call | None = None
) -> Written:
    """Replace a contact. The same one in another spelling changes nothing.

    Every valid grant for the old contact waits until the new one's owner has confirmed it, and only the new one is
    written to. What was stopped for the old contact stays stopped: for the person, and for whoever has it next.
    Raises: SubjectUnknown; IdentityConflict: the new contact is somebody else's. FormerContactNotNamed,
    ContactNotChangeable.
    """
    return promised(ctx, settled(lambda: _change(ctx, subject_id, change, how, call)))


@use_case(Action.CONSENT_WRITE)
def _change(
    ctx: Context, tx: Tx, subject_id: str, change: ContactChange, how: Circumstances, call: Call | None
) -> Written:
    before, names = begin_write(ctx, tx, how, call)
    if before is not None:
        return before
    if change.contact.type not in _CHANGED or (change.former and change.former.type is not change.contact.type):
        raise ContactNotChangeable
    opened = subjects.find_or_prepare(ctx, tx, Whom(subject_id), None, names)
    owner = people.find_subject(tx, subjects.refs_of(ctx, change.contact))
    if owner is not None and owner.no != opened.subject.no:
        raise IdentityConflict
    former = _former(ctx, opened, change)
    standing = opened.standing
    if former is None and owner is not None:
        answer = Written([], opened.subject.public_id, standing.state_version if standing else 0, instant_text(tx.now))
        if call is not None:
            end_call(ctx, tx, call, answer.to_json())
        return answer
    if former is not None:
        _leave(ctx, tx, names, opened, former, change.contact.type)
    suppressions.give(tx, subjects.contact_refs(ctx, change.contact))
    held = standing.held if standing else {}
    opened = replace(opened, fresh=tuple(subjects.not_held(ctx, opened.key, Whom(None, (change.contact,)), held)))

    def events(_rows: Mapping[Any, StateRow]) -> Iterator[ConsentEvent]:
        yield replace(
            blank_event(ctx, tx, how),
            id=EventId(uuid7(tx.now)),
            type=EventType.CONTACT_CHANGED,
            contact=subjects.refs_of(ctx, change.contact)[0].hex(),
            former_contact=former.hex() if former is not None else None,
            confirm_until=tx.now + LIFE,
        )

    return write_events(ctx, tx, names, opened, events, how, call, "contact.changed")


def _former(ctx: Context, opened: OpenSubject, change: ContactChange) -> bytes | None:
    """The keyed hash that is replaced; None where there is none, or the person has the new contact already."""
    held = opened.standing.held if opened.standing else {}
    mine = [ref for ref, type_ in held.items() if type_ == change.contact.type.value]
    new = set(subjects.refs_of(ctx, change.contact))
    if change.former is not None:
        named = [ref for ref in mine if ref in set(subjects.refs_of(ctx, change.former))]
        return named[0] if named and named[0] not in new else None
    left = [ref for ref in mine if ref not in new]
    if len(left) == len(mine) > 1:
        raise FormerContactNotNamed
    return left[0] if len(mine) == 1 and left else None


def _leave(ctx: Context, tx: Tx, names: Catalogue, opened: OpenSubject, former: bytes, type_: IdentifierType) -> None:
    """The old contact keeps what was stopped for it, by its keyed hash alone, and leads to nobody any more."""
    value = subjects.value_of(ctx, tx, opened, former)
    people.remove_identifier(tx, opened.subject.no, former)
    if value is None or opened.standing is None:
        return
    contact = SubjectIdentifier(type_, value)
    for reach in stopped_reaches(opened.standing.rows.values(), type_):
        suppress_within(ctx, tx, names, contact, SuppressionReason.ERASED_OPT_OUT, reach)


def stopped_reaches(rows: Any, type_: IdentifierType) -> list[Reach]:
    """What of a person's rows is stopped over the channels that use a kind of contact, as entries of the list."""
    found: dict[Reach, None] = {}
    for row in rows:
        if row.channel is not None and CONTACT_OF_CHANNEL.get(row.channel) is not type_:
            continue
        if row.kind is RowKind.CHOICE:
            if row.state in STOPPED or row.prior_state in STOPPED:
                found[Reach(row.purpose, row.brand)] = None
        elif row.kind in (RowKind.STOP_ALL, RowKind.OBJECTION) and row.state != LIFTED:
            found[Reach(row.purpose, row.brand)] = None
    return list(found)
