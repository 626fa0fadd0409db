"""Drawing a page of the customers' door: the frame around every view."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import HTMLResponse, RedirectResponse

from privacyops.portal.deps import LANGUAGE_COOKIE, NO_COOKIE, Visitor, offered_languages
from privacyops.ports.pages import Scene, Words
from privacyops.services import form

View = Mapping[str, Any]
Errors = list[dict[str, str | None]]


def words(visit: Visitor) -> Words:
    """The texts in the visitor's language."""
    return visit.door.pages.words(visit.language)


def draw(visit: Visitor, template: str, view: View, status: int = 200, *, is_public: bool = False) -> HTMLResponse:
    """One whole page. The forms of a public page stay good when the browser gets its cookie meanwhile."""
    controller = visit.ctx.controller
    scene = Scene(visit.ctx.clock.now(), visit.language, controller.zone)
    shell = {
        "theme": "auto",
        "csrf": form.form_token(visit.ctx, NO_COOKIE if is_public else visit.secret),
        "correlation_id": visit.request_id[-12:],
        "organisation": controller.name,
        "languages": [
            {"tag": tag, "url": f"?lang={tag}", "current": tag == visit.language}
            for tag in offered_languages(visit.door)
        ],
        "policy_url": visit.door.policy_url,
        "contact": controller.dpo_contact or controller.contact_email,
        "demo": {"inbox_url": "/demo/inbox", "console_url": "/console"} if controller.is_demo else None,
    }
    body = visit.door.pages.render(f"portal/{template}.html", scene, shell=shell, view=view)
    response = HTMLResponse(body, status)
    response.headers["Content-Language"] = visit.language
    response.headers["Vary"] = "Accept-Language, Cookie"
    _remember_language(visit, response)
    return response


def go(path: str) -> RedirectResponse:
    """Onwards after a form was taken, so that reloading sends nothing twice."""
    return RedirectResponse(path, 303)


def _remember_language(visit: Visitor, response: HTMLResponse) -> None:
    """Keep a language that was chosen for this browser session, so that the switch holds over the next pages."""
    if visit.chose_language:
        response.set_cookie(
            LANGUAGE_COOKIE, visit.language, path="/", secure=visit.door.is_https, httponly=True, samesite="lax"
        )


def error(field: str | None, text: str) -> dict[str, str | None]:
    """One line of a form's error summary; without a field it stands for the whole form."""
    return {"field": field, "text": text}
