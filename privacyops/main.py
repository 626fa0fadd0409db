"""One application out of the doors: each path goes to the door that serves it, and nothing else happens here."""

from collections.abc import Iterable
from typing import TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privacyops.api.app import PREFIXES as API
from privacyops.api.app import create_api
from privacyops.api.check_fast import CheckDoor, Gate
from privacyops.console.app import PREFIXES as CONSOLE
from privacyops.console.app import create_console
from privacyops.kernel.clock import Clock
from privacyops.portal.app import PREFIXES as PORTAL
from privacyops.portal.app import create_portal
from privacyops.ports.pages import Pages
from privacyops.ports.telemetry import Counter, Telemetry, Timer
from privacyops.services.consent.checking import Checker
from privacyops.services.context import Context
from privacyops.services.health import VERSION

Door: TypeAlias = tuple[str, Iterable[str], ASGIApp]
"""Its name in metrics, the prefixes of its paths, and the application behind it."""


class Doors:
    """Sends a call to the door whose prefix its path has, to `other` if none has; and counts and times it.

    An address that no door knows is a person's mistake where a browser asks for it: `lost`, a door, tells them in a
    page what to do. A machine gets the answer of `other`.

    Metrics name the door, the route's pattern and the status, never the path itself: it may hold a token.
    """

    def __init__(self, doors: Iterable[Door], other: Door, lost: str, telemetry: Telemetry, clock: Clock) -> None:
        self._doors = [(name, tuple(prefixes), app) for name, prefixes, app in doors]
        self._other = (other[0], other[2])
        self._known = tuple(other[1])
        self._lost = next((name, app) for name, _, app in self._doors if name == lost)
        self._telemetry = telemetry
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._other[1](scope, receive, send)
            return
        name, app = self._door(scope)
        began, status = self._clock.boot_seconds(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._telemetry.count(Counter.REQUESTS, name, route, str(status))
            self._telemetry.observe(Timer.REQUEST, self._clock.boot_seconds() - began, name, route)

    def _door(self, scope: Scope) -> tuple[str, ASGIApp]:
        path: str = scope["path"]
        for name, prefixes, app in self._doors:
            if _is_under(path, prefixes):
                return name, app
        if not _is_under(path, self._known) and _is_browser(scope):
            return self._lost
        return self._other


def _is_under(path: str, prefixes: Iterable[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


def _is_browser(scope: Scope) -> bool:
    """Whether whoever calls asks for a page; a machine asks for anything, or for JSON."""
    return any(name == b"accept" and b"text/html" in value.lower() for name, value in scope["headers"])


def create_app(
    context: Context,
    pages: Pages,
    *,
    trusted_proxies: Iterable[str] = (),
    widget_origins: Iterable[str] = (),
    policy_url: str | None = None,
    extra: Iterable[tuple[Iterable[str], ASGIApp]] = (),
    metrics_token: str | None = None,
    checker: Checker | None = None,
    collects_per_minute: int = 300,
) -> ASGIApp:
    """The service: console and portal for people, the API for everything else. `extra` doors come first.

    Without `metrics_token` there is no /metrics; without `checker` the documented route answers consent checks.
    """
    portal = create_portal(
        context, pages, trusted_proxies=trusted_proxies, widget_origins=widget_origins, policy_url=policy_url
    )
    console = create_console(context, pages, VERSION, trusted_proxies=trusted_proxies)
    doors: list[Door] = [("extra", prefixes, app) for prefixes, app in extra]
    doors += [("portal", PORTAL, portal), ("console", CONSOLE, console)]
    api = create_api(
        context, metrics_token, trusted_proxies=trusted_proxies, collects_per_minute=collects_per_minute
    )  # fmt: skip
    app = Doors(doors, ("api", API, api), "portal", context.ports.telemetry, context.clock)
    if checker is None:
        return app
    return Gate(app, CheckDoor(checker, context.clock, context.ports.telemetry))
