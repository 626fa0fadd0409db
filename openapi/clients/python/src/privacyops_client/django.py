"""For Django: `request.consent(purpose, channel)` by a middleware, and a decorator for views.

    MIDDLEWARE = [..., "privacyops_client.django.ConsentMiddleware"]
    PRIVACYOPS = {"URL": "https://privacy.shop.example", "KEY": key, "PERSON": "shop.people.person_of", "LOCAL": True}

`PERSON` is the path of a function that takes the request and names whom it is about, or None. `BRAND`, `TIMEOUT`,
`MAX_AGE` and `UNKNOWN` are those of `Client`. Imported only where it is used; needs `django`.
"""

import asyncio
import functools
from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

from privacyops_client.answer import NO_PERSON, Answer
from privacyops_client.client import Client
from privacyops_client.person import Person

_OPTIONS: Final = {"LOCAL": "local", "BRAND": "brand", "TIMEOUT": "timeout", "MAX_AGE": "max_age", "UNKNOWN": "unknown"}


@functools.cache
def client() -> Client:
    """The one client of this process, made from `settings.PRIVACYOPS` at its first use."""
    asked = _settings()
    return Client(asked["URL"], asked["KEY"], **{_OPTIONS[name]: asked[name] for name in _OPTIONS if name in asked})


def allowed(request: HttpRequest, purpose: str, channel: str, brand: str | None = None) -> Answer:
    """The answer for the person behind a request."""
    person = _person_of()(request)
    return NO_PERSON if person is None else client().allowed(person, purpose, channel, brand)


class ConsentMiddleware:
    """Puts `consent(purpose, channel, brand=None)` on each request; nothing is asked before it is called."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        _settings()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.consent = functools.partial(allowed, request)
        return self._get_response(request)


def consent_required(purpose: str, channel: str, brand: str | None = None) -> Callable[[Any], Any]:
    """Decorates a view, also an `async` one: a no ends the request with 403."""

    def around(view: Any) -> Any:
        if asyncio.iscoroutinefunction(view):

            @functools.wraps(view)
            async def guarded_on_loop(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                if not await sync_to_async(allowed)(request, purpose, channel, brand):
                    raise PermissionDenied
                return await view(request, *args, **kwargs)

            return guarded_on_loop

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not allowed(request, purpose, channel, brand):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return around


@functools.cache
def _person_of() -> Callable[[HttpRequest], Person | None]:
    found: Callable[[HttpRequest], Person | None] = import_string(_settings()["PERSON"])
    return found


def _settings() -> dict[str, Any]:
    found = getattr(settings, "PRIVACYOPS", {})
    missing = [name for name in ("URL", "KEY", "PERSON") if not found.get(name)]
    if missing:
        raise ImproperlyConfigured(f"PRIVACYOPS lacks {', '.join(missing)}")
    return dict(found)
