"""The script of the element that shops put into their own pages. It holds nothing secret: any page may load it."""

from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.portal.deps import action

router = APIRouter()
_HEADERS: Final = {
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.get("/widget/v1/privacy.js", **action(Action.CONSENT_WRITE))
def script() -> Response:
    """One ES module without dependencies."""
    return Response(_module(), media_type="text/javascript", headers=_HEADERS)


@cache
def _module() -> bytes:
    return (files("privacyops.portal") / "widget" / "privacy.js").read_bytes()
