"""Every error of the JSON door is a problem document (RFC 9457), and names the request, never a person."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from privacyops.api.body import MemberTwice
from privacyops.kernel.errors import Problem, TooLarge

MEDIA_TYPE: Final = "application/problem+json"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}", re.ASCII)
_log = logging.getLogger("privacyops.api")


class BodyTooLarge(TooLarge):
    type = "/problems/body-too-large"
    title = "The body of the call is longer than this address takes: mostly a megabyte, from a page 16 KiB"


def problem_answer(
    request: Request, status: int, type_: str, title: str, detail: str = "", members: Mapping[str, Any] | None = None
) -> JSONResponse:
    """One problem document with its headers."""
    body: dict[str, Any] = {**(members or {}), "type": type_, "title": title, "status": status}
    if detail:
        body["detail"] = detail
    body["instance"] = request.url.path
    body["request_id"] = getattr(request.state, "request_id", "")
    headers = {"Cache-Control": "no-store"}
    if members and "retry_after_s" in members:
        headers["Retry-After"] = str(members["retry_after_s"])
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def from_problem(request: Request, problem: Problem) -> JSONResponse:
    """A refusal that a use case raised."""
    return problem_answer(request, problem.status, problem.type, problem.title, problem.detail, problem.members)


async def too_large(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads nothing and answers 413: for a body whose announced length says enough."""
    await from_problem(Request(scope), BodyTooLarge())(scope, receive, send)


async def twice(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads nothing and refuses a body in which a member stands twice."""
    await from_problem(Request(scope), MemberTwice())(scope, receive, send)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Problem) -> JSONResponse:
        return from_problem(request, error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # Only where and what, never the value: it may be an address, and it would end in a log of the caller.
        # So may a member's name that is none of ours.
        wrong = [
            {"at": "/".join(_named(step) for step in one["loc"]), "code": one["type"], "must": one["msg"]}
            for one in error.errors()
        ]
        title = "The request does not have the form that is documented"
        return problem_answer(request, 422, "/problems/invalid-request", title, members={"errors": wrong})

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, Problem):
            return from_problem(request, error.__cause__)  # refused while the framework read the body
        phrase = HTTPStatus(error.status_code).phrase
        kind = phrase.lower().replace(" ", "-")
        answer = problem_answer(request, error.status_code, f"/problems/{kind}", phrase)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def _bug(request: Request, error: Exception) -> JSONResponse:
        _log.error("bug in a route", extra={"code": type(error).__name__}, exc_info=error)
        title = "Something went wrong here; tell us the request id"
        return problem_answer(request, 500, "/problems/bug", title)


def _named(step: int | str) -> str:
    """One step of the way to what is wrong."""
    return str(step) if isinstance(step, int) or _NAME.fullmatch(step) else "(a name that is not repeated here)"
