"""C6 and C7: own choices behind a proved mailbox, and the link in mails that stops with one click."""

from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.domain.identity.mask import masked_email
from privacyops.portal import texts
from privacyops.portal.deps import LARGEST_FORM, Anyone, OwnForm, Proved, Visitor, action, limited_body
from privacyops.portal.render import draw, go, words
from privacyops.ports.pages import Words
from privacyops.services.consent import preferences

router = APIRouter()
_CHOICES: Final = "/privacy/preferences"
_STOP: Final = "/privacy?type=objection_direct_marketing"


@router.get(_CHOICES, **action(Action.DSAR_STATUS))
def choices(visit: Anyone, saved: str = "") -> Response:
    """The choices of the address that the cookie has proved.

    A browser without that cookie may stop everything, which needs no proof.
    """
    return go(_STOP) if visit.dsar_id is None else _page(visit, is_saved=bool(saved))


@router.post(_CHOICES, **action(Action.CONSENT_WRITE))
def save(visit: Proved, sent: OwnForm) -> Response:
    """Save what was ticked; reject and accept tick nothing and everything."""
    offers = preferences.read_own(visit.ctx, visit.own, visit.language).offers
    every = {f"{one.purpose}:{one.channel}" for one in offers}
    wanted = {"reject": set[str](), "accept": every}.get(sent.text("choice"), every & set(sent.every("grant")))
    granted = frozenset((purpose, channel) for purpose, _, channel in (one.partition(":") for one in wanted))
    preferences.save_own(visit.ctx, visit.own, visit.language, granted)
    return go(f"{_CHOICES}?saved=1")


@router.get("/u/{token}", **action(Action.CONSENT_WRITE))
def show_unsubscribe(visit: Anyone, token: str) -> Response:
    """One button; opening the page changes nothing, since mail scanners follow links."""
    return _unsubscribe(visit, token, is_done=False)


async def _any_body(request: Request) -> None:
    """Read what a mail program or the button sends, whatever its type, and let it go: the link alone decides."""
    await limited_body(request, LARGEST_FORM)


@router.post("/u/{token}", dependencies=[Depends(_any_body)], **action(Action.CONSENT_WRITE))
def unsubscribe(visit: Anyone, token: str) -> Response:
    """Done at once, without cookie, token or question (RFC 8058). An unknown link gets the same page."""
    preferences.unsubscribe(visit.ctx, token)
    return _unsubscribe(visit, token, is_done=True)


def _unsubscribe(visit: Visitor, token: str, *, is_done: bool) -> Response:
    view = {"kind": "unsubscribe", "done": is_done, "action": f"/u/{token}", "preferences_url": _CHOICES}
    return draw(visit, "unsubscribe", view, is_public=True)


def _page(visit: Visitor, *, is_saved: bool) -> Response:
    said = words(visit)
    known = preferences.read_own(visit.ctx, visit.own, visit.language)
    view = {
        "action": _CHOICES,
        "masked_address": masked_email(known.contact),
        "purposes": [*_offers(known, said), *(_locked(one, said) for one in known.locked)],
        "signal": False,
        "saved": {"text": said.gettext("Your choices are saved.")} if is_saved else None,
        "errors": [],
        "history": [{"at": one.at, "text": texts.past_choice(one, said)} for one in known.past],
        "status_url": "/privacy/status",
    }
    return draw(visit, "preferences", view)


def _offers(known: preferences.Preferences, said: Words) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in known.offers:
        purpose = found.setdefault(
            one.purpose,
            {
                "id": one.purpose,
                "label": one.title,
                "why": None,
                "if_yes": said.gettext("we may use the ways you choose for this."),
                "if_no": said.gettext("we do not; your orders are not affected."),
                "locked": None,
                "partners": list(one.recipients),
                "channels": [],
                "granted": False,
            },
        )
        label = said.gettext(texts.CHANNELS.get(one.channel, one.channel))
        purpose["channels"].append({"id": one.channel, "label": label, "granted": one.is_granted})
    return list(found.values())


def _locked(one: preferences.Locked, said: Words) -> dict[str, Any]:
    why = said.gettext(texts.LOCKED.get(one.basis, texts.NEEDED))
    return {
        "id": one.purpose, "label": one.title, "why": None, "if_yes": "", "if_no": "", "locked": why, "partners": [],
        "channels": [], "granted": True,
    }  # fmt: skip
