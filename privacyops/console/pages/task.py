"""P4: what waits for a person, one question a task."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.domain.account.action import Action
from privacyops.domain.task import OPEN_TASKS, Task, TaskState
from privacyops.kernel.errors import Conflict, Forbidden, NotFound, Problem, Unprocessable
from privacyops.kernel.ids import DsarId, TaskId
from privacyops.services import account, task
from privacyops.services.dsar import listing

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
    numbers = task.references(desk.context, [one.dsar_id for one in shown if one.dsar_id is not None])
    rows = [
        {"id": str(one.id), "url": f"{TASKS}/{one.id}", "title": words.task_title(one)[0], "store": one.store,
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
        task.answer(desk.context, TaskId(task_id), desk.form.get("answer"))
    except Unprocessable as refusal:
        return _page(desk, found, refusal)
    except Conflict:
        if task.read(desk.context, TaskId(task_id)).state is not TaskState.DONE:
            raise
    return desk.go(f"{TASKS}/{task_id}", "task_done")


def _page(desk: Visit, found: Task, refusal: Problem | None = None) -> Response:
    title, question = words.task_title(found)
    team, zone = account.names(desk.context), desk.context.controller.zone
    is_open = found.state in OPEN_TASKS
    clock = shape.day_clock(found.due_on, zone) if is_open else shape.done_clock(found.due_on, zone)
    ended_by = team.get(found.ended_by) if found.ended_by else None
    facts = [{"label": "Why", "value": words.code_text(found.code)}] if found.code else []
    owner = team.get(found.owner_id) if found.owner_id else None
    facts.append({"label": "For", "value": owner.name if owner else f"any {words.code_text(found.owner_role)}"})
    view = {
        "title": title, "question": question, "store": found.store, "request": _request_card(desk, found),
        "facts": facts, "how": [], "clock": clock, "state": str(found.state), "events": _events(found, ended_by),
        "done_note": _done_note(found, ended_by.name if ended_by else None),
        "claim_url": f"{TASKS}/{found.id}/claim" if found.state is TaskState.OPEN and found.owner_id is None else None,
        "answer": {"url": f"{TASKS}/{found.id}/answer", "label": "What you did", "hint": "One sentence is enough.",
                   "choices": None} if is_open and desk.may(Action.TASK_ANSWER) else None,
        "values": desk.form.values(),
        "errors": [] if refusal is None else [{"field": "answer", "text": (refusal.detail or refusal.title)}],
    }  # fmt: skip
    return desk.page("task", view, "tasks", 200 if refusal is None else refusal.status)


def _done_note(found: Task, by: str | None) -> str | None:
    if found.state is TaskState.DONE:
        return f"Done by {by}." if by else "Done."
    return f"Ended by itself: {words.code_text(found.end_reason)}." if found.end_reason else None


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
        return {"reference": "no request", "url": TASKS, "type": {"key": "", "label": "–"}}
    number = task.references(desk.context, [found.dsar_id]).get(found.dsar_id, "")
    try:
        kind = words.type_of(listing.status_of(desk.context, found.dsar_id).type)
    except (Forbidden, NotFound):
        kind = {"key": "", "label": "request"}
    return {"reference": number, "url": f"{shape.REQUESTS}/{number}", "type": kind}
