"""Answers while the doors behind are still being loaded, so that a probe sees a living process at once.

Liveness is answered here with the truth: the process lives, its data folder is its own and its database fits. It is
not ready until the doors have opened, and says so. Everything else waits at the door.
"""

import asyncio
import json
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_WAIT_S: Final = 60.0
_LOOK_S: Final = 0.01
_HEADERS: Final = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class Entrance:
    """Hands every call to the application once it is open; until then only the two probes are answered.

    A call that waited for `longest_wait_s` gets 503 and the advice to come again.
    """

    def __init__(self, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._app: ASGIApp | None = None
        self._longest_wait_s = longest_wait_s

    def open(self, app: ASGIApp) -> None:
        """From now on `app` answers. May be called from another thread than the server's."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None and scope["type"] == "http" and scope["path"] == "/healthz":
            await _answer(send, 200, {"status": "ok"})
            return
        if app is None and scope["type"] == "http" and scope["path"] == "/readyz":
            await _answer(send, 503, {"ready": False, "checks": {"application": "loading"}})
            return
        app = app or await self._opened()
        if app is None:
            await _answer(send, 503, {"status": "loading"}, (b"retry-after", b"5"))
            return
        await app(scope, receive, send)

    async def _opened(self) -> ASGIApp | None:
        """The application; None: it did not come in time."""
        for _ in range(round(self._longest_wait_s / _LOOK_S)):
            if self._app is not None:
                return self._app
            await asyncio.sleep(_LOOK_S)
        return self._app


async def _answer(send: Send, status: int, body: dict[str, Any], *more: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*_HEADERS, *more]})
    await send({"type": "http.response.body", "body": json.dumps(body, separators=(",", ":")).encode()})
