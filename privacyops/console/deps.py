"""Who is at the desk: cookies, session, second factor, proof that a form is ours; and the frame around each page."""

import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from privacyops.console.flashes import FLASHES, told
from privacyops.console.forms import SAFE_METHODS, Form, read_form
from privacyops.console.words import ROLES
from privacyops.domain.account.action import Action, Extent
from privacyops.domain.account.rule import extent, may
from privacyops.kernel.client_address import client_address, network_prefix
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import Forbidden, NotFound, Problem
from privacyops.ports.keyring import MacLabel
from privacyops.ports.pages import Pages, Scene
from privacyops.services import account, task
from privacyops.services.account import SignedIn
from privacyops.services.context import Context
from privacyops.services.dsar import listing

HOME: Final = "/console"
SIGN_IN: Final = "/console/sign-in"
FACTOR: Final = "/console/sign-in/code"
ENROL: Final = "/console/second-factor"
STEP_UP: Final = "/console/confirm"
PUBLIC: Final = "public"
"""The action of routes that anybody may take: they are what comes before an actor is known."""
_CONSENT_PAGES: Final = (
    (f"{HOME}/consent", Action.CONSENT_READ),
    (f"{HOME}/consent/purposes", Action.PURPOSE_SEE),
    (f"{HOME}/consent/systems", Action.WEBHOOK_SEE),
)
_OWN_PATH: Final = re.compile(r"/(console|setup)(/[A-Za-z0-9._~/-]*)?(\?[A-Za-z0-9._~=&%-]*)?", re.ASCII)


class SignInNeeded(Problem):
    """Answered with a redirect: `to` is the page that comes first."""

    status = HTTPStatus.UNAUTHORIZED
    title = "Sign in first"

    def __init__(self, to: str) -> None:
        super().__init__()
        self.to = to


class NotOurForm(Forbidden):
    type = "/problems/not-our-form"
    title = "This page is out of date, or the form came from elsewhere; load the page again and send it once more"


def action(which: Action | str) -> dict[str, Any]:
    """What a route is for, as keyword arguments of its decorator; a test walks all routes and demands one."""
    return {"openapi_extra": {"x-action": str(which)}, "include_in_schema": False}


@dataclass(frozen=True, slots=True)
class Door:
    """What every page of the console is made with."""

    context: Context
    pages: Pages
    version: str
    trusted_proxies: Sequence[str] = ()

    @property
    def is_secure(self) -> bool:
        return self.context.controller.base_url.startswith("https://")

    def cookie(self, name: str) -> str:
        """`__Host-` where the address is https; on the loopback browsers would not keep such a cookie."""
        return f"__Host-po_{name}" if self.is_secure else f"po_{name}"


@dataclass(slots=True)
class Visit:
    """One request of one browser. `context` acts for the signed-in account, before that for the machine."""

    door: Door
    request: Request
    request_id: str
    context: Context
    signed_in: SignedIn | None
    form: Form
    anonymous: str
    now: Instant
    set_cookies: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)

    @property
    def me(self) -> SignedIn:
        """The account at the desk; routes behind `Desk` always have one."""
        if self.signed_in is None:
            raise SignInNeeded(SIGN_IN)
        return self.signed_in

    @property
    def masks(self) -> bool:
        return self.me.account.masks_people

    @property
    def is_fragment(self) -> bool:
        return self.request.headers.get("hx-request") == "true"

    @property
    def here(self) -> str:
        """Path and query of this page, to come back to."""
        query = self.request.url.query
        return own_path(f"{self.request.url.path}?{query}" if query else self.request.url.path)

    def may(self, which: Action) -> bool:
        """For menus and buttons; services ask again."""
        return may(self.context.actor, which)

    def reach(self, which: Action) -> Extent | None:
        return extent(self.context.actor, which)

    def token(self) -> str:
        """What our own forms carry: bound to a cookie of this browser and to the account."""
        who = self.signed_in.account.id.bytes if self.signed_in else b""
        ring = self.context.ports.keyring
        return ring.mac(MacLabel.FORM, self.context.controller.key, b"csrf", who, self.anonymous.encode()).digest.hex()

    def keep(self, name: str, value: str | None, *, days: int | None = None) -> None:
        """Set a cookie with the answer; None removes it, no `days` ends it with the browser."""
        self.set_cookies[name] = (value, None if days is None else days * 86_400)

    def adopt(self, signed_in: SignedIn) -> None:
        """A session began or was renewed: its new id goes to the browser."""
        self.signed_in = signed_in
        self.context = self.door.context.acting_as(signed_in.actor(), self.request_id)
        self.keep("session", signed_in.cookie)

    def page(self, template: str, view: Mapping[str, Any], active: str = "", status: int = 200) -> Response:
        """A whole page."""
        text = self.door.pages.render(f"console/{template}.html", self.scene(), shell=self.shell(active), view=view)
        return self.with_cookies(HTMLResponse(text, status_code=status))

    def part(self, template: str, block: str, view: Mapping[str, Any], status: int = 200) -> Response:
        """One block of a page, for htmx."""
        text = self.door.pages.fragment(
            f"console/{template}.html", block, self.scene(), shell=self.shell(""), view=view
        )
        return self.with_cookies(HTMLResponse(text, status_code=status))

    def go(self, path: str, flash: str | None = None, count: int | None = None) -> Response:
        """See another page, with a notice there. `flash` is a key of FLASHES, so that no text travels in a cookie."""
        if flash is not None:
            self.keep("flash", flash if count is None else f"{flash}.{count}")
        fragment = {"HX-Redirect": path} if self.is_fragment else {}
        status = HTTPStatus.OK if self.is_fragment else HTTPStatus.SEE_OTHER
        answer = Response(status_code=status, headers=fragment) if fragment else RedirectResponse(path, status)
        return self.with_cookies(answer)

    def with_cookies(self, answer: Response) -> Response:
        """The answer with every cookie that this visit sets."""
        for name, (value, age) in self.set_cookies.items():
            key = self.door.cookie(name)
            secure = self.door.is_secure
            if value is None:
                answer.delete_cookie(key, path="/", secure=secure, httponly=True, samesite="lax")
            else:
                answer.set_cookie(key, value, max_age=age, path="/", secure=secure, httponly=True, samesite="lax")
        return answer

    def flash(self) -> tuple[str, int] | None:
        """What the page before this one wanted said, once."""
        kept = self.request.cookies.get(self.door.cookie("flash"), "")
        name, _, count = kept.partition(".")
        if name not in FLASHES or not re.fullmatch(r"[0-9]{0,6}", count, re.ASCII):
            return None
        if "flash" not in self.set_cookies:
            self.keep("flash", None)
        return name, int(count or 0)

    def scene(self) -> Scene:
        return Scene(self.now, "en", self.context.controller.zone)

    def shell(self, active: str = "") -> dict[str, Any]:
        """The frame of a page; its head, side bar and foot."""
        theme = self.request.cookies.get(self.door.cookie("theme"), "auto")
        lone = {
            "theme": theme if theme in {"light", "dark"} else "auto", "csrf": self.token(),
            "correlation_id": self.request_id, "version": self.door.version,
            "organisation": self.context.controller.name, "demo": None,
        }  # fmt: skip
        if self.signed_in is None or self.signed_in.needs_factor:
            return lone
        return {**lone, **_frame(self, active)}


def _frame(visit: Visit, active: str) -> dict[str, Any]:
    me, ctx = visit.me.account, visit.context
    lists, works = visit.may(Action.DSAR_LIST), visit.may(Action.TASK_LIST)
    flash = visit.flash()
    notices = [told(*flash)] if flash else []
    return {
        "active": active,
        "here": visit.here,
        "counts": {
            "requests": listing.count_views(ctx)["all"] if lists else None,
            "tasks": sum(task.mine(ctx, one) for one in task.list_open(ctx)) if works else None,
        },
        "account": {
            "name": me.name, "initials": me.initials, "masked": me.masks_people,
            "role": ", ".join(ROLES[role] for role in sorted(me.roles)) or "no role yet",
            "keys": visit.request.cookies.get(visit.door.cookie("keys"), "on") == "on",
        },
        "may": {
            "audit": visit.may(Action.AUDIT_SEE), "stores": visit.may(Action.STORE_SEE), "settings": True,
            "new_request": visit.may(Action.DSAR_INTAKE), "requests": lists, "tasks": works,
            "consent": _consent_url(visit),
        },
        "flash": notices,
        "demo": _demo(visit) if ctx.controller.is_demo else None,
    }  # fmt: skip


def _consent_url(visit: Visit) -> str | None:
    """The first page about consent that the role opens."""
    return next((url for url, needed in _CONSENT_PAGES if visit.may(needed)), None)


def _demo(visit: Visit) -> dict[str, Any]:
    users = [one for one in account.names(visit.context).values() if one.is_demo and one.disabled_at is None]
    return {
        "users": [
            {"id": str(one.id), "name": one.name, "initials": one.initials,
             "role": ", ".join(ROLES[role] for role in sorted(one.roles)), "current": one.id == visit.me.account.id}
            for one in users
        ],
        "switch_url": "/console/demo/switch", "inbox_url": "/demo/inbox", "portal_url": "/privacy",
        "remove_url": "/demo/remove",
    }  # fmt: skip


def own_path(text: str) -> str:
    """`text`, if it is a path of the console; else its home. No other site can be the `next` of a sign-in."""
    return text if _OWN_PATH.fullmatch(text) and "//" not in text else HOME


def next_of(path: str) -> str:
    """`?next=` for a path of ours."""
    return "" if path == HOME else f"?next={quote(path, safe='/')}"


def prefix_of(request: Request) -> str:
    """The network of the caller that rate limits count by: /24 or /56."""
    peer = request.client.host if request.client else None
    trusted = door_of(request).trusted_proxies
    return network_prefix(client_address(peer, request.headers.getlist("x-forwarded-for"), trusted))


def door_of(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


def visit_of(request: Request, form: Annotated[Form, Depends(read_form)]) -> Visit:
    """The visit, whoever it is. A form must be ours: same site, and the token of this browser and account.

    Raises: NotOurForm.
    """
    visit = begin(request, form)
    if request.method not in SAFE_METHODS:
        _require_own_form(visit)
    return visit


def begin(request: Request, form: Form) -> Visit:
    """The visit before anything is demanded of it."""
    if "\x00" in request.scope["path"] or b"%00" in request.scope.get("query_string", b""):
        raise NotFound("no address of ours has a NUL in it")
    door = door_of(request)
    machine = door.context.acting_as(door.context.actor, request.state.request_id)
    signed_in = account.session_of(machine, request.cookies.get(door.cookie("session")))
    context = machine.acting_as(signed_in.actor()) if signed_in else machine
    kept = request.cookies.get(door.cookie("form"), "")
    fits = re.fullmatch(r"[A-Za-z0-9_-]{43}", kept, re.ASCII)
    visit = Visit(
        door, request, request.state.request_id, context, signed_in, form,
        kept if fits else secrets.token_urlsafe(32), machine.clock.now(),
    )  # fmt: skip
    if not fits:
        visit.keep("form", visit.anonymous)
    request.state.visit = visit
    return visit


def desk_of(visit: Annotated[Visit, Depends(visit_of)]) -> Visit:
    """A visit with an account, its second factor, and a role that knows the route's action.

    Raises: SignInNeeded: with the page that comes first. Forbidden.
    """
    next_ = next_of(visit.here) if visit.request.method in SAFE_METHODS else ""
    if visit.signed_in is None:
        raise SignInNeeded(SIGN_IN + next_)
    if visit.signed_in.needs_factor:
        raise SignInNeeded(ENROL if visit.signed_in.needs_enrolment else FACTOR + next_)
    if not visit.may(_declared(visit.request)):
        raise Forbidden
    return visit


def _declared(request: Request) -> Action:
    """The action of the route that was met. The service asks the same table again, with the object in hand."""
    return Action(request.scope["route"].openapi_extra["x-action"])


Visitor = Annotated[Visit, Depends(visit_of)]
Desk = Annotated[Visit, Depends(desk_of)]


def _require_own_form(visit: Visit) -> None:
    """Same site by the browser's own word, and the token. Both, since each has failed in some browser before.

    Under our policy of no referrer browsers send `Origin: null` with a form; then Sec-Fetch-Site alone counts.
    """
    request = visit.request
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None:
        raise NotOurForm("the browser does not say where the form comes from")
    if site is not None and site != "same-origin":
        raise NotOurForm
    if origin is not None and not (site and origin == "null") and not _is_own_origin(visit, origin):
        raise NotOurForm
    sent = request.headers.get("x-csrf-token") or visit.form.get("csrf")
    if not hmac.compare_digest(sent.encode(), visit.token().encode()):
        raise NotOurForm


def _is_own_origin(visit: Visit, origin: str) -> bool:
    """Over https only the address in the settings counts; on the loopback the host that was asked does too."""
    own = urlsplit(visit.context.controller.base_url)
    if origin == f"{own.scheme}://{own.netloc}":
        return True
    return not visit.door.is_secure and origin == f"http://{visit.request.headers.get('host', '')}"
