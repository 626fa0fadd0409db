"""The link in mails that stops with one click (RFC 8058), and the headers that carry it.

Its token can stop and do nothing else; it opens no page and grants nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.consent.projection import StateRow
from privacyops.domain.consent.state import Method, RowKind
from privacyops.domain.decision import Asked, Reason, decide
from privacyops.domain.purpose import PurposeScope
from privacyops.domain.secret import LINK_LIFE, LinkKind, SecretMalformed, link_digest, mint_link
from privacyops.domain.subject import SubjectUnknown
from privacyops.kernel.errors import Conflict
from privacyops.services import purpose as published
from privacyops.services.consent import subjects, writing
from privacyops.services.consent.appending import find_or_keep, settled
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Circumstances, Scope, UnknownPurpose, purpose_named
from privacyops.services.context import Context, reading, use_case
from privacyops.store import consent as consents
from privacyops.store import token as tokens
from privacyops.store.purpose import Brand, Catalogue, KnownPurpose
from privacyops.store.uow import Tx

ONE_CLICK: Final = "List-Unsubscribe=One-Click"
_STOPPED: Final = frozenset({Reason.WITHDRAWN, Reason.REFUSED, Reason.TERMINATED, Reason.INVALIDATED})
_OTHER_STOPS: Final = frozenset({RowKind.SUPPRESSION, RowKind.OBJECTION})


class AddressNotHttps(Conflict):
    """RFC 8058 asks for an https address; mail programs ignore any other."""

    type = "/problems/address-not-https"
    title = "Set web.base_url to the https address under which customers reach this service"


@dataclass(frozen=True, slots=True)
class MailHeaders:
    """The header pair for one message; both have to stand under its DKIM signature."""

    list_unsubscribe: str
    list_unsubscribe_post: str
    url: str


@dataclass(frozen=True, slots=True)
class _Behind:
    whom: Whom
    subject_no: int
    scope: Scope
    is_stopped: bool


def mail_headers(ctx: Context, whom: Whom, purpose: str, channel: str = "email") -> MailHeaders:
    """A new link for a message to this person, as headers. It works for two years, and after the next one is made.

    Raises: AddressNotHttps, UnknownPurpose, UnknownChannel, IdentityConflict, SubjectUnknown.
    """
    base = ctx.controller.base_url
    if not base.startswith("https://"):
        raise AddressNotHttps
    url = f"{base}/u/{settled(lambda: _link_for(ctx, whom, purpose, channel))}"
    return MailHeaders(f"<{url}>", ONE_CLICK, url)


def new_unsubscribe_link(ctx: Context, subject_id: str, purpose: str | None = None, channel: str | None = None) -> str:
    """The token of a link for mails: it stops this purpose over this channel, and can do nothing else.

    Raises: UnknownPurpose, UnknownChannel.
    """
    return _new_link(ctx, subject_id, purpose, channel)


def unsubscribe(ctx: Context, token: str) -> None:
    """The button, or a mail program's one-click POST. An unknown token does nothing and says nothing.

    Who has said no already is not stopped again: a thousand clicks leave one event. What is only asked for so far,
    or stopped by something that may be lifted, is stopped for good.
    """
    found = _look(ctx, token)
    if found is not None and not found.is_stopped:
        _unsubscribe(ctx, token)


@use_case(Action.CONSENT_WRITE)
def _unsubscribe(ctx: Context, tx: Tx, token: str) -> None:
    """Ask again behind the person's lock: of many clicks at once the first one writes."""
    names = published.catalogue(ctx, tx)
    found = _behind(ctx, tx, names, token, lock=True)
    if found is not None and not found.is_stopped:
        writing.withdraw_within(ctx, tx, found.whom, found.scope, Circumstances(Method.ONE_CLICK_POST))


@reading(Action.CONSENT_WRITE)
def _look(ctx: Context, tx: Tx, token: str) -> _Behind | None:
    return _behind(ctx, tx, published.catalogue(ctx, tx), token, lock=False)


@use_case(Action.CONSENT_WRITE)
def _link_for(ctx: Context, tx: Tx, whom: Whom, purpose: str, channel: str) -> str:
    names = published.catalogue(ctx, tx)
    purpose_named(names, purpose, channel)
    opened = find_or_keep(ctx, tx, names, whom, None, Circumstances(Method.API))
    return _add_link(tx, names, opened.subject.public_id, purpose, channel)


@use_case(Action.CONSENT_WRITE)
def _new_link(ctx: Context, tx: Tx, subject_id: str, purpose: str | None, channel: str | None) -> str:
    names = published.catalogue(ctx, tx)
    if purpose is not None and channel is not None:
        purpose_named(names, purpose, channel)
    elif purpose is not None and purpose not in names.purposes:
        raise UnknownPurpose
    return _add_link(tx, names, subject_id, purpose, channel)


def _add_link(tx: Tx, names: Catalogue, subject_id: str, purpose: str | None, channel: str | None) -> str:
    purpose_no = names.purposes[purpose].no if purpose is not None else 0
    channel_no = names.channels[channel] if channel is not None else 0
    link = mint_link(LinkKind.UNSUBSCRIBE)
    opens = f"{subject_id}/{purpose_no}/{channel_no}"
    tokens.add_link(tx, link.digest, LinkKind.UNSUBSCRIBE.name.lower(), opens, LINK_LIFE[LinkKind.UNSUBSCRIBE])
    return link.text


def _behind(ctx: Context, tx: Tx, names: Catalogue, token: str, *, lock: bool) -> _Behind | None:
    """Whom and what a token stops; None: nobody, or somebody who was erased."""
    try:
        digest = link_digest(LinkKind.UNSUBSCRIBE, token)
    except SecretMalformed:
        return None
    opens = tokens.find_link(tx, digest, LinkKind.UNSUBSCRIBE.name.lower())
    if opens is None:
        return None
    subject_id, purpose_no, channel_no = opens.split("/")
    whom = Whom(subject_id)
    try:
        subject = subjects.find(ctx, tx, whom)
    except SubjectUnknown:
        return None
    if subject is None:
        return None
    if lock:
        consents.lock_subject(tx, subject.no)
    scope = Scope(names.purpose_of(int(purpose_no)), names.channel_of(int(channel_no)))
    rows = [row for row in consents.load_rows(tx, subject.no, names).values() if row.kind not in _OTHER_STOPS]
    reached = _reached(names, scope)
    is_stopped = bool(reached) and all(
        _is_stopped(tx, names, rows, known, channel, brand, subject.jurisdiction) for known, channel, brand in reached
    )
    return _Behind(whom, subject.no, scope, is_stopped)


def _reached(names: Catalogue, scope: Scope) -> list[tuple[KnownPurpose, str, Brand]]:
    """Everything that a stop of this scope would change."""
    brands = sorted(names.brands.values(), key=lambda brand: brand.no)
    return [
        (known, channel, brand)
        for known in names.purposes.values()
        if scope.purpose in {None, known.current.key} and not known.current.ignores_stops
        for channel in sorted(known.current.channels)
        if scope.channel in {None, channel}
        for brand in (brands if known.current.scope is PurposeScope.BRAND else brands[:1])
    ]


def _is_stopped(
    tx: Tx, names: Catalogue, rows: Sequence[StateRow], known: KnownPurpose, channel: str, brand: Brand,
    home: str | None,
) -> bool:  # fmt: skip
    """Whether the person's own no stands against this already."""
    asked = Asked(
        purpose=known.current, channel=channel, brand=brand.key,
        ground=known.current.ground_in(home, brand.jurisdiction)[0],
        material_purpose=known.material, material_notices=names.material_notices,
    )  # fmt: skip
    return decide(rows, asked, tx.now).reason in _STOPPED
