"""The plan of an erasure: what would be done in each store, what stands in its way, and later what became of it."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, action
from privacyops.console.pages.act_page import act_page
from privacyops.console.pages.request import PAGE, face_of
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.errors import Conflict, NotFound
from privacyops.services.dsar import erasure_plan, listing, opening
from privacyops.services.dsar.opening import OpenedRequest

router: Final = APIRouter()
_ACTS: Final = {
    "delete": "delete", "set": "empty the cells that name the person", "unlink": "take the person out of the link",
    "redact_span": "black out the words that name the person", "drop_path": "take the entry out of the document",
    "remove_element": "take the person out of the list", "keep": "keep, without what is not needed",
}  # fmt: skip
_STATES: Final = {
    ErasingState.PLANNING: ("is being planned", "inf"),
    ErasingState.PLANNED: ("planned", "inf"),
    ErasingState.BY_HAND: ("done by a person", "warn"),
    ErasingState.QUEUED: ("approved, waits for its turn", "inf"),
    ErasingState.ERASING: ("is being erased", "inf"),
    ErasingState.VERIFIED: ("erased and read back", "ok"),
    ErasingState.RESIDUAL: ("something is left: see the task", "bad"),
    ErasingState.HANDED_OVER: ("handed over: see the task", "bad"),
}
_STANDING: Final = {
    "settled": "done and read back", "waiting": "the store works on it", "residual": "still there",
    "unknown": "could not be read back", "open": "not done",
}  # fmt: skip
_WHY: Final = {
    "by_default": "", "needed_by_another": "somebody else's record points at it", "pointer": "another's record",
    "in_text": "another's text", "replayed": "restored from a backup",
}  # fmt: skip


@router.get(f"{PAGE}/plan", **action(Action.DSAR_OPEN))
def show(desk: Desk, reference: str) -> Response:
    """The plan of each store in counts, and what became of it."""
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    if opened.dsar.type is not RequestType.ERASURE:
        raise NotFound
    return act_page(
        desk, opened, "Erasure plan", None, None, facts_title="Stores", facts=facts_of(opened),
        list_title="What is done to the records", list=lines_of(opened), notices=_notices(opened),
        question="Plan it again" if opened.erasures else "Plan the erasure", fields=[],
        submit={"label": "Plan the erasure", "tone": "primary"}, why_not=_why_not(opened, desk.may(Action.DSAR_REVIEW)),
        others=[{"label": "Back to the request", "url": face_of(desk, opened).url, "method": "get"}],
    )  # fmt: skip


@router.post(f"{PAGE}/plan", **action(Action.DSAR_REVIEW))
def begin(desk: Desk, reference: str) -> Response:
    """Begin a dry run in every store; nothing is changed there."""
    dsar = listing.by_reference(desk.context, reference)
    try:
        erasure_plan.plan(desk.context, dsar.id)
    except Conflict:
        if listing.by_reference(desk.context, reference).state is DsarState.IN_REVIEW:
            raise
    return desk.go(f"{shape.url_of(dsar)}/plan", "planning")


def facts_of(opened: OpenedRequest) -> list[dict[str, str]]:
    """One line a store: where its erasure stands."""
    return [{"label": _title(opened, one), "value": _STATES[one.state][0]} for one in opened.erasures]


def lines_of(opened: OpenedRequest) -> list[dict[str, Any]]:
    """What is or was done, store by store, in counts; blockers and warnings among them."""
    return [line for one in opened.erasures for line in _lines(_title(opened, one), one)]


def _lines(title: str, one: StoreErasure) -> list[dict[str, Any]]:
    rows: Sequence[dict[str, Any]] = one.report.get("rows") or one.plan.get("rows") or ()
    found: list[dict[str, Any]] = []
    for each in rows:
        note = [words.reason(each["why"]) if str(each.get("why", "")).isupper() else _WHY.get(each.get("why", ""), "")]
        note.append(f"until {each['until']}" if each.get("until") else "")
        note.append(", ".join(each.get("columns", ())))
        standing = each.get("standing")
        tone = None if standing is None else "ok" if standing == "settled" else "bad"
        tag = {"text": words.records(int(each["rows"])), "tone": tone or "inf"}
        note.append(_STANDING[standing] if standing else "")
        found.append({"text": f"{title}: {each['collection']}: {_ACTS[each['op']]}",
                      "note": "; ".join(part for part in note if part), "tag": tag})  # fmt: skip
    found.extend(
        {"text": f"{title}: {each['collection']} {each['column']}".strip(), "note": words.code_text(each["code"]),
         "tag": {"text": "blocked", "tone": "bad"}}
        for each in one.plan.get("blockers", ())
    )  # fmt: skip
    found.extend(
        {"text": f"{title}: {each['from']}", "note": f"{words.records(int(each['rows']))} go with {each['to']}",
         "tag": {"text": "cascade", "tone": "warn"}}
        for each in one.plan.get("cascades", ())
    )  # fmt: skip
    return found


def _notices(opened: OpenedRequest) -> list[dict[str, str]]:
    waiting = sum(int(one.plan.get("waiting", 0)) for one in opened.erasures)
    triggers = [warning for one in opened.erasures for warning in one.plan.get("warnings", ())]
    found = []
    if waiting:
        found.append({
            "tone": "warn", "title": f"{words.records(waiting)} wait for your decision",
            "text": "They were found through a link or a text that nobody confirmed. Decide on them, then plan again.",
        })  # fmt: skip
    if triggers:
        found.append({
            "tone": "warn", "title": "The store runs code of its own when records change",
            "text": "What that code writes is searched for afterwards and erased as well.",
        })  # fmt: skip
    return found


def _why_not(opened: OpenedRequest, may: bool) -> str | None:
    if opened.dsar.state is not DsarState.IN_REVIEW or not may:
        return "A plan is made while the request is in review."
    if any(one.state is ErasingState.PLANNING for one in opened.erasures):
        return "The stores are being looked at; reload the page in a moment."
    return "Some records are undecided." if opened.undecided else None


def _title(opened: OpenedRequest, one: StoreErasure) -> str:
    store = opened.stores.get(one.store)
    return store.title if store else one.store
