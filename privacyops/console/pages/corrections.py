"""What a rectification corrects: the pairs of a wrong and a right value, written before they are planned."""

from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.act_page import act_page, field_
from privacyops.console.pages.request import PAGE, face_of
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.erasure.rectifying import Correction, CorrectionMalformed
from privacyops.kernel.errors import NotFound
from privacyops.services.dsar import corrections, listing, opening
from privacyops.services.dsar.corrections import WrittenPair

router: Final = APIRouter()
CORRECTIONS: Final = f"{PAGE}/corrections"
_NEXT: Final = {
    "tone": "inf", "title": "Write each value that is wrong beside the right one",
    "text": "Then plan the correction: a dry run shows in which columns of how many records the wrong value stands. "
    "Nothing changes before a second person has agreed to that plan. A pair can be taken out again until then.",
}  # fmt: skip


@router.get(CORRECTIONS, **action(Action.DSAR_REVIEW))
def show(desk: Desk, reference: str) -> Response:
    """The pairs that are written, and room for one more. Looking at them is recorded."""
    return _page(desk, reference)


@router.post(f"{CORRECTIONS}/show", **action(Action.DSAR_REVIEW))
def show_values(desk: Desk, reference: str) -> Response:
    """Show masked pairs once, on the next page; that page records it."""
    return desk.go(f"{shape.url_of(listing.by_reference(desk.context, reference))}/corrections", "pairs_shown")


@router.post(CORRECTIONS, **action(Action.DSAR_REVIEW))
def write(desk: Desk, reference: str) -> Response:
    """Take out the ticked pairs and add the new one, where one was written. Sent twice, it is written once."""
    dsar, form = listing.by_reference(desk.context, reference), desk.form
    out = _ids(form.all("out"))
    asked = {name: form.get(name) for name in ("kind", "column", "old", "new")}
    is_new = not out or any(asked[name] for name in ("column", "old", "new"))
    try:
        count = corrections.write(desk.context, dsar.id, WrittenPair(**asked) if is_new else None, out)
    except CorrectionMalformed as refusal:
        return _page(desk, reference, refusal)
    return desk.go(f"{shape.url_of(dsar)}/corrections", "corrections" if count else "corrections_none")


def _page(desk: Visit, reference: str, refusal: CorrectionMalformed | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    if opened.dsar.type is not RequestType.RECTIFICATION:
        raise NotFound
    flash = desk.flash()
    masks = desk.masks and not (flash is not None and flash[0] == "pairs_shown")
    pairs = corrections.open_corrections(desk.context, opened.dsar.id, masks=masks)
    url = face_of(desk, opened).url
    others = [{"label": "Plan the correction…", "url": f"{url}/plan", "method": "get"}] if pairs else []
    if pairs and masks:
        others.append({"label": "Show the values, recorded", "url": f"{url}/corrections/show", "method": "post"})
    open_ = opened.dsar.state is DsarState.IN_REVIEW
    field = str(refusal.members.get("field", "kind")) if refusal is not None else None
    return act_page(
        desk, opened, "What is corrected", refusal, field, list_title="" if open_ else "Pairs",
        list=[] if open_ else [{"text": _told(pair), "note": None, "tag": None} for _, pair in pairs],
        question="Which value is wrong, and what is right?",
        fields=_fields([(name, _told(pair)) for name, pair in pairs]), others=others,
        hidden={}, submit={"label": "Save the pairs" if pairs else "Save this pair", "tone": "primary"},
        notices=[_NEXT] if open_ else [],
        why_not=None if open_ else "Corrections are written while the request is in review.",
    )  # fmt: skip


def _fields(pairs: list[tuple[UUID, str]]) -> list[dict[str, Any]]:
    held = field_("checks", "out", "Written so far", "Tick what is to be taken out again.")
    held["options"] = [{"value": str(name), "label": told, "checked": False} for name, told in pairs]
    kinds = field_("select", "kind", "What is it?")
    kinds["options"] = [{"value": kind, "label": label} for kind, label in words.CORRECTED.items()]
    new = [
        kinds,
        field_("field", "column", "Column", "Only for a named column: street, or addresses.street.", optional=True),
        field_("field", "old", "Wrong", "As it stands in the stores.", optional=bool(pairs)),
        field_("field", "new", "Right", "Kept, sealed, with the request.", optional=bool(pairs)),
    ]
    return [held, *new] if pairs else new


def _told(pair: Correction) -> str:
    kind = words.CORRECTED.get(pair.kind, pair.kind)
    return f"{kind}: {pair.old} → {pair.new}"


def _ids(texts: list[str]) -> set[UUID]:
    found = set()
    for text in texts:
        with suppress(ValueError):
            found.add(UUID(text))
    return found
