"""The link in a confirmation mail: one button, no cookie, and only pressing it confirms."""

from typing import Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.portal.deps import Anyone, Visitor, action
from privacyops.portal.pages.preferences import any_body
from privacyops.portal.render import draw
from privacyops.services.consent import confirming

router = APIRouter()
_CHOICES: Final = "/privacy/preferences"


@router.get("/c/{token}", **action(Action.CONSENT_WRITE))
def show(visit: Anyone, token: str) -> Response:
    """The button. The page is the same whether the link is good, spent or made up, and writes nothing."""
    return _page(visit, token, "ask")


@router.post("/c/{token}", dependencies=[Depends(any_body)], **action(Action.CONSENT_WRITE))
def confirm(visit: Anyone, token: str) -> Response:
    """Confirmed, whoever presses: the link proves the mailbox. A second time it is the same page."""
    try:
        confirming.confirm(visit.ctx, token)
    except (confirming.TokenUnknown, confirming.TokenExpired):
        return _page(visit, token, "over")
    return _page(visit, token, "done")


def _page(visit: Visitor, token: str, state: str) -> Response:
    view = {"state": state, "action": f"/c/{token}", "preferences_url": _CHOICES}
    return draw(visit, "subscribe", view, is_public=True)
