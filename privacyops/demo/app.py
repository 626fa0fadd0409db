"""The demo's own pages: where to begin, and an inbox with every mail that was "sent". There is none in production."""

import re
from typing import Any, Final
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse

from privacyops.kernel.errors import NotFound
from privacyops.kernel.ids import OutboxId
from privacyops.ports.mailer import Inbox, InboxMail
from privacyops.ports.pages import Pages, Scene
from privacyops.services.context import Context

PREFIXES: Final = ("/", "/demo")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_LINK: Final = re.compile(r"https?://[^\s<>\"]+")


def create_demo(context: Context, pages: Pages, inbox: Inbox) -> FastAPI:
    """The application behind PREFIXES. Its routes are public: nobody in the demo is real."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    public: dict[str, Any] = {"openapi_extra": {"x-action": "public"}, "include_in_schema": False}

    def page(template: str, view: dict[str, Any]) -> Response:
        scene = Scene(context.clock.now(), "en", context.controller.zone)
        shell: dict[str, Any] = {
            "theme": "auto", "csrf": "", "correlation_id": "", "organisation": context.controller.name, "languages": [],
            "policy_url": None, "contact": context.controller.contact_email,
            "demo": {"inbox_url": "/demo/inbox", "console_url": "/console/demo"},
        }  # fmt: skip
        body = pages.render(template, scene, view=view, shell=shell)
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return HTMLResponse(body, headers={**headers, "Referrer-Policy": "no-referrer"})

    @app.get("/", **public)
    @app.get("/demo", **public)
    def start() -> Response:
        return RedirectResponse("/console/demo", status_code=303)

    @app.get("/demo/inbox", **public)
    def mails() -> Response:
        return page("demo/inbox.html", _view(inbox, None))

    @app.get("/demo/inbox/{mail_id}", **public)
    def mail(mail_id: UUID) -> Response:
        found = inbox.find(OutboxId(mail_id))
        if found is None:
            raise NotFound
        return page("demo/inbox.html", _view(inbox, found))

    @app.exception_handler(404)
    @app.exception_handler(NotFound)
    @app.exception_handler(RequestValidationError)
    def _gone(_request: Request, _error: Exception) -> Response:
        return RedirectResponse("/demo/inbox", status_code=303)

    return app


def _view(inbox: Inbox, opened: InboxMail | None) -> dict[str, Any]:
    newest = inbox.newest(50)
    return {
        "mails": [
            {"id": str(one.id), "url": f"/demo/inbox/{one.id}", "subject": one.subject, "to": one.to, "at": one.sent_at,
             "current": opened is not None and one.id == opened.id}
            for one in newest
        ],
        "mail": None if opened is None else {
            "subject": opened.subject, "sender": "", "to": opened.to, "at": opened.sent_at, "text": opened.text,
            "links": [{"label": link, "url": link} for link in _LINK.findall(opened.text)], "attachments": [],
        },
        "refresh_url": "/demo/inbox",
    }  # fmt: skip
