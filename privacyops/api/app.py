"""The JSON door: /v1 for back ends, probes for operators, and the documentation of both."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import uuid4

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privacyops.api import (
    bulk,
    catalogue,
    changes,
    check,
    collection,
    consent,
    consent_mode,
    datamap,
    dsar,
    erasure,
    exports,
    health,
    hooks,
    imports,
    ledger,
    person,
    problems,
    receipt,
    rectification,
    signal,
    stopping,
    third_parties,
    webhook,
)
from privacyops.api.body import announced_length, has_member_twice, is_json, read_whole, replayed
from privacyops.api.description import describe, operation_id
from privacyops.api.write_fast import WriteGate
from privacyops.services.context import Context
from privacyops.services.health import VERSION

MAX_BODY: Final = 1_000_000
MAX_LIST: Final = 256_000_000
LISTS: Final = frozenset({"/v1/scrub", "/v1/imports", "/v1/imports:dry-run"})
"""Paths that take whole lists, read as they come and never held in memory."""
MAX_PUBLIC: Final = 16 * 1024
MOST: Final = dict.fromkeys(LISTS, MAX_LIST) | {"/v1/collect": MAX_PUBLIC}
"""How long a body may be where it is not `MAX_BODY`; a page of anybody's gets little."""
PREFIXES: Final = (
    "/v1", "/hooks", "/ledger", "/audit", "/.well-known", "/healthz", "/readyz", "/version", "/metrics",
    "/openapi.json",
)  # fmt: skip
"""The paths that this door answers, with all below them."""
POLICY_HEADERS: Final = (
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


def create_api(
    context: Context,
    metrics_token: str | None = None,
    *,
    trusted_proxies: Iterable[str] = (),
    collects_per_minute: int = 300,
) -> FastAPI:
    """The application behind /v1, /healthz, /readyz, /version, /openapi.json, and /metrics for who holds its token.

    `trusted_proxies` are networks whose X-Forwarded-For counts for `collects_per_minute`.
    """
    app = FastAPI(
        title="privacyops", version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json", license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        generate_unique_id_function=operation_id,
        responses={"default": {"description": "A problem document", "content": {problems.MEDIA_TYPE: {}}}},
    )  # fmt: skip
    app.state.context = context
    app.state.metrics_token = metrics_token
    app.state.trusted_proxies, app.state.collects_per_minute = tuple(trusted_proxies), collects_per_minute
    for router in (
        dsar.router,
        erasure.router,
        rectification.router,
        third_parties.router,
        consent.router,
        consent_mode.router,
        catalogue.router,
        collection.router,
        webhook.router,
        datamap.router,
        hooks.router,
        stopping.router,
        check.router,
        bulk.router,
        changes.router,
        imports.router,
        exports.router,
        ledger.router,
        receipt.router,
        person.router,
        signal.router,
        health.router,
    ):
        app.include_router(router)
    describe(app)
    problems.install(app)
    app.add_middleware(WriteGate, context=context)
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
        most = MOST.get(scope["path"], MAX_BODY)
        app: ASGIApp = self._app if announced_length(scope, most) <= most else problems.too_large
        if app is self._app and is_json(scope):
            body = await read_whole(receive, most)
            app = problems.too_large if body is None else problems.twice if has_member_twice(body) else app
            receive = replayed(body or b"", receive)
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise problems.BodyTooLarge
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = {name.lower() for name, _ in message.get("headers", [])}
                ours = [pair for pair in POLICY_HEADERS if pair[0] not in told]  # a page brings a policy of its own
                ours += scope["state"].get("cross_origin", ())  # also on refusals, so that the page can read them
                headers: list[Any] = [*message.get("headers", []), *ours, (b"x-request-id", request_id.encode())]
                if b"cache-control" not in told:
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        await app(scope, bounded, with_headers)
