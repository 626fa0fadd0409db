"""Who calls, and for which use case: every route declares its action, and a key is checked before anything runs."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from privacyops.domain.account.action import Action
from privacyops.kernel.errors import Unauthenticated
from privacyops.services import apikey
from privacyops.services.context import Context

_bearer = HTTPBearer(auto_error=False, description="An API key: po_live_… or po_test_…")


def action(which: Action) -> dict[str, Any]:
    """What a route is for, as keyword arguments of its decorator; a test walks all routes and demands one."""
    return {"openapi_extra": {"x-action": str(which)}}


def public() -> dict[str, Any]:
    """A route that needs no key and gives nothing away."""
    return {"openapi_extra": {"x-action": "public", "security": []}}


def base_context(request: Request) -> Context:
    """The service's context, as the machine sees it; routes act for somebody."""
    context: Context = request.app.state.context
    return context.acting_as(context.actor, getattr(request.state, "request_id", None))


def caller(ctx: Annotated[Context, Depends(base_context)], credentials: Annotated[Any, Security(_bearer)]) -> Context:
    """The context of the back end behind the key. Raises: Unauthenticated."""
    if credentials is None:
        raise Unauthenticated
    return apikey.acting(ctx, credentials.credentials)


BaseContext = Annotated[Context, Depends(base_context)]
Caller = Annotated[Context, Depends(caller)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=128)]
ContextMaker = Callable[[Request], Context]
