"""C6 and C7: own choices behind a proved mailbox, and the link in mails that stops with one click."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.domain.identity.mask import masked_email
from privacyops.portal import texts
from privacyops.portal.chooser import Chooser, Maybe, OwnChoices, Proved
from privacyops.portal.deps import LARGEST_FORM, Anyone, Visitor, action, limited_body
from privacyops.portal.render import draw, go, words
from privacyops.ports.pages import Words
from privacyops.services import receipt as receipts
from privacyops.services.consent import preferences, unsubscribing
from privacyops.services.receipt import ReceiptForm

router = APIRouter()
_CHOICES: Final = "/privacy/preferences"
_LINK: Final = f"{_CHOICES}/link"


@router.get(_CHOICES, **action(Action.CONSENT_WRITE))
def choices(who: Maybe, request: Request, saved: str = "") -> Response:
    """The choices of the address that the browser has proved; without a proof, how to get one.

    The browser's opt-out signal is taken for that address the first time it comes, and shown as honoured since.
    """
    if who is None:
        return go(_LINK)
    preferences.receive_signal(who.visit.ctx, who.own, who.visit.language, request.headers.getlist("sec-gpc"))
    return _page(who, saved)


@router.post(_CHOICES, **action(Action.CONSENT_WRITE))
def save(who: Proved, sent: OwnChoices) -> Response:
    """Save what was ticked; reject and accept tick nothing and everything, and stop stops everything at once."""
    ctx, language, pressed = who.visit.ctx, who.visit.language, sent.text("choice")
    if pressed == "stop":
        preferences.stop_own(ctx, who.own, language)
        return go(f"{_CHOICES}?saved=stopped")
    offers = preferences.read_own(ctx, who.own, language).offers
    every = {f"{one.purpose}:{one.channel}" for one in offers}
    wanted = {"reject": set[str](), "accept": every}.get(pressed, every & set(sent.every("grant")))
    granted = frozenset((purpose, channel) for purpose, _, channel in (one.partition(":") for one in wanted))
    preferences.save_own(ctx, who.own, language, granted, rejects=pressed == "reject")
    return go(f"{_CHOICES}?saved=1")


@router.get(f"{_CHOICES}/receipt/{{event_id}}", **action(Action.CONSENT_WRITE))
def receipt(who: Proved, event_id: UUID) -> Response:
    """What was agreed to, when, and how to prove it: of the visitor's own choices and of no other."""
    visit = who.visit
    held = preferences.own_receipt(visit.ctx, who.own, event_id)
    found = receipts.render(visit.ctx, held, ReceiptForm.PAGE, visit.language)
    headers = {"Content-Security-Policy": found.policy} if found.policy else {}
    return Response(found.body, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/u/{token}", **action(Action.CONSENT_WRITE))
def show_unsubscribe(visit: Anyone, token: str) -> Response:
    """One button; opening the page changes nothing, since mail scanners follow links."""
    return _unsubscribe(visit, token, is_done=False)


async def any_body(request: Request) -> None:
    """Read what a mail program or the button sends, whatever its type, and let it go: the link alone decides."""
    await limited_body(request, LARGEST_FORM)


@router.post("/u/{token}", dependencies=[Depends(any_body)], **action(Action.CONSENT_WRITE))
def unsubscribe(visit: Anyone, token: str) -> Response:
    """Done at once, without cookie, token or question (RFC 8058). An unknown link gets the same page."""
    unsubscribing.unsubscribe(visit.ctx, token)
    return _unsubscribe(visit, token, is_done=True)


def _unsubscribe(visit: Visitor, token: str, *, is_done: bool) -> Response:
    view = {"done": is_done, "action": f"/u/{token}", "preferences_url": _CHOICES}
    return draw(visit, "unsubscribe", view, is_public=True)


def _page(who: Chooser, saved: str) -> Response:
    visit = who.visit
    said = words(visit)
    known = preferences.read_own(visit.ctx, who.own, visit.language)
    told = {"1": said.gettext("Your choices are saved."), "stopped": said.gettext("Everything is stopped.")}.get(saved)
    view = {
        "action": _CHOICES,
        "masked_address": masked_email(known.contact),
        "purposes": [*_offers(known, said), *(_locked(one, said) for one in known.locked)],
        "signal": known.signal,
        "saved": {"text": told} if told else None,
        "errors": [],
        "history": [
            {
                "at": one.at,
                "text": texts.past_choice(one, said),
                "receipt_url": f"{_CHOICES}/receipt/{one.event_id}" if one.title is not None else None,
            }
            for one in known.past
        ],
        "status_url": "/privacy/status" if visit.dsar_id is not None else None,
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
                **(_given_up(said) if one.is_retired else _open(said)),
                "locked": None,
                "partners": list(one.recipients),
                "channels": [],
                "granted": False,
            },
        )
        label = said.gettext(texts.CHANNELS.get(one.channel, one.channel))
        purpose["channels"].append(
            {"id": one.channel, "label": label, "granted": one.is_granted, "pending": one.is_pending}
        )
    return list(found.values())


def _open(said: Words) -> dict[str, str | None]:
    return {
        "why": None,
        "if_yes": said.gettext("we may use the ways you choose for this."),
        "if_no": said.gettext("we do not; your orders are not affected."),
    }


def _given_up(said: Words) -> dict[str, str | None]:
    return {
        "why": said.gettext("We do not do this any more. You can take your yes back."),
        "if_yes": said.gettext("it may count again if we take this up again."),
        "if_no": said.gettext("your yes is taken back."),
    }


def _locked(one: preferences.Locked, said: Words) -> dict[str, Any]:
    why = said.gettext(texts.LOCKED.get(one.basis, texts.NEEDED))
    return {
        "id": one.purpose, "label": one.title, "why": None, "if_yes": "", "if_no": "", "locked": why, "partners": [],
        "channels": [], "granted": True,
    }  # fmt: skip
