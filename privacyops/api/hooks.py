"""The door for the webhooks of the shop's own services and of its platform."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from privacyops.api.deps import BaseContext, public
from privacyops.kernel.client_address import client_address, network_prefix
from privacyops.services import limit
from privacyops.services.dsar import hearing

router = APIRouter(tags=["stores"])
PER_MINUTE: Final = 300
_WINDOW: Final = timedelta(minutes=1)


async def raw_body(request: Request) -> bytes:
    """The bytes as they came: the signature is over these. The guard has bounded them."""
    return await request.body()


@router.post(
    "/hooks/{store}",
    status_code=204,
    summary="A service tells how an erasure ended, or passes on a request",
    **{
        **public(),
        "openapi_extra": {
            **public()["openapi_extra"],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}}},
                "description": "The service's own message, signed as the store's manifest says",
            },
        },
    },
)
def hear(
    request: Request,
    ctx: BaseContext,
    store: Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")],
    body: Annotated[bytes, Depends(raw_body)],
) -> Response:
    """Give this address to the service, with the store's name at its end. The signature is checked over the raw body
    and a signed time may be five minutes off. The same message again is answered alike and changes nothing.
    A topic that the store's manifest names as a request (`customers/data_request`, `customers/redact`) opens one: its
    clock runs from now, and its identity is as the platform asserts it.

    401 `hook-not-proven`: the signature is not the store's, or there is no such store. 422 `hook-not-taken`: proven,
    and about something else.
    """
    state = request.app.state
    peer = request.client.host if request.client else None
    address = client_address(peer, request.headers.getlist("x-forwarded-for"), state.trusted_proxies)
    limit.admit(ctx, "hooks", network_prefix(address), PER_MINUTE, _WINDOW)
    hearing.hear(ctx, store, dict(request.headers.items()), body)
    return Response(status_code=204)
