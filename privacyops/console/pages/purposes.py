"""Purposes: what is in force, every version before it, and the draft of the next one until a person publishes it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages import purpose_form
from privacyops.console.pages.act_page import blank_act, field_
from privacyops.console.pages.consent_tabs import CONSENT, PURPOSES, consent_page
from privacyops.console.pages.publishing import (
    Publishing,
    changes,
    draft_buttons,
    overtaken,
    publish_draft,
    publish_page,
)
from privacyops.domain.account.action import Action
from privacyops.domain.draft import MaterialityNotJudged
from privacyops.domain.purpose import PurposeMalformed, PurposeVersion
from privacyops.kernel.errors import NotFound, Problem
from privacyops.services import drafting, retiring
from privacyops.services.drafting import DraftOvertaken
from privacyops.services.purpose import ScopeChanged

router: Final = APIRouter()
_ONE: Final = f"{PURPOSES}/{{key}}"


@router.get(PURPOSES, **action(Action.PURPOSE_SEE))
def show(desk: Desk) -> Response:
    """Every purpose in force, and the drafts."""
    known, drafts = drafting.published_purposes(desk.context).purposes, _drafts(desk)
    rows = [_row(one.current, has_draft=key in drafts) for key, one in sorted(known.items())]
    rows += [_row(draft, has_draft=True, is_new=True) for key, draft in sorted(drafts.items()) if key not in known]
    new = f"{PURPOSES}/new" if desk.may(Action.PURPOSE_DRAFT) else None
    return consent_page(desk, "consent_purposes", "purposes", rows=rows, new_url=new)


@router.get(f"{PURPOSES}/new", **action(Action.PURPOSE_DRAFT))
def ask(desk: Desk) -> Response:
    """A purpose that there is none of yet."""
    return _form_page(desk, None, purpose_form.values_of(None, desk.context.controller.languages))


@router.post(f"{PURPOSES}/new", **action(Action.PURPOSE_DRAFT))
def begin(desk: Desk) -> Response:
    """Keep it as a draft."""
    return _save(desk, None, desk.form.get("key"))


@router.get(_ONE, **action(Action.PURPOSE_SEE))
def read(desk: Desk, key: str) -> Response:
    """One purpose: what is in force, what is drafted, what was before."""
    known, draft = drafting.published_purposes(desk.context).purposes.get(key), _drafts(desk).get(key)
    shown = known.current if known else draft
    if shown is None:
        raise NotFound
    here = f"{PURPOSES}/{key}"
    is_live = known is not None and not known.current.is_retired
    others = _buttons(desk, here, has_draft=draft is not None, is_live=is_live)
    view = {
        "title": _title(shown), "key": key, "crumbs_url": PURPOSES, "others": others, "is_new": known is None,
        "is_retired": shown.is_retired, "facts": purpose_form.facts(shown), "grounds": purpose_form.grounds(shown),
        "draft": None if draft is None else {
            "version": draft.version, "lines": changes(known.current.to_json() if known else {}, draft.to_json())},
        "versions": [
            {"version": one.version, "material": one.is_material, "reason": one.material_reason, "by": one.judged_by}
            for _, one in sorted(known.versions.items(), reverse=True)
        ] if known else [],
    }  # fmt: skip
    return desk.page("consent_purpose", view, "consent")


@router.get(f"{_ONE}/draft", **action(Action.PURPOSE_DRAFT))
def ask_draft(desk: Desk, key: str) -> Response:
    """The next version, as far as it is written."""
    base = _base(desk, key)
    return _form_page(desk, base, purpose_form.values_of(base, desk.context.controller.languages))


@router.post(f"{_ONE}/draft", **action(Action.PURPOSE_DRAFT))
def draft(desk: Desk, key: str) -> Response:
    """Keep the next version as a draft. Nothing changes until it is published."""
    return _save(desk, _base(desk, key), key)


@router.post(f"{_ONE}/discard", **action(Action.PURPOSE_DRAFT))
def discard(desk: Desk, key: str) -> Response:
    """Throw the draft away. A second click finds none."""
    drafting.discard_purpose(desk.context, key)
    known = key in drafting.published_purposes(desk.context).purposes
    return desk.go(f"{PURPOSES}/{key}" if known else PURPOSES, "draft_discarded")


@router.get(f"{_ONE}/publish", **action(Action.PURPOSE_CHANGE))
def ask_publish(desk: Desk, key: str) -> Response:
    """What publishing changes, and what a person decides with it."""
    if key not in _drafts(desk):
        return desk.go(f"{PURPOSES}/{key}")
    return publish_page(desk, _publishing(desk, key))


@router.post(f"{_ONE}/publish", **action(Action.PURPOSE_CHANGE))
def publish(desk: Desk, key: str) -> Response:
    """Put the draft in force. Sent twice, it is published once."""
    return publish_draft(
        desk,
        lambda: _publishing(desk, key),
        lambda judgement, call, seen: drafting.publish_purpose(desk.context, key, judgement, call, seen=seen),
        (PurposeMalformed, ScopeChanged),
        "purpose_published",
    )


@router.get(f"{_ONE}/retire", **action(Action.PURPOSE_CHANGE))
def ask_retire(desk: Desk, key: str) -> Response:
    """What ends with the purpose, before it does."""
    return _retire_page(desk, key)


@router.post(f"{_ONE}/retire", **action(Action.PURPOSE_CHANGE))
def retire(desk: Desk, key: str) -> Response:
    """End it. A second click finds it ended."""
    form = desk.form
    try:
        retiring.retire(desk.context, key, form.get("why"), form.get("judged_by"))
    except MaterialityNotJudged as refusal:
        text = "Say in a few words why, and who decided it"
        return _retire_page(desk, key, refusal, [{"field": "why", "text": text}])
    return desk.go(f"{PURPOSES}/{key}", "purpose_retired")


def _retire_page(
    desk: Visit, key: str, refusal: Problem | None = None, errors: list[dict[str, Any]] | None = None
) -> Response:
    here, found = f"{PURPOSES}/{key}", retiring.effects(desk.context, key)
    view = blank_act("Retire", here, f"{here}/retire", [("Consent", CONSENT), ("Purposes", PURPOSES), (key, here)])
    view |= {
        "notices": [{"tone": "warn", "title": "Every check answers no at once",
                     "text": "Nobody is asked for it any more. What people said, their receipts and the log stay, and "
                             "a no is still recorded. A later version brings the purpose back."}],
        "question": "Retire this purpose?", "facts_title": "What ends with it",
        "facts": [{"label": label, "value": value} for label, value in purpose_form.effects(found) if value],
        "fields": [field_("area", "why", "Why", "It is kept with the version and shown to auditors."),
                   field_("field", "judged_by", "Who decided", "The name of the person.")],
        "values": desk.form.values() if refusal else {"judged_by": desk.me.account.name}, "errors": errors or [],
        "submit": {"label": "Retire", "tone": "bad"},
    }  # fmt: skip
    return desk.page("act", view, "consent", refusal.status if refusal else 200)


def _save(desk: Visit, base: PurposeVersion | None, key: str) -> Response:
    form = desk.form

    def change(newest: PurposeVersion | None) -> Mapping[str, Any]:
        if base is None and newest is not None:
            raise Refused(("key", "There is a purpose of this key already; draft its next version"))
        if base is not None:
            drafting.require_seen(newest.to_json() if newest else None, form.get("seen"))
        return purpose_form.body_of(form, newest.to_json() if newest else {"key": key})

    try:
        saved = drafting.redraft_purpose(desk.context, key, change)
    except DraftOvertaken as refusal:
        return _form_page(desk, _base(desk, key), form.values(), refusal)
    except Refused as refusal:
        return _form_page(desk, base, desk.form.values(), refusal, refusal.errors)
    except PurposeMalformed as refusal:
        return _form_page(desk, base, desk.form.values(), refusal, purpose_form.errors_of(refusal))
    return desk.go(f"{PURPOSES}/{saved.key}", "draft_saved")


def _form_page(
    desk: Visit, base: PurposeVersion | None, values: Mapping[str, str], refusal: Problem | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> Response:  # fmt: skip
    names, form = drafting.published_purposes(desk.context), desk.form
    chosen = {name: set(form.all(name)) for name in ("channels", "flags")}
    if refusal is None and base is not None:
        chosen = {"channels": set(base.channels), "flags": {str(flag) for flag in base.flags}}
    here = f"{PURPOSES}/{base.key}" if base else PURPOSES
    view = {
        "title": f"{_title(base)}, next version" if base else "Draft a purpose",
        "crumbs": [{"label": "Purposes", "url": PURPOSES}, *([{"label": _title(base), "url": here}] if base else [])],
        "url": f"{here}/{'draft' if base else 'new'}", "back": here, "is_new": base is None,
        "scope_fixed": base is not None and base.key in names.purposes,
        "scope": str(base.scope) if base else "brand",
        "languages": purpose_form.languages(base, desk.context.controller.languages),
        "channels": purpose_form.channel_boxes(names.channels, chosen["channels"]),
        "flags": purpose_form.flag_boxes(chosen["flags"]), "rows": purpose_form.ground_rows(values),
        "bases": purpose_form.BASES, "regimes": purpose_form.REGIMES,
        "kept": "handling" in base.to_json() if base else False, "values": values, "errors": errors or [],
        "seen": form.get("seen") if errors else drafting.mark_of(base.to_json() if base else None),
        "overtaken": _overtaken(desk, base) if base and isinstance(refusal, DraftOvertaken) else None,
    }  # fmt: skip
    return desk.page("consent_purpose_form", view, "consent", refusal.status if refusal else 200)


def _overtaken(desk: Visit, newest: PurposeVersion) -> dict[str, Any]:
    try:
        mine = purpose_form.body_of(desk.form, newest.to_json())
    except Refused:
        mine = {}  # what is wrong in it is said when it is saved
    return overtaken(_held(desk, newest.key), newest.to_json(), mine, f"{PURPOSES}/{newest.key}/draft")


def _held(desk: Visit, key: str) -> Any:
    return next((one for one in drafting.purpose_drafts(desk.context) if one.key == key), None)


def _publishing(desk: Visit, key: str) -> Publishing:
    here, held = f"{PURPOSES}/{key}", _held(desk, key)
    return Publishing(
        here=here,
        crumbs=[("Consent", CONSENT), ("Purposes", PURPOSES), (key, here)],
        is_new=key not in drafting.published_purposes(desk.context).purposes,
        title="A published version stays as it is",
        text="The check answers by it from the next call on. What is wrong in it is mended by a version after it.",
        question="Put this purpose in force?",
        seen=drafting.mark_of(held.body if held else None),
    )


def _buttons(desk: Visit, here: str, *, has_draft: bool, is_live: bool) -> list[dict[str, Any]]:
    others = draft_buttons(
        desk, here, has_draft=has_draft, label="Go on with the draft",
        may_draft=Action.PURPOSE_DRAFT, may_publish=Action.PURPOSE_CHANGE,
    )  # fmt: skip
    if is_live and desk.may(Action.PURPOSE_CHANGE):
        others.append({"label": "Retire…", "url": f"{here}/retire", "method": "get"})
    return others


def _row(one: PurposeVersion, *, has_draft: bool, is_new: bool = False) -> dict[str, Any]:
    return {
        "key": one.key, "url": f"{PURPOSES}/{one.key}", "title": _title(one), "version": one.version,
        "channels": sorted(one.channels), "bases": purpose_form.bases(one), "has_draft": has_draft, "is_new": is_new,
        "is_retired": one.is_retired, "valid_for": words.period(one.valid_for or "") or None,
        "flags": [purpose_form.FLAGS[flag][0] for flag in sorted(one.flags)],
    }  # fmt: skip


def _drafts(desk: Visit) -> dict[str, PurposeVersion]:
    return {one.key: PurposeVersion.of_json(one.body) for one in drafting.purpose_drafts(desk.context)}


def _base(desk: Visit, key: str) -> PurposeVersion:
    """What the next version is written from: its draft, else what is in force. Raises: NotFound."""
    known = drafting.published_purposes(desk.context).purposes.get(key)
    found = _drafts(desk).get(key) or (known.current if known else None)
    if found is None:
        raise NotFound
    return found


def _title(one: PurposeVersion) -> str:
    return one.titles.get("en") or next(iter(one.titles.values()))
