"""Requests for back ends: hand one in, read where it stands. Content is never given out by this door."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from privacyops.api.deps import Caller, IdempotencyKey, action
from privacyops.api.schemas.dsar import DsarIn, DsarOut, DsarPage, ReceiptOut
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.proof import ProofMethod
from privacyops.domain.dsar.record import Dsar, Requester
from privacyops.kernel.ids import DsarId
from privacyops.services.dsar import intake, listing
from privacyops.services.idempotency import Call

router = APIRouter(prefix="/v1/dsars", tags=["requests"])


@router.post("", status_code=201, summary="Hand in a request", **action(Action.DSAR_INTAKE))
def submit(
    ctx: Caller, body: DsarIn, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> ReceiptOut:
    """Take a request in and start its legal clock.

    `Idempotency-Key` is required: the same key and body give the same receipt with `Idempotency-Replayed: true`,
    another body is refused with 422.
    """
    call = Call.of(idempotency_key, body.model_dump_json().encode())
    receipt = intake.submit(
        ctx,
        intake.Submission(
            type=body.type, requester=Requester(**body.requester.model_dump()), channel=body.channel,
            language=body.language, residence=body.residence, received_at=body.received_at,
            proven_by=ProofMethod.ASSERTED if body.identity_asserted else None,
        ),
        call,
    )  # fmt: skip
    if receipt.is_replayed:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Location"] = str(request.url_for("read", dsar_id=receipt.id).path)
    return ReceiptOut(
        id=str(receipt.id), reference=receipt.reference, state=receipt.state, received_at=receipt.received_at
    )


@router.get("", summary="List requests", **action(Action.DSAR_LIST))
def list_(
    ctx: Caller,
    view: Annotated[str, Query(description="all, soon, identity, approval, failed, unverified, closed")] = "all",
    after: Annotated[str | None, Query(description="the `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DsarPage:
    """One page of a view of the queue, soonest safe date first."""
    page = listing.list_view(ctx, view, after, limit)
    return DsarPage(items=[_out(dsar) for dsar in page.items], next=page.next)


@router.get("/{dsar_id}", summary="Read where a request stands", name="read", **action(Action.DSAR_STATUS))
def read(ctx: Caller, dsar_id: UUID) -> DsarOut:
    """State, dates and outcome of one request."""
    return _out(listing.status_of(ctx, DsarId(dsar_id)))


def _out(dsar: Dsar) -> DsarOut:
    return DsarOut(
        id=str(dsar.id), reference=dsar.reference, type=dsar.type, state=dsar.state, channel=dsar.channel,
        regime=dsar.regime, language=dsar.language, received_at=dsar.received_at, recorded_at=dsar.recorded_at,
        due_on=dsar.due_on, safe_due_on=dsar.safe_due_on, paused_since=dsar.paused_since,
        is_verified=dsar.is_verified, outcome=dsar.outcome, answered_at=dsar.answered_at, closed_at=dsar.closed_at,
    )  # fmt: skip
