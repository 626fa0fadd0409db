"""Collection points: registered by back ends, used by pages and tills with a short-lived signed token."""

import json
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from privacyops.api.deps import BaseContext, Caller, IdempotencyKey, action, public
from privacyops.api.schemas.collection import (
    CollectedOut,
    CollectIn,
    NoticeVersionIn,
    OfferedPurpose,
    OfferOut,
    PointIn,
    PointOut,
    PointTermsIn,
    ShownIn,
    TokenIn,
    TokenOut,
)
from privacyops.domain.account.action import Action
from privacyops.domain.consent.collection import CollectionPoint, PointTerms
from privacyops.domain.notice import NoticeRef
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.client_address import client_address, network_prefix
from privacyops.kernel.clock import require_utc
from privacyops.kernel.errors import Unauthenticated
from privacyops.ledger.leaf import instant_text
from privacyops.services import limit
from privacyops.services.consent import collecting
from privacyops.services.consent.collecting import Admitted, AnonymousOnly
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, Circumstances
from privacyops.services.context import Context
from privacyops.services.idempotency import Call

router = APIRouter(prefix="/v1", tags=["collection points"])
Key = Annotated[str, Path(min_length=1, max_length=63)]
Language = Annotated[str, Query(pattern=r"^[A-Za-z0-9-]{2,35}$", description="Such as de or de-AT")]
_PREFLIGHT_S: Final = 600
_BEARER: Final = "bearer "
_WINDOW: Final = timedelta(minutes=1)
_DEVICE_SHARE: Final = 10
"""A till hands over a day at once, a server speaks for many: that many times a page's share."""


@router.get("/collection-points", summary="Collection points", **action(Action.COLLECTION_SEE))
def collection_points(ctx: Caller) -> list[PointOut]:
    """Every form, checkout, till and banner, also those switched off."""
    return [_point(one) for one in collecting.registered(ctx)]


@router.post("/collection-points", status_code=201, summary="Register a point", **action(Action.COLLECTION_MANAGE))
def register(ctx: Caller, body: PointIn, idempotency_key: IdempotencyKey = None) -> PointOut:
    """Say once what a form may write; its pages then need no key."""
    return _point(collecting.register(ctx, body.key, _terms(body), _call(idempotency_key, body)))


@router.put("/collection-points/{key}", summary="Change a point", **action(Action.COLLECTION_MANAGE))
def change(ctx: Caller, key: Key, body: PointTermsIn, idempotency_key: IdempotencyKey = None) -> PointOut:
    """Other terms in place of the old ones. Tokens in open pages end; the pages fetch new ones."""
    return _point(collecting.change(ctx, key, _terms(body), _call(idempotency_key, body, key)))


@router.post("/collection-points/{key}:disable", summary="Switch a point off", **action(Action.COLLECTION_MANAGE))
def disable(ctx: Caller, key: Key) -> PointOut:
    """No token opens it from the next call on."""
    return _point(collecting.switch(ctx, key, is_enabled=False))


@router.post("/collection-points/{key}:enable", summary="Switch a point on", **action(Action.COLLECTION_MANAGE))
def enable(ctx: Caller, key: Key) -> PointOut:
    """Tokens from before stay ended."""
    return _point(collecting.switch(ctx, key, is_enabled=True))


@router.post("/collection-points/{key}:token", summary="A token for a page", **action(Action.COLLECTION_TOKEN))
def token(ctx: Caller, key: Key, body: TokenIn) -> TokenOut:
    """Mint it when the page is made. It lasts an hour, for one origin; nothing is stored."""
    minted = collecting.mint(ctx, key, body.origin, body.purposes)
    return TokenOut(token=minted.token, expires_at=instant_text(minted.expires_at))


def admitted(request: Request, ctx: BaseContext) -> Admitted:
    """The call's point, by its token and origin. Cookies are not read.

    Raises: as `collecting.admit`; RateLimited: this network has called this point too often in this minute.
    """
    origin = request.headers.get("origin")
    _let_read(request, ctx, origin)
    given = request.headers.get("authorization", "")
    if not given.lower().startswith(_BEARER):
        raise Unauthenticated
    call = collecting.admit(ctx, given[len(_BEARER) :].strip(), origin)
    state = request.app.state
    peer = request.client.host if request.client else None
    address = client_address(peer, request.headers.getlist("x-forwarded-for"), state.trusted_proxies)
    share = 1 if call.point.terms.origins else _DEVICE_SHARE
    who = f"{call.point.id}/{network_prefix(address)}"
    limit.admit(ctx, "collect", who, share * state.collects_per_minute, _WINDOW)
    return call


@router.get("/collect", summary="What a page may ask", **public())
def offer(call: Annotated[Admitted, Depends(admitted)], lang: Language = "en") -> OfferOut:
    """The purposes that the token names, their channels, and the digest of the text to send back with a choice."""
    made = collecting.offer(call, lang)
    shown = made.shown
    return OfferOut(
        purposes=[OfferedPurpose(key=key, title=title, channels=list(over)) for key, title, over in made.purposes],
        shown=ShownIn(locale=shown.locale, sha256=shown.sha256), is_anonymous=call.point.terms.is_anonymous,
        notice_url=f"{call.ctx.controller.base_url}/notices/{shown.id}/{shown.version}/{shown.locale}",
    )  # fmt: skip


@router.post("/collect", status_code=202, summary="Record choices from a page", **public())
def collect(call: Annotated[Admitted, Depends(admitted)], body: CollectIn) -> CollectedOut:
    """Take in what a person chose on a page or at a till, with the point's token as `Authorization: Bearer poc_…`.

    The same `client_event_id` is the same choice, however often and late it is sent.
    """
    terms = call.point.terms
    consent_id = _consent_id(call, body)
    named = [(one.type, one.value) for one in body.identifiers]
    if consent_id is not None:
        named = [(IdentifierType.DEVICE_ID, consent_id)]
    shown = NoticeRef(terms.notice_id, terms.notice_version, body.notice.locale, body.notice.sha256)
    how = Circumstances(
        method=terms.method, jurisdiction=body.jurisdiction, client_event_id=body.client_event_id, notice=shown,
        occurred_at=require_utc(body.occurred_at) if body.occurred_at else None, evidence=body.evidence, age=body.age,
    )  # fmt: skip
    choices = [Choice(one.purpose, one.channel, one.choice) for one in body.choices]
    written = collecting.collect(call, Whom.of(call.ctx, None, named), choices, how)
    events = None
    if written is not None and (terms.is_anonymous or not terms.origins):
        events = [event["event_id"] for event in written.events]
    return CollectedOut(consent_id=consent_id, event_ids=events)


@router.options("/collect", status_code=204, include_in_schema=False, **public())
def preflight(request: Request, ctx: BaseContext) -> Response:
    """May a page of this origin call? No credentials, so that no cookie ever comes along."""
    headers = {}
    if _let_read(request, ctx, request.headers.get("origin")):
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": str(_PREFLIGHT_S),
        }
    return Response(status_code=204, headers=headers)


def _let_read(request: Request, ctx: Context, origin: str | None) -> bool:
    """Whether pages of this origin may read the answer; says so on it, whatever it will be."""
    request.state.cross_origin = [(b"vary", b"Origin")]
    if origin is None or not collecting.is_listed(ctx, origin):
        return False
    request.state.cross_origin.append((b"access-control-allow-origin", origin.encode("ascii")))
    return True


def _consent_id(call: Admitted, body: CollectIn) -> str | None:
    """Of a banner the visitor's id, a new one where none was sent. Raises: AnonymousOnly."""
    extra = (body.identifiers, body.evidence, body.age)
    if call.point.terms.is_anonymous:
        if any(one not in (None, []) for one in extra):
            raise AnonymousOnly
        return body.consent_id or collecting.new_consent_id(call, body.client_event_id)
    if body.consent_id is not None:
        raise AnonymousOnly
    return None


def _call(key: str | None, body: BaseModel, about: str = "") -> Call:
    return Call.of(key, json.dumps([about, body.model_dump(mode="json")], sort_keys=True).encode())


def _terms(body: PointTermsIn) -> PointTerms:
    shown = body.notice
    return PointTerms(
        body.kind, body.brand, tuple(body.origins), tuple(body.purposes), shown.id, shown.version, body.clock
    )


def _point(one: CollectionPoint) -> PointOut:
    terms = one.terms
    return PointOut(
        id=one.id, key=one.key, kind=terms.kind, brand=terms.brand, origins=list(terms.origins),
        purposes=list(terms.purposes), notice=NoticeVersionIn(id=terms.notice_id, version=terms.notice_version),
        clock=terms.clock, enabled=one.is_enabled, version=one.version,
    )  # fmt: skip
