"""One application out of the doors: each path goes to the door that serves it, and nothing else happens here."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from privacyops.api.app import create_api
from privacyops.console.app import PREFIXES as CONSOLE
from privacyops.console.app import create_console
from privacyops.portal.app import PREFIXES as PORTAL
from privacyops.portal.app import create_portal
from privacyops.ports.pages import Pages
from privacyops.services.context import Context
from privacyops.services.health import VERSION


class Doors:
    """Sends a call to the door whose prefix its path has; to `other` if none has."""

    def __init__(self, doors: Iterable[tuple[Iterable[str], ASGIApp]], other: ASGIApp) -> None:
        self._doors = [(tuple(prefixes), app) for prefixes, app in doors]
        self._other = other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._other(scope, receive, send)
            return
        await self._door(scope.get("path", ""))(scope, receive, send)

    def _door(self, path: str) -> ASGIApp:
        for prefixes, app in self._doors:
            if any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes):
                return app
        return self._other


def create_app(
    context: Context,
    pages: Pages,
    *,
    trusted_proxies: Iterable[str] = (),
    widget_origins: Iterable[str] = (),
    policy_url: str | None = None,
    extra: Iterable[tuple[Iterable[str], ASGIApp]] = (),
) -> ASGIApp:
    """The service: console and portal for people, the API for everything else. `extra` doors come first."""
    portal = create_portal(
        context, pages, trusted_proxies=trusted_proxies, widget_origins=widget_origins, policy_url=policy_url
    )
    console = create_console(context, pages, VERSION, trusted_proxies=trusted_proxies)
    return Doors((*extra, (PORTAL, portal), (CONSOLE, console)), create_api(context))
