"""The staff's HTML door: all its routes, under one policy, and the static files that both HTML doors name."""

import secrets
from collections.abc import Iterable
from typing import Final

from fastapi import FastAPI, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privacyops.console import errors
from privacyops.console.deps import PUBLIC, Door, action
from privacyops.console.pages import (
    audit,
    corrections,
    datamap,
    demo,
    erasure,
    grants,
    home,
    kept,
    notices,
    people,
    points,
    purposes,
    queue,
    recipients,
    release,
    request,
    request_actions,
    request_asks,
    settings,
    sign_in,
    stores,
    suppressions,
    systems,
    task,
    third_parties,
    watching,
    weighing,
)
from privacyops.kernel.errors import NotFound
from privacyops.ports.pages import Pages
from privacyops.services.context import Context

PREFIXES: Final = ("/console", "/setup", "/static")
"""The paths that this door answers."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
IMMUTABLE: Final = "public, max-age=31536000, immutable"
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HSTS: Final = "max-age=31536000"


def create_console(
    context: Context, pages: Pages, version: str = "", *, trusted_proxies: Iterable[str] = ()
) -> FastAPI:
    """The application behind PREFIXES, with full paths. `context` acts as the machine; routes act for accounts.

    `trusted_proxies` are networks whose X-Forwarded-For counts for the limits of sign-in.
    """
    door = Door(context, pages, version, tuple(trusted_proxies))
    app = _Console(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.door = door
    for room in (
        sign_in,
        demo,
        home,
        queue,
        recipients,
        request,
        request_actions,
        request_asks,
        release,
        third_parties,
        erasure,
        watching,
        corrections,
        task,
        weighing,
        people,
        suppressions,
        purposes,
        notices,
        points,
        systems,
        kept,
        audit,
        datamap,
        stores,
        settings,
        grants,
    ):
        app.include_router(room.router)

    @app.get("/static/{name}", **action(PUBLIC))
    def static(name: str) -> Response:
        file = pages.static(name)
        if file is None:
            raise NotFound
        return Response(file.body, media_type=file.media_type, headers={"Cache-Control": IMMUTABLE})

    errors.install(app)
    return app


class _Console(FastAPI):
    """With the guard outside of everything, so that even the page about a bug has its headers."""

    def build_middleware_stack(self) -> ASGIApp:
        door: Door = self.state.door
        return Guarded(super().build_middleware_stack(), is_secure=door.is_secure)


class Guarded:
    """Gives each call its id, and each answer the policy headers; pages are never stored."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        self._headers = _HEADERS | ({"Strict-Transport-Security": _HSTS} if is_secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state.setdefault("request_id", secrets.token_hex(8))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
                headers.setdefault("X-Request-Id", state["request_id"])
            await send(message)

        await self._app(scope, receive, guarded)
