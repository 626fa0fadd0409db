"""The plan of an erasure or a correction: what would be done in each store, what stands in its way, and later what
became of it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.act_page import act_page
from privacyops.console.pages.request import PAGE, face_of
from privacyops.console.pages.request_steps import deed_of
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.errors import Conflict, NotFound
from privacyops.services.dsar import erasure_plan, giving_up, listing, opening
from privacyops.services.dsar.opening import OpenedRequest

router: Final = APIRouter()
_HAND_OVER: Final = f"{PAGE}/plan/{{store}}/hand-over"
_ACTS: Final = {
    "delete": "delete", "set": "empty the cells that name the person", "unlink": "take the person out of the link",
    "redact_span": "black out the words that name the person", "drop_path": "take the entry out of the document",
    "remove_element": "take the person out of the list", "keep": "keep as it is",
}  # fmt: skip
_CORRECTED: Final = "write the right value"
_CUT: Final = "keep, without what is not needed"
_HINDRANCES: Final = {
    "format": "a file of this kind cannot be changed in place; a person does it in the file",
    "many_in_one_file": "one message among others in a file; a person takes it out",
    "earlier_state": "an earlier version of the file; it can only go as a whole",
    "encoding": "the file's characters could not be written back the same",
    "append_only": "the store only adds; nothing in it can be changed",
    "not_null": "the cell may not be empty and takes no other value",
    "too_long": "no value that fits says nothing of the person",
    "no_key": "the table has no key by which one record can be named",
    "row_named_twice": "several records have this key",
    "restrict": "another record points at it and the store forbids that it goes",
    "cascade_outside": "the store would delete records of others with it",
    "circle": "records point at each other in a circle",
    "has_children": "other entries stand below it",
    "part_of_the_name": "the cell is part of the entry's name",
    "row_changed": "the record changed after the plan was made",
    "row_gone": "the record went after the plan was made",
    "unsupported": "the store has nothing for this",
    "key_column": "the record is known by this value; a person changes it with all that points there",
    "digest": "a hash of the old value; whoever made it makes it anew",
    "anothers_record": "another's record, or found by its text alone; a person corrects it there",
    "inside_a_file": "files are not looked into; a person looks, and corrects what stands there",
    "unique": "another record has this value already",
}
_STATES: Final = {
    ErasingState.PLANNING: ("is being planned", "inf"),
    ErasingState.PLANNED: ("planned", "inf"),
    ErasingState.BY_HAND: ("done by a person", "warn"),
    ErasingState.QUEUED: ("approved, waits for its turn", "inf"),
    ErasingState.ERASING: ("is being {done}", "inf"),
    ErasingState.PENDING: ("accepted, the store works on it", "inf"),
    ErasingState.VERIFIED: ("{done} and read back", "ok"),
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
    if not (opened.goes_by_plan or opened.erasures):
        raise NotFound
    deed = deed_of(opened)
    others = [{"label": "Back to the request", "url": face_of(desk, opened).url, "method": "get"}]
    if opened.corrections and opened.dsar.state is DsarState.IN_REVIEW and desk.may(Action.DSAR_REVIEW):
        url = f"{face_of(desk, opened).url}/corrections"
        others.append({"label": "Change what is corrected…", "url": url, "method": "get"})
    if desk.may(Action.TASK_ANSWER) and opened.dsar.is_open:
        others += [
            {"label": f"Stop waiting for {_title(opened, one)}…", "url": f"{_hand_over_url(desk, opened, one)}",
             "method": "get"}
            for one in opened.erasures if one.poll_at is not None
        ]  # fmt: skip
    return act_page(
        desk, opened, f"{deed.capitalize()} plan", None, None, facts_title="Stores", facts=facts_of(opened),
        list_title="What is done to the records", list=lines_of(opened), notices=_notices(opened),
        question=_question(opened), fields=[],
        submit={"label": f"Plan the {deed}", "tone": "primary"}, why_not=_why_not(opened, desk.may(Action.DSAR_REVIEW)),
        others=others,
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
        desk, opened, f"Stop waiting for {_title(opened, one)}", None, None, back=plan, fields=[],
        notices=[{"tone": "warn", "title": "The rest becomes a person's work", "text": text}],
        question=f"Stop waiting for {_title(opened, one)}?",
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


def facts_of(opened: OpenedRequest) -> list[dict[str, str]]:
    """One line a store: where its erasure stands."""
    done = "corrected" if opened.dsar.type is RequestType.RECTIFICATION else "erased"
    return [{"label": _title(opened, one), "value": _STATES[one.state][0].format(done=done)} for one in opened.erasures]


def lines_of(opened: OpenedRequest) -> list[dict[str, Any]]:
    """What is or was done, store by store, in counts; blockers and warnings among them."""
    acts = {**_ACTS, "set": _CORRECTED} if opened.dsar.type is RequestType.RECTIFICATION else _ACTS
    return [line for one in opened.erasures for line in _lines(_title(opened, one), one, acts)]


def _lines(title: str, one: StoreErasure, acts: Mapping[str, str]) -> list[dict[str, Any]]:
    rows: Sequence[dict[str, Any]] = one.report.get("rows") or one.plan.get("rows") or ()
    found: list[dict[str, Any]] = []
    for each in rows:
        note = [words.reason(each["why"]) if str(each.get("why", "")).isupper() else _WHY.get(each.get("why", ""), "")]
        note.append(f"until {each['until']}" if each.get("until") else "")
        note.append(", ".join(each.get("columns", ())))
        standing = each.get("standing")
        tone = None if standing is None else "ok" if standing == "settled" else "bad"
        tag = {"text": words.records(int(each["rows"])), "tone": tone or "inf"}
        is_left = each["op"] == "keep" and not each.get("columns")
        note.append(_STANDING[standing] if standing and not (is_left and standing == "settled") else "")
        note.append(_hindrance(each["code"]) if standing not in {None, "settled"} and each.get("code") else "")
        deed = _CUT if each["op"] == "keep" and each.get("columns") else acts[each["op"]]
        found.append({"text": f"{title}: {each['collection']}: {deed}",
                      "note": "; ".join(part for part in note if part), "tag": tag})  # fmt: skip
    if not one.report:  # afterwards each line says itself what stood in its way
        found.extend(_blocked(title, one))
    found.extend(
        {"text": f"{title}: {each['from']}", "note": f"{words.records(int(each['rows']))} go with {each['to']}",
         "tag": {"text": "cascade", "tone": "warn"}}
        for each in one.plan.get("cascades", ())
    )  # fmt: skip
    return found


def _blocked(title: str, one: StoreErasure) -> list[dict[str, Any]]:
    """What cannot be done, each cause once a table and column."""
    causes = Counter((each["collection"], each["column"], each["code"]) for each in one.plan.get("blockers", ()))
    return [
        {"text": f"{title}: {collection} {column}".strip(), "note": _hindrance(code),
         "tag": {"text": "blocked" if number == 1 else f"{number} blocked", "tone": "bad"}}
        for (collection, column, code), number in causes.items()
    ]  # fmt: skip


def _hindrance(code: str) -> str:
    return _HINDRANCES.get(code) or words.code_text(code)


def _notices(opened: OpenedRequest) -> list[dict[str, str]]:
    waiting = sum(int(one.plan.get("waiting", 0)) for one in opened.erasures)
    going = sorted({name for one in opened.erasures for name in one.plan.get("unretained", ())})
    triggers = [warning for one in opened.erasures for warning in one.plan.get("warnings", ())]
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
            "tone": "warn", "title": "The store runs code of its own when records change",
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
    """Blank once there is nothing to plan any more: the page then only tells."""
    if opened.dsar.state is not DsarState.IN_REVIEW:
        return ""
    return "Plan it again" if opened.erasures else f"Plan the {deed_of(opened)}"


def _why_not(opened: OpenedRequest, may: bool) -> str | None:
    if opened.dsar.state is not DsarState.IN_REVIEW or not may:
        return "A plan is made while the request is in review."
    if any(one.state is ErasingState.PLANNING for one in opened.erasures):
        return "The stores are being looked at; reload the page in a moment."
    return "Some records are undecided." if opened.undecided else None


def _title(opened: OpenedRequest, one: StoreErasure) -> str:
    store = opened.stores.get(one.store)
    return store.title if store else one.store
