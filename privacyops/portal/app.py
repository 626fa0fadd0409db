"""The customers' HTML door, one application to be mounted at the root."""

from collections.abc import Iterable
from typing import Final

from fastapi import FastAPI

from privacyops.portal import errors
from privacyops.portal.deps import Door
from privacyops.portal.headers import SecurityHeaders
from privacyops.portal.pages import (
    check,
    confirmation,
    download,
    notice,
    preference_link,
    preferences,
    public,
    start,
    status,
    widget,
)
from privacyops.ports.pages import Pages
from privacyops.services.context import Context

PREFIXES: Final = ("/", "/privacy", "/u", "/c", "/p", "/notices", "/widget", "/v1/public")
"""The paths that this door answers, with all below them; the bare address alone, for below it lies everything."""


def create_portal(
    context: Context,
    pages: Pages,
    *,
    trusted_proxies: Iterable[str] = (),
    widget_origins: Iterable[str] = (),
    policy_url: str | None = None,
) -> FastAPI:
    """The door over `context`, the service as the machine sees it; every route acts for a customer.

    `trusted_proxies` are networks whose X-Forwarded-For counts; `widget_origins` the shop's own, exactly, that may
    call the JSON routes from a browser. It serves the paths under `PREFIXES`.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.door = Door(context, pages, tuple(trusted_proxies), frozenset(widget_origins), policy_url)
    for page in (start, check, status, download, preferences, preference_link, confirmation, notice, public, widget):
        app.include_router(page.router)
    errors.install(app)
    app.add_middleware(SecurityHeaders, is_https=app.state.door.is_https)
    return app
