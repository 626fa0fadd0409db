"""One step that needs words, as a page of its own; and a step that a second click finds taken."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from fastapi import Response

from privacyops.console import shape
from privacyops.console.deps import Visit
from privacyops.console.pages.request import face_of
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.letter import Letter
from privacyops.kernel.errors import Conflict, Problem
from privacyops.kernel.ids import DsarId
from privacyops.services.dsar import listing
from privacyops.services.dsar.opening import OpenedRequest


def once(
    desk: Visit, reference: str, flash: str, step: Callable[[Any, DsarId], Dsar], reached: Collection[DsarState]
) -> Response:
    """Take a step. Where it is refused because the request is there already, that is what was wanted."""
    dsar = listing.by_reference(desk.context, reference)
    try:
        step(desk.context, dsar.id)
    except Conflict:
        if listing.by_reference(desk.context, reference).state not in reached:
            raise
    return desk.go(shape.url_of(dsar), flash)


def field_(kind: str, name: str, label: str, hint: str | None = None, *, optional: bool = False) -> dict[str, Any]:
    """A field of the page `act`."""
    return {"kind": kind, "name": name, "label": label, "hint": hint, "options": [], "optional": optional}


def below_heading(letter: Letter) -> str:
    """The letter's words without their first block, its subject as a heading: the page shows that above them."""
    return letter.text.partition("\n\n")[2]


def blank_act(title: str, back: str, url: str, crumbs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The page `act` about something else than a request; the caller fills in what it asks."""
    trail: list[dict[str, str | None]] = [{"label": label, "url": to} for label, to in crumbs]
    return {
        "title": title, "back": back, "action": url, "others": [], "crumbs": [*trail, {"label": title, "url": None}],
        "notices": [], "facts_title": "", "facts": [], "list_title": "", "list": [], "lists": [], "files": [],
        "hidden": {}, "why_not": None, "watch": None,
        "quote": "", "quote_title": "", "values": {}, "errors": [],
    }  # fmt: skip


def act_page(
    desk: Visit, opened: OpenedRequest, title: str, refusal: Problem | None, field: str | None, **view: Any
) -> Response:
    """One question about one request; a refused form comes back filled."""
    url = face_of(desk, opened).url
    errors = [] if refusal is None else [{"field": field, "text": (refusal.detail or refusal.title).capitalize()}]
    drawn = {
        "title": f"{title}, {opened.dsar.reference}", "back": url, "action": desk.request.url.path, "others": [],
        "crumbs": [{"label": "Requests", "url": shape.REQUESTS}, {"label": opened.dsar.reference, "url": url},
                   {"label": title, "url": None}],
        "notices": [], "facts_title": "", "facts": [], "list_title": "", "list": [], "lists": [], "files": [],
        "hidden": {}, "why_not": None, "watch": None,
        "quote": "", "quote_title": "", "values": desk.form.values("code"), "errors": errors, **view,
    }  # fmt: skip
    return desk.page("act", drawn, "requests", 200 if refusal is None else refusal.status)
