"""A person's own choices, seen and changed by whoever has proved the mailbox they are bound to; and one-click stops."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import Target
from privacyops.domain.account.rule import require
from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import EventType, Method, RowKind
from privacyops.domain.decision import Asked, decide
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import LegalBasis, PurposeScope, PurposeVersion, Regime
from privacyops.domain.secret import LINK_LIFE, LinkKind, SecretMalformed, link_digest, mint_link
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType, SubjectIdentifier, SubjectUnknown
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId
from privacyops.services import purpose as published
from privacyops.services import sealing
from privacyops.services.consent import subjects, writing
from privacyops.services.consent.answering import event_of_past
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Scope
from privacyops.services.context import Context, reading, use_case
from privacyops.store import consent as consents
from privacyops.store import dsar as dsars
from privacyops.store import token as tokens
from privacyops.store.purpose import Brand, Catalogue, KnownPurpose
from privacyops.store.subject import Subject
from privacyops.store.uow import Tx

_PAST: Final = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """One choice that can be made. `is_said`: it was made before, whatever the answer."""

    purpose: str
    title: str
    channel: str
    is_granted: bool
    is_said: bool
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Locked:
    """A purpose without a choice, and what it rests on."""

    purpose: str
    title: str
    basis: LegalBasis


@dataclass(frozen=True, slots=True)
class PastChoice:
    """What was chosen before. `title` and `channel` None: it was about everything."""

    at: Instant
    type: EventType
    title: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that the preference centre shows of one address."""

    contact: str
    offers: tuple[Offer, ...]
    locked: tuple[Locked, ...]
    past: tuple[PastChoice, ...]


@reading(Action.DSAR_STATUS)
def read_own(ctx: Context, tx: Tx, dsar_id: DsarId, language: str) -> Preferences:
    """The choices of the address that the actor's cookie has proved.

    Choices over a channel with a contact of its own (a number, a device) are shown once they were made, since the
    mailbox proves nothing about it. Raises: NotFound: not the actor's own request. RequestEmptied, IdentityConflict.
    """
    require(ctx.actor, Action.DSAR_STATUS, tx.now, Target(tx.controller, request=dsar_id))
    contact = sealing.requester_of(ctx, tx, dsars.load_dsar(tx, dsar_id)).email
    whom = _whom(contact)
    names = published.catalogue(ctx, tx)
    subject = subjects.find(ctx, tx, whom)
    rows = list(consents.load_rows(tx, subject.no, names).values()) if subject else []
    offers: list[Offer] = []
    locked: list[Locked] = []
    for known in sorted(names.purposes.values(), key=lambda one: one.no):
        purpose = known.current
        brands = _brands_of(names, purpose)
        ground = purpose.ground_in(subject.jurisdiction if subject else None, brands[0].jurisdiction)[0]
        if ground.regime is Regime.NONE:
            locked.append(Locked(purpose.key, _title(purpose, language), ground.basis))
            continue
        for channel in _channels_of(purpose, rows):
            allowed = [_is_allowed(ctx, names, known, channel, brand, subject, rows, whom, tx) for brand in brands]
            offers.append(
                Offer(
                    purpose.key, _title(purpose, language), channel, all(allowed),
                    any(_is_about(row, purpose, channel) for row in rows), purpose.recipients,
                )
            )  # fmt: skip
    past = consents.list_events(tx, subject.no, None, _PAST) if subject else []
    return Preferences(
        contact, tuple(offers), tuple(locked),
        tuple(_past(event_of_past(one, names), names, language) for one in past),
    )  # fmt: skip


def save_own(ctx: Context, dsar_id: DsarId, language: str, granted: frozenset[tuple[str, str]]) -> int:
    """Make the choices what `granted` (purpose and channel) says; how many were written.

    What stands already is not written again, so that a second click changes nothing. Raises: as `read_own`.
    """
    now = read_own(ctx, dsar_id, language)
    changed = [
        Choice(one.purpose, one.channel, ChoiceAnswer.GRANT if wanted else ChoiceAnswer.REFUSE)
        for one in now.offers
        for wanted in [(one.purpose, one.channel) in granted]
        if wanted is not one.is_granted or not one.is_said
    ]
    names = _catalogue(ctx)
    for (brand, notice), choices in _calls(names, changed, language).items():
        how = Circumstances(Method.PREFERENCE_CENTRE, brand=brand, notice=notice)
        writing.record_choices(ctx, _whom(now.contact), choices, how)
    return len(changed)


def new_unsubscribe_link(ctx: Context, subject_id: str, purpose: str | None = None, channel: str | None = None) -> str:
    """The token of a link for mails: it stops this purpose over this channel, and can do nothing else.

    Raises: UnknownPurpose, UnknownChannel.
    """
    return _new_link(ctx, subject_id, purpose, channel)


def unsubscribe(ctx: Context, token: str) -> None:
    """The button, or a mail program's one-click POST (RFC 8058). An unknown token does nothing and says nothing.

    A person who has been stopped already is not stopped again: a thousand clicks leave one event.
    """
    found = _behind(ctx, token)
    if found is not None:
        whom, scope = found
        writing.withdraw(ctx, whom, scope, Circumstances(Method.ONE_CLICK_POST))


@use_case(Action.CONSENT_WRITE)
def _new_link(ctx: Context, tx: Tx, subject_id: str, purpose: str | None, channel: str | None) -> str:
    names = published.catalogue(ctx, tx)
    numbers = [
        names.purposes[purpose].no if purpose is not None else 0,
        names.channels[channel] if channel is not None else 0,
    ]
    link = mint_link(LinkKind.UNSUBSCRIBE)
    opens = f"{subject_id}/{numbers[0]}/{numbers[1]}"
    tokens.add_link(tx, link.digest, LinkKind.UNSUBSCRIBE.name.lower(), opens, LINK_LIFE[LinkKind.UNSUBSCRIBE])
    return link.text


@reading(Action.CONSENT_WRITE)
def _behind(ctx: Context, tx: Tx, token: str) -> tuple[Whom, Scope] | None:
    """Whom and what a token stops; None: nobody, or stopped already."""
    try:
        digest = link_digest(LinkKind.UNSUBSCRIBE, token)
    except SecretMalformed:
        return None
    opens = tokens.find_link(tx, digest, LinkKind.UNSUBSCRIBE.name.lower())
    if opens is None:
        return None
    names = published.catalogue(ctx, tx)
    subject_id, purpose_no, channel_no = opens.split("/")
    whom = Whom(subject_id)
    purpose, channel = names.purpose_of(int(purpose_no)), names.channel_of(int(channel_no))
    try:
        subject = subjects.find(ctx, tx, whom)
    except SubjectUnknown:
        return None  # erased in the meantime
    rows = list(consents.load_rows(tx, subject.no, names).values()) if subject else []
    reached = _reached(names, purpose, channel)
    if reached and not any(
        _is_allowed(ctx, names, known, via, brand, subject, rows, whom, tx) for known, via, brand in reached
    ):
        return None
    return whom, Scope(purpose, channel)


@reading(Action.CONSENT_WRITE)
def _catalogue(ctx: Context, tx: Tx) -> Catalogue:
    return published.catalogue(ctx, tx)


def _whom(email: str) -> Whom:
    return Whom(None, (SubjectIdentifier(IdentifierType.EMAIL, email),))


def _brands_of(names: Catalogue, purpose: PurposeVersion) -> Sequence[Brand]:
    """The storefronts that a choice for this purpose is made for."""
    brands = sorted(names.brands.values(), key=lambda brand: brand.no)
    return brands if purpose.scope is PurposeScope.BRAND else brands[:1]


def _channels_of(purpose: PurposeVersion, rows: Sequence[StateRow]) -> Iterator[str]:
    for channel in sorted(purpose.channels):
        is_mail = CONTACT_OF_CHANNEL.get(channel) is IdentifierType.EMAIL
        if is_mail or any(_is_about(row, purpose, channel) for row in rows):
            yield channel


def _is_about(row: StateRow, purpose: PurposeVersion, channel: str) -> bool:
    return row.kind is RowKind.CHOICE and (row.purpose, row.channel) == (purpose.key, channel)


def _reached(names: Catalogue, purpose: str | None, channel: str | None) -> list[tuple[KnownPurpose, str, Brand]]:
    """Everything that a stop of this scope would change."""
    return [
        (known, via, brand)
        for known in names.purposes.values()
        if purpose in {None, known.current.key} and not known.current.ignores_stops
        for via in sorted(known.current.channels)
        if channel in {None, via}
        for brand in _brands_of(names, known.current)
    ]


def _is_allowed(
    ctx: Context, names: Catalogue, known: KnownPurpose, channel: str, brand: Brand, subject: Subject | None,
    rows: Sequence[StateRow], whom: Whom, tx: Tx,
) -> bool:  # fmt: skip
    home = subject.jurisdiction if subject else None
    asked = Asked(
        purpose=known.current,
        channel=channel,
        brand=brand.key,
        ground=known.current.ground_in(home, brand.jurisdiction)[0],
        material_purpose=known.material,
        material_notices=names.material_notices,
        contacts=subjects.contacts_of_whom(ctx, whom, channel),
    )
    return decide(rows, asked, tx.now).is_allowed


def _calls(
    names: Catalogue, choices: Sequence[Choice], language: str
) -> Mapping[tuple[str, NoticeRef | None], list[Choice]]:
    """The choices by storefront and by the notice that told of them: each call to the log names one of each."""
    found: dict[tuple[str, NoticeRef | None], list[Choice]] = {}
    for choice in choices:
        notice = _notice_for(names, choice.purpose, language) if choice.answer is ChoiceAnswer.GRANT else None
        for brand in _brands_of(names, names.purposes[choice.purpose].current):
            found.setdefault((brand.key, notice), []).append(choice)
    return found


def _notice_for(names: Catalogue, purpose: str, language: str) -> NoticeRef | None:
    """The newest published notice that speaks of the purpose in this language."""
    known = [one.notice for one in names.notices.values() if purpose in one.notice.purposes]
    fitting = [notice for notice in known if language in notice.texts]
    newest = max(fitting, key=lambda notice: (notice.version, notice.id), default=None)
    return newest.ref(language) if newest else None


def _past(event: ConsentEvent, names: Catalogue, language: str) -> PastChoice:
    known = names.purposes.get(event.purpose.key) if event.purpose else None
    title = _title(known.current, language) if known else None
    return PastChoice(event.occurred_at, event.type, title, event.channel)


def _title(purpose: PurposeVersion, language: str) -> str:
    return purpose.titles.get(language) or next(iter(purpose.titles.values()))
