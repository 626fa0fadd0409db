"""Before anything else: the first account, the two factors, the enrolment of the second, and the way out."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console.deps import (
    ENROL,
    FACTOR,
    HOME,
    PUBLIC,
    SIGN_IN,
    STEP_UP,
    Desk,
    SignInNeeded,
    Visit,
    Visitor,
    action,
    next_of,
    own_path,
    prefix_of,
)
from privacyops.console.forms import Refused
from privacyops.domain.account.action import Action
from privacyops.domain.identity.email import normal_email
from privacyops.domain.password import SHORTEST
from privacyops.domain.secret import SecretMalformed
from privacyops.kernel.errors import Problem, RateLimited, Unauthenticated, Unprocessable
from privacyops.services import account, invitation
from privacyops.services.account import FactorWrong, SetupClosed, SignedIn

router: Final = APIRouter()
_SETUP: Final = "/setup"
_JOIN: Final = "/setup/join"


@router.get(SIGN_IN, **action(PUBLIC))
def ask(visit: Visitor, next: str = HOME) -> Response:  # noqa: A002 - the name in the address
    """The first factor; whoever is signed in goes on."""
    if visit.signed_in is not None and not visit.signed_in.needs_factor:
        return visit.go(own_path(next))
    return _sign_in_page(visit, own_path(next))


@router.post(SIGN_IN, **action(PUBLIC))
def sign_in(visit: Visitor) -> Response:
    """Address and password. A session that the browser brought is ended, never taken over."""
    next_ = own_path(visit.form.get("next"))
    password = next((value for name, value in visit.form if name == "password"), "")
    try:
        signed_in = account.sign_in(visit.context, visit.form.get("mail"), password, prefix_of(visit.request))
    except (Unauthenticated, RateLimited) as refusal:
        return _retry_after(_sign_in_page(visit, next_, refusal), refusal)
    if visit.signed_in is not None:
        account.sign_out(visit.context, visit.signed_in)
    visit.adopt(signed_in)
    return visit.go(ENROL if signed_in.needs_enrolment else FACTOR + next_of(next_))


@router.get(FACTOR, **action(PUBLIC))
def ask_code(visit: Visitor, next: str = HOME) -> Response:  # noqa: A002 - the name in the address
    """The second factor."""
    signed_in = _half_signed_in(visit)
    if signed_in.needs_enrolment:
        return visit.go(ENROL)
    if not signed_in.needs_factor:
        return visit.go(own_path(next))
    return _factor_page(visit, own_path(next))


@router.post(FACTOR, **action(PUBLIC))
def show_code(visit: Visitor) -> Response:
    """A code of the authenticator, or a recovery code; the session gets a new id."""
    next_, signed_in = own_path(visit.form.get("next")), _half_signed_in(visit)
    if not signed_in.needs_factor:
        return visit.go(next_)
    try:
        visit.adopt(account.show_factor(visit.context, signed_in, visit.form.get("code")))
    except (FactorWrong, RateLimited) as refusal:
        return _retry_after(_factor_page(visit, next_, refusal), refusal)
    return visit.go(next_)


@router.get(STEP_UP, **action(Action.ACCOUNT_SELF))
def ask_again(desk: Desk, next: str = HOME) -> Response:  # noqa: A002 - the name in the address
    """A fresh code before a step that needs one."""
    return _step_up_page(desk, own_path(next))


@router.post(STEP_UP, **action(Action.ACCOUNT_SELF))
def show_again(desk: Desk) -> Response:
    """The fresh code; back to the page with the button."""
    next_ = own_path(desk.form.get("next"))
    try:
        desk.adopt(account.show_factor(desk.context, desk.me, desk.form.get("code")))
    except (FactorWrong, RateLimited) as refusal:
        return _retry_after(_step_up_page(desk, next_, refusal), refusal)
    return desk.go(next_)


@router.get(ENROL, **action(PUBLIC))
def ask_enrolment(visit: Visitor) -> Response:
    """The authenticator is added before anything else can be opened."""
    signed_in = _half_signed_in(visit)
    if not signed_in.needs_enrolment:
        return visit.go("/console/settings")
    return _enrolment_page(visit, signed_in)


@router.post(ENROL, **action(PUBLIC))
def enrol(visit: Visitor) -> Response:
    """The app shows the right code: the recovery codes are in this answer and in no other."""
    signed_in = _half_signed_in(visit)
    if not signed_in.needs_enrolment:
        return visit.go(HOME)
    try:
        renewed, codes = account.finish_enrolment(visit.context, signed_in, visit.form.get("code"))
    except FactorWrong as refusal:
        return _enrolment_page(visit, signed_in, refusal)
    visit.adopt(renewed)
    return visit.page("enrol_totp", codes_view(codes))


@router.post("/console/sign-out", **action(PUBLIC))
def sign_out(visit: Visitor) -> Response:
    """End this session; without one there is nothing to do."""
    everywhere = visit.form.get("everywhere") == "yes"
    if visit.signed_in is not None:
        account.sign_out(visit.context, visit.signed_in, everywhere=everywhere)
    visit.signed_in = None
    visit.keep("session", None)
    return visit.go(SIGN_IN, "signed_out_all" if everywhere else "signed_out")


@router.get(_SETUP, **action(PUBLIC))
def open_setup(visit: Visitor, t: str = "") -> Response:
    """The first account. A token in the address moves into a cookie at once, so that it stays in no history."""
    if t:
        visit.keep("setup", t[:200])
        return visit.go(_SETUP)
    if not _setup_is_open(visit):
        raise SetupClosed
    return _setup_page(visit)


@router.post(_SETUP, **action(PUBLIC))
def set_up(visit: Visitor) -> Response:
    """Make the first account and sign it in; its second factor comes next."""
    form = visit.form
    token = visit.request.cookies.get(visit.door.cookie("setup"), "")
    try:
        _check_person(visit)
        signed_in = account.set_up(visit.context, token, form.get("name"), form.get("mail"), _password(visit))
    except SecretMalformed:
        raise SetupClosed from None
    except Unprocessable as refusal:
        return _setup_page(visit, refusal)
    visit.keep("setup", None)
    visit.adopt(signed_in)
    return visit.go(ENROL)


@router.get(_JOIN, **action(PUBLIC))
def open_invitation(visit: Visitor, t: str = "") -> Response:
    """A colleague follows an invitation; its token moves into a cookie like that of the setup link."""
    if t:
        visit.keep("join", t[:200])
        return visit.go(_JOIN)
    invited = invitation.invited(visit.context, _join_token(visit))
    return _join_page(visit, invited.name, invited.email)


@router.post(_JOIN, **action(PUBLIC))
def join(visit: Visitor) -> Response:
    """The colleague sets a password and is signed in; the second factor comes next."""
    token = _join_token(visit)
    invited = invitation.invited(visit.context, token)
    try:
        signed_in = invitation.accept(visit.context, token, _password(visit))
    except Unprocessable as refusal:
        return _join_page(visit, invited.name, invited.email, refusal)
    visit.keep("join", None)
    visit.adopt(signed_in)
    return visit.go(ENROL)


def codes_view(codes: tuple[str, ...]) -> dict[str, Any]:
    """The view of recovery codes that were just made."""
    return {"stage": "codes", "action": "/console", "method": "get", "secret": "", "uri": "", "qr": None,
            "codes": codes, "errors": []}  # fmt: skip


def _half_signed_in(visit: Visit) -> SignedIn:
    if visit.signed_in is None:
        raise SignInNeeded(SIGN_IN)
    return visit.signed_in


def _password(visit: Visit) -> str:
    return visit.form.get("password")


def _setup_is_open(visit: Visit) -> bool:
    try:
        return account.setup_is_open(visit.context, visit.request.cookies.get(visit.door.cookie("setup"), ""))
    except SecretMalformed:
        return False


def _join_token(visit: Visit) -> str:
    return visit.request.cookies.get(visit.door.cookie("join"), "")


def _check_person(visit: Visit) -> None:
    wrong: list[tuple[str | None, str]] = []
    if not visit.form.get("name"):
        wrong.append(("name", "Enter your name"))
    if normal_email(visit.form.get("mail")) is None:
        wrong.append(("mail", "Enter an e-mail address such as name@example.com"))
    if wrong:
        raise Refused(*wrong)


def _errors(refusal: Problem | None, field: str | None) -> list[dict[str, str | None]]:
    if isinstance(refusal, Refused):
        return refusal.errors
    if refusal is None:
        return []
    return [{"field": field, "text": refusal.detail if refusal.status == 422 and refusal.detail else refusal.title}]


def _status(refusal: Problem | None) -> int:
    return HTTPStatus.OK if refusal is None else refusal.status


def _retry_after(answer: Response, refusal: Problem) -> Response:
    if "retry_after_s" in refusal.members:
        answer.headers["Retry-After"] = str(refusal.members["retry_after_s"])
    return answer


def _sign_in_page(visit: Visit, next_: str, refusal: Problem | None = None) -> Response:
    flash = visit.flash()
    told = {"signed_out": "You have been signed out.", "signed_out_all": "Every session of your account has ended."}
    text = told.get(flash[0]) if flash else None
    view = {
        "values": {"mail": visit.form.get("mail")}, "errors": _errors(refusal, None), "next": next_,
        "notice": {"tone": "inf", "text": text} if text else None,
    }  # fmt: skip
    return visit.page("signin", view, status=_status(refusal))


def _factor_page(visit: Visit, next_: str, refusal: Problem | None = None) -> Response:
    view = {"purpose": "sign-in", "what": "", "action": FACTOR, "next": next_, "recovery": True,
            "errors": _errors(refusal, "code")}  # fmt: skip
    return visit.page("second_factor", view, status=_status(refusal))


def _step_up_page(visit: Visit, next_: str, refusal: Problem | None = None) -> Response:
    view = {"purpose": "step-up", "what": "This step", "action": STEP_UP, "next": next_, "recovery": True,
            "errors": _errors(refusal, "code")}  # fmt: skip
    return visit.page("second_factor", view, status=_status(refusal))


def _enrolment_page(visit: Visit, signed_in: SignedIn, refusal: Problem | None = None) -> Response:
    fresh = account.begin_enrolment(visit.context, signed_in)
    view = {"stage": "add", "action": ENROL, "method": "post", "secret": fresh.secret, "uri": fresh.uri, "qr": None,
            "codes": [], "errors": _errors(refusal, "code")}  # fmt: skip
    return visit.page("enrol_totp", view, status=_status(refusal))


def _setup_page(visit: Visit, refusal: Problem | None = None) -> Response:
    me = visit.context.controller
    view = {
        "action": _SETUP, "invited": None, "values": visit.form.values(), "errors": _errors(refusal, "password"),
        "organisation": me.name, "country": me.country, "password_length": SHORTEST,
    }  # fmt: skip
    return visit.page("setup", view, status=_status(refusal))


def _join_page(visit: Visit, name: str, email: str, refusal: Problem | None = None) -> Response:
    me = visit.context.controller
    view = {
        "action": _JOIN, "invited": {"name": name, "mail": email}, "values": {}, "organisation": me.name,
        "country": me.country, "errors": _errors(refusal, "password"), "password_length": SHORTEST,
    }  # fmt: skip
    return visit.page("setup", view, status=_status(refusal))
