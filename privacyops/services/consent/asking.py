"""What follows from an event for those who wait: a request asks the contact's owner, a stop ends the waiting.

Called by every write to the ledger, in its transaction, so that no link can confirm what was stopped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from privacyops.domain.answer import Controller
from privacyops.domain.consent.confirmation import LIFE, ConfirmationEvent
from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import STOPPED, ConsentState, EventType
from privacyops.domain.letter import LetterKind
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import PurposeFlag
from privacyops.domain.secret import LinkKind, mint_link
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import reference
from privacyops.services import mail, sealing
from privacyops.services.consent import subjects
from privacyops.services.consent.subjects import OpenSubject
from privacyops.services.context import Context
from privacyops.store import confirmation as confirmations
from privacyops.store import token as tokens
from privacyops.store.confirmation import Confirmation
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

MAIL_PAUSE: Final = timedelta(minutes=10)
MAILS_A_DAY: Final = 5
Applied = tuple[ConsentEvent, Sequence[StateRow]]
"""An event and the rows that it wrote."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One choice whose owner is asked: what for, by which event, until when, and after which text."""

    purpose: str
    channel: str
    brand: str | None
    event_id: UUID
    contact: bytes
    until: Instant
    notice: NoticeRef | None


def follow(ctx: Context, tx: Tx, names: Catalogue, opened: OpenSubject, happened: Iterable[Applied]) -> None:
    """Let wait what was asked for, end what was stopped, and write one mail for each address that has to answer."""
    happened = [one for one in happened if _concerns(one)]
    if not happened:
        return
    waiting = {about_of(one): one for one in confirmations.list_waiting(tx, opened.subject.no)}
    asked: dict[bytes, list[tuple[UUID, Ask]]] = {}
    for event, rows in happened:
        for ended in [about for about, one in waiting.items() if _ends(names, event, one)]:
            how = _END.get(event.type, ConfirmationEvent.STOP)
            confirmations.end_confirmation(tx, waiting.pop(ended), how)
        for ask in _asks(event, rows):
            if names.purposes[ask.purpose].current.is_retired:
                continue  # a changed address asks for each grant anew, and for this one nobody is asked any more
            one = _let_wait(tx, opened, names, ask, waiting.get(_numbers(names, ask)))
            asked.setdefault(ask.contact, []).append((one, ask))
    for contact, several in asked.items():
        send(ctx, tx, names, opened, contact, several)


def send(
    ctx: Context, tx: Tx, names: Catalogue, opened: OpenSubject, contact: bytes, asked: Sequence[tuple[UUID, Ask]]
) -> bool:
    """Write the mail that asks the owner of `contact`; False where none may leave now.

    Only mailboxes are written to. An address gets one such mail in ten minutes and five a day, whoever asks.
    """
    mailed = [one for one in asked if CONTACT_OF_CHANNEL.get(one[1].channel) is IdentifierType.EMAIL]
    address = subjects.value_of(ctx, tx, opened, contact) if mailed else None
    if address is None or not _may_write(ctx, tx, contact):
        return False
    link = mint_link(LinkKind.CONFIRM)
    confirmations.add_links(tx, link.digest, [one for one, _ in mailed], LIFE)
    language = _language(ctx, mailed[0][1])
    titles = {_title(names, ask, language) for _, ask in mailed}
    letter = ctx.ports.letters.write(
        LetterKind.CONFIRM_CONSENT,
        language,
        {
            "controller": _controller(ctx),
            "reference": reference("PC"),
            "written_on": _day(ctx, tx.now),
            "purposes": tuple(sorted(titles)),
            "link": f"{ctx.controller.base_url.rstrip('/')}/c/{link.text}",
            "valid_until": _day(ctx, tx.now + LIFE),
        },
    )
    mail.promise(ctx, tx, address, letter)
    return True


_GRANTS: Final = frozenset({EventType.GIVEN, EventType.RENEWED})
_NARROW_NOTHING: Final = frozenset(
    {
        EventType.EXPIRED, EventType.GPC, EventType.SUPPRESSION_ADDED, EventType.SUPPRESSION_LIFTED,
        EventType.OBJECTION_LIFTED, EventType.BASIS_ESTABLISHED, EventType.IDENTITY_LINKED, EventType.IDENTITY_UNLINKED,
    }
)  # fmt: skip
"""Events after which what waits may go on waiting."""
_END: Final[Mapping[EventType, ConfirmationEvent]] = {
    EventType.CONTACT_CHANGED: ConfirmationEvent.CONTACT_CHANGED,
    EventType.SUBJECT_ERASED: ConfirmationEvent.ERASED,
}


def _concerns(one: Applied) -> bool:
    event, rows = one
    is_grant = event.type in _GRANTS and bool(rows)
    return event.is_stop or is_grant or event.confirm_until is not None


def _asks(event: ConsentEvent, rows: Sequence[StateRow]) -> Iterator[Ask]:
    """Whose confirmation the event asks for. A renewal asks while the grant before it still stands.

    An imported request asks nobody: writing to somebody of an old list would be advertising itself.
    """
    if event.confirm_until is None or event.type is EventType.IMPORT:
        return
    if event.type is EventType.REQUESTED and event.purpose and event.channel and event.contact:
        yield Ask(
            event.purpose.key, event.channel, event.brand, event.id, bytes.fromhex(event.contact),
            event.confirm_until, event.notice,
        )  # fmt: skip
        return
    for row in rows:
        if row.state == ConsentState.REQUESTED and row.purpose and row.channel and row.contact:
            yield Ask(
                row.purpose, row.channel, row.brand, row.event_id, bytes.fromhex(row.contact), event.confirm_until,
                row.notice,
            )  # fmt: skip


def _ends(names: Catalogue, event: ConsentEvent, one: Confirmation) -> bool:
    """Whether the event ends the waiting: a stop, applied or not, since the owner said no; or a grant in its place."""
    if event.type is EventType.CONTACT_CHANGED:
        return event.former_contact == one.contact.hex()
    if event.type is EventType.IMPORT and event.state not in STOPPED:
        return False
    if event.type in _NARROW_NOTHING or not (event.is_stop or event.type in _GRANTS):
        return False
    purpose, channel, brand = about_of(one)
    key = names.purpose_of(purpose)
    if event.type is EventType.OBJECTION_MADE and event.purpose is None:
        return key is not None and names.purposes[key].current.has(PurposeFlag.DIRECT_MARKETING)
    return (
        (event.purpose is None or event.purpose.key == key)
        and event.channel in (None, names.channel_of(channel))
        and event.brand in (None, names.brand_of(brand))
    )


def _let_wait(tx: Tx, opened: OpenSubject, names: Catalogue, ask: Ask, known: Confirmation | None) -> UUID:
    if known is None:
        about = _numbers(names, ask)
        return confirmations.add_confirmation(tx, opened.subject.no, about, ask.event_id, ask.contact, ask.until)
    confirmations.ask_again(tx, known, ask.event_id, ask.contact, ask.until)
    return known.id


def _may_write(ctx: Context, tx: Tx, contact: bytes) -> bool:
    who = sealing.bucket(ctx, "confirm", contact.hex())
    in_pause = tokens.count_in_window(tx, "confirm", who, MAIL_PAUSE)
    in_day = tokens.count_in_window(tx, "confirm_day", who, timedelta(days=1))
    return in_pause <= 1 and in_day <= MAILS_A_DAY


def about_of(one: Confirmation) -> tuple[int, int, int]:
    """The numbers of purpose, channel and brand."""
    return one.purpose_no, one.channel_no, one.brand_no


def _numbers(names: Catalogue, ask: Ask) -> tuple[int, int, int]:
    brand = names.brands[ask.brand].no if ask.brand else 0
    return names.purposes[ask.purpose].no, names.channels[ask.channel], brand


def _language(ctx: Context, ask: Ask) -> str:
    """The language of the notice that was shown, where letters are written in it; else the controller's first."""
    shown = (ask.notice.locale if ask.notice else "").partition("-")[0].lower()
    return shown if shown in ctx.ports.letters.languages else ctx.controller.languages[0]


def _title(names: Catalogue, ask: Ask, language: str) -> str:
    titles = names.purposes[ask.purpose].current.titles
    return titles.get(language) or next(iter(titles.values()))


def _controller(ctx: Context) -> Controller:
    me = ctx.controller
    address = tuple(line.strip() for line in me.address.split("\n") if line.strip())
    return Controller(me.name, address, me.contact_email, me.dpo_contact or "")


def _day(ctx: Context, at: Instant) -> date:
    return at.astimezone(ZoneInfo(ctx.controller.zone)).date()
