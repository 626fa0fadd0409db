"""What publishing a purpose and a notice have in common: the changes as lines, and the judgement of a person."""

import json
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from privacyops.console import words
from privacyops.console.forms import Form, Refused
from privacyops.console.pages.act_page import field_
from privacyops.domain.draft import Judgement

_PERIODS: Final = {"valid_for", "retention"}
_JUDGED_LATER: Final = {"version", "material", "material_reason", "judged_by"}


def publish_fields() -> list[dict[str, Any]]:
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


def judged(form: Form) -> Judgement | None:
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
