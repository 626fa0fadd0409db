"""P1: what needs somebody today; the switches of the side bar."""

from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import shape, store_words, task_words, words
from privacyops.console.deps import HOME, Desk, Visit, action, own_path
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.task import store_of
from privacyops.services import account, apikey, stores, task
from privacyops.services.dsar import listing, people, recipients

router: Final = APIRouter()
_NEAR: Final = timedelta(days=3)
_MOST: Final = 10
_NO_ROLE: Final = {
    "title": "Your role waits for a second person",
    "text": "An administrator proposed what you may do here. Once somebody else confirms it, sign in again.",
    "action": {"label": "See your account", "url": "/console/settings"},
}
_KEY_WAITS: Final = {
    "title": "A key waits for an officer",
    "text": "It is to take people's contacts out in clear. Until you confirm that, it cannot.",
    "action": {"label": "See the keys", "url": "/console/settings/keys"},
}
_WHY: Final = {
    DsarState.AWAITING_APPROVAL: "waits for approval",
    DsarState.ANSWERING: "waits for release",
}


@router.get(HOME, **action(Action.ACCOUNT_SELF))
def show(desk: Desk) -> Response:
    """Requests that are near, waiting for a second person or hold a failed store; own tasks; stores that fail."""
    return desk.page("home", _view(desk), "home")


@router.post("/console/theme", **action(Action.ACCOUNT_SELF))
def theme(desk: Desk) -> Response:
    """Light or dark, remembered by the browser."""
    wanted = desk.form.get("theme")
    desk.keep("theme", wanted if wanted in {"light", "dark"} else None, days=365)
    return desk.go(own_path(desk.form.get("back")))


@router.post("/console/masking", **action(Action.ACCOUNT_SELF))
def masking(desk: Desk) -> Response:
    """Whether lists and titles show people masked."""
    account.mask_people(desk.context, desk.form.get("masked") == "yes")
    return desk.go(own_path(desk.form.get("back")))


def _view(desk: Desk) -> dict[str, Any]:
    zone = desk.context.controller.zone
    needs = _needs(desk) if desk.may(Action.DSAR_LIST) else []
    counts = listing.count_views(desk.context) if desk.may(Action.DSAR_LIST) else {}
    shown = people.people_of(desk.context, needs, masks=desk.masks) if needs else {}
    rows = [
        {
            **{key: row[key] for key in ("url", "reference", "law", "type", "clock")},
            "person": shape.briefly(row["person"]),
            "why": _why(desk, dsar),
        }
        for dsar in needs
        for row in [shape.line(dsar, shown.get(dsar.id), {}, desk.now, zone, may_assign=False)]
    ]
    return {
        "most_urgent": {"label": f"Open {needs[0].reference}", "url": shape.url_of(needs[0])} if needs else None,
        "needs": rows, "next_due": _next_due(desk) if counts and not needs else None, "tiles": _tiles(counts),
        "failed": _failed(desk), **_tasks(desk), "checklist": [],
        "guide": _guide(desk), "as_of": None,
    }  # fmt: skip


def _guide(desk: Visit) -> dict[str, Any] | None:
    if not desk.me.account.roles:
        return _NO_ROLE
    waits = desk.may(Action.APIKEY_CONFIRM) and None in apikey.waiting(desk.context).values()
    return _KEY_WAITS if waits else None


def _needs(desk: Visit) -> list[Dsar]:
    near = shape.today_of(desk.now, desk.context.controller.zone) + _NEAR
    found: dict[str, Dsar] = {}
    for view in ("soon", "approval", "failed"):
        for dsar in listing.list_view(desk.context, view, limit=_MOST).items:
            if dsar.state is not DsarState.ANSWERED and (view != "soon" or dsar.safe_due_on <= near):
                found[dsar.reference] = dsar
    return sorted(found.values(), key=lambda dsar: (dsar.safe_due_on, dsar.reference))[:_MOST]


def _why(desk: Visit, dsar: Dsar) -> str:
    if dsar.state in _WHY:
        return _WHY[dsar.state]
    near = shape.today_of(desk.now, desk.context.controller.zone) + _NEAR
    return words.STATES[dsar.state][1] if dsar.safe_due_on <= near else "a store failed"


def _next_due(desk: Visit) -> str | None:
    upcoming = listing.list_view(desk.context, "all", limit=1).items
    if not upcoming:
        return None
    left = (upcoming[0].safe_due_on - shape.today_of(desk.now, desk.context.controller.zone)).days
    return f"Next: {upcoming[0].reference} in {left} d."


def _tiles(counts: Any) -> list[dict[str, Any]]:
    if not counts:
        return []
    soon, failed = counts["soon"], counts["failed"]
    return [
        {"label": "Open", "figure": counts["all"], "note": f"{soon} due in 7 days" if soon else None,
         "tone": "warn", "url": "/console/requests"},
        {"label": "Waiting on identity", "figure": counts["identity"], "note": None, "tone": "inf",
         "url": "/console/requests?view=identity"},
        {"label": "Needs 2nd approver", "figure": counts["approval"], "note": None, "tone": "inf",
         "url": "/console/requests?view=approval"},
        {"label": "With a failed store", "figure": failed, "note": "look at them" if failed else None, "tone": "bad",
         "url": "/console/requests?view=failed"},
    ]  # fmt: skip


def _failed(desk: Visit) -> list[dict[str, Any]]:
    if not desk.may(Action.STORE_SEE):
        return []
    return [
        {"store": one.title, "at": one.health_at, "url": "/console/stores",
         "note": store_words.blamed(one.health_code, one.health_setting, one.health_allowed) or "no answer"}
        for one in stores.all_stores(desk.context) if one.health == "down" and one.health_at is not None
    ]  # fmt: skip


def _tasks(desk: Visit) -> dict[str, Any]:
    """The most urgent tasks of the reader, and how many there are besides."""
    if not desk.may(Action.TASK_LIST):
        return {"tasks": [], "more_tasks": 0}
    mine = [one for one in task.list_open(desk.context) if task.mine(desk.context, one)]
    shown = mine[:_MOST]
    numbers = task.references(desk.context, [one.dsar_id for one in shown if one.dsar_id is not None])
    titles = task.store_titles(desk.context, {about for one in shown if (about := store_of(one))})
    named = recipients.names_of(desk.context, tuple(one.id for one in shown))
    return {"more_tasks": len(mine) - len(shown), "tasks": [
        {"url": f"/console/tasks/{one.id}", "title": task_words.task_title(one)[0],
         "about": ", ".join(filter(None, (
             numbers.get(one.dsar_id) if one.dsar_id else None, titles.get(store_of(one) or "") or store_of(one),
             named.get(one.id),
         ))),
         "clock": shape.day_clock(one.due_on, desk.context.controller.zone)}
        for one in shown
    ]}  # fmt: skip
