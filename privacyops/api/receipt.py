"""Receipts for back ends, who hand them on to their customers: one address, the form by `Accept`."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from privacyops.api.deps import Caller, action
from privacyops.domain.account.action import Action
from privacyops.kernel.errors import Problem
from privacyops.services import receipt as receipts
from privacyops.services.receipt import ReceiptForm

router = APIRouter(prefix="/v1", tags=["ledger"])
_CONTENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The receipt", "content": {str(form): {} for form in ReceiptForm}}
}


class FormNotOffered(Problem):
    """The member `offered` lists the media types that there are."""

    type = "/problems/form-not-offered"
    title = "The receipt has no form that `Accept` asks for"
    status = 406


@router.get(
    "/receipts/{event_id}", summary="A receipt of one choice", response_class=Response, responses=_CONTENT,
    **action(Action.CONSENT_PROOF),
)  # fmt: skip
def receipt(
    ctx: Caller,
    event_id: UUID,
    accept: Annotated[str, Header(max_length=1_000)] = "*/*",
    language: Annotated[str | None, Query(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")] = None,
) -> Response:
    """Signed (`application/jose`), as TS 27560 record, as Kantara receipt, as page or PDF.

    The signed form holds record, leaf and proof and is verified with the public key alone; for the second until the
    record is under a checkpoint it holds our signed promise in place of the proof. An erased person's choices have
    no receipt.
    """
    found = receipts.receipt(ctx, event_id, _wanted(accept), language)
    text = found.form is not ReceiptForm.PDF
    headers = {"Vary": "Accept"} | ({"Content-Security-Policy": found.policy} if found.policy else {})
    media_type = f"{found.form}; charset=utf-8" if text and found.form is ReceiptForm.PAGE else str(found.form)
    return Response(found.body, media_type=media_type, headers=headers)


def _wanted(accept: str) -> ReceiptForm:
    """The form that the header likes best; among equals the one named first, then our own order."""
    liked: list[tuple[float, int, ReceiptForm]] = []
    for place, part in enumerate(accept.split(",")):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        quality = float(weight) if weight.replace(".", "", 1).isdecimal() and weight.isascii() else 0.0
        family = name.removesuffix("*")
        for form in ReceiptForm:
            if quality > 0 and (name in ("*/*", str(form)) or (name.endswith("/*") and str(form).startswith(family))):
                liked.append((-quality, place, form))
    if not liked:
        raise FormNotOffered(offered=[str(form) for form in ReceiptForm])
    return min(liked, key=lambda one: one[:2])[2]
