"""The way to one's own choices without a request: a link by mail, exchanged for half an hour in one browser.

It may grant, so it goes to a contact on record and to nobody else; the link that may only stop is another kind of
token and cannot be exchanged for this one. Whoever asks gets the same answer, in the same time, whatever is on record:
the call notes the question, and a worker looks the address up.
"""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from privacyops.domain.account.action import Action
from privacyops.domain.answer import Controller
from privacyops.domain.letter import Letter, LetterKind
from privacyops.domain.secret import LINK_LIFE, LinkKind, SecretMalformed, link_digest, mint_link
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Gone
from privacyops.kernel.ids import reference, uuid7
from privacyops.services import job as jobs
from privacyops.services import limit, mail, sealing
from privacyops.services.consent import subjects
from privacyops.services.context import Context, record, use_case
from privacyops.store import mail as mails
from privacyops.store import subject as people
from privacyops.store import token as tokens
from privacyops.store.uow import Tx

JOB: Final = "preference_link"
_A_DAY: Final = 5
_FROM_ONE_PLACE: Final = 20
_WINDOW: Final = timedelta(minutes=10)


class PreferenceLinkSpent(Gone):
    type = "/problems/preference-link-spent"
    title = "This link has been used or has expired; ask for a new one"


@dataclass(frozen=True, slots=True)
class ChoicesToken:
    """What a browser holds after the exchange: for half an hour it sees and changes one address's choices."""

    text: str = field(repr=False)


def ask_for_link(ctx: Context, contact: SubjectIdentifier, language: str, prefix: str) -> None:
    """Note that somebody asks for a link to an address; `answer` mails it if the address is on record.

    Does the same for every address.
    Raises: RateLimited: too often from this network. An address that was written to five times in a day is not
    written to again, and nobody is told.
    """
    limit.admit(ctx, "preference_link", prefix, _FROM_ONE_PLACE, _WINDOW)
    _ask_for_link(ctx, contact, language)


@use_case(Action.CONSENT_WRITE)
def _ask_for_link(ctx: Context, tx: Tx, contact: SubjectIdentifier, language: str) -> None:
    count = tokens.count_in_window(tx, "preference_mail", sealing.bucket(ctx, "mail", contact.value), timedelta(days=1))
    record(ctx, tx, "preferences.link_asked", "link", "preference")
    if count > _A_DAY:
        return
    ask = uuid7(tx.now)
    told = json.dumps({"to": contact.value, "language": language}, ensure_ascii=False)
    sealed = ctx.ports.keyring.seal(told.encode(), sealing.place(ctx, "mail", "sealed", ask))
    mails.add_mail(tx, ask, JOB, sealed, None)
    jobs.enqueue(tx, JOB, ask)


@use_case(Action.JOB_RUN)
def answer(ctx: Context, tx: Tx, ask: UUID) -> str:
    """Mail the link that was asked for, if the address is on record; what came of it.

    A worker does this, never the call that asked: whether there is anybody to write to must not show in its time.
    A second call changes nothing.
    """
    found = mails.load_mail(tx, ask)
    if found is None or found.state != "queued" or found.sealed is None:
        return "answered_before"
    told = json.loads(ctx.ports.keyring.open(found.sealed, sealing.place(ctx, "mail", "sealed", ask)))
    contact = SubjectIdentifier(IdentifierType.EMAIL, told["to"])
    mails.settle_mail(tx, ask, "sent")
    refs = subjects.refs_of(ctx, contact)
    known = people.find_subject(tx, refs)
    if known is None:
        return "nobody"
    ref = next(ref for ref in refs if ref in people.known_refs(tx, known.no, refs))
    link = mint_link(LinkKind.PREFERENCE)
    life = LINK_LIFE[LinkKind.PREFERENCE]
    tokens.add_link(tx, link.digest, LinkKind.PREFERENCE.name.lower(), ref.hex(), life)
    mail.promise(ctx, tx, contact.value, _letter(ctx, link.text, tx.now, life, told["language"]))
    return "mailed"


@use_case(Action.JOB_RUN)
def given_up(ctx: Context, tx: Tx, ask: UUID, code: str) -> None:
    """No link will be mailed; the address goes. A second call changes nothing."""
    mails.settle_mail(tx, ask, "failed", code)


def _letter(ctx: Context, link: str, now: Instant, life: timedelta, language: str) -> Letter:
    me = ctx.controller
    address = tuple(line.strip() for line in me.address.split("\n") if line.strip())
    return ctx.ports.letters.write(
        LetterKind.PREFERENCE_LINK,
        language if language in ctx.ports.letters.languages else me.languages[0],
        {
            "controller": Controller(me.name, address, me.contact_email, me.dpo_contact or ""),
            "reference": reference("PL"),
            "written_on": _day(ctx, now),
            "link": f"{me.base_url.rstrip('/')}/p/{link}",
            "valid_until": _day(ctx, now + life),
        },
    )


@use_case(Action.CONSENT_WRITE)
def exchange(ctx: Context, tx: Tx, text: str) -> ChoicesToken:
    """Spend the link for half an hour in this browser. Raises: PreferenceLinkSpent: used, expired, or another kind."""
    try:
        digest = link_digest(LinkKind.PREFERENCE, text)
    except SecretMalformed:
        raise PreferenceLinkSpent from None
    ref = tokens.use_link(tx, digest, LinkKind.PREFERENCE.name.lower())
    if ref is None:
        raise PreferenceLinkSpent
    cookie = mint_link(LinkKind.CHOICES)
    tokens.add_link(tx, cookie.digest, LinkKind.CHOICES.name.lower(), ref, LINK_LIFE[LinkKind.CHOICES])
    record(ctx, tx, "preferences.link_used", "link", "preference")
    return ChoicesToken(cookie.text)


def is_open(ctx: Context, token: ChoicesToken) -> bool:
    """Whether the browser's half an hour still runs."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return contact_behind(ctx, tx, token) is not None


def contact_behind(ctx: Context, tx: Tx, token: ChoicesToken) -> str | None:
    """The address whose choices the token opens; None: over, unknown, or erased in the meantime."""
    try:
        digest = link_digest(LinkKind.CHOICES, token.text)
    except SecretMalformed:
        return None
    found = tokens.find_link(tx, digest, LinkKind.CHOICES.name.lower())
    if found is None:
        return None
    ref = bytes.fromhex(found)
    known = people.find_subject(tx, [ref])
    return subjects.value_of(ctx, tx, subjects.opened(ctx, tx, known), ref) if known else None


def _day(ctx: Context, at: Instant) -> date:
    return at.astimezone(ZoneInfo(ctx.controller.zone)).date()
