"""A task that is decided on a page of its own: what is known of it, what came of it, and why; one form."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Response

from privacyops.console.deps import Visit
from privacyops.console.pages.act_page import blank_act, field_
from privacyops.console.pages.task import TASKS
from privacyops.domain.task import OPEN_TASKS, Task

Errors = Sequence[Mapping[str, str | None]]
SEALED: Final = "It is kept sealed with the request."


def outcomes(label: str, known: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """The choice of what came of it: by its code, each outcome and what follows from it."""
    field = field_("choices", "outcome", label)
    field["options"] = [{"value": key, "label": told, "hint": hint} for key, (told, hint) in known.items()]
    return field


def task_act(
    desk: Visit, task: Task, title: str, verb: str, errors: Errors = (), status: int = 200, **view: Any
) -> Response:
    """The page, at `TASKS/ID/verb`; a task that has ended shows itself instead. A refused form comes back filled, with
    its `errors` and `status`.
    """
    url = f"{TASKS}/{task.id}"
    if task.state not in OPEN_TASKS:
        return desk.go(url)
    blank = blank_act(title, url, f"{url}/{verb}", [("My tasks", TASKS), ("Task", url)])
    return desk.page("act", {**blank, "values": desk.form.values(), "errors": list(errors), **view}, "tasks", status)
