"""C4: where a request stands, what was written, and taking it back."""

from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.state import DsarState, is_waiting_for_subject
from privacyops.domain.identity.mask import masked_email
from privacyops.domain.recipient import NoticeState, RecipientNotice
from privacyops.domain.secret import CODE_LIFE, LinkKind
from privacyops.portal import texts
from privacyops.portal.cookie import PortalCookie, set_cookie
from privacyops.portal.deps import Anyone, OwnForm, Proved, Visitor, action
from privacyops.portal.render import Errors, View, draw, error, go, words
from privacyops.ports.pages import Words
from privacyops.services import limit
from privacyops.services.dsar import answer, identity, message, own

router = APIRouter()
_STATUS: Final = "/privacy/status"
_CODE: Final = "/privacy/status/code"
_OVER: Final = frozenset({DsarState.ANSWERED, DsarState.CLOSED})


@router.get(_STATUS, **action(Action.DSAR_STATUS))
def status(visit: Anyone) -> Response:
    """The request behind the cookie; without one the way back to it."""
    if visit.dsar_id is None:
        return go("/privacy/check" if visit.waits_for else "/privacy/return")
    return _page(visit, own.read_own(visit.ctx, visit.own))


@router.post("/privacy/status/message", **action(Action.DSAR_MESSAGE))
def write(visit: Proved, sent: OwnForm) -> Response:
    """Write to the team."""
    text = sent.text("message")
    _ = words(visit).gettext
    try:
        message.write(visit.ctx, visit.own, text)
    except message.MessageEmpty:
        said = _("Write your message first")
    except message.MessageTooLong:
        said = _("Please write at most 10,000 characters")
    else:
        return go(f"{_STATUS}#messages")
    request = own.read_own(visit.ctx, visit.own)
    return _page(visit, request, {"message": text}, [error("message", said)], 422)


@router.post("/privacy/status/withdraw", **action(Action.DSAR_WITHDRAW))
def withdraw(visit: Proved, _sent: OwnForm) -> Response:
    """Take the request back; a second click finds it taken back."""
    request = own.read_own(visit.ctx, visit.own)
    if request.dsar.state is not DsarState.CLOSED:
        answer.withdraw(visit.ctx, visit.own)
    return go(_STATUS)


@router.get(_CODE, **action(Action.DSAR_IDENTITY))
def wait(visit: Proved) -> Response:
    """The request asks for proof once more: the field for the code that was mailed with the question."""
    return _code_page(visit, [])


@router.post(_CODE, **action(Action.DSAR_IDENTITY))
def enter_code(visit: Proved, sent: OwnForm) -> Response:
    """That code was typed."""
    limit.admit(visit.ctx, "code", visit.prefix, 60, timedelta(minutes=10))
    try:
        opened = identity.prove_by_code(visit.ctx, visit.own, sent.text("code"))
    except identity.CodeWrong:
        _ = words(visit).gettext
        said = _("This code does not fit, or its time is over. After five wrong codes please ask for a new mail.")
        return _code_page(visit, [error("code", said)], 422)
    response = go(_STATUS)
    set_cookie(response, PortalCookie(LinkKind.PORTAL, opened.portal), is_https=visit.door.is_https)
    return response


@router.post(f"{_CODE}/resend", **action(Action.DSAR_IDENTITY))
def resend(visit: Proved, _sent: OwnForm) -> Response:
    """Mail that code anew. Raises: RateLimited."""
    identity.resend_code(visit.ctx, visit.own)
    return go(_CODE)


def _code_page(visit: Visitor, errors: Errors, status: int = 200) -> Response:
    request = own.read_own(visit.ctx, visit.own)
    if request.dsar.state is not DsarState.AWAITING_IDENTITY:
        return go(_STATUS)
    view = {
        "masked_address": masked_email(request.contact or ""),
        "action": _CODE,
        "minutes": int(CODE_LIFE.total_seconds() // 60),
        "errors": errors,
        "resend_url": f"{_CODE}/resend",
        "resend_at": None,
        "start_url": "/privacy",
    }
    return draw(visit, "check_mail", view, status)


def _page(
    visit: Visitor, request: own.OwnRequest, values: dict[str, str] | None = None, errors: Errors | None = None,
    code: int = 200,
) -> Response:  # fmt: skip
    return draw(visit, "status", _view(visit, request, values or {}, errors or []), code)


def _view(visit: Visitor, request: own.OwnRequest, values: dict[str, str], errors: Errors) -> View:
    said = words(visit)
    _ = said.gettext
    dsar, controller = request.dsar, visit.ctx.controller
    may_write = request.contact is not None
    is_over = dsar.state in _OVER
    return {
        "reference": dsar.reference,
        "type": texts.right(dsar.type, said),
        "steps": _steps(request, said),
        "now": _now(request, said),
        "clock": None if is_over else _clock(request, said),
        "paused": _paused(request, said),
        "primary": _primary(visit, request, said),
        "reply": {
            "url": "/privacy/status/message",
            "label": _("Write to us"),
            "hint": _("We answer here, and a mail tells you so."),
        }
        if may_write
        else None,
        "withdraw_url": "/privacy/status/withdraw" if request.can_withdraw else None,
        "messages": [
            {
                "from": controller.name if one.is_from_team else _("You"),
                "at": one.at,
                "text": _("(deleted)") if one.text is None else one.text,
                "outgoing": one.is_from_team,
            }
            for one in request.messages
        ],
        "outcomes": [_outcome(one, said) for one in request.outcomes],
        "recipients": [_recipient(one, said) for one in request.recipients],
        "object_url": "#f-message" if is_over and may_write and dsar.answered_at else None,
        "authority": {"name": controller.authority_name or "", "url": controller.authority_url or ""},
        "leave_url": "/privacy/leave",
        "preferences_url": "/privacy/preferences" if may_write else None,
        "values": values,
        "errors": errors,
    }


def _recipient(one: RecipientNotice, said: Words) -> dict[str, str]:
    word, tone = texts.NOT_TOLD if one.state is NoticeState.EXCUSED else texts.TO_TELL
    if one.was_told:
        word, tone = texts.TOLD
    return {"name": one.name, "text": said.gettext(word), "tone": tone}


def _steps(request: own.OwnRequest, said: Words) -> list[dict[str, Any]]:
    present = texts.STEP_OF[request.dsar.state]
    known = {0: request.dsar.received_at, 4: request.dsar.answered_at}
    if request.dsar.state is DsarState.CLOSED and request.dsar.answered_at is None:
        known[4] = request.dsar.closed_at
    return [
        {
            "label": said.gettext(label),
            "state": "past" if place < present else "now" if place == present else "next",
            "note": None,
            "at": known.get(place) if place < present else None,
        }
        for place, label in enumerate(texts.STEPS)
    ]


def _now(request: own.OwnRequest, said: Words) -> str:
    _ = said.gettext
    dsar = request.dsar
    if dsar.state is DsarState.CLOSED and dsar.outcome is not None and dsar.outcome in texts.ENDED:
        return _(texts.ENDED[dsar.outcome])
    told = _(texts.NOW[dsar.state])
    done, every = request.systems
    if dsar.state is DsarState.SEARCHING and every:
        told += " " + said.ngettext(
            "%(done)s of %(num)s system is done.", "%(done)s of %(num)s systems are done.", every
        ) % {"done": done, "num": every}
    return told


def _clock(request: own.OwnRequest, said: Words) -> dict[str, Any]:
    dsar = request.dsar
    return {
        "state": "paused" if dsar.paused_since else "running",
        "due": dsar.due_on,
        "safe_due": dsar.safe_due_on,
        "paused_since": dsar.paused_since,
        "kept_days": request.clock.paused_days,
        "rule": texts.rule(dsar.regime, said, is_extended=bool(request.clock.extension_valid)),
    }


def _paused(request: own.OwnRequest, said: Words) -> dict[str, Any] | None:
    """What is waited for; whether the clock stands still meanwhile is the law's decision and shown with the date."""
    _ = said.gettext
    dsar = request.dsar
    if not is_waiting_for_subject(dsar.state):
        return None
    act = {"label": _("Answer"), "url": "#f-message"}
    if dsar.state is DsarState.AWAITING_IDENTITY:
        act = {"label": _("Enter code"), "url": "/privacy/status/code"}
    since = dsar.paused_since or dsar.received_at
    return {"since": since, "why": _(texts.WAITS[dsar.state]), "action": act}


def _primary(visit: Visitor, request: own.OwnRequest, said: Words) -> dict[str, str] | None:
    package = request.package
    if package is not None and package.is_open(visit.ctx.clock.now()):
        return {"label": said.gettext("Download my data"), "url": "/privacy/download"}
    return None


def _outcome(one: own.SystemOutcome, said: Words) -> dict[str, str]:
    word, tone = texts.ANSWERS[one.answer]
    reasons = []
    if one.given:
        reasons.append(said.ngettext("%(num)s record given", "%(num)s records given", one.given) % {"num": one.given})
    if one.left_out:
        left = said.ngettext("%(num)s record left out", "%(num)s records left out", one.left_out)
        reasons.append(left % {"num": one.left_out})
    if one.answer is own.SystemAnswer.OUTSTANDING:
        reasons.append(said.gettext("We go on asking it and tell you what comes."))
    return {"system": one.title, "outcome": said.gettext(word), "tone": tone, "reason": ", ".join(reasons)}
