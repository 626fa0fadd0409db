"""The way to the choices without a request: an address, a mail, one button, half an hour in this browser."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.domain.identity.email import normal_email
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.portal import chooser
from privacyops.portal.deps import Anyone, PublicForm, Visitor, action
from privacyops.portal.render import Errors, draw, error, go, words
from privacyops.services.consent import preference_link

router = APIRouter()
_ASK: Final = "/privacy/preferences/link"
_CHOICES: Final = "/privacy/preferences"
_STOP: Final = "/privacy?type=objection_direct_marketing"
_LONGEST_ADDRESS: Final = 254


@router.get(_ASK, **action(Action.CONSENT_WRITE))
def show(visit: Anyone) -> Response:
    """Where to send the link; and stopping, which needs no link."""
    return _ask(visit, "", [])


@router.post(_ASK, **action(Action.CONSENT_WRITE))
def send(visit: Anyone, sent: PublicForm) -> Response:
    """The same answer for every address, on record or not."""
    typed = sent.text("email")
    address = normal_email(typed) if len(typed) <= _LONGEST_ADDRESS else None
    if address is None:
        told = words(visit).gettext("Enter an e-mail address such as name@example.com")
        return _ask(visit, typed[:_LONGEST_ADDRESS], [error("email", told)], 422)
    contact = SubjectIdentifier(IdentifierType.EMAIL, address)
    preference_link.ask_for_link(visit.ctx, contact, visit.language, visit.prefix)
    return go(f"{_ASK}/sent")


@router.get(f"{_ASK}/sent", **action(Action.CONSENT_WRITE))
def sent_page(visit: Anyone) -> Response:
    """A mail is on its way, if the address is known here."""
    return draw(visit, "preference_link", _view(state="sent"), is_public=True)


@router.get("/p/{token}", **action(Action.CONSENT_WRITE))
def show_exchange(visit: Anyone, token: str) -> Response:
    """One button; opening the page spends nothing, since mail scanners follow links."""
    return draw(visit, "preference_link", _view(state="open", action=f"/p/{token}"), is_public=True)


@router.post("/p/{token}", **action(Action.CONSENT_WRITE))
def exchange(visit: Anyone, token: str, _sent: PublicForm) -> Response:
    """The link is spent for half an hour in this browser."""
    response = go(_CHOICES)
    chooser.keep(response, preference_link.exchange(visit.ctx, token), visit.door)
    return response


def _ask(visit: Visitor, typed: str, errors: Errors, status: int = 200) -> Response:
    view = _view(state="ask", values={"email": typed}, errors=errors)
    return draw(visit, "preference_link", view, status, is_public=True)


def _view(**changed: object) -> dict[str, object]:
    view: dict[str, object] = {"action": _ASK, "values": {"email": ""}, "errors": [], "stop_url": _STOP}
    return view | changed
