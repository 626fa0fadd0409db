"""An objection to a legitimate interest, weighed from its task: upheld, or rejected with a reason."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages.act_page import field_
from privacyops.console.pages.task import TASKS
from privacyops.console.pages.task_act import outcomes, task_act
from privacyops.domain.account.action import Action
from privacyops.domain.task import OPEN_TASKS
from privacyops.kernel.errors import Conflict
from privacyops.kernel.ids import TaskId
from privacyops.services import objection
from privacyops.services.objection import Weighing

router: Final = APIRouter()
_WEIGH: Final = f"{TASKS}/{{task_id}}/weigh"
_OUTCOMES: Final = {
    "upheld": ("Uphold it", "The purpose goes on being refused for this person."),
    "rejected": (
        "Reject it",
        "Compelling grounds outweigh their interests; the purpose may be carried out again.",
    ),
}
_NOTHING_LEFT: Final = {
    "tone": "inf", "title": "This objection stands no more",
    "text": "It was lifted, or the person was erased from the consent ledger. A sentence ends the task.",
}  # fmt: skip


@router.get(_WEIGH, **action(Action.OBJECTION_DECIDE))
def look(desk: Desk, task_id: UUID) -> Response:
    """What was objected to, and the decision to be made."""
    return _page(desk, objection.weighing(desk.context, TaskId(task_id)))


@router.post(_WEIGH, **action(Action.OBJECTION_DECIDE))
def weigh(desk: Desk, task_id: UUID) -> Response:
    """Decide. A second click finds the task ended."""
    found = objection.weighing(desk.context, TaskId(task_id))
    try:
        outcome, why = _chosen(desk, found)
    except Refused as refusal:
        return _page(desk, found, refusal)
    try:
        objection.weigh(desk.context, found.task.id, why, upheld=outcome == "upheld")
    except Conflict:
        if objection.weighing(desk.context, found.task.id).task.state in OPEN_TASKS:
            raise
        return desk.go(f"{TASKS}/{task_id}")
    return desk.go(f"{TASKS}/{task_id}", "weighed_rejected" if outcome == "rejected" and found.stands else "weighed")


def _chosen(desk: Visit, found: Weighing) -> tuple[str, str]:
    outcome, why = desk.form.get("outcome"), desk.form.get("why")
    problems: list[tuple[str | None, str]] = []
    if found.stands and outcome not in _OUTCOMES:
        problems.append(("outcome", "Choose whether the objection is upheld"))
    if not why:
        problems.append(("why", "Say in a sentence how the interests were weighed"))
    if problems:
        raise Refused(*problems)
    return outcome, why


def _page(desk: Visit, found: Weighing, refusal: Refused | None = None) -> Response:
    fields = [field_("area", "why", "Reason", "It is kept sealed with the decision.")]
    if found.stands:
        fields.insert(0, outcomes("What outweighs what?", _OUTCOMES))
    return task_act(
        desk, found.task, "Weigh an objection", "weigh", refusal.errors if refusal else (),
        refusal.status if refusal else 200, facts_title="The objection", facts=_facts(desk, found),
        notices=[] if found.stands else [_NOTHING_LEFT],
        question="Do compelling grounds outweigh it?" if found.stands else "What is to be noted?", fields=fields,
        submit={"label": "Decide" if found.stands else "End the task", "tone": "primary"},
    )  # fmt: skip


def _facts(desk: Visit, found: Weighing) -> list[dict[str, Any]]:
    facts = []
    if found.purpose is not None:
        title = found.purpose.titles.get("en") or next(iter(found.purpose.titles.values()), found.purpose.key)
        bases = sorted({str(ground.basis).replace("_", " ") for ground in found.purpose.grounds.values()})
        facts += [{"label": "Purpose", "value": f"{title} ({found.purpose.key})"},
                  {"label": "Rests on", "value": ", ".join(bases)}]  # fmt: skip
    if found.made_at is not None:
        facts.append({"label": "Made on", "value": shape.day_of(found.made_at, desk.context.controller.zone)})
    facts.append({"label": "Person", "value": found.subject_id or "erased"})
    return facts
