"""For Flask: an extension that asks for the person behind the request.

    consent = Consent(client, person=lambda: session.get("subject_id"))
    consent.init_app(app)          # templates get `consent_allowed`

Imported only where it is used; needs `flask`.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask, abort

from privacyops_client.answer import NO_PERSON, Answer
from privacyops_client.client import Client
from privacyops_client.person import Person

P = ParamSpec("P")
R = TypeVar("R")


class Consent:
    """Asks through one client. `person` names whom the present request is about; None: a no without asking."""

    def __init__(self, client: Client, person: Callable[[], Person | None], app: Flask | None = None) -> None:
        self._client = client
        self._person = person
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Offer `consent_allowed(purpose, channel)` to the templates of an application."""
        app.extensions["privacyops"] = self
        app.context_processor(lambda: {"consent_allowed": self.allowed})

    def allowed(self, purpose: str, channel: str, brand: str | None = None) -> Answer:
        """The answer for the person behind this request."""
        person = self._person()
        return NO_PERSON if person is None else self._client.allowed(person, purpose, channel, brand)

    def required(
        self, purpose: str, channel: str, brand: str | None = None
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorates a view: a no ends the request with 403."""

        def around(view: Callable[P, R]) -> Callable[P, R]:
            @functools.wraps(view)
            def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
                if not self.allowed(purpose, channel, brand):
                    abort(403)
                return view(*args, **kwargs)

            return guarded

        return around
