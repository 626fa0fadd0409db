"""C1: the request form; and what follows a request that needs no code."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.kind import TYPE_RULES, Channel, RequestClass, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.identity.email import normal_email
from privacyops.domain.identity.mask import masked_email
from privacyops.domain.secret import LinkKind
from privacyops.portal import texts
from privacyops.portal.cookie import PortalCookie, set_cookie
from privacyops.portal.deps import Anyone, Form, PublicForm, Visitor, action
from privacyops.portal.render import Errors, draw, error, go, words
from privacyops.services import form as forms
from privacyops.services.dsar import intake

router = APIRouter()
TRAP: Final = "website"
_MAX_DETAILS: Final = 10_000
_MAX_ORDER: Final = 64
_LONGEST_ADDRESS: Final = 254


@router.get("/", **action(Action.DSAR_INTAKE))
def arrive(visit: Anyone) -> Response:
    """Whoever types the bare address is a customer; the team knows its way to /console."""
    return go("/privacy")


@router.get("/privacy", **action(Action.DSAR_INTAKE))
def start(visit: Anyone, type: str = "") -> Response:  # noqa: A002 - the word in the address
    """The empty form; a link may choose the right."""
    return _form(visit, {"type": type}, [])


@router.post("/privacy", **action(Action.DSAR_INTAKE))
def send(visit: Anyone, sent: PublicForm) -> Response:
    """Take a request in. The answer is the same for every address."""
    errors = _errors(visit, sent)
    if errors:
        return _form(visit, _typed(sent), errors, sent.text("stamp"), 422)
    type_ = RequestType(sent.text("type"))
    address = sent.text("email").strip()
    receipt = intake.submit(
        visit.ctx,
        intake.Submission(
            type=type_,
            requester=Requester(email=address, order_number=sent.text("order"), message=sent.text("details")),
            channel=Channel.FORM,
            language=visit.language,
            prefix=visit.prefix,
        ),
    )
    is_done = TYPE_RULES[type_].kind is RequestClass.STOP
    response = go("/privacy/done" if is_done else "/privacy/check")
    if receipt.waiting is not None:
        masked = masked_email(normal_email(address) or "")
        waiting = PortalCookie(LinkKind.WAITING, receipt.waiting, masked, visit.ctx.clock.now())
        set_cookie(response, waiting, is_https=visit.door.is_https)
    return response


@router.get("/privacy/done", **action(Action.DSAR_INTAKE))
def done(visit: Anyone) -> Response:
    """What a request that takes effect at once is answered with."""
    masked = visit.cookie.masked if visit.cookie else ""
    if not masked:
        return go("/privacy")
    return draw(visit, "done", {"masked_address": masked, "start_url": "/privacy"})


def _errors(visit: Visitor, sent: Form) -> Errors:
    _ = words(visit).gettext
    found: Errors = []
    if sent.text("type") not in {str(type_) for type_ in texts.offered(visit.ctx.controller.country)}:
        found.append(error("type", _("Choose what you would like us to do")))
    if len(sent.text("email")) > _LONGEST_ADDRESS or normal_email(sent.text("email")) is None:
        found.append(error("email", _("Enter an e-mail address such as name@example.com")))
    if len(sent.text("order")) > _MAX_ORDER:
        found.append(error("order", _("An order number has at most 64 characters")))
    if len(sent.text("details")) > _MAX_DETAILS:
        found.append(error("details", _("Please write at most 10,000 characters")))
    if found:
        return found
    open_for = forms.fill_time(visit.ctx, sent.text("stamp"))
    if sent.text(TRAP) or open_for is None or open_for < forms.LEAST_FILL:
        # Nobody is told what gave a script away; a person who is as fast as one, or whose browser filled the
        # hidden field, presses once more.
        found.append(error(None, _("That did not work. Nothing is lost: please press “Send request” once more.")))
    return found


def _typed(sent: Form) -> dict[str, str]:
    return {name: sent.text(name) for name in ("type", "email", "order", "details")}


def _form(visit: Visitor, values: dict[str, str], errors: Errors, stamp: str = "", status: int = 200) -> Response:
    said = words(visit)
    controller = visit.ctx.controller
    if not stamp or forms.fill_time(visit.ctx, stamp) is None:
        stamp = forms.fill_stamp(visit.ctx)
    rights = [
        {
            "value": str(type_),
            "label": said.gettext(texts.RIGHTS[type_][0]),
            "hint": said.gettext(texts.RIGHTS[type_][1]),
        }
        for type_ in texts.offered(controller.country)
    ]
    view = {
        "action": "/privacy",
        "rights": rights,
        "takes": texts.takes(controller.country, said),
        "values": values,
        "errors": errors,
        "stamp": stamp,
        "trap": TRAP,
        "preferences_url": "/privacy/preferences",
        "return_url": "/privacy/return",
    }
    return draw(visit, "start", view, status, is_public=True)
