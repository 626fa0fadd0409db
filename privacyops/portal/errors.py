"""Every error of the customers' door is a helpful page: what is safe, what to do, whom to write to. Never a trace.

The JSON routes under /v1/public answer with problem documents (RFC 9457) instead.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from privacyops.kernel.errors import Problem, RateLimited
from privacyops.portal.deps import FormNotOurs, SessionOver, stranger
from privacyops.portal.headers import SECURITY
from privacyops.portal.pages.public import cross_origin
from privacyops.portal.render import draw, words
from privacyops.portal.texts import N_
from privacyops.ports.pages import Words
from privacyops.services.consent.preference_link import PreferenceLinkSpent
from privacyops.services.dsar.identity import LinkSpent
from privacyops.services.dsar.package import NoPackage

JSON_PREFIX: Final = "/v1/"
_log = logging.getLogger("privacyops.portal")


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a page, or a problem document for the JSON routes."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Problem) -> Response:
        if request.url.path.startswith(JSON_PREFIX):
            return problem_document(request, error.status, error.type, error.title, error.detail, error.members)
        return _page(request, error.status, error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, _error: RequestValidationError) -> Response:
        return _of_status(request, HTTPStatus.UNPROCESSABLE_ENTITY)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        answer = _of_status(request, HTTPStatus(error.status_code))
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        return answer

    @app.exception_handler(Exception)
    def _bug(request: Request, error: Exception) -> Response:
        _log.error("bug in a route", extra={"code": type(error).__name__}, exc_info=error)
        answer = _of_status(request, HTTPStatus.INTERNAL_SERVER_ERROR)
        for name, value in SECURITY.items():  # this handler stands outside the middleware that sets them
            answer.headers.setdefault(name, value)
        return answer


def problem_document(
    request: Request, status: int, type_: str, title: str, detail: str = "", members: dict[str, Any] | None = None
) -> JSONResponse:
    """One problem document with its headers."""
    body: dict[str, Any] = {**(members or {}), "type": type_, "title": title, "status": status}
    if detail:
        body["detail"] = detail
    body["request_id"] = getattr(request.state, "request_id", "")
    headers = cross_origin(request, request.app.state.door)
    answer = JSONResponse(body, status, headers, media_type="application/problem+json")
    _tell_wait(answer, members)
    return answer


def _of_status(request: Request, status: HTTPStatus) -> Response:
    if request.url.path.startswith(JSON_PREFIX):
        kind = status.phrase.lower().replace(" ", "-")
        return problem_document(request, status, f"/problems/{kind}", status.phrase)
    return _page(request, status, None)


def _page(request: Request, status: int, problem: Problem | None) -> Response:
    """The page; should the database be what failed, it is drawn for a visitor whom nobody looked up."""
    visit = stranger(request)
    said = words(visit)
    _ = said.gettext
    title, text = _words_for(status, problem, said)
    again = {"label": _("Send me a new code"), "url": "/privacy/return"}
    start = {"label": _("To the start page"), "url": "/privacy"}
    back = {"label": _("Back to the request"), "url": "/privacy/status"}
    match problem:
        case SessionOver() | LinkSpent():
            actions = [again, start]
        case PreferenceLinkSpent():
            actions = [{"label": _("Send me the link"), "url": "/privacy/preferences/link"}, start]
        case NoPackage():
            actions = [back, {"label": _("Ask again"), "url": "/privacy"}]
        case FormNotOurs():
            actions = [start, back]
        case _:
            actions = [start] if visit.cookie is None else [back, start]
    is_safe = status >= HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(problem, SessionOver | LinkSpent)
    view = {
        "status": status,
        "title": title,
        "text": text,
        "safe": _("Requests that you have sent go on as before.") if is_safe else None,
        "actions": actions,
    }
    answer = draw(visit, "error", view, status)
    _tell_wait(answer, problem.members if problem else None)
    return answer


_OF_PROBLEM: Final[Mapping[type[Problem], tuple[str, str]]] = {
    SessionOver: (
        N_("This page has closed"),
        N_("For your protection it stays open for half an hour. With the number of your request you get back."),
    ),
    LinkSpent: (
        N_("This link has ended"),
        N_("For your protection a link works once and for a short time. We can send you a new code."),
    ),
    PreferenceLinkSpent: (
        N_("This link has ended"),
        N_("For your protection a link works once and for a short time. We can send you a new one."),
    ),
    NoPackage: (
        N_("There is nothing to download"),
        N_("The link has been used, or the time of the download is over. You can ask again, free of charge."),
    ),
    FormNotOurs: (
        N_("Please open the page again"),
        N_("The form came from a page that is out of date. Nothing was sent; please open it again."),
    ),
}
_OF_STATUS: Final[Mapping[int, tuple[str, str]]] = {
    404: (N_("This page does not exist"), N_("The address may be misspelt, or the page has moved.")),
    405: (N_("This page does not exist"), N_("The address may be misspelt, or the page has moved.")),
    409: (N_("This is not possible any more"), N_("The request has moved on since you opened the page.")),
    410: (N_("This has ended"), N_("It is no longer there. You can ask again at any time, free of charge.")),
    413: (N_("That was too much at once"), N_("Please send less text; you can send more in a second message.")),
}
_OURS: Final = (N_("Something went wrong on our side"), N_("Please try again in a few minutes."))
_THEIRS: Final = (N_("That did not work"), N_("We could not read what was sent. Please go back and try again."))


def _words_for(status: int, problem: Problem | None, said: Words) -> tuple[str, str]:
    if isinstance(problem, RateLimited):
        return said.gettext("Please wait a little"), _wait(int(problem.members.get("retry_after_s", 60)), said)
    of_family = _OURS if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _THEIRS
    found = _OF_STATUS.get(status, of_family)
    for kind, told in _OF_PROBLEM.items():
        if isinstance(problem, kind):
            found = told
    return said.gettext(found[0]), said.gettext(found[1])


def _wait(seconds: int, said: Words) -> str:
    if seconds < 90:
        told = said.ngettext("Please try again in %(num)s second.", "Please try again in %(num)s seconds.", seconds)
        return told % {"num": seconds}
    if seconds < 5400:
        minutes = -(-seconds // 60)
        told = said.ngettext("Please try again in %(num)s minute.", "Please try again in %(num)s minutes.", minutes)
        return told % {"num": minutes}
    hours = -(-seconds // 3600)
    told = said.ngettext("Please try again in %(num)s hour.", "Please try again in %(num)s hours.", hours)
    return told % {"num": hours}


def _tell_wait(answer: Response, members: dict[str, Any] | None) -> None:
    if members and "retry_after_s" in members:
        answer.headers["Retry-After"] = str(members["retry_after_s"])
