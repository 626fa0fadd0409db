"""C2 and C3: the mailed code, the mailed link, and coming back to a request by its number.

Every page here looks the same for addresses that are known and those that are not: it is drawn from what the browser
brought, never from what the code or the cookie opens.
"""

from contextlib import suppress
from datetime import timedelta
from math import ceil
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.mask import masked_email
from privacyops.domain.secret import CODE_LIFE, LinkKind
from privacyops.kernel.errors import RateLimited
from privacyops.portal import texts
from privacyops.portal.cookie import PortalCookie, drop_cookie, set_cookie
from privacyops.portal.deps import Anyone, OwnForm, PublicForm, Visitor, action
from privacyops.portal.render import Errors, draw, error, go, words
from privacyops.services import limit
from privacyops.services.dsar import identity, own

router = APIRouter()
_WINDOW: Final = timedelta(minutes=10)
_TRIES: Final = 60
_RETURNS: Final = 20
_STATUS: Final = "/privacy/status"
_CHECK: Final = "/privacy/check"


@router.get(_CHECK, **action(Action.DSAR_IDENTITY))
def wait(visit: Anyone) -> Response:
    """The page that waits for the code."""
    if visit.cookie is None:
        return go("/privacy/return")
    return _waiting(visit, visit.cookie, [])


@router.post(_CHECK, **action(Action.DSAR_IDENTITY))
def enter_code(visit: Anyone, sent: OwnForm) -> Response:
    """A code was typed. The refusal never says whether it was wrong, spent, expired or for nothing at all."""
    if visit.cookie is None:
        return go("/privacy/return")
    if visit.cookie.kind is LinkKind.PORTAL:
        return go(_STATUS)
    limit.admit(visit.ctx, "code", visit.prefix, _TRIES, _WINDOW)
    if visit.waits_for is not None:
        try:
            opened = identity.prove_by_code(visit.as_subject(visit.waits_for), visit.waits_for, sent.text("code"))
        except identity.CodeWrong:
            pass
        else:
            return _opened(visit, opened)
    _ = words(visit).gettext
    said = _("This code does not fit, or its time is over. After five wrong codes please ask for a new mail.")
    return _waiting(visit, visit.cookie, [error("code", said)], 422)


@router.post("/privacy/check/resend", **action(Action.DSAR_IDENTITY))
def resend(visit: Anyone, _sent: OwnForm) -> Response:
    """Ask for a new mail; ten minutes lie between two of them."""
    cookie = visit.cookie
    if cookie is None or cookie.asked_at is None:
        return go(_CHECK)
    now = visit.ctx.clock.now()
    left = cookie.asked_at + identity.MAIL_EVERY - now
    if left > timedelta(0):
        raise RateLimited(retry_after_s=ceil(left.total_seconds()))
    if visit.waits_for is not None:
        with suppress(RateLimited):  # the day's mails are used up; saying so would tell that the address is in use
            identity.resend_code(visit.as_subject(visit.waits_for), visit.waits_for)
    response = go(_CHECK)
    asked = PortalCookie(LinkKind.WAITING, cookie.token, cookie.masked, now)
    set_cookie(response, asked, is_https=visit.door.is_https)
    return response


@router.get("/privacy/confirm/{token}", **action(Action.DSAR_INTAKE))
def show_link(visit: Anyone, token: str) -> Response:
    """The mailed link: shows a button and changes nothing, since mail scanners follow links."""
    dsar = own.behind_link(visit.ctx, token)
    if dsar is None:
        raise identity.LinkSpent
    view = {
        "action": f"/privacy/confirm/{token}",
        "type": texts.right(dsar.type, words(visit)),
        "received": dsar.received_at,
        "ask_order": False,
        "ask_code": False,
        "values": {},
        "errors": [],
        "start_url": "/privacy",
    }
    return draw(visit, "confirm", view, is_public=True)


@router.post("/privacy/confirm/{token}", **action(Action.DSAR_INTAKE))
def confirm(visit: Anyone, _sent: PublicForm, token: str) -> Response:
    """The button on that page; a second click finds the request open."""
    if visit.dsar_id is not None and own.behind_link(visit.ctx, token) is None:
        return go(_STATUS)
    return _opened(visit, identity.prove_by_link(visit.ctx, token))


@router.get("/privacy/return", **action(Action.DSAR_INTAKE))
def come_back(visit: Anyone) -> Response:
    """The way back to a request whose page has closed."""
    return _return_form(visit, {}, [])


@router.post("/privacy/return", **action(Action.DSAR_INTAKE))
def ask_return(visit: Anyone, sent: PublicForm) -> Response:
    """A code goes out if number and address belong together; the page that follows is the same if they do not."""
    _ = words(visit).gettext
    reference, address = sent.text("reference").strip().upper(), sent.text("email").strip()
    errors: Errors = []
    if not 4 <= len(reference) <= 16:
        errors.append(error("reference", _("Enter the number from our mail, such as PR-7MK4Q2")))
    normal = normal_email(address)
    if normal is None:
        errors.append(error("email", _("Enter an e-mail address such as name@example.com")))
    if errors:
        return _return_form(visit, {"reference": reference, "email": address}, errors, 422)
    limit.admit(visit.ctx, "return", visit.prefix, _RETURNS, _WINDOW)
    token = identity.ask_return(visit.ctx, reference, address)
    response = go(_CHECK)
    asked = PortalCookie(LinkKind.WAITING, token, masked_email(normal or ""), visit.ctx.clock.now())
    set_cookie(response, asked, is_https=visit.door.is_https)
    return response


@router.post("/privacy/leave", **action(Action.DSAR_INTAKE))
def leave(visit: Anyone, _sent: PublicForm) -> Response:
    """Close the page on this device."""
    response = go("/privacy")
    drop_cookie(response, is_https=visit.door.is_https)
    return response


def _opened(visit: Visitor, opened: identity.Confirmation) -> Response:
    response = go(_STATUS)
    set_cookie(response, PortalCookie(LinkKind.PORTAL, opened.portal), is_https=visit.door.is_https)
    return response


def _waiting(visit: Visitor, cookie: PortalCookie, errors: Errors, status: int = 200) -> Response:
    if cookie.kind is LinkKind.PORTAL or cookie.asked_at is None:
        return go(_STATUS)
    again_at = cookie.asked_at + identity.MAIL_EVERY
    may_resend = visit.ctx.clock.now() >= again_at
    view = {
        "masked_address": cookie.masked,
        "action": _CHECK,
        "minutes": int(CODE_LIFE.total_seconds() // 60),
        "errors": errors,
        "resend_url": f"{_CHECK}/resend" if may_resend else None,
        "resend_at": None if may_resend else again_at,
        "start_url": "/privacy",
    }
    return draw(visit, "check_mail", view, status)


def _return_form(visit: Visitor, values: dict[str, str], errors: Errors, status: int = 200) -> Response:
    view = {"action": "/privacy/return", "values": values, "errors": errors, "start_url": "/privacy"}
    return draw(visit, "return", view, status, is_public=True)
