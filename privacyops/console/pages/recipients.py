"""Recipients of a person's data: one told from its task; all of a request on a page, where a second person agrees that
one is not told.
"""

from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages.act_page import act_page, below_heading, field_
from privacyops.console.pages.request import PAGE, face_of
from privacyops.console.pages.task import TASKS
from privacyops.console.pages.task_act import SEALED, outcomes, task_act
from privacyops.domain.account.action import Action
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.recipient import Excuse, NoticeState, RecipientNotice, Way
from privacyops.kernel.errors import Conflict, NotFound, Problem, Unprocessable
from privacyops.kernel.ids import TaskId
from privacyops.services import recipient
from privacyops.services.dsar import opening, recipients
from privacyops.services.recipient import OpenedNotice, Said

router: Final = APIRouter()
_TELL: Final = f"{TASKS}/{{task_id}}/recipient"
_S = NoticeState
_OUTCOMES: Final[dict[str, tuple[_S, Excuse | None, str, str]]] = {
    "told": (_S.TOLD, None, "Told; it has not confirmed yet", "The task stays open until it confirms."),
    "confirmed": (_S.CONFIRMED, None, "Told, and it confirmed", "The task is done."),
    "not_disclosed": (_S.NOT_DISCLOSED, None, "It never got data of this person", "Say below how you know."),
    "impossible": (_S.PROPOSED, Excuse.IMPOSSIBLE, "It cannot be told", "Say why. A second person has to agree."),
    "disproportionate": (
        _S.PROPOSED, Excuse.DISPROPORTIONATE, "Telling it would be out of proportion",
        "Say why. A second person has to agree.",
    ),
    "unanswered": (
        _S.PROPOSED, Excuse.UNANSWERED, "It was told and does not confirm",
        "Say how often it was reminded. A second person has to agree.",
    ),
}  # fmt: skip
_WAYS: Final = {Way.MAIL: "by mail", Way.LETTER: "by letter", Way.PHONE: "by phone", Way.SERVICE: "in its own service"}
_EXCUSES: Final = {
    Excuse.IMPOSSIBLE: "it cannot be told", Excuse.DISPROPORTIONATE: "telling it would be out of proportion",
    Excuse.UNANSWERED: "it does not confirm",
}  # fmt: skip
_STATES: Final = {
    _S.OPEN: ("to be told", "warn"), _S.TOLD: ("told, not confirmed", "inf"), _S.CONFIRMED: ("confirmed", "ok"),
    _S.NOT_DISCLOSED: ("got no data", "neutral"), _S.PROPOSED: ("waits for a second person", "warn"),
    _S.EXCUSED: ("not told, agreed by two", "neutral"),
}  # fmt: skip
_WHAT_FOR: Final = {
    "tone": "inf", "title": "Whoever got data of this person has to hear of it (Art. 19)",
    "text": "The request closes when each has confirmed, never got data of the person, or is excused by two.",
}  # fmt: skip


@router.get(_TELL, **action(Action.TASK_ANSWER))
def look(desk: Desk, task_id: UUID) -> Response:
    """Whom to tell what, and what came of it."""
    return _tell_page(desk, recipient.opened(desk.context, TaskId(task_id)))


@router.post(_TELL, **action(Action.TASK_ANSWER))
def tell(desk: Desk, task_id: UUID) -> Response:
    """Write it down. A second click finds it written."""
    found = recipient.opened(desk.context, TaskId(task_id))
    try:
        said = _said(desk)
    except Refused as refusal:
        return _tell_page(desk, found, refusal)
    try:
        recipient.say(desk.context, TaskId(task_id), said)
    except Unprocessable as refusal:
        return _tell_page(desk, found, refusal)
    except Conflict:
        if recipient.opened(desk.context, TaskId(task_id)).notice.state is not said.state:
            raise
    return desk.go(f"{TASKS}/{task_id}", "excuse_proposed" if said.state is _S.PROPOSED else "noted")


@router.get(f"{PAGE}/recipients", **action(Action.DSAR_OPEN))
def show(desk: Desk, reference: str) -> Response:
    """Every recipient of the request and what came of it; one that waits for a second person has its question here."""
    return _list_page(desk, reference)


@router.post(f"{PAGE}/recipients", **action(Action.DSAR_COUNTERSIGN))
def decide(desk: Desk, reference: str) -> Response:
    """Agree that a recipient is not told, or send it back. A second click finds it decided."""
    opened = opening.open_request(desk.context, reference, masks=True)
    notice = next((one for one in opened.notices if str(one.id) == desk.form.get("notice")), None)
    if notice is None:
        raise NotFound
    agrees = desk.form.get("decision")
    if agrees not in {"agree", "back"}:
        return _list_page(desk, reference, Refused(("decision", "Choose whether you agree")))
    try:
        if agrees == "agree":
            recipient.agree(desk.context, notice.id, desk.form.get("seen"))
        else:
            recipient.send_back(desk.context, notice.id)
    except SamePerson as refusal:
        return _list_page(desk, reference, refusal)
    except Conflict:
        states = {one.id: one.state for one in recipients.all_of(desk.context, opened.dsar.id)}
        if states[notice.id] is _S.PROPOSED:
            raise
    return desk.go(f"{face_of(desk, opened).url}/recipients", "noted")


def _said(desk: Visit) -> Said:
    form = desk.form
    outcome, day, way = form.get("outcome"), form.get("on"), form.get("way")
    if outcome not in _OUTCOMES:
        raise Refused(("outcome", "Say what came of it"))
    state, excuse, _, _ = _OUTCOMES[outcome]
    if state not in {_S.TOLD, _S.CONFIRMED}:
        return Said(state, excuse=excuse, note=form.get("note"))
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        raise Refused(("on", "Enter a date such as 2026-11-22")) from None
    return Said(state, on, Way(way) if way in set(Way) else None, note=form.get("note"))


_FIELD_OF: Final = {"say how": "way", "say on which day": "on", "the day lies": "on", "say in a sentence": "note"}


def _errors(refusal: Problem | None) -> list[dict[str, str | None]]:
    if refusal is None:
        return []
    if isinstance(refusal, Refused):
        return refusal.errors
    text = refusal.detail or refusal.title
    field = next((name for begins, name in _FIELD_OF.items() if text.startswith(begins)), None)
    return [{"field": field, "text": f"{text[:1].upper()}{text[1:]}."}]


def _tell_page(desk: Visit, found: OpenedNotice, refusal: Problem | None = None) -> Response:
    notice = found.notice
    left_out = {"told"} if notice.was_told else {"unanswered"}
    left_out |= {"not_disclosed"} if notice.was_told else set()
    known = {key: (label, hint) for key, (_, _, label, hint) in _OUTCOMES.items() if key not in left_out}
    way = field_("select", "way", "How it was told", optional=True)
    way["options"] = shape.options({"": "–", **_WAYS})
    day = field_("date", "on", "On which day it was told, or confirmed", optional=True)
    note = field_("area", "note", "To whom, or why not", SEALED, optional=True)
    return task_act(
        desk, found.task, f"Tell {notice.name}", "recipient", _errors(refusal), refusal.status if refusal else 200,
        facts_title="The recipient", facts=_facts(found), notices=_waiting(notice),
        quote_title=f"What to tell it: {found.text.subject}" if found.text else "",
        quote=below_heading(found.text) if found.text else "",
        question="" if notice.state is _S.PROPOSED else "What came of telling it?",
        fields=[outcomes("What came of it?", known), day, way, note],
        submit={"label": "Write it down", "tone": "primary"},
        values={"way": str(notice.way or ""), **desk.form.values()},
    )  # fmt: skip


def _waiting(notice: RecipientNotice) -> list[dict[str, str]]:
    if notice.state is not _S.PROPOSED:
        return []
    text = "It was proposed that it is not told. The page of the request's recipients asks the second person."
    return [{"tone": "inf", "title": "A second person has to agree", "text": text}]


def _facts(found: OpenedNotice) -> list[dict[str, str]]:
    notice, known = found.notice, found.known
    pairs = (
        ("Recipient", notice.name), ("Gets data for", known.purpose), ("Country", known.country),
        ("Reached at", known.contact), ("So far", _line(notice)), ("Noted", found.note),
    )  # fmt: skip
    return [{"label": label, "value": value} for label, value in pairs if value]


def _line(notice: RecipientNotice) -> str:
    """What is known of it, in a sentence."""
    parts = []
    if notice.told_on is not None:
        parts.append(f"told on {words.day(notice.told_on)}" + (f" {_WAYS[notice.way]}" if notice.way else ""))
    if notice.confirmed_on is not None:
        parts.append(f"confirmed on {words.day(notice.confirmed_on)}")
    if notice.excuse is not None:
        parts.append(_EXCUSES[notice.excuse])
    return ", ".join(parts)


def _list_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    if not opened.notices:
        raise NotFound
    proposed = next((one for one in opened.notices if one.state is _S.PROPOSED), None)
    view = _nothing_asked() if proposed is None else _agree(desk, proposed)
    errors = [{"field": "decision", "text": refusal.title}] if isinstance(refusal, SamePerson) else _errors(refusal)
    others = [{"label": "Back to the request", "url": face_of(desk, opened).url, "method": "get"}]
    return act_page(
        desk, opened, "Recipients", refusal, "decision", notices=[_WHAT_FOR],
        lists=[_recipient(desk, one) for one in opened.notices], others=others, **{**view, "errors": errors},
    )  # fmt: skip


def _recipient(desk: Visit, one: RecipientNotice) -> dict[str, Any]:
    """One recipient: where it stands, what is known of it, and its task while that is open."""
    text, tone = _STATES[one.state]
    waits = one.state in {_S.OPEN, _S.TOLD} and desk.may(Action.TASK_ANSWER)
    link = {"label": "Say what came of telling it", "url": f"{TASKS}/{one.task_id}/recipient"} if waits else None
    line = _line(one) or "Nobody has told it yet."
    return {"title": one.name, "tag": {"text": text, "tone": tone}, "link": link,
            "lines": [{"text": line[:1].upper() + line[1:], "note": "", "tag": None}]}  # fmt: skip


def _nothing_asked() -> dict[str, Any]:
    return {"question": "", "fields": [], "submit": {"label": "", "tone": "primary"}}


def _agree(desk: Visit, notice: RecipientNotice) -> dict[str, Any]:
    """The question to the second person; others see that it waits."""
    if not desk.may(Action.DSAR_COUNTERSIGN):
        return _nothing_asked()
    decision = field_("choices", "decision", "Do you agree?")
    decision["options"] = [
        {"value": "agree", "label": "I agree", "hint": "The recipient is settled with this reason."},
        {"value": "back", "label": "It has to be told", "hint": "The task goes on."},
    ]
    own = notice.proposed_by == desk.me.account.id and not desk.context.controller.single_operator
    return {
        "question": f"{notice.name}: {_EXCUSES[notice.excuse] if notice.excuse else ''}", "fields": [decision],
        "hidden": {"notice": str(notice.id), "seen": recipient.digest_of(notice)}, "quote_title": "The reason",
        "quote": recipient.reason(desk.context, notice.id), "submit": {"label": "Decide", "tone": "primary"},
        "why_not": "You proposed it; another person agrees." if own else None,
    }  # fmt: skip
