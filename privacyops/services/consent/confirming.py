"""Double opt-in from the other side: the contact's owner confirms, or lets the mail be sent once more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.consent.confirmation import ConfirmationEvent, ConfirmationState, admit_resend
from privacyops.domain.consent.event import ConsentEvent, PurposeRef, event_of, state_after
from privacyops.domain.consent.projection import RowKey, StateRow
from privacyops.domain.consent.state import EventType, Method, RowKind
from privacyops.domain.secret import LinkKind, SecretMalformed, link_digest
from privacyops.domain.subject import CONTACT_OF_CHANNEL, SubjectUnknown
from privacyops.kernel.errors import Gone, NotFound
from privacyops.kernel.ids import EventId, uuid7
from privacyops.ledger.leaf import instant_text, parse
from privacyops.services import purpose as published
from privacyops.services.consent import asking, subjects
from privacyops.services.consent.appending import blank_event, write_events
from privacyops.services.consent.asking import Ask
from privacyops.services.consent.promising import promised
from privacyops.services.consent.subjects import OpenSubject, Whom
from privacyops.services.consent.suppressing import lifted_by_owner
from privacyops.services.consent.terms import Circumstances, Written, brand_named, purpose_named, require_offered
from privacyops.services.context import Context, record, use_case
from privacyops.store import confirmation as confirmations
from privacyops.store import consent as consents
from privacyops.store import subject as people
from privacyops.store.confirmation import Confirmation
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx


class TokenUnknown(NotFound):
    type = "/problems/token-unknown"
    title = "This link opens nothing here"


class TokenExpired(Gone):
    type = "/problems/token-expired"
    title = "This link has ended; ask for a new one"


class NothingToConfirm(NotFound):
    type = "/problems/nothing-to-confirm"
    title = "Nobody waits for a confirmation of this"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a link confirmed. `written` None: it was confirmed before, by `event_id`."""

    event_id: UUID
    state: str
    subject_id: str
    written: Written | None

    @property
    def already_confirmed(self) -> bool:
        return self.written is None


def confirm(ctx: Context, token: str) -> Confirmed:
    """The contact's owner says yes to what the mail asked. The same link a second time writes nothing.

    Raises: TokenUnknown: no link of ours, or another controller's. TokenExpired: its seven days are over, or what it
    asked for was stopped or retired in the meantime. Then nothing is written.
    """
    found = _confirm(ctx, token)
    if found.written is None:
        return found
    return replace(found, written=promised(ctx, found.written))


@use_case(Action.CONSENT_WRITE)
def _confirm(ctx: Context, tx: Tx, token: str) -> Confirmed:
    try:
        digest = link_digest(LinkKind.CONFIRM, token)
    except SecretMalformed:
        raise TokenUnknown from None
    behind = confirmations.list_behind(tx, digest)
    if not behind:
        raise TokenUnknown
    subject = people.load_subject(tx, behind[0][0].subject_no)
    consents.lock_subject(tx, subject.no)  # a stop that is under way ends first, and then there is nothing to confirm
    again = confirmations.list_behind(tx, digest)
    done = next((one for one, _ in again if one.state is ConfirmationState.CONFIRMED and one.confirmed_by), None)
    names = published.catalogue(ctx, tx)
    waiting = [
        one
        for one, link_ends in again
        if one.state is ConfirmationState.REQUESTED
        and tx.now < link_ends
        and tx.now < one.expires_at
        and not names.purposes[names.purpose_of(one.purpose_no) or ""].current.is_retired
    ]
    if not waiting and done is not None and done.confirmed_by is not None:
        return Confirmed(done.confirmed_by, _state_of(tx, subject.no, done, ctx), subject.public_id, None)
    if not waiting:
        raise TokenExpired
    return _confirm_waiting(ctx, tx, subjects.opened(ctx, tx, subject), waiting)


def _confirm_waiting(ctx: Context, tx: Tx, opened: OpenSubject, waiting: Sequence[Confirmation]) -> Confirmed:
    names = published.catalogue(ctx, tx)
    first = waiting[0]
    how = Circumstances(
        Method.DOI_CLICK,
        evidence={
            "requests": [str(one.event_id) for one in waiting],
            "requested_at": instant_text(first.asked_at),
            "confirmed_at": instant_text(tx.now),
        },
    )

    def events(rows: Mapping[RowKey, StateRow]) -> Iterator[ConsentEvent]:
        for one in waiting:
            event = _confirmation_of(ctx, tx, names, how, one, rows)
            confirmations.end_confirmation(tx, one, ConfirmationEvent.CONFIRM, event.id)
            yield event
        asked = {(one.contact, CONTACT_OF_CHANNEL[names.channel_of(one.channel_no) or ""]) for one in waiting}
        yield from lifted_by_owner(ctx, tx, names, opened, asked, how)

    written = write_events(ctx, tx, names, opened, events, how, None, "consent.confirmed")
    told = written.events[0]
    state = str(told["state"]) if told["applied"] else _state_of(tx, opened.subject.no, first, ctx)
    return Confirmed(UUID(str(told["event_id"])), state, opened.subject.public_id, written)


def _confirmation_of(
    ctx: Context, tx: Tx, names: Catalogue, how: Circumstances, one: Confirmation, rows: Mapping[Any, StateRow]
) -> ConsentEvent:
    """The grant, in the terms in which it was asked for: the version and the notice that the person saw.

    Behind a changed address stands the grant that was bound to the former one.
    """
    request = event_of(parse(consents.load_leaf(tx, one.event_id)))
    row = rows.get(_key_of(names, one))
    known = names.purposes[names.purpose_of(one.purpose_no) or ""]
    version = request.purpose.version if request.purpose else (row.purpose_version if row else None)
    asked = known.versions.get(version or 0, known.current)
    told = request if request.purpose or row is None else row
    return replace(
        blank_event(ctx, tx, how),
        id=EventId(uuid7(tx.now)),
        type=EventType.CONFIRMED,
        state=state_after(EventType.CONFIRMED),
        purpose=PurposeRef(asked.key, asked.version),
        channel=names.channel_of(one.channel_no),
        brand=names.brand_of(one.brand_no),
        regime=told.regime,
        jurisdiction=told.jurisdiction,
        basis=asked.ground_in(told.jurisdiction)[0].basis,
        notice=told.notice,
        valid_for=asked.valid_for,
        causes=one.event_id,
        contact=one.contact.hex(),
    )


@use_case(Action.CONSENT_WRITE)
def resend(ctx: Context, tx: Tx, whom: Whom, purpose: str, channel: str, brand: str | None = None) -> None:
    """Let the mail be sent once more: at most twice, ten minutes apart. Links that were sent before stay good.

    Raises: ResendRefused: too soon or too often. NothingToConfirm, UnknownPurpose, PurposeRetired, UnknownChannel,
    UnknownBrand, SubjectUnknown, IdentityConflict.
    """
    names = published.catalogue(ctx, tx)
    known = purpose_named(names, purpose, channel)
    require_offered(names, purpose)
    shop = brand_named(names, brand)
    subject = subjects.find(ctx, tx, whom)
    if subject is None:
        raise SubjectUnknown
    consents.lock_subject(tx, subject.no)
    brand_no = names.brands[shop].no if known.current.scope == "brand" else 0
    about = (known.no, names.channels[channel], brand_no)
    waiting = confirmations.list_waiting(tx, subject.no)
    one = next((one for one in waiting if (one.purpose_no, one.channel_no, one.brand_no) == about), None)
    row = consents.load_rows(tx, subject.no, names).get(_key_of(names, one)) if one is not None else None
    if one is None or row is None or one.expires_at <= tx.now:
        raise NothingToConfirm
    admit_resend(confirmations.list_sent(tx, one.id), tx.now)
    opened = subjects.opened(ctx, tx, subject)
    ask = Ask(purpose, channel, row.brand, one.event_id, one.contact, one.expires_at, row.notice)
    asking.send(ctx, tx, names, opened, one.contact, [(one.id, ask)])
    record(ctx, tx, "consent.resent", "subject", subject.public_id)


def _key_of(names: Catalogue, one: Confirmation) -> RowKey:
    return (
        RowKind.CHOICE,
        names.purpose_of(one.purpose_no),
        names.channel_of(one.channel_no),
        names.brand_of(one.brand_no),
    )


def _state_of(tx: Tx, subject_no: int, one: Confirmation, ctx: Context) -> str:
    names = published.catalogue(ctx, tx)
    row = consents.load_rows(tx, subject_no, names).get(_key_of(names, one))
    return str(row.state) if row else "ConsentUnknown"
