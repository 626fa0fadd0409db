"""P4: what waits for a person, one question a task."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape, task_words, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages.consent_tabs import SYSTEMS
from privacyops.domain.account.action import Action, Role
from privacyops.domain.dsar.by_hand import RecordsUnreadable, Statement
from privacyops.domain.task import OPEN_TASKS, Task, TaskKind, TaskState, store_of, unscanned
from privacyops.kernel.errors import Conflict, Forbidden, NotFound, Problem, Unprocessable
from privacyops.kernel.ids import DsarId, TaskId
from privacyops.services import account, by_hand, objection, task
from privacyops.services.dsar import listing, recipients

router: Final = APIRouter()
TASKS: Final = "/console/tasks"
_VIEWS: Final = {"mine": "Mine", "all": "All open"}


@router.get(TASKS, **action(Action.TASK_LIST))
def show(desk: Desk, view: str = "mine") -> Response:
    """Own tasks first; the team's on demand."""
    every = task.list_open(desk.context)
    mine = [one for one in every if task.mine(desk.context, one)]
    shown = every if view == "all" else mine
    counts = {"mine": len(mine), "all": len(every)}
    team = account.names(desk.context)
    named = recipients.names_of(desk.context, tuple(one.id for one in shown))
    numbers = task.references(desk.context, [one.dsar_id for one in shown if one.dsar_id is not None])
    titles = task.store_titles(desk.context, {about for one in shown if (about := store_of(one))})
    rows = [
        {"id": str(one.id), "url": f"{TASKS}/{one.id}", "title": task_words.task_title(one)[0],
         "about": titles.get(store_of(one) or "") or store_of(one) or named.get(one.id),
         "request": _request(one, numbers), "clock": shape.day_clock(one.due_on, desk.context.controller.zone),
         "assignee": shape.colleague(team.get(one.owner_id)) if one.owner_id else None}
        for one in shown
    ]  # fmt: skip
    current = view if view in _VIEWS else "mine"
    tabs = [
        {
            "label": label,
            "count": counts[key],
            "url": f"{TASKS}?view={key}",
            "current": key == current,
        }
        for key, label in _VIEWS.items()
    ]
    page = shape.one_page(len(rows), None, None, TASKS)
    return desk.page("tasks", {"views": tabs, "rows": rows, "page": page}, "tasks")


@router.get(f"{TASKS}/{{task_id}}", **action(Action.TASK_LIST))
def read(desk: Desk, task_id: UUID) -> Response:
    """One task."""
    return _page(desk, task.read(desk.context, TaskId(task_id)))


@router.post(f"{TASKS}/{{task_id}}/claim", **action(Action.TASK_ANSWER))
def claim(desk: Desk, task_id: UUID) -> Response:
    """Take it on. A second click, or a task that has ended meanwhile, shows the task as it stands."""
    found = task.read(desk.context, TaskId(task_id))
    if found.state is TaskState.OPEN:
        task.claim(desk.context, TaskId(task_id))
    return desk.go(f"{TASKS}/{task_id}", "claimed" if found.state in OPEN_TASKS else None)


@router.post(f"{TASKS}/{{task_id}}/answer", **action(Action.TASK_ANSWER))
def answer(desk: Desk, task_id: UUID) -> Response:
    """Done, with a note."""
    found = task.read(desk.context, TaskId(task_id))
    try:
        _answer(desk, found)
    except Unprocessable as refusal:
        return _page(desk, found, refusal)
    except Conflict:
        if task.read(desk.context, TaskId(task_id)).state is not TaskState.DONE:
            raise
    return desk.go(f"{TASKS}/{task_id}", "task_done")


def _answer(desk: Visit, found: Task) -> None:
    """A store that a person handles has a form of its own; every other task takes a note."""
    form = desk.form
    if by_hand.is_search(found):
        said = form.get("outcome")
        if said not in set(Statement):
            raise Refused(("outcome", "Say whether something was found."))
        by_hand.search_answered(desk.context, found.id, Statement(said), form.get("answer"), form.get("records"))
    elif by_hand.is_change(found):
        by_hand.change_answered(desk.context, found.id, form.get("answer"), form.get("checked"))
    else:
        task.answer(desk.context, found.id, form.get("answer"))


def _page(desk: Visit, found: Task, refusal: Problem | None = None) -> Response:
    title, question = task_words.task_title(found)
    team, zone = account.names(desk.context), desk.context.controller.zone
    is_open = found.state in OPEN_TASKS
    step = _step(desk, found) if is_open else None
    clock = shape.day_clock(found.due_on, zone) if is_open else shape.done_clock(found.due_on, zone)
    ended_by = team.get(found.ended_by) if found.ended_by else None
    owner = team.get(found.owner_id) if found.owner_id else None
    facts = [{"label": "For", "value": owner.name if owner else f"any {words.ROLES[Role(found.owner_role)]}"}]
    if why := task_words.why(found):
        facts.insert(0, {"label": "Why", "value": why})
    store = store_of(found)
    titles = task.store_titles(desk.context, {store} if store else set())
    view = {
        "title": title, "question": question,
        "about": titles.get(store or "") or store
        or recipients.names_of(desk.context, (found.id,)).get(found.id),
        "request": _request_card(desk, found), "behind": task_words.behind(found), "links": _links(desk, found),
        "facts": [*facts, *_whom(desk, found)], "how": _how(desk, found), "clock": clock, "state": str(found.state),
        "events": _events(found, ended_by),
        "done_note": _done_note(found, ended_by.name if ended_by else None), "note": _note(desk, found),
        "claim_url": f"{TASKS}/{found.id}/claim" if found.state is TaskState.OPEN and found.owner_id is None else None,
        "answer": _form(found) if is_open and step is None and desk.may(Action.TASK_ANSWER) else None,
        "step": step,
        "values": desk.form.values(),
        "errors": _errors(found, refusal),
    }  # fmt: skip
    return desk.page("task", view, "tasks", 200 if refusal is None else refusal.status)


def _form(found: Task) -> dict[str, Any]:
    """What is asked: a note, or what the owner of a store that a person handles has to say."""
    form: dict[str, Any] = {"url": f"{TASKS}/{found.id}/answer", "label": "What you did", "choices": None, "more": [],
                            "hint": "One sentence is enough."}  # fmt: skip
    if by_hand.is_search(found):
        choices = [
            {"value": "nothing", "label": "Nothing is held about this person", "hint": ""},
            {"value": "found", "label": "Something is held", "hint": "Paste it below as a table."},
        ]
        hint = "A table with a heading, copied from a spreadsheet, CSV, or a JSON list; at most 500 records."
        records = {"name": "records", "label": "What was found", "hint": hint, "optional": True}
        return {**form, "label": "Where you looked", "choices": choices, "more": [records]}
    if by_hand.is_change(found):
        hint = "For example: searched again for the name and the mail address, nothing came up."
        checked = {"name": "checked", "label": "How you checked it afterwards", "hint": hint, "optional": False}
        return {**form, "label": "What you changed", "hint": "Which records, which fields.", "more": [checked]}
    return form


def _errors(found: Task, refusal: Problem | None) -> list[dict[str, str | None]]:
    if refusal is None:
        return []
    if isinstance(refusal, Refused):
        return refusal.errors
    text = refusal.detail or refusal.title
    field = (
        "records" if by_hand.is_search(found) and ("paste" in text or isinstance(refusal, RecordsUnreadable)) else ""
    )
    field = field or ("checked" if by_hand.is_change(found) and "checked" in text else "answer")
    return [{"field": field, "text": text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")}]


def _whom(desk: Visit, found: Task) -> list[dict[str, str]]:
    """Whom to look for, to whoever is to look."""
    if not desk.may(Action.TASK_ANSWER) or not (by_hand.is_search(found) or by_hand.is_change(found)):
        return []
    return [{"label": label, "value": value} for label, value in by_hand.asked(desk.context, found.id)]


def _how(desk: Visit, found: Task) -> list[str]:
    if found.state in OPEN_TASKS and not task.keeps_note(desk.context, found):
        return ["The data of this request has been destroyed: what you write is not kept, only that it was done."]
    if not (by_hand.is_search(found) or by_hand.is_change(found)):
        return []
    told = by_hand.told(desk.context, found.id)
    return [*([told.place] if told.place else []), *told.steps]


def _step(desk: Visit, found: Task) -> dict[str, Any] | None:
    """What is not noted as done but decided on a page of its own: records, a plan, an objection, a recipient."""
    known: dict[TaskKind, tuple[str, str, Action, str]] = {
        TaskKind.NOTIFY_RECIPIENT: (
            "Say who was told…", f"{TASKS}/{found.id}/recipient", Action.TASK_ANSWER, "Your role does not answer tasks."
        ),
        TaskKind.WEIGH_OBJECTION: (
            "Weigh the objection", f"{TASKS}/{found.id}/weigh", Action.OBJECTION_DECIDE,
            "The data protection officer weighs it.",
        ),
        TaskKind.REVIEW_FINDINGS: (
            "Decide on the records", _request_url(desk, found), Action.DSAR_REVIEW, "Your role does not review."
        ),
        TaskKind.APPROVE: (
            "See what is to be approved", f"{_request_url(desk, found)}/approve", Action.DSAR_APPROVE,
            "Your role does not approve.",
        ),
    }  # fmt: skip
    if found.kind not in known:
        return None
    label, url, needed, why_not = known[found.kind]
    if task_words.is_excuse(found):
        label, url = "See the reason and decide", f"{_request_url(desk, found)}/recipients"
        needed, why_not = Action.DSAR_COUNTERSIGN, "Somebody who approves decides this."
    return {"label": label, "url": url, "method": "get", "tone": "primary",
            "why_not": None if desk.may(needed) else why_not}  # fmt: skip


def _links(desk: Visit, found: Task) -> list[dict[str, str]]:
    """Where to see more of it, as far as the reader's role opens those pages."""
    links = []
    if found.dsar_id is not None and desk.may(Action.DSAR_OPEN):
        request = _request_url(desk, found)
        if found.kind is TaskKind.RESIDUAL:
            links.append({"label": "See what is left", "url": f"{request}/plan"})
        elif found.kind in {TaskKind.DUE_SOON, TaskKind.READ_MESSAGE, TaskKind.STORE_FAILED}:
            links.append({"label": "Open the request", "url": request})
    if (found.kind is TaskKind.STORE_DRIFT or unscanned(found)) and desk.may(Action.DATAMAP_SEE):
        links.append({"label": "Open the data map", "url": f"/console/stores/{store_of(found)}/map"})
    if found.kind is TaskKind.ACK_OVERDUE and desk.may(Action.WEBHOOK_SEE):
        links.append({"label": "See the connected systems", "url": SYSTEMS})
    return links


def _request_url(desk: Visit, found: Task) -> str:
    ids = [found.dsar_id] if found.dsar_id is not None else []
    number = next(iter(task.references(desk.context, ids).values()), "")
    return f"{shape.REQUESTS}/{number}"


def _done_note(found: Task, by: str | None) -> str | None:
    if found.state is TaskState.DONE:
        return f"Done by {by}." if by else "Done."
    return f"Ended by itself: {task_words.ended(found.end_reason)}." if found.end_reason else None


def _note(desk: Visit, found: Task) -> str | None:
    """What was noted at the end; how an objection was weighed is read by whoever may weigh one."""
    if found.state is not TaskState.DONE:
        return None
    if found.kind is not TaskKind.WEIGH_OBJECTION:
        return task.note(desk.context, found.id)
    return objection.reason(desk.context, found.id) if desk.may(Action.OBJECTION_DECIDE) else None


def _events(found: Task, ended_by: Any) -> list[dict[str, Any]]:
    events = [{"title": "Opened", "text": "", "at": found.created_at, "actor": None, "tone": None}]
    if found.ended_at is not None:
        title = "Done" if found.state is TaskState.DONE else "Ended"
        events.insert(0, {"title": title, "text": "", "at": found.ended_at, "tone": "ok",
                          "actor": ended_by.name if ended_by else None})  # fmt: skip
    return events


def _request(found: Task, numbers: dict[DsarId, str]) -> dict[str, str]:
    number = numbers.get(found.dsar_id, "") if found.dsar_id else ""
    return {"reference": number, "url": f"{shape.REQUESTS}/{number}" if number else TASKS}


def _request_card(desk: Visit, found: Task) -> dict[str, Any]:
    """A store owner sees the number of the request and nothing else of it."""
    if found.dsar_id is None:
        return {"reference": "", "url": TASKS, "type": {"key": "", "label": "–"}}
    number = task.references(desk.context, [found.dsar_id]).get(found.dsar_id, "")
    try:
        kind = words.type_of(listing.status_of(desk.context, found.dsar_id).type)
    except (Forbidden, NotFound):
        kind = {"key": "", "label": "request"}
    return {"reference": number, "url": f"{shape.REQUESTS}/{number}", "type": kind}
