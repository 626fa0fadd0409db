"""Writes of consent without the framework: a call in the documented form goes to its use case over one thread.

What is not in that form goes to the documented route (consent.py), which says what is wrong with it. Form, meaning,
answer and refusals are the route's own functions and models; what is left out is the way there: a hundred patterns of
paths, four changes of thread, and a read of a key that the write itself can vouch for.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from privacyops.api import consent, problems
from privacyops.api.body import is_json, replayed
from privacyops.api.schemas.consent import ConsentIn, WithdrawIn
from privacyops.kernel.errors import Problem
from privacyops.services.consent.terms import Written
from privacyops.services.context import Context
from privacyops.services.proven import ProvenKeys

THREADS: Final = 16
"""As many writes share a commit at most; more of them wait in a row."""
_LONGEST_KEY: Final = 128


@dataclass(frozen=True, slots=True)
class _Route:
    """What metrics call the call, and the status of its answer."""

    path: str
    status: int
    read: Callable[[bytes], ConsentIn | WithdrawIn]


_ROUTES: Final = {
    one.path: one
    for one in (
        _Route("/v1/consents", 201, ConsentIn.model_validate_json),
        _Route("/v1/consents:withdraw", 200, WithdrawIn.model_validate_json),
    )
}


class WriteGate:
    """Stands behind the middleware that bounds and names each call; hands on whatever is not a plain write."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app, self._keys = app, ProvenKeys(context)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="privacyops-write")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = _ROUTES.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if route is None or not is_json(scope):
            await self._app(scope, receive, send)
            return
        message = await receive()  # the whole of it: the guard has read it
        raw = message.get("body", b"")
        authorization, key = _first(scope, b"authorization"), _first(scope, b"idempotency-key")
        body = _read(route, raw) if authorization and key.strip() and len(key) <= _LONGEST_KEY else None
        if body is None:
            await self._app(scope, replayed(raw, receive), send)
            return
        scope["route"] = route
        request_id, call_key = scope["state"]["request_id"], key.decode("latin-1")

        def write(ctx: Context) -> Written:
            if isinstance(body, ConsentIn):
                return consent.recorded(ctx, body, call_key)
            return consent.withdrawn(ctx, body, call_key)

        def work() -> tuple[bytes, bool]:
            written = self._keys.act(authorization, request_id, write)
            return consent.wire_of(written).model_dump_json().encode(), written.is_replayed

        try:
            told, is_replayed = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except Problem as problem:
            await problems.from_problem(Request(scope), problem)(scope, receive, send)
            return
        headers = [(b"content-length", b"%d" % len(told)), (b"content-type", b"application/json")]
        if is_replayed:
            headers.append((b"idempotency-replayed", b"true"))
        await send({"type": "http.response.start", "status": route.status, "headers": headers})
        await send({"type": "http.response.body", "body": told})


def _read(route: _Route, raw: bytes) -> ConsentIn | WithdrawIn | None:
    """The body in its documented form; None: the route says what is wrong with it."""
    try:
        return route.read(raw)
    except ValidationError:
        return None


def _first(scope: Scope, wanted: bytes) -> bytes:
    """The first header of this name, as the framework takes it; empty where there is none."""
    return next((value for name, value in scope["headers"] if name == wanted), b"")
