"""A person's own choices, seen and changed by whoever has proved the mailbox they are bound to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import Target
from privacyops.domain.account.rule import require
from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.consent.gpc import is_signal
from privacyops.domain.consent.projection import LIFTED, StateRow
from privacyops.domain.consent.state import EventType, Method, RowKind
from privacyops.domain.decision import Asked, Decision, Reason, decide
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import LegalBasis, PurposeScope, PurposeVersion, Regime
from privacyops.domain.subject import CONTACT_OF_CHANNEL, IdentifierType, SubjectIdentifier
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import DsarId
from privacyops.ledger.leaf import parse
from privacyops.services import purpose as published
from privacyops.services import sealing
from privacyops.services.consent import signalling, subjects, writing
from privacyops.services.consent.life import event_of_past
from privacyops.services.consent.preference_link import ChoicesToken, PreferenceLinkSpent, contact_behind
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Scope
from privacyops.services.context import Context, reading
from privacyops.services.receipt import Gathered, gather_within
from privacyops.store import consent as consents
from privacyops.store import dsar as dsars
from privacyops.store.purpose import Brand, Catalogue, KnownPurpose
from privacyops.store.subject import Subject
from privacyops.store.uow import Tx

_PAST: Final = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """One choice that can be made. `is_said`: it was made before, whatever the answer.

    `is_pending`: it waits for the confirmation by mail, and is not a yes before.
    `is_retired`: nothing is done for it, and the yes that stands can only be taken back.
    """

    purpose: str
    title: str
    channel: str
    is_granted: bool
    is_said: bool
    is_pending: bool
    recipients: tuple[str, ...]
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class Locked:
    """A purpose without a choice, and what it rests on."""

    purpose: str
    title: str
    basis: LegalBasis


@dataclass(frozen=True, slots=True)
class PastChoice:
    """What was chosen before. `title` and `channel` None: it was about everything."""

    event_id: UUID
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
    signal: bool = False


Own: TypeAlias = DsarId | ChoicesToken
"""By what a browser has proved an address: the request behind its cookie, or a preference link."""


@reading(Action.CONSENT_WRITE)
def read_own(ctx: Context, tx: Tx, own: Own, language: str) -> Preferences:
    """The choices of the address that the browser has proved.

    Choices over a channel with a contact of its own (a number, a device) are shown once they were made, since the
    mailbox proves nothing about it.
    Raises: NotFound: not the actor's own request. PreferenceLinkSpent: the time is over. RequestEmptied,
    IdentityConflict.
    """
    contact = _contact(ctx, tx, own)
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
        if ground.regime is Regime.NONE and purpose.is_retired:
            continue
        if ground.regime is Regime.NONE:
            locked.append(Locked(purpose.key, _title(purpose, language), ground.basis))
            continue
        for channel in _channels_of(purpose, rows):
            said = [_decided(ctx, names, known, channel, brand, subject, rows, whom, tx) for brand in brands]
            is_said = any(_is_about(row, purpose, channel) for row in rows)
            if purpose.is_retired and not (is_said and any(one.is_allowed for one in said)):
                continue  # nobody is asked; only a yes that would count again can be taken back
            offers.append(
                Offer(
                    purpose.key, _title(purpose, language), channel,
                    purpose.is_retired or all(one.is_allowed for one in said), is_said,
                    any(one.reason is Reason.PENDING_CONFIRMATION for one in said), purpose.recipients,
                    purpose.is_retired,
                )
            )  # fmt: skip
    past = consents.list_events(tx, subject.no, None, _PAST) if subject else []
    return Preferences(
        contact, tuple(offers), tuple(locked),
        tuple(_past(event_of_past(one, names), names, language) for one in past),
        signal=any(row.kind is RowKind.GPC and row.state != LIFTED for row in rows),
    )  # fmt: skip


def receive_signal(ctx: Context, own: Own, language: str, values: Sequence[str]) -> None:
    """Take the opt-out signal of the browser that shows the choices, for the address it has proved; once."""
    if is_signal(values) and not (known := read_own(ctx, own, language)).signal:
        signalling.receive(ctx, _whom(known.contact), values)


def save_own(
    ctx: Context, own: Own, language: str, granted: frozenset[tuple[str, str]], *, rejects: bool = False
) -> int:
    """Make the choices what `granted` (purpose and channel) says; how many were written.

    What stands already is not written again, so that a second click changes nothing; what waits for its confirmation
    goes on waiting unless the person `rejects` all. Raises: as `read_own`.
    """
    now = read_own(ctx, own, language)
    changed = [
        Choice(one.purpose, one.channel, ChoiceAnswer.GRANT if wanted else ChoiceAnswer.REFUSE)
        for one in now.offers
        for wanted in [(one.purpose, one.channel) in granted]
        if wanted is not one.is_granted or not one.is_said or (rejects and one.is_pending)
    ]
    names = _catalogue(ctx)
    for (brand, notice), choices in _calls(names, changed, language).items():
        how = Circumstances(Method.PREFERENCE_CENTRE, brand=brand, notice=notice)
        writing.record_choices(ctx, _whom(now.contact), choices, how)
    return len(changed)


def stop_own(ctx: Context, own: Own, language: str) -> None:
    """Stop everything, also what is published later; messages that the contract needs go on. Raises: as `read_own`."""
    contact = read_own(ctx, own, language).contact
    writing.withdraw(ctx, _whom(contact), Scope(), Circumstances(Method.PREFERENCE_CENTRE))


@reading(Action.CONSENT_WRITE)
def own_receipt(ctx: Context, tx: Tx, own: Own, event_id: UUID) -> Gathered:
    """What the receipt of one of the person's own choices is made from.

    Raises: as `read_own`. NotFound: it is not theirs, which nobody is told apart from one that does not exist.
    """
    subject = subjects.find(ctx, tx, _whom(_contact(ctx, tx, own)))
    theirs = consents.list_events(tx, subject.no, None, None) if subject else []
    if str(event_id) not in {parse(one.leaf)["id"] for one in theirs}:
        raise NotFound
    return gather_within(ctx, tx, event_id)


def _contact(ctx: Context, tx: Tx, own: Own) -> str:
    if isinstance(own, ChoicesToken):
        contact = contact_behind(ctx, tx, own)
        if contact is None:
            raise PreferenceLinkSpent
        return contact
    require(ctx.actor, Action.DSAR_STATUS, tx.now, Target(tx.controller, request=own))
    return sealing.requester_of(ctx, tx, dsars.load_dsar(tx, own)).email


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


def _decided(
    ctx: Context, names: Catalogue, known: KnownPurpose, channel: str, brand: Brand, subject: Subject | None,
    rows: Sequence[StateRow], whom: Whom, tx: Tx,
) -> Decision:  # fmt: skip
    """What counts now; for a retired purpose what would count if it came back."""
    home = subject.jurisdiction if subject else None
    asked = Asked(
        purpose=replace(known.current, is_retired=False),
        channel=channel,
        brand=brand.key,
        ground=known.current.ground_in(home, brand.jurisdiction)[0],
        material_purpose=known.material,
        material_notices=names.material_notices,
        contacts=subjects.contacts_of_whom(ctx, whom, channel),
    )
    return decide(rows, asked, tx.now)


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
    return PastChoice(event.id, event.occurred_at, event.type, title, event.channel)


def _title(purpose: PurposeVersion, language: str) -> str:
    return purpose.titles.get(language) or next(iter(purpose.titles.values()))
