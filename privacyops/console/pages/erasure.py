"""The plan of an erasure or a correction: what would be done in each store, what stands in its way, and later what
became of it.
"""

from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.act_page import act_page
from privacyops.console.pages.plan_view import lists_of, summary_of, title_of
from privacyops.console.pages.request import PAGE, face_of
from privacyops.console.pages.request_steps import deed_of
from privacyops.console.pages.watching import watch_of
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.errors import Conflict, NotFound
from privacyops.services.dsar import erasure_plan, erasure_state, giving_up, listing, opening
from privacyops.services.dsar.opening import OpenedRequest

router: Final = APIRouter()
_HAND_OVER: Final = f"{PAGE}/plan/{{store}}/hand-over"


@router.get(f"{PAGE}/plan", **action(Action.DSAR_OPEN))
def show(desk: Desk, reference: str) -> Response:
    """The plan of each store in counts, and what became of it."""
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    if not (opened.goes_by_plan or opened.erasures):
        raise NotFound
    deed = deed_of(opened)
    others = [{"label": "Back to the request", "url": face_of(desk, opened).url, "method": "get"}]
    if opened.corrections and opened.dsar.state is DsarState.IN_REVIEW and desk.may(Action.DSAR_REVIEW):
        url = f"{face_of(desk, opened).url}/corrections"
        others.append({"label": "Change what is corrected…", "url": url, "method": "get"})
    if desk.may(Action.TASK_ANSWER) and opened.dsar.is_open:
        others += [
            {"label": f"Stop waiting for {title_of(opened, one)}…", "url": f"{_hand_over_url(desk, opened, one)}",
             "method": "get"}
            for one in opened.erasures if one.poll_at is not None
        ]  # fmt: skip
    return act_page(
        desk, opened, f"{deed.capitalize()} plan", None, None, notices=plan_notices(opened), lists=lists_of(opened),
        facts_title="All stores together", facts=summary_of(opened), files=_receipts(desk, opened),
        question=_question(opened), fields=[],
        submit={"label": f"Plan the {deed}", "tone": "primary"}, why_not=_why_not(opened, desk.may(Action.DSAR_REVIEW)),
        others=others, watch=watch_of(desk, opened.dsar),
    )  # fmt: skip


@router.get(f"{PAGE}/plan/receipts/{{sha256}}", **action(Action.DSAR_OPEN))
def download(desk: Desk, reference: str, sha256: str) -> Response:
    """A signed receipt as a file: counts, codes and dates, no value."""
    dsar = listing.by_reference(desk.context, reference)
    name = f'attachment; filename="{dsar.reference}-{dsar.type}-receipt.jws"'
    jws = erasure_state.receipt_file(desk.context, dsar.id, sha256)
    return Response(jws, media_type="application/jose", headers={"Content-Disposition": name})


@router.post(f"{PAGE}/plan", **action(Action.DSAR_REVIEW))
def begin(desk: Desk, reference: str) -> Response:
    """Begin a dry run in every store; nothing is changed there."""
    dsar = listing.by_reference(desk.context, reference)
    try:
        erasure_plan.plan(desk.context, dsar.id)
    except Conflict:
        if listing.by_reference(desk.context, reference).state is DsarState.IN_REVIEW:
            raise
    return desk.go(f"{shape.url_of(dsar)}/plan")


@router.get(_HAND_OVER, **action(Action.TASK_ANSWER))
def ask(desk: Desk, reference: str, store: str) -> Response:
    """Whether to stop waiting for a store."""
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    one = next((one for one in opened.erasures if one.store == store), None)
    if one is None:
        raise NotFound
    plan = f"{face_of(desk, opened).url}/plan"
    if one.poll_at is None:
        return desk.go(plan)
    text = (
        "The store is not asked again and not told. It may still do what it accepted; whoever gets the task finds out, "
        "sees to the rest, and says so. The letter names the store as outstanding."
    )
    return act_page(
        desk, opened, f"Stop waiting for {title_of(opened, one)}", None, None, back=plan, fields=[],
        notices=[{"tone": "warn", "title": "The rest becomes a person's work", "text": text}],
        question=f"Stop waiting for {title_of(opened, one)}?",
        submit={"label": "Hand over to a person", "tone": "primary"},
    )  # fmt: skip


@router.post(_HAND_OVER, **action(Action.TASK_ANSWER))
def give_up(desk: Desk, reference: str, store: str) -> Response:
    """Stop waiting. A second click, or a store that ended meanwhile, shows where it stands."""
    dsar = listing.by_reference(desk.context, reference)
    try:
        giving_up.give_up(desk.context, dsar.id, store)
    except giving_up.NothingPending:
        return desk.go(f"{shape.url_of(dsar)}/plan")
    return desk.go(f"{shape.url_of(dsar)}/plan", "given_up")


def _hand_over_url(desk: Visit, opened: OpenedRequest, one: StoreErasure) -> str:
    return f"{face_of(desk, opened).url}/plan/{one.store}/hand-over"


def _receipts(desk: Visit, opened: OpenedRequest) -> list[dict[str, Any]]:
    """The signed receipts, to be taken away; the audit log holds the hash of each."""
    url, dsar = f"{face_of(desk, opened).url}/plan/receipts", opened.dsar
    made = erasure_state.state_of(desk.context, dsar.id, dsar.type).receipts
    return [{"label": "Download the receipt", "url": f"{url}/{sha256}", "at": at, "note": f"SHA-256 {sha256}"}
            for sha256, at in made]  # fmt: skip


def plan_notices(opened: OpenedRequest) -> list[dict[str, str]]:
    """What whoever decides about the plan should know of it."""
    waiting = sum(int(one.plan.get("waiting", 0)) for one in opened.erasures)
    going = sorted({name for one in opened.erasures for name in one.plan.get("unretained", ())})
    triggers = [title_of(opened, one) for one in opened.erasures if one.plan.get("warnings")]
    found = _about_corrections(opened)
    if waiting:
        found.append({
            "tone": "warn", "title": f"{words.records(waiting)} wait for your decision",
            "text": "They were found through a link or a text that nobody confirmed. Decide on them, then plan again.",
        })  # fmt: skip
    if going:
        found.append({
            "tone": "warn", "title": f"Records with amounts would be deleted: {', '.join(going)}",
            "text": "No policy and no map keeps them; the law of books and taxes mostly wants invoices kept for years. "
                    "A policy of the store, or `retain` in its map, keeps number, date and amounts without the person.",
        })  # fmt: skip
    if triggers:
        found.append({
            "tone": "warn", "title": f"Code of the store's own runs when records change: {', '.join(triggers)}",
            "text": "Each value is read again afterwards; what that code writes elsewhere is not looked for."
            if opened.corrections else "What that code writes is searched for afterwards and erased as well.",
        })  # fmt: skip
    return found


def _about_corrections(opened: OpenedRequest) -> list[dict[str, str]]:
    """Which of the wrong values no store holds, by what they are about; the values stand on another page."""
    stores = [one.plan["corrected"] for one in opened.erasures if one.plan.get("corrected")]
    pairs = [(each[0]["kind"], sum(int(part["cells"]) for part in each)) for each in zip(*stores, strict=False)]
    missing = [words.corrected(kind) for kind, cells in pairs if not cells]
    issued = sorted({name for one in opened.erasures for name in one.plan.get("issued", ())})
    found = []
    if missing:
        found.append({
            "tone": "warn", "title": f"Not found anywhere as it was written: {', '.join(missing)}",
            "text": "No record of the person that was searched holds the wrong value. "
                    "Write it as it stands there, or take it out.",
        })  # fmt: skip
    if issued:
        found.append({
            "tone": "warn", "title": f"Records with amounts would be corrected: {', '.join(issued)}",
            "text": "An invoice that was issued mostly stays as it was issued, and a new one corrects it. "
                    "Leave such records as they are, then plan again.",
        })  # fmt: skip
    return found


def _question(opened: OpenedRequest) -> str:
    """Blank while a plan is made, and once there is nothing to plan any more: the page then only tells."""
    if opened.dsar.state is not DsarState.IN_REVIEW or _is_planning(opened):
        return ""
    return "Plan it again" if opened.erasures else f"Plan the {deed_of(opened)}"


def _is_planning(opened: OpenedRequest) -> bool:
    return any(one.state is ErasingState.PLANNING for one in opened.erasures)


def _why_not(opened: OpenedRequest, may: bool) -> str | None:
    if opened.dsar.state is not DsarState.IN_REVIEW or not may:
        return "A plan is made while the request is in review."
    return "Some records are undecided." if opened.undecided else None
