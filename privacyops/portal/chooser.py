"""Who may see and change choices: a browser that proved the mailbox of a request, or came by a preference link."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from privacyops.domain.secret import LINK_LIFE, LinkKind
from privacyops.portal.cookie import PortalCookie
from privacyops.portal.deps import Anyone, Door, Form, SessionOver, Visitor, own_form
from privacyops.services.consent import preference_link
from privacyops.services.consent.preference_link import ChoicesToken
from privacyops.services.consent.preferences import Own


@dataclass(frozen=True, slots=True)
class Chooser:
    """A visitor and what they have proved; forms are bound to the cookie that proved it."""

    visit: Visitor
    own: Own


def chooser(request: Request, visit: Anyone) -> Chooser | None:
    """The visitor's proof, the preference link's first, since it was followed for this; None: there is none."""
    text = request.cookies.get(_name(visit.door), "")
    token = ChoicesToken(text)
    if text and preference_link.is_open(visit.ctx, token):
        return Chooser(replace(visit, cookie=PortalCookie(LinkKind.PORTAL, text)), token)
    return Chooser(visit, visit.dsar_id) if visit.dsar_id is not None else None


Maybe = Annotated[Chooser | None, Depends(chooser)]


def proved(who: Maybe) -> Chooser:
    """Raises: SessionOver."""
    if who is None:
        raise SessionOver
    return who


Proved = Annotated[Chooser, Depends(proved)]


async def own_choices(request: Request, who: Proved) -> Form:
    """The form of the page that this proof opened. Raises: TooLarge, FormMalformed, FormNotOurs, SessionOver."""
    return await own_form(request, who.visit)


OwnChoices = Annotated[Form, Depends(own_choices)]


def keep(response: Response, token: ChoicesToken, door: Door) -> None:
    """Hand the proof to the browser for half an hour."""
    response.set_cookie(
        _name(door), token.text, max_age=int(LINK_LIFE[LinkKind.CHOICES].total_seconds()), path="/",
        secure=door.is_https, httponly=True, samesite="lax",
    )  # fmt: skip


def _name(door: Door) -> str:
    return "__Host-po_choices" if door.is_https else "po_choices"
