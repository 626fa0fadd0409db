"""Collection points: register one, mint the token for its page, and record what comes in with it.

The token says which point, in which version, for which origin and purposes, until when; it is signed and not stored.
What a point may do is read from its row at every call, so that switching it off counts at once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import collection_point
from privacyops.domain.consent.collection import CollectionPoint, PointTerms
from privacyops.domain.consent.suppression import ContactSuppressed
from privacyops.domain.notice import NoticeRef
from privacyops.domain.secret import SecretMalformed, SignedKind, sign_text, signed_payload
from privacyops.domain.subject import IdentityConflict
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Conflict, Forbidden, Gone, NotFound, Unauthenticated, Unprocessable
from privacyops.kernel.ids import base32, uuid7
from privacyops.ledger.leaf import canonical
from privacyops.ports.keyring import Mac, MacLabel
from privacyops.services.consent import writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import (
    Choice,
    Circumstances,
    NoticeMismatch,
    NoticeNotPublished,
    UnknownPurpose,
    Written,
    brand_named,
    require_offered,
)
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.services.purpose import catalogue
from privacyops.store import collection as points
from privacyops.store.purpose import Catalogue
from privacyops.store.uow import Tx

TOKEN_LIFE: Final = timedelta(hours=1)
_MAC_BYTES: Final = 16


class CollectionPointUnknown(NotFound):
    type = "/problems/collection-point-unknown"
    title = "No collection point has this key"


class CollectionPointExists(Conflict):
    type = "/problems/collection-point-exists"
    title = "A collection point has this key already; change that one"


class CollectionPointDisabled(Forbidden):
    type = "/problems/collection-point-disabled"
    title = "This collection point is switched off"


class OriginNotAllowed(Forbidden):
    type = "/problems/origin-not-allowed"
    title = "The token is not for a page of this origin"


class PurposeOutsideToken(Forbidden):
    type = "/problems/purpose-outside-token"
    title = "The token does not name this purpose; nothing was written"


class CollectionTokenExpired(Gone):
    type = "/problems/collection-token-expired"
    title = "The token has ended, or the collection point was changed since; load the page again"


class AnonymousOnly(Unprocessable):
    type = "/problems/anonymous-only"
    title = "A banner sends a consent id and choices, nothing else about the visitor; every other point names a person"


@dataclass(frozen=True, slots=True)
class Minted:
    """A token for one page, and when it ends."""

    token: str
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that came in with a good token: the point's own context, the point, and what the token narrows it to."""

    ctx: Context
    point: CollectionPoint
    purposes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a page asks: key, title and channels of each purpose, and the text that stands beside it."""

    purposes: Sequence[tuple[str, str, Sequence[str]]]
    shown: NoticeRef


@use_case(Action.COLLECTION_MANAGE)
def register(ctx: Context, tx: Tx, key: str, terms: PointTerms, call: Call) -> CollectionPoint:
    """A new point, switched on.

    Raises: CollectionPointExists, CollectionPointMalformed, UnknownBrand, UnknownPurpose, NoticeNotPublished,
    NoticeMismatch: the notice does not name each of the purposes.
    """
    if begin_call(ctx, tx, call) is not None:
        return _known(tx, key)
    _require_published(catalogue(ctx, tx), terms)
    point = CollectionPoint(uuid7(tx.now), key, terms, is_enabled=True, version=1, created_at=tx.now)
    if not points.add_point(tx, point):
        raise CollectionPointExists
    return _noted(ctx, tx, point, "collection_point.registered", call)


@use_case(Action.COLLECTION_MANAGE)
def change(ctx: Context, tx: Tx, key: str, terms: PointTerms, call: Call) -> CollectionPoint:
    """Other terms in place of the old ones; tokens of pages that are open have ended. Raises: as `register`."""
    if begin_call(ctx, tx, call) is not None:
        return _known(tx, key)
    _require_published(catalogue(ctx, tx), terms)
    known = _known(tx, key, is_locked=True)
    changed = replace(known, terms=terms, version=known.version + 1)
    points.save_point(tx, changed)
    return _noted(ctx, tx, changed, "collection_point.changed", call)


@use_case(Action.COLLECTION_MANAGE)
def switch(ctx: Context, tx: Tx, key: str, *, is_enabled: bool) -> CollectionPoint:
    """Off: no token opens it from the next call on. On: pages fetch new tokens. A second time changes nothing."""
    known = _known(tx, key, is_locked=True)
    if known.is_enabled is is_enabled:
        return known
    switched = replace(known, is_enabled=is_enabled, version=known.version + 1)
    points.save_point(tx, switched)
    record(ctx, tx, f"collection_point.{'enabled' if is_enabled else 'disabled'}", "collection_point", known.id)
    return switched


@reading(Action.COLLECTION_SEE)
def registered(ctx: Context, tx: Tx) -> Sequence[CollectionPoint]:
    """Every point, by key."""
    return points.list_points(tx)


@reading(Action.COLLECTION_TOKEN)
def mint(ctx: Context, tx: Tx, key: str, origin: str | None, purposes: Sequence[str] | None = None) -> Minted:
    """The token for one page of `origin`, for an hour; `purposes` narrows it to what this page asks for.

    Raises: CollectionPointUnknown, CollectionPointDisabled, OriginNotAllowed, PurposeOutsideToken.
    """
    point = _known(tx, key)
    if not point.is_enabled:
        raise CollectionPointDisabled
    _require_origin(point, origin)
    if not set(purposes or ()) <= set(point.terms.purposes):
        raise PurposeOutsideToken
    ends = int((tx.now + TOKEN_LIFE).timestamp())
    told: dict[str, Any] = {
        "aud": origin or "", "controller": tx.controller, "exp": ends, "point": key,
        "purposes": sorted(purposes or point.terms.purposes), "version": point.version,
    }  # fmt: skip

    def sign(message: bytes) -> tuple[int, bytes]:
        mac = ctx.ports.keyring.mac(MacLabel.COLLECTION, ctx.controller.key, message)
        return mac.version, mac.digest[:_MAC_BYTES]

    return Minted(sign_text(SignedKind.COLLECTION, canonical(told), sign), datetime.fromtimestamp(ends, UTC))


@reading(Action.CONSENT_WRITE)
def is_listed(ctx: Context, tx: Tx, origin: str) -> bool:
    """Whether any point that is switched on has this origin: its pages may ask, and read what they are answered."""
    return any(point.is_enabled and origin in point.terms.origins for point in points.list_points(tx))


def admit(ctx: Context, token: str, origin: str | None) -> Admitted:
    """Let a call in. `origin` is what the browser says of its page; a device without a page says none.

    Raises: Unauthenticated: not a token of this service and controller. CollectionTokenExpired,
    CollectionPointDisabled, OriginNotAllowed.
    """
    told = _told(ctx, token)
    point = _point_of(ctx, told["point"])
    if point is None or not point.is_enabled:
        raise CollectionPointDisabled
    if told["aud"] != (origin or ""):
        raise OriginNotAllowed
    if told["exp"] <= ctx.clock.now().timestamp() or told["version"] != point.version:
        raise CollectionTokenExpired
    _require_origin(point, origin)
    acting = ctx.acting_as(collection_point(ctx.controller.key, point.id))
    return Admitted(acting, point, frozenset(told["purposes"]) & frozenset(point.terms.purposes))


def offer(admitted: Admitted, language: str) -> Offer:
    """What may be chosen on the page of this call, in the text that is nearest to `language`."""
    return _offer(admitted.ctx, admitted.point.terms, admitted.purposes, language)


@reading(Action.CONSENT_WRITE)
def _offer(ctx: Context, tx: Tx, terms: PointTerms, purposes: frozenset[str], language: str) -> Offer:
    names = catalogue(ctx, tx)
    notice = names.notices[terms.notice_id, terms.notice_version].notice
    locale = _nearest(language, sorted(notice.texts))
    asked = [names.purposes[key].current for key in terms.purposes if key in purposes]
    asked = [one for one in asked if not one.is_retired]
    return Offer(
        [(one.key, one.titles[_nearest(language, sorted(one.titles))], sorted(one.channels)) for one in asked],
        notice.ref(locale),
    )


def _nearest(language: str, known: Sequence[str]) -> str:
    """The same language and region, else the same language, else English, else the first."""
    wanted = (language, language.partition("-")[0], "en")
    found = (one for tag in wanted for one in known if one == tag or one.partition("-")[0] == tag)
    return next(found, known[0])


def collect(admitted: Admitted, whom: Whom, choices: Sequence[Choice], how: Circumstances) -> Written | None:
    """Record what came in, on the terms of the point: its brand, method and clock, whatever `how` says of them.

    None, where the point stands on a page: the choice was not written for a reason that would tell a stranger about
    the owner of the address. The page answers as if it had been.
    Raises: PurposeOutsideToken, NoticeMismatch, and as `writing.record_choices`.
    """
    terms = admitted.point.terms
    if not {choice.purpose for choice in choices} <= admitted.purposes:
        raise PurposeOutsideToken
    if how.notice is None or (how.notice.id, how.notice.version) != (terms.notice_id, terms.notice_version):
        raise NoticeMismatch
    told = replace(how, brand=terms.brand, method=terms.method, clock=terms.clock)
    try:
        return writing.record_choices(admitted.ctx, whom, choices, told)
    except (ContactSuppressed, IdentityConflict) as refusal:
        if not terms.origins or terms.is_anonymous:
            raise
        _note_refusal(admitted.ctx, admitted.point.id, refusal.type.rpartition("/")[2])
        return None


def new_consent_id(admitted: Admitted, client_event_id: str) -> str:
    """128 bits that nobody can guess: what a banner's visitor is known by, and by nothing else.

    They follow from the page's own id of the event, so that a call that is sent again gets the same ones.
    """
    told = f"{admitted.point.id}/{client_event_id}".encode()
    mac = admitted.ctx.ports.keyring.mac(MacLabel.COLLECTION, admitted.ctx.controller.key, b"consent_id", told)
    return f"c_{base32(mac.digest[:16])}"


@use_case(Action.CONSENT_WRITE)
def _note_refusal(ctx: Context, tx: Tx, point: UUID, code: str) -> None:
    record(ctx, tx, "collection_point.not_written", "collection_point", point, code=code)


@reading(Action.CONSENT_WRITE)
def _point_of(ctx: Context, tx: Tx, key: str) -> CollectionPoint | None:
    return points.find_point(tx, key)


def _told(ctx: Context, token: str) -> dict[str, Any]:
    keyring = ctx.ports.keyring

    def is_signed(version: int, given: bytes, message: bytes) -> bool:
        if len(given) != _MAC_BYTES:
            return False
        macs = keyring.macs(MacLabel.COLLECTION, ctx.controller.key, message)
        made = next((one for one in macs if one.version == version), None)
        if made is None:
            return False
        whole = Mac(version, given + made.digest[_MAC_BYTES:])
        return keyring.is_mac(whole, MacLabel.COLLECTION, ctx.controller.key, message)

    try:
        told: dict[str, Any] = json.loads(signed_payload(SignedKind.COLLECTION, token, is_signed))
    except SecretMalformed:
        raise Unauthenticated from None
    if told["controller"] != ctx.controller.key:
        raise Unauthenticated
    return told


def _known(tx: Tx, key: str, *, is_locked: bool = False) -> CollectionPoint:
    found = points.find_point(tx, key, is_locked=is_locked)
    if found is None:
        raise CollectionPointUnknown
    return found


def _noted(ctx: Context, tx: Tx, point: CollectionPoint, action: str, call: Call) -> CollectionPoint:
    record(ctx, tx, action, "collection_point", point.id, version=point.version)
    end_call(ctx, tx, call, {})
    return point


def _require_origin(point: CollectionPoint, origin: str | None) -> None:
    allowed = point.terms.origins
    if (origin not in allowed) if allowed else origin is not None:
        raise OriginNotAllowed


def _require_published(names: Catalogue, terms: PointTerms) -> None:
    brand_named(names, terms.brand)
    if not set(terms.purposes) <= set(names.purposes):
        raise UnknownPurpose
    require_offered(names, *terms.purposes)
    shown = names.notices.get((terms.notice_id, terms.notice_version))
    if shown is None:
        raise NoticeNotPublished
    if not set(terms.purposes) <= set(shown.notice.purposes):
        raise NoticeMismatch
