"""Every refusal of the console: a page that helps, or the same words as a fragment for htmx; never JSON."""

import logging
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from privacyops.console.deps import HOME, STEP_UP, SignInNeeded, Visit, door_of, next_of, own_path
from privacyops.domain.account.rule import StepUpNeeded
from privacyops.kernel.errors import Conflict, Problem
from privacyops.ports.pages import Scene

_log = logging.getLogger("privacyops.console")
_NOTHING: Final = "Nothing was changed."
_TEXTS: Final = {
    400: "The address or the form has a form that this page does not know.",
    401: "Sign in first.",
    403: "Your role does not permit this. An administrator can tell who may do it.",
    404: "The link may be old, or what it names belongs to somebody else.",
    405: "This address takes another kind of call.",
    409: "It is not possible as things stand now. Load the page again to see how they stand.",
    410: "This has ended.",
    413: "What was sent is too large.",
    422: "Some values do not fit.",
    429: "Wait a few minutes, then try once more.",
    503: "A part of the service does not answer. Try again in a moment.",
}


def install(app: FastAPI) -> None:
    """Answer every error of `app` in HTML."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(StepUpNeeded, _step_up)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def _sign_in(request: Request, error: Exception) -> Response:
    to = error.to if isinstance(error, SignInNeeded) else HOME
    return _send_to(request, to)


def _step_up(request: Request, error: Exception) -> Response:
    """A fresh code is asked for; afterwards the browser is back on the page with the button."""
    to = STEP_UP + next_of(back_of(request))
    return _send_to(request, to)


def _send_to(request: Request, to: str) -> Response:
    if request.headers.get("hx-request") == "true":
        return _with_cookies(request, Response(status_code=HTTPStatus.OK, headers={"HX-Redirect": to}))
    return _with_cookies(request, Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": to}))


def _with_cookies(request: Request, answer: Response) -> Response:
    """A session that was renewed before the refusal goes to the browser all the same, or it would be signed out."""
    visit: Visit | None = getattr(request.state, "visit", None)
    return answer if visit is None else visit.with_cookies(answer)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class only
    title = error.title
    text = error.detail.capitalize() + "." if error.detail and error.detail != title else _TEXTS.get(error.status, "")
    actions = []
    if isinstance(error, Conflict) or error.type == "/problems/not-our-form":
        actions.append({"label": "Reload", "url": back_of(request)})
    actions.append({"label": "Home", "url": HOME})
    answer = draw(request, error.status, title, text, actions)
    if "retry_after_s" in error.members:
        answer.headers["Retry-After"] = str(error.members["retry_after_s"])
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    return draw(request, 404, "Nothing is known under this address", _TEXTS[404], [{"label": "Home", "url": HOME}])


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = {404: "Nothing is known under this address"}.get(status, HTTPStatus(status).phrase)
    return draw(request, status, title, _TEXTS.get(status, ""), [{"label": "Home", "url": HOME}])


def _bug(request: Request, error: Exception) -> Response:
    _log.error("bug in a page", extra={"code": type(error).__name__}, exc_info=error)
    text = "The fault is ours and has been written down. Tell us the page id below."
    return draw(request, 500, "Something went wrong here", text, [{"label": "Home", "url": HOME}])


def back_of(request: Request) -> str:
    """The page that a form stood on: the path above the verb. A referrer is never sent, so it is not asked for."""
    path = request.url.path
    if request.method in {"GET", "HEAD"}:
        return own_path(path)
    parts = path.strip("/").split("/")
    depth = 3 if parts[:2] in (["console", "requests"], ["console", "settings"]) else 2
    return own_path("/" + "/".join(parts[:depth]) if len(parts) > depth else path.rpartition("/")[0] or HOME)


def draw(request: Request, status: int, title: str, text: str, actions: list[dict[str, str]]) -> Response:
    """The error page. It asks no database, so that it can be drawn when there is none."""
    door = door_of(request)
    changed = _NOTHING if request.method not in {"GET", "HEAD"} and status < 500 else None
    view: dict[str, Any] = {
        "status": status, "title": title, "text": text, "safe": changed, "actions": actions, "problems": [],
    }  # fmt: skip
    theme = request.cookies.get(door.cookie("theme"), "auto")
    shell = {
        "theme": theme if theme in {"light", "dark"} else "auto", "csrf": "", "version": door.version, "demo": None,
        "correlation_id": request.state.request_id, "organisation": door.context.controller.name,
    }  # fmt: skip
    scene = Scene(door.context.clock.now(), "en", door.context.controller.zone)
    values = {"shell": shell, "view": view}
    if request.headers.get("hx-request") == "true":
        text = door.pages.fragment("console/error.html", "fragment", scene, **values)
    else:
        text = door.pages.render("console/error.html", scene, **values)
    return _with_cookies(request, HTMLResponse(text, status))
