"""Objections, and the browser's opt-out signal: taken, shown as honoured, announced."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from privacyops.api.consent import call_of, circumstances_of, whom_of, written_out
from privacyops.api.deps import BaseContext, Caller, IdempotencyKey, action, public
from privacyops.api.schemas.person import GpcSupport, ObjectionIn, ObjectionOut, SignalIn, SignalOut, SignalStatusOut
from privacyops.domain.account.action import Action
from privacyops.domain.consent.gpc import HEADER, LABEL
from privacyops.services import objection
from privacyops.services.consent import signalling
from privacyops.services.consent.subjects import Whom

router = APIRouter(tags=["consent"])


@router.post("/v1/objections", status_code=201, summary="Object", **action(Action.CONSENT_WRITE))
def object_to(
    ctx: Caller, body: ObjectionIn, response: Response, idempotency_key: IdempotencyKey = None
) -> ObjectionOut:
    """To all advertising, or to one purpose. The next check denies; a legitimate interest is then weighed by a person.

    Needs no proof of identity and no reason.
    """
    call = call_of(idempotency_key, body)
    made = objection.object_to(ctx, whom_of(ctx, body.subject), body.purpose, circumstances_of(body), call)
    return ObjectionOut(**written_out(made.written, response).model_dump(), reference=made.reference)


@router.post("/v1/signals/gpc", summary="Hand an opt-out signal on", **action(Action.CONSENT_WRITE))
def receive(ctx: Caller, body: SignalIn, idempotency_key: IdempotencyKey = None) -> SignalOut:
    """Send what the browser sent in `Sec-GPC`, for the device and for who is signed in. A thousand write one event."""
    call = call_of(idempotency_key, body)
    taken = signalling.receive(ctx, whom_of(ctx, body.subject), body.sec_gpc, body.jurisdiction, call)
    return SignalOut(signal=taken.signal, events=list(taken.events))


@router.get("/v1/gpc-status", summary="Show whether the signal is honoured", **action(Action.CONSENT_CHECK))
def status(
    ctx: Caller,
    request: Request,
    subject: Annotated[str, Query(min_length=3, max_length=40)],
    jurisdiction: Annotated[str | None, Query(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None,
) -> SignalStatusOut:
    """For the page's own words; pass the browser's `Sec-GPC` on as it came."""
    found = signalling.status(ctx, Whom(subject), request.headers.getlist(HEADER), jurisdiction)
    return SignalStatusOut(
        signal=found.signal, honoured=found.honoured, duty=found.duty, label=LABEL if found.honoured else None
    )


@router.get("/.well-known/gpc.json", summary="Say that the signal is known", **public())
def support(ctx: BaseContext, response: Response) -> GpcSupport:
    """The support resource of Global Privacy Control."""
    response.headers["Cache-Control"] = "public, max-age=86400"
    return GpcSupport(lastUpdate=ctx.controller.gpc_since)
