"""The JSON routes that a shop's own pages call from the browser: a challenge, and handing in a request.

Only origins from the settings, spelt exactly, may call; no cookie and no key is read. Checks in this order: size, media
type, origin, network bucket, form of the body, proof of work; then the same use case as the form.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Final, NoReturn

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.kind import TYPE_RULES, Channel, RequestClass, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.kernel.errors import BadRequest, Forbidden, MediaTypeRefused, Unprocessable
from privacyops.portal import texts
from privacyops.portal.deps import Anyone, Door, action, limited_body, origin_of
from privacyops.services import limit, work
from privacyops.services.dsar import intake, shop_session

router = APIRouter(prefix="/v1/public", tags=["public"])
LARGEST_BODY: Final = 16 * 1024
_CHALLENGES: Final = 60
_WINDOW: Final = timedelta(minutes=10)
_PREFLIGHT_S: Final = 600


class OriginNotListed(Forbidden):
    type = "/problems/origin-not-listed"
    title = "Pages of this origin may not call; list it in the settings (web.widget_origins)"


class NotJson(BadRequest):
    type = "/problems/not-json"
    title = "The body is not one JSON object with members that are named once"


class InvalidRequest(Unprocessable):
    """`errors` as a member: where and what, never the value."""

    type = "/problems/invalid-request"
    title = "The request does not have the form that is documented"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, strict=True)


class WorkIn(_Wire):
    """The challenge as it was given, and the number that solves it."""

    algorithm: Annotated[str, Field(max_length=16)]
    challenge: Annotated[str, Field(max_length=128)]
    salt: Annotated[str, Field(max_length=128)]
    signature: Annotated[str, Field(max_length=128)]
    number: Annotated[int, Field(ge=0, le=10_000_000)]


class RequestIn(_Wire):
    """A request from a page of the shop."""

    type: Annotated[RequestType, Field(strict=False)]
    email: Annotated[str, Field(max_length=254)] = ""
    name: Annotated[str, Field(max_length=200)] = ""
    order_number: Annotated[str, Field(max_length=64)] = ""
    message: Annotated[str, Field(max_length=10_000)] = ""
    language: Annotated[str | None, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = None
    shop_token: Annotated[str | None, Field(max_length=8192)] = None
    work: WorkIn


def allowed_origin(request: Request, door: Door) -> str | None:
    """The caller's origin, if it is listed or our own."""
    origin = request.headers.get("origin")
    own = origin_of(door.context.controller.base_url)
    return origin if origin is not None and (origin in door.widget_origins or origin == own) else None


def cross_origin(request: Request, door: Door) -> dict[str, str]:
    """What lets a listed page read the answer."""
    origin = allowed_origin(request, door)
    return {"Vary": "Origin", **({"Access-Control-Allow-Origin": origin} if origin else {})}


async def _body(request: Request, visit: Anyone) -> RequestIn:
    raw = await limited_body(request, LARGEST_BODY)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise MediaTypeRefused("send application/json")
    if allowed_origin(request, visit.door) is None:
        raise OriginNotListed
    try:
        return RequestIn.model_validate(_strict_json(raw))
    except ValidationError as refused:
        wrong = [{"at": "/".join(map(str, one["loc"])), "code": one["type"]} for one in refused.errors()]
        raise InvalidRequest(errors=wrong) from None


@router.get("/challenge", **action(Action.DSAR_INTAKE))
def challenge(request: Request, visit: Anyone) -> Response:
    """A challenge in the shape of ALTCHA v1, good for twenty minutes and one request."""
    limit.admit(visit.ctx, "challenge", visit.prefix, _CHALLENGES, _WINDOW)
    return JSONResponse(asdict(work.new_challenge(visit.ctx)), headers=cross_origin(request, visit.door))


@router.post("/requests", **action(Action.DSAR_INTAKE))
def hand_in(request: Request, visit: Anyone, body: Annotated[RequestIn, Depends(_body)]) -> Response:
    """Take a request in; the answer is the same for every address."""
    if body.type not in texts.offered(visit.ctx.controller.country):
        raise InvalidRequest(errors=[{"at": "type", "code": "not_offered"}])
    work.spend_work(visit.ctx, work.Solution(**body.work.model_dump()))
    submission = intake.Submission(
        type=body.type,
        requester=Requester(email=body.email, name=body.name, order_number=body.order_number, message=body.message),
        channel=Channel.WIDGET,
        language=body.language or visit.language,
        prefix=visit.prefix,
    )
    if body.shop_token is not None:
        submission = shop_session.signed_in(visit.ctx, submission, body.shop_token)
    receipt = intake.submit(visit.ctx, submission)
    is_done = TYPE_RULES[body.type].kind is RequestClass.STOP
    answer = {"reference": receipt.reference, "next": "done" if is_done else "check_mail"}
    return JSONResponse(answer, 202, headers=cross_origin(request, visit.door))


@router.options("/{path:path}", **action(Action.DSAR_INTAKE))
def preflight(request: Request, visit: Anyone, path: str) -> Response:
    """May a page of this origin call? No credentials, so that no cookie ever comes along."""
    headers = cross_origin(request, visit.door)
    if "Access-Control-Allow-Origin" in headers:
        headers |= {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": str(_PREFLIGHT_S),
        }
    return Response(status_code=204, headers=headers)


def _strict_json(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotJson from None
    if not isinstance(value, dict):
        raise NotJson
    return value


def _without_twins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _no_constant(_name: str) -> NoReturn:
    raise ValueError
