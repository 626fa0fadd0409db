"""What publishing a purpose and a notice have in common: ways to it, changes as lines, a judgement, and the act."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final
from uuid import uuid4

from fastapi import Response

from privacyops.console import words
from privacyops.console.deps import Visit
from privacyops.console.forms import Form, Refused
from privacyops.console.pages.act_page import blank_act, field_
from privacyops.domain.account.action import Action
from privacyops.domain.draft import Judgement, MaterialityNotJudged
from privacyops.kernel.errors import Problem
from privacyops.services.drafting import DraftOvertaken, DraftUnknown
from privacyops.services.idempotency import Call

_PERIODS: Final = {"valid_for", "retention"}
_JUDGED_LATER: Final = {"version", "material", "material_reason", "judged_by"}


@dataclass(frozen=True)
class Publishing:
    """What is published: where it is shown, `crumbs` as words and address, and what the act means for people."""

    here: str
    crumbs: list[tuple[str, str]]
    is_new: bool
    title: str
    text: str
    question: str
    why_not: str | None = None
    seen: str = ""
    """The mark of the draft that the page is about."""


def overtaken(held: Any, newest: Mapping[str, Any], mine: Mapping[str, Any], url: str) -> dict[str, Any]:
    """What ui/overtaken.html tells whose save came second: who was first, and what the second one would change.

    `held` is the draft that stands; None: there is none any more.
    """
    told = {"by": held.saver, "at": held.saved_at} if held else {"by": None, "at": None}
    return {**told, "lines": changes(newest, mine) if mine else [], "url": url}


def draft_buttons(
    desk: Visit, here: str, *, has_draft: bool, label: str, may_draft: Action, may_publish: Action
) -> list[dict[str, Any]]:
    """The ways to the next version; `label` is what going on with its draft is called."""
    others: list[dict[str, Any]] = []
    if desk.may(may_draft):
        label = label if has_draft else "Draft the next version"
        others.append({"label": label, "url": f"{here}/draft", "method": "get"})
        if has_draft:
            others.append({"label": "Throw the draft away", "url": f"{here}/discard", "method": "post", "tone": "bad"})
    if has_draft and desk.may(may_publish):
        others.append({"label": "Publish…", "url": f"{here}/publish", "method": "get", "tone": "primary"})
    return others


def publish_page(desk: Visit, what: Publishing, refusal: Problem | None = None) -> Response:
    """What publishing means, what a person decides with it, and why it was refused."""
    view = blank_act("Publish", what.here, f"{what.here}/publish", [*what.crumbs])
    view |= {
        "notices": [{"tone": "inf", "title": what.title, "text": what.text}],
        "question": what.question if what.is_new else "Does older consent still cover it?",
        "fields": [] if what.is_new else _publish_fields(),
        "values": desk.form.values() if refusal else {"judged_by": desk.me.account.name},
        "hidden": {"once": desk.form.get("once") or str(uuid4()), "seen": what.seen}, "errors": _errors(refusal),
        "submit": {"label": "Publish", "tone": "primary"}, "why_not": what.why_not,
    }  # fmt: skip
    return desk.page("act", view, "consent", refusal.status if refusal else 200)


def publish_draft(
    desk: Visit,
    what: Callable[[], Publishing],
    publish: Callable[[Judgement | None, Call, str], object],
    malformed: tuple[type[Problem], ...],
    flash: str,
) -> Response:
    """Publishes as the form says, or asks again with what was wrong. Sent twice, it is published once."""
    form = desk.form
    call = Call.of(f"console:{form.get('once') or uuid4()}"[:128], repr(sorted(form.values().items())).encode())
    answered: tuple[type[Problem], ...] = (Refused, MaterialityNotJudged, *malformed)
    try:
        publish(_judged(form), call, form.get("seen"))
    except DraftUnknown:
        return desk.go(what().here, "draft_gone")
    except DraftOvertaken:
        return desk.go(what().here, "draft_changed")
    except answered as refusal:
        return publish_page(desk, what(), refusal)
    return desk.go(what().here, flash)


def _errors(refusal: Problem | None) -> list[dict[str, Any]]:
    if refusal is None:
        return []
    if isinstance(refusal, Refused):
        return refusal.errors
    if isinstance(refusal, MaterialityNotJudged):
        return [{"field": "why", "text": refusal.title}]
    return [{"field": None, "text": refusal.detail or refusal.title}]


def _publish_fields() -> list[dict[str, Any]]:
    """What a second and later version asks: does older consent still cover it, why, and who says so."""
    material = field_("choices", "material", "Is the change material?")
    material["options"] = [
        {"value": "yes", "label": "Yes", "hint": "Consent given before does not cover it: people are asked again."},
        {"value": "no", "label": "No", "hint": "Consent given before still covers it, such as after a typing error."},
    ]
    return [
        material,
        field_("area", "why", "Why", "It is kept with the version and shown to auditors."),
        field_("field", "judged_by", "Who decided", "The name of the person."),
    ]


def _judged(form: Form) -> Judgement | None:
    """What the form says of it; None: nothing, which a first version may. Raises: Refused."""
    if not any(form.get(name) for name in ("material", "why")):
        return None
    if form.get("material") not in {"yes", "no"}:
        raise Refused(("material", "Choose whether older consent still covers it"))
    return Judgement(form.get("material") == "yes", form.get("why"), form.get("judged_by"))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a draft adds and removes, line by line; what stays is left out."""
    old, new = _lines(before), _lines(after)
    found: list[dict[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found += [{"change": "removed", "text": line} for line in old[a:b]]
            found += [{"change": "added", "text": line} for line in new[c:d]]
    return found


def _lines(body: Mapping[str, Any], inside: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in sorted(body.items()):
        if not inside and name in _JUDGED_LATER:
            continue
        label = f"{inside}{name}"
        if isinstance(value, Mapping) and value:
            lines += _lines(value, f"{label} › ")
        elif name in _PERIODS and isinstance(value, str):
            lines.append(f"{label}: {words.period(value)}")
        elif isinstance(value, list):
            lines.append(f"{label}: {', '.join(str(one) for one in value) or '–'}")
        else:
            lines.append(f"{label}: {value if isinstance(value, str) else json.dumps(value)}")
    return lines
