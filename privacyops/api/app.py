"""The JSON door: /v1 for back ends, probes for operators, and the documentation of both."""

from typing import Any, Final
from uuid import uuid4

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privacyops.api import check, consent, dsar, health, problems
from privacyops.services.context import Context
from privacyops.services.health import VERSION

MAX_BODY: Final = 1_000_000
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
DESCRIPTION: Final = """\
Self-hosted privacy operations: requests of data subjects, consent, and the evidence of both.

Send an API key as `Authorization: Bearer po_live_…`. Every call that changes something needs an `Idempotency-Key`.
Errors are problem documents (RFC 9457) with `request_id`; their types are listed in problems.md.
"""


def create_api(context: Context, metrics_token: str | None = None) -> FastAPI:
    """The application behind /v1, /healthz, /readyz, /version, /openapi.json, and /metrics for who holds its token."""
    app = FastAPI(
        title="privacyops", version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json", license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        responses={"default": {"description": "A problem document", "content": {problems.MEDIA_TYPE: {}}}},
    )  # fmt: skip
    app.state.context = context
    app.state.metrics_token = metrics_token
    for router in (dsar.router, consent.router, check.router, health.router):
        app.include_router(router)
    problems.install(app)
    app.add_middleware(Guard)
    return app


class Guard:
    """Gives each call its id, bounds its body, and puts the policy headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        seen = int(announced) if announced.isdigit() else 0
        app: ASGIApp = self._app if seen <= MAX_BODY else problems.too_large
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise problems.BodyTooLarge
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Any] = [*message.get("headers", []), *_HEADERS, (b"x-request-id", request_id.encode())]
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        await app(scope, bounded, with_headers)
