"""What every route of the customers' door begins with: who visits, in which language, and a form that may be trusted.

Every route declares its action, as at the other doors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from privacyops.domain.account.action import Action
from privacyops.domain.account.actor import subject
from privacyops.domain.secret import LinkKind
from privacyops.kernel.client_address import client_address, network_prefix
from privacyops.kernel.errors import BadRequest, Forbidden, TooLarge, Unauthenticated
from privacyops.kernel.ids import DsarId
from privacyops.portal.cookie import PortalCookie, cookie_name
from privacyops.ports.pages import Pages
from privacyops.services import form
from privacyops.services.context import Context
from privacyops.services.dsar.identity import request_behind

LARGEST_FORM: Final = 128 * 1024
"""A message of 10,000 characters outside ASCII takes up to 12 bytes a character in a form's encoding."""
_MOST_FIELDS: Final = 200
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
NO_COOKIE: Final = "visitor"
LANGUAGE_COOKIE: Final = "po_lang"


class FormNotOurs(Forbidden):
    """The form was sent from another site, or its token belongs to another browser."""

    type = "/problems/form-not-ours"
    title = "This form was not sent from our page"


class SessionOver(Unauthenticated):
    """The browser's cookie is missing, unknown or past its time."""

    type = "/problems/session-over"
    title = "For your protection this page closes after half an hour"


class FormMalformed(BadRequest):
    type = "/problems/form-malformed"
    title = "The form did not arrive as it was sent"


@dataclass(frozen=True, slots=True)
class Door:
    """What the door is told once: the service, its pages, whose forwarded addresses count, who may embed."""

    context: Context
    pages: Pages
    trusted_proxies: Sequence[str] = ()
    widget_origins: frozenset[str] = frozenset()
    policy_url: str | None = None

    @property
    def is_https(self) -> bool:
        return self.context.controller.base_url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Visitor:
    """One request to the door. `ctx` acts as the customer, bound to `dsar_id` once a mailbox is proved.

    `waits_for` is the request whose code the browser may type; it sees nothing of it yet.
    """

    door: Door
    ctx: Context
    language: str
    cookie: PortalCookie | None = None
    dsar_id: DsarId | None = None
    waits_for: DsarId | None = None
    prefix: str = ""
    request_id: str = ""
    chose_language: bool = False

    @property
    def secret(self) -> str:
        """What form tokens are bound to: the cookie's token. Before there is one nothing can be forged."""
        return self.cookie.token if self.cookie else NO_COOKIE

    @property
    def own(self) -> DsarId:
        """The request that the cookie opens. Raises: SessionOver."""
        if self.dsar_id is None:
            raise SessionOver
        return self.dsar_id

    def as_subject(self, dsar_id: DsarId | None) -> Context:
        """The service for a customer who has just been bound to a request."""
        return self.ctx.acting_as(subject(self.ctx.controller.key, dsar_id))


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that came from our own page."""

    fields: dict[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The last value of a field; empty where it is missing."""
        return self.fields.get(name, [""])[-1]

    def every(self, name: str) -> list[str]:
        """All values of a repeated field."""
        return self.fields.get(name, [])


def action(which: Action) -> dict[str, Any]:
    """What a route is for, as keyword arguments of its decorator; a test walks all routes and demands one."""
    return {"openapi_extra": {"x-action": str(which)}}


def visitor(request: Request) -> Visitor:
    """Who visits, from the cookie and the address."""
    return _visitor(request, is_looked_up=True)


def stranger(request: Request) -> Visitor:
    """The same without a look into the database: for pages that say what failed."""
    return _visitor(request, is_looked_up=False)


def _visitor(request: Request, *, is_looked_up: bool) -> Visitor:
    door: Door = request.app.state.door
    cookie = PortalCookie.parse(request.cookies.get(cookie_name(is_https=door.is_https)))
    request_id = str(getattr(request.state, "request_id", ""))
    ctx = door.context.acting_as(subject(door.context.controller.key), request_id or None)
    found = request_behind(ctx, cookie.token, cookie.kind) if cookie and is_looked_up else None
    is_proved = cookie is not None and cookie.kind is LinkKind.PORTAL
    address = client_address(
        request.client.host if request.client else None, request.headers.getlist("x-forwarded-for"),
        door.trusted_proxies,
    )  # fmt: skip
    return Visitor(
        door=door,
        ctx=ctx.acting_as(subject(ctx.controller.key, found)) if is_proved else ctx,
        language=language_of(request, door),
        cookie=cookie,
        dsar_id=found if is_proved else None,
        waits_for=None if is_proved else found,
        prefix=network_prefix(address),
        request_id=request_id,
        chose_language=request.query_params.get("lang", "") in offered_languages(door),
    )


Anyone = Annotated[Visitor, Depends(visitor)]


def proved(visit: Anyone) -> Visitor:
    """A visitor whose browser has proved the mailbox of one request. Raises: SessionOver."""
    if visit.dsar_id is None:
        raise SessionOver
    return visit


Proved = Annotated[Visitor, Depends(proved)]


async def own_form(request: Request, visit: Anyone) -> Form:
    """The form of a page that a cookie opened, if this browser sent it from there.

    Raises: TooLarge, FormMalformed, FormNotOurs. SessionOver: the cookie has gone since the page was opened.
    """
    sent = await _form_of(request, visit)
    if visit.cookie is None:
        raise SessionOver
    if not form.is_form_token(visit.ctx, visit.secret, sent.text("csrf")):
        raise FormNotOurs
    return sent


async def public_form(request: Request, visit: Anyone) -> Form:
    """A form that anybody may send from our pages, with or without a cookie.

    A page that was opened before this browser got its cookie still counts: the form opens nothing of anybody's.
    Raises: TooLarge, FormMalformed, FormNotOurs.
    """
    sent = await _form_of(request, visit)
    secrets = {visit.secret, NO_COOKIE}
    if not any(form.is_form_token(visit.ctx, secret, sent.text("csrf")) for secret in secrets):
        raise FormNotOurs
    return sent


OwnForm = Annotated[Form, Depends(own_form)]
PublicForm = Annotated[Form, Depends(public_form)]


async def _form_of(request: Request, visit: Visitor) -> Form:
    require_same_origin(request, visit.door)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise FormMalformed
    body = await limited_body(request, LARGEST_FORM)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise FormMalformed from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\x00", ""))
    return Form(fields)


def require_same_origin(request: Request, door: Door) -> None:
    """Raises: FormNotOurs: the browser says that another site sent this.

    Under `Referrer-Policy: no-referrer` browsers send `Origin: null` with forms, so that Sec-Fetch-Site decides where
    there is one; browsers that send neither are held by the token and the cookie's SameSite.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        is_ours = origin == "null" or origin == origin_of(door.context.controller.base_url)
    if not is_ours:
        raise FormNotOurs


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as browsers spell it in `Origin`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


async def limited_body(request: Request, limit: int) -> bytes:
    """The body, read no further than `limit`. Raises: TooLarge, FormMalformed: the visitor went away."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise TooLarge
            parts.append(part)
    except ClientDisconnect:
        raise FormMalformed from None
    return b"".join(parts)


def language_of(request: Request, door: Door) -> str:
    """What the visitor chose, else what the browser prefers, else the controller's first language."""
    offered = offered_languages(door)
    wanted = [request.query_params.get("lang", ""), request.cookies.get(LANGUAGE_COOKIE, "")]
    wanted += accepted_languages(request.headers.get("accept-language", ""))
    tags = (tag.partition("-")[0].lower() for tag in wanted)
    return next((tag for tag in tags if tag in offered), offered[0])


def offered_languages(door: Door) -> list[str]:
    """The controller's languages that pages can be drawn in."""
    drawn = door.pages.languages()
    return [tag for tag in door.context.controller.languages if tag in drawn] or drawn


def accepted_languages(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first; what is not understood is left out."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if tag.strip() and quality > 0:
            weighed.append((-quality, place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]
