"""Every notice version that was ever published, readable for ever: as a page, and as the bytes that were hashed."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from privacyops.domain.account.action import Action
from privacyops.domain.notice import Part
from privacyops.kernel.errors import NotFound
from privacyops.portal import texts
from privacyops.portal.deps import Anyone, action
from privacyops.portal.render import draw, words
from privacyops.services import drafting

router = APIRouter()
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept"}
_Id = Annotated[str, Path(max_length=63)]
_Locale = Annotated[str, Path(max_length=35)]


@router.get("/notices/{id}/{version}/{locale}", **action(Action.NOTICE_SEE))
def show(request: Request, visit: Anyone, id: _Id, version: int, locale: _Locale) -> Response:  # noqa: A002 - the path's word
    """The words that people were shown. `Accept: application/json` gets the bytes whose SHA-256 a receipt names."""
    found = drafting.published_notices(visit.ctx).notices.get((id, version))
    if found is None or locale not in found.notice.texts:
        raise NotFound
    notice = found.notice
    if _wants_json(request):
        headers = {**_FOR_EVER, "Content-Language": locale}
        return Response(notice.canonical_text(locale), media_type="application/json", headers=headers)
    said = words(visit)
    latest = max(number for known, number in drafting.published_notices(visit.ctx).notices if known == id)
    view = {
        "version": version,
        "locale": locale,
        "published_at": found.published_at,
        "parts": [
            {"heading": said.gettext(texts.PARTS[part]), "paragraphs": notice.texts[locale][part].split("\n\n")}
            for part in Part
        ],
        "sha256": notice.digest(locale),
        "others": [
            {"locale": other, "url": f"/notices/{id}/{version}/{other}"}
            for other in sorted(notice.texts)
            if other != locale
        ],
        "newer_url": f"/notices/{id}/{latest}/{locale}" if latest != version else None,
    }
    page = draw(visit, "notice", view, is_public=True)
    page.headers["Vary"] += ", Accept"
    return page


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted
