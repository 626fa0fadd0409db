"""C5: the answer's package, behind a fresh code and a one-time link."""

from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from privacyops.domain.account.action import Action
from privacyops.domain.identity.mask import masked_email
from privacyops.domain.secret import LinkKind
from privacyops.portal.deps import OwnForm, Proved, Visitor, action
from privacyops.portal.render import Errors, draw, error, go, words
from privacyops.services import limit
from privacyops.services.dsar import answer, identity, own

router = APIRouter()
_DOWNLOAD: Final = "/privacy/download"
_STATUS: Final = "/privacy/status"
_SEALED_OFF: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"


@router.get(_DOWNLOAD, **action(Action.DSAR_DOWNLOAD))
def contents(visit: Proved, sent: str = "") -> Response:
    """What is in the package, and the field for the code."""
    return _page(visit, [], is_sent=bool(sent))


@router.post("/privacy/download/send", **action(Action.DSAR_IDENTITY))
def send_code(visit: Proved, _sent: OwnForm) -> Response:
    """Mail a fresh code to the address of the request."""
    package = own.read_own(visit.ctx, visit.own).package
    if package is not None and package.is_open(visit.ctx.clock.now()):
        identity.resend_code(visit.ctx, visit.own, "download")
    return go(f"{_DOWNLOAD}?sent=1")


@router.post(_DOWNLOAD, **action(Action.DSAR_DOWNLOAD))
def enter_code(visit: Proved, sent: OwnForm) -> Response:
    """The code was typed: onwards to a link that gives the file once."""
    limit.admit(visit.ctx, "code", visit.prefix, 60, timedelta(minutes=10))
    try:
        token = answer.open_download(visit.ctx, visit.own, sent.text("code"))
    except identity.CodeWrong:
        _ = words(visit).gettext
        said = _("This code does not fit, or its time is over. After five wrong codes please ask for a new mail.")
        return _page(visit, [error("code", said)], 422)
    return go(f"{_DOWNLOAD}/{token}")


@router.get("/privacy/download/{token}", **action(Action.DSAR_DOWNLOAD))
def ready(visit: Proved, token: str) -> Response:
    """The button that fetches the file. Opening this page fetches nothing and spends nothing."""
    if not _is_own(visit, token):
        return go(_DOWNLOAD)
    return _page(visit, [], token=token)


@router.post("/privacy/download/{token}", **action(Action.DSAR_DOWNLOAD))
def fetch(visit: Proved, _sent: OwnForm, token: str) -> Response:
    """The file itself, once."""
    if not _is_own(visit, token):
        answer.refuse_download(visit.ctx, visit.own)
        _ = words(visit).gettext
        return _page(visit, [error(None, _("This link has been used. Please ask for a new code."))], 410)
    file = answer.download(visit.ctx, token)
    headers = {
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Content-Length": str(file.size),
        "Content-Security-Policy": _SEALED_OFF,
    }
    return StreamingResponse(file.content, media_type="application/zip", headers=headers)


def _is_own(visit: Visitor, token: str) -> bool:
    found = identity.request_behind(visit.ctx, token, LinkKind.DOWNLOAD)
    return found is not None and found == visit.dsar_id


def _page(
    visit: Visitor, errors: Errors, status: int = 200, token: str | None = None, *, is_sent: bool = False
) -> Response:
    request = own.read_own(visit.ctx, visit.own)
    package = request.package
    if package is None:
        return go(_STATUS)
    view: dict[str, Any] = {
        "reference": request.dsar.reference,
        "state": _state(visit, package, token),
        "status_url": _STATUS,
        "contents": [
            {"system": system, "parts": [{"label": label, "count": count} for _, label, count in parts]}
            for system, parts in groupby(package.contents, key=itemgetter(0))
        ],
        "size": package.size,
        "expires_at": package.expires_at,
        "downloads_left": package.downloads_left,
        "sha256": package.sha256,
        "action": f"{_DOWNLOAD}/{token}" if token else _DOWNLOAD,
        "again_url": "/privacy",
        "send_url": f"{_DOWNLOAD}/send",
        "masked_address": masked_email(request.contact or ""),
        "ready_at": None,
        "is_sent": is_sent,
        "errors": errors,
    }
    return draw(visit, "download", view, status)


def _state(visit: Visitor, package: own.OwnPackage, token: str | None) -> str:
    if package.is_open(visit.ctx.clock.now()):
        return "ready" if token else "need_code"
    return "preparing" if package.state in {"building", "ready"} else "expired"
