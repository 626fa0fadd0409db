"""P3b: each text with what is suggested about other people. A person takes out, leaves in, marks by hand, takes back.

Everything is a form, so that it works without a script; each answer leads back to the same text.
"""

from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.request import PAGE, face_of
from privacyops.console.pages.third_party_view import page_view
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.errors import NotFound, Problem, Unprocessable
from privacyops.kernel.ids import FindingId
from privacyops.services import account
from privacyops.services.dsar import listing, opening, third_parties
from privacyops.services.dsar.third_parties import OpenedTexts, Spot, WordsNotInText

router: Final = APIRouter()
TEXTS: Final = f"{PAGE}/texts"
_TEXTS: Final = 10
_FLASH: Final = {Decision.ACCEPTED: "passage_out", Decision.REFUSED: "passage_in"}


@router.get(TEXTS, **action(Action.DSAR_OPEN))
def show(desk: Desk, reference: str) -> Response:
    """The texts of the request: those that wait, all, or one by its finding and number. Opening them is recorded."""
    return _draw(desk, reference)


@router.post(f"{TEXTS}/decide", **action(Action.DSAR_REDACT))
def decide(desk: Desk, reference: str) -> Response:
    """Take one passage out, or leave it in."""
    dsar, form = listing.by_reference(desk.context, reference), desk.form
    decision = _decision(form.get("decision"))
    third_parties.decide(desk.context, dsar.id, _uuid(form.get("passage")), decision, Decision.OPEN)
    return _back(desk, dsar, _FLASH[decision])


@router.post(f"{TEXTS}/undo", **action(Action.DSAR_REDACT))
def undo(desk: Desk, reference: str) -> Response:
    """Take a decision back. Of what was marked by hand nothing is left, which a second click finds."""
    dsar = listing.by_reference(desk.context, reference)
    with suppress(NotFound):
        third_parties.decide(desk.context, dsar.id, _uuid(desk.form.get("passage")), Decision.OPEN)
    return _back(desk, dsar, "passage_back")


@router.post(f"{TEXTS}/alike", **action(Action.DSAR_REDACT))
def alike(desk: Desk, reference: str) -> Response:
    """One decision for all that bear this label; without one, all that have the decision `before` are taken back."""
    dsar, form = listing.by_reference(desk.context, reference), desk.form
    said, before = form.get("decision"), form.get("before")
    now, seen = (_decision(said), Decision.OPEN) if said else (Decision.OPEN, _decision(before))
    count = third_parties.decide_alike(desk.context, dsar.id, form.get("label"), now, seen)
    return _back(desk, dsar, "alike" if said else "alike_back", count)


@router.post(f"{TEXTS}/mark", **action(Action.DSAR_REDACT))
def mark(desk: Desk, reference: str) -> Response:
    """Mark by hand: the words as they stand there, or a place."""
    dsar, form = listing.by_reference(desk.context, reference), desk.form
    key = form.get("key")
    spot = Spot(
        FindingId(_uuid(form.get("finding"))), _number(form.get("number")), start=_number(form.get(f"start-{key}")),
        end=_number(form.get(f"end-{key}")), words=form.get(f"words-{key}"),
        everywhere=form.get("everywhere") == "yes",
    )  # fmt: skip
    try:
        made = third_parties.mark(desk.context, dsar.id, spot, form.get(f"kind-{key}"))
    except (Unprocessable, WordsNotInText) as refusal:
        return _draw(desk, reference, refusal, f"words-{key}")
    return _back(desk, dsar, "marked", len(made))


@router.post(f"{TEXTS}/seen", **action(Action.DSAR_REDACT))
def seen(desk: Desk, reference: str) -> Response:
    """A person has read what the machine could not."""
    dsar = listing.by_reference(desk.context, reference)
    third_parties.texts_seen(desk.context, dsar.id, [_uuid(one) for one in desk.form.all("text")])
    return _back(desk, dsar, "text_seen")


@router.post(f"{TEXTS}/unseen", **action(Action.DSAR_REDACT))
def unseen(desk: Desk, reference: str) -> Response:
    """A text that was marked as read was not."""
    dsar = listing.by_reference(desk.context, reference)
    third_parties.text_unseen(desk.context, dsar.id, _uuid(desk.form.get("text")))
    return _back(desk, dsar, "text_unseen")


@router.post(f"{TEXTS}/vouch", **action(Action.DSAR_REDACT))
def vouch(desk: Desk, reference: str) -> Response:
    """A person has read all of them, because the machine cannot."""
    dsar = listing.by_reference(desk.context, reference)
    third_parties.vouch(desk.context, dsar.id)
    return desk.go(shape.url_of(dsar), "text_seen")


@router.post(f"{TEXTS}/read", **action(Action.DSAR_REDACT))
def read(desk: Desk, reference: str) -> Response:
    """Let the machine read once more."""
    dsar = listing.by_reference(desk.context, reference)
    third_parties.read_again(desk.context, dsar.id)
    return desk.go(shape.url_of(dsar), "reading")


def _draw(desk: Visit, reference: str, refusal: Problem | None = None, field: str | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    face, asked = face_of(desk, opened), desk.request.query_params
    found = _found(desk, opened.dsar, asked.get("finding", ""), asked.get("number", ""), asked.get("only") == "open",
                   asked.get("after", ""))  # fmt: skip
    query = urlencode({name: asked[name] for name in ("only", "after", "finding", "number") if name in asked})
    url, only_open = f"{face.url}/texts", asked.get("only") == "open"
    view: dict[str, Any] = {
        "reference": opened.dsar.reference, "url": face.url, "only_open": only_open,
        "is_one": bool(asked.get("finding")), "all_url": url, "open_url": f"{url}?only=open",
        **page_view(found, face.url, query, account.names(desk.context), only_open=only_open,
                    why_not=_why_not(desk, opened.dsar)),
        "page": {"shown": len(found.texts.items), "total": None, "first_url": url if asked.get("after") else None,
                 "next_url": _next(url, found, only_open)},
        "values": {}, "errors": [],
    }  # fmt: skip
    if refusal is not None:
        text = refusal.detail or refusal.title
        view |= {"values": desk.form.values(), "errors": [{"field": field, "text": text[:1].upper() + text[1:]}]}
    return desk.page("third_parties", view, "requests", 200 if refusal is None else refusal.status)


def _why_not(desk: Visit, dsar: Dsar) -> str | None:
    """Why nothing can be decided here; None where it can."""
    if not desk.may(Action.DSAR_REDACT):
        return "Your role reads these texts and decides nothing in them."
    if dsar.state is DsarState.IN_REVIEW:
        return None
    if dsar.is_open:
        return "Passages are decided while the request is in review. After it, the request is sent back first."
    return "The request is closed."


def _found(desk: Visit, dsar: Dsar, finding: str, number: str, only_open: bool, after: str) -> OpenedTexts:
    if finding:
        return third_parties.open_text(desk.context, dsar.id, FindingId(_uuid(finding)), _number(number) or 0)
    return third_parties.open_texts(desk.context, dsar.id, after or None, _TEXTS, only_open=only_open)


def _next(url: str, found: OpenedTexts, only_open: bool) -> str | None:
    if found.texts.next is None:
        return None
    return (
        f"{url}?{urlencode({'only': 'open', 'after': found.texts.next} if only_open else {'after': found.texts.next})}"
    )


def _back(desk: Visit, dsar: Dsar, flash: str, count: int | None = None) -> Response:
    """The same texts again, at the one that was decided on."""
    query, key = desk.request.url.query, desk.form.get("key")
    place = f"#text-{key}" if key.replace("-", "").isalnum() else ""
    return desk.go(f"{shape.url_of(dsar)}/texts{'?' + query if query else ''}{place}", flash, count)


def _decision(text: str) -> Decision:
    if text not in _FLASH:
        raise Unprocessable("choose to take out or to leave in")
    return Decision(text)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
