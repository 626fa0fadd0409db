"""Notices: what people read before they choose. Every version stays readable; a draft says what it still lacks."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages.consent_tabs import CONSENT, NOTICES, consent_page
from privacyops.console.pages.publishing import Publishing, draft_buttons, overtaken, publish_draft, publish_page
from privacyops.domain.account.action import Action
from privacyops.domain.notice import SECTION, LintFinding, NoticeLintFailed, NoticeMalformed, NoticeVersion, Part
from privacyops.kernel.errors import NotFound, Problem
from privacyops.services import drafting
from privacyops.services.drafting import DraftOvertaken

router: Final = APIRouter()
_ONE: Final = f"{NOTICES}/{{id_}}"
_ID: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?")
LONGEST_PART: Final = 20_000


@router.get(NOTICES, **action(Action.NOTICE_SEE))
def show(desk: Desk) -> Response:
    """Every notice in its newest version, and the drafts."""
    newest, drafts = _newest(desk), _drafts(desk)
    rows = [_row(desk, id_, newest.get(id_), drafts.get(id_)) for id_ in sorted({*newest, *drafts})]
    new = f"{NOTICES}/new" if desk.may(Action.NOTICE_DRAFT) else None
    return consent_page(desk, "consent_notices", "notices", rows=rows, new_url=new)


@router.get(f"{NOTICES}/new", **action(Action.NOTICE_DRAFT))
def ask(desk: Desk) -> Response:
    """A notice that there is none of yet."""
    return _terms_page(desk, None)


@router.post(f"{NOTICES}/new", **action(Action.NOTICE_DRAFT))
def begin(desk: Desk) -> Response:
    """Keep it as a draft, with every language that the house speaks still to be written."""
    try:
        return _save(desk, None, _new_id(desk))
    except Refused as refusal:
        return _terms_page(desk, None, refusal, refusal.errors)


@router.get(_ONE, **action(Action.NOTICE_SEE))
def read(desk: Desk, id_: str) -> Response:
    """One notice: its versions with their texts, and what the draft still lacks."""
    published, draft = _published(desk, id_), _drafts(desk).get(id_)
    if not published and draft is None:
        raise NotFound
    here, titles = f"{NOTICES}/{id_}", _purpose_titles(desk)
    view = {
        "id": id_, "crumbs_url": NOTICES, "others": _buttons(desk, here, has_draft=draft is not None),
        "draft": None if draft is None else _draft_view(desk, here, draft, titles),
        "versions": [
            {"version": one.notice.version, "at": one.published_at, "material": one.notice.is_material,
             "reason": one.notice.material_reason, "by": one.notice.judged_by,
             "purposes": [titles.get(key, key) for key in one.notice.purposes],
             "texts": [{"locale": locale, "sha256": one.notice.digest(locale),
                        "url": f"/notices/{id_}/{one.notice.version}/{locale}"} for locale in sorted(one.notice.texts)]}
            for one in published
        ],
    }  # fmt: skip
    return desk.page("consent_notice", view, "consent")


@router.get(f"{_ONE}/draft", **action(Action.NOTICE_DRAFT))
def ask_terms(desk: Desk, id_: str) -> Response:
    """What the next version is about, and its languages."""
    return _terms_page(desk, _base(desk, id_))


@router.post(f"{_ONE}/draft", **action(Action.NOTICE_DRAFT))
def save_terms(desk: Desk, id_: str) -> Response:
    """Keep what it is about. Texts of a language that was added are blank; those of one left out go with it."""
    base = _base(desk, id_)
    try:
        return _save(desk, base, id_)
    except DraftOvertaken as refusal:
        return _terms_page(desk, _base(desk, id_), refusal)
    except Refused as refusal:
        return _terms_page(desk, base, refusal, refusal.errors)


@router.get(f"{_ONE}/draft/{{locale}}", **action(Action.NOTICE_DRAFT))
def ask_text(desk: Desk, id_: str, locale: str) -> Response:
    """The words in one language, part by part."""
    base = _base(desk, id_)
    if locale not in base.texts:
        raise NotFound
    return _text_page(desk, base, locale)


@router.post(f"{_ONE}/draft/{{locale}}", **action(Action.NOTICE_DRAFT))
def save_text(desk: Desk, id_: str, locale: str) -> Response:
    """Keep the words of one language; the other languages stay as they are."""
    base, form = _base(desk, id_), desk.form
    if locale not in base.texts:
        raise NotFound
    words = {str(part): form.get(part) for part in Part if form.get(part)}
    long = [name for name, text in words.items() if len(text) > LONGEST_PART]
    if long:
        refusal = Refused(*((name, "Shorten this part to 20,000 characters") for name in long))
        return _text_page(desk, base, locale, refusal)

    def change(newest: NoticeVersion | None) -> Mapping[str, Any]:
        held = newest.to_json() if newest else {"texts": {}}
        drafting.require_seen(held["texts"].get(locale), form.get("seen"))
        return {**held, "texts": {**held["texts"], locale: words}}

    try:
        drafting.redraft_notice(desk.context, id_, change)
    except DraftOvertaken as refusal:
        newest = _base(desk, id_)
        if locale not in newest.texts:
            return desk.go(f"{NOTICES}/{id_}", "draft_changed")
        return _text_page(desk, newest, locale, refusal)
    return desk.go(f"{NOTICES}/{id_}", "draft_saved")


@router.post(f"{_ONE}/discard", **action(Action.NOTICE_DRAFT))
def discard(desk: Desk, id_: str) -> Response:
    """Throw the draft away. A second click finds none."""
    drafting.discard_notice(desk.context, id_)
    return desk.go(f"{NOTICES}/{id_}" if id_ in _newest(desk) else NOTICES, "draft_discarded")


@router.get(f"{_ONE}/publish", **action(Action.NOTICE_CHANGE))
def ask_publish(desk: Desk, id_: str) -> Response:
    """What publishing means, and what a person decides with it."""
    if id_ not in _drafts(desk):
        return desk.go(f"{NOTICES}/{id_}")
    return publish_page(desk, _publishing(desk, id_))


@router.post(f"{_ONE}/publish", **action(Action.NOTICE_CHANGE))
def publish(desk: Desk, id_: str) -> Response:
    """Make the draft readable for ever. Sent twice, it is published once."""
    return publish_draft(
        desk,
        lambda: _publishing(desk, id_),
        lambda judgement, call, seen: drafting.publish_notice(desk.context, id_, judgement, call, seen=seen),
        (NoticeLintFailed, NoticeMalformed),
        "notice_published",
    )


def _new_id(desk: Visit) -> str:
    """Raises: Refused."""
    id_ = desk.form.get("id")
    if not _ID.fullmatch(id_) or id_ == "new":
        raise Refused(("id", "Small letters, digits, dashes and underscores, such as newsletter"))
    return id_


def _save(desk: Visit, base: NoticeVersion | None, id_: str) -> Response:
    """Raises: Refused, DraftOvertaken."""
    form = desk.form

    def change(newest: NoticeVersion | None) -> Mapping[str, Any]:
        if base is None and newest is not None:
            raise Refused(("id", "There is a notice of this name already; draft its next version"))
        if base is not None:
            drafting.require_seen(_terms(newest), form.get("seen"))
        return _termed(desk, newest.to_json() if newest else {"texts": {}})

    saved = drafting.redraft_notice(desk.context, id_, change)
    return desk.go(f"{NOTICES}/{saved.id}", "draft_saved")


def _terms(one: NoticeVersion | None) -> dict[str, Any] | None:
    """What the page of terms is filled from: the words of each language are another page's."""
    if one is None:
        return None
    told = one.to_json()
    return {name: told.get(name) for name in ("purposes", "bundles", "preselected")} | {"locales": sorted(one.texts)}


def _termed(desk: Visit, body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with what the form of terms says. Raises: Refused."""
    form = desk.form
    purposes, locales = form.all("purposes"), [one for one in re.split(r"[\s,;]+", form.get("locales")) if one]
    problems: list[tuple[str | None, str]] = []
    if not purposes:
        problems.append(("purposes", "Choose at least one purpose"))
    if not locales or not all(_LOCALE.fullmatch(one) for one in locales):
        problems.append(("locales", "Enter languages such as en or de-AT, apart by commas"))
    bundles = [[key for key in re.split(r"[\s+,]+", line) if key] for line in form.get("bundles").splitlines()]
    known = set(_purpose_titles(desk))
    if any(key not in known for bundle in bundles for key in bundle):
        problems.append(("bundles", "Enter keys of purposes, joined by +, one group a line"))
    if problems:
        raise Refused(*problems)
    texts = {locale: body["texts"].get(locale, {}) for locale in locales}
    ticked = sorted(set(form.all("preselected")) & set(purposes))
    return {**body, "texts": texts, "purposes": purposes, "bundles": [one for one in bundles if one],
            "preselected": ticked}  # fmt: skip


def _terms_page(
    desk: Visit, base: NoticeVersion | None, refusal: Problem | None = None, errors: list[dict[str, Any]] | None = None
) -> Response:
    form, here = desk.form, f"{NOTICES}/{base.id}" if base else NOTICES
    values = {"locales": ", ".join(sorted(base.texts) if base else desk.context.controller.languages),
              "bundles": "\n".join(" + ".join(one) for one in base.bundles) if base else ""}  # fmt: skip
    chosen = {"purposes": set(base.purposes if base else ()), "preselected": set(base.preselected if base else ())}
    if refusal is not None:
        values, chosen = form.values(), {name: set(form.all(name)) for name in chosen}
    view = {
        "title": f"{base.id}, next version" if base else "Draft a notice", "is_new": base is None, "back": here,
        "crumbs": [{"label": "Notices", "url": NOTICES}, *([{"label": base.id, "url": here}] if base else [])],
        "url": f"{here}/{'draft' if base else 'new'}",
        "purposes": [
            {"value": key, "label": title, "checked": key in chosen["purposes"], "ticked": key in chosen["preselected"]}
            for key, title in sorted(_purpose_titles(desk).items())
        ],
        "values": values, "errors": errors or [],
        "seen": form.get("seen") if errors else drafting.mark_of(_terms(base)), "overtaken": None,
    }  # fmt: skip
    if base is not None and isinstance(refusal, DraftOvertaken):
        view["overtaken"] = _terms_overtaken(desk, base)
    return desk.page("consent_notice_terms", view, "consent", refusal.status if refusal else 200)


def _terms_overtaken(desk: Visit, newest: NoticeVersion) -> dict[str, Any]:
    try:
        mine = NoticeVersion.of_json(_termed(desk, newest.to_json()))
    except (Refused, NoticeMalformed):
        mine = None  # what is wrong in it is said when it is saved
    url = f"{NOTICES}/{newest.id}/draft"
    return overtaken(_held(desk, newest.id), _terms(newest) or {}, _terms(mine) or {}, url)


def _held(desk: Visit, id_: str) -> Any:
    return next((one for one in drafting.notice_drafts(desk.context) if one.key == id_), None)


def _text_page(desk: Visit, base: NoticeVersion, locale: str, refusal: Problem | None = None) -> Response:
    here, texts, told = f"{NOTICES}/{base.id}", base.texts[locale], base.to_json()["texts"]
    other = next((one for one in sorted(base.texts) if one != locale and base.texts[one]), None)
    view = {
        "id": base.id, "locale": locale, "url": f"{here}/draft/{locale}", "back": here,
        "crumbs": [{"label": "Notices", "url": NOTICES}, {"label": base.id, "url": here}],
        "parts": [{"key": str(part), "section": SECTION[part]} for part in Part],
        "other": other, "beside": {str(part): text for part, text in base.texts[other].items()} if other else {},
        "values": desk.form.values() if refusal else {str(part): text for part, text in texts.items()},
        "errors": refusal.errors if isinstance(refusal, Refused) else [],
        "seen": desk.form.get("seen") if isinstance(refusal, Refused) else drafting.mark_of(told[locale]),
        "overtaken": None,
    }  # fmt: skip
    if isinstance(refusal, DraftOvertaken):
        mine = {str(part): desk.form.get(part) for part in Part if desk.form.get(part)}
        view["overtaken"] = overtaken(_held(desk, base.id), told[locale], mine, f"{here}/draft/{locale}")
    return desk.page("consent_notice_text", view, "consent", refusal.status if refusal else 200)


def _publishing(desk: Visit, id_: str) -> Publishing:
    lacks = len(drafting.lint_notice(desk.context, id_)) if id_ in _drafts(desk) else 0
    here, held = f"{NOTICES}/{id_}", _held(desk, id_)
    return Publishing(
        here=here,
        crumbs=[("Consent", CONSENT), ("Notices", NOTICES), (id_, here)],
        is_new=id_ not in _newest(desk),
        title="A published text stays as it is",
        text="It stays readable for ever, since receipts lead to it. What is wrong in it is mended by a version "
        "after it.",
        question="Publish this text?",
        why_not=f"The draft still lacks something ({lacks}); its page says what." if lacks else None,
        seen=drafting.mark_of(held.body if held else None),
    )


def _draft_view(desk: Visit, here: str, draft: NoticeVersion, titles: Mapping[str, str]) -> dict[str, Any]:
    found = drafting.lint_notice(desk.context, draft.id)
    may_edit = desk.may(Action.NOTICE_DRAFT)
    return {
        "version": draft.version, "purposes": [titles.get(key, key) for key in draft.purposes],
        "findings": [_finding(here, one, titles, may_edit=may_edit) for one in found],
        "texts": [
            {"locale": locale, "filled": sum(bool(text.strip()) for text in parts.values()), "all": len(Part),
             "url": f"{here}/draft/{locale}" if may_edit else None}
            for locale, parts in sorted(draft.texts.items())
        ],
    }  # fmt: skip


def _finding(here: str, one: LintFinding, titles: Mapping[str, str], *, may_edit: bool) -> dict[str, Any]:
    """A finding as the template words it: its code, what it is about, and where it is mended."""
    locale, _, place = one.place.partition("/")
    section, _, part = place.partition(" ")
    keys = re.split(r"\+", one.place)
    url = f"{here}/draft/{locale}#f-{part}" if one.code == "part-empty" else f"{here}/draft"
    return {
        "code": one.code, "locale": locale, "part": part, "section": section,
        "about": ", ".join(titles.get(key, key) for key in keys), "url": url if may_edit else None,
    }  # fmt: skip


def _buttons(desk: Visit, here: str, *, has_draft: bool) -> list[dict[str, Any]]:
    return draft_buttons(
        desk, here, has_draft=has_draft, label="Purposes and languages",
        may_draft=Action.NOTICE_DRAFT, may_publish=Action.NOTICE_CHANGE,
    )  # fmt: skip


def _row(desk: Visit, id_: str, newest: Any, draft: NoticeVersion | None) -> dict[str, Any]:
    shown, titles = _base(desk, id_) if newest is None else newest.notice, _purpose_titles(desk)
    return {
        "id": id_, "url": f"{NOTICES}/{id_}", "version": newest.notice.version if newest else None,
        "at": newest.published_at if newest else None, "locales": sorted(shown.texts),
        "purposes": [titles.get(key, key) for key in shown.purposes], "has_draft": draft is not None,
        "findings": len(drafting.lint_notice(desk.context, id_)) if draft else 0,
    }  # fmt: skip


def _published(desk: Visit, id_: str) -> Sequence[Any]:
    known = drafting.published_notices(desk.context).notices
    return [one for (key, _), one in sorted(known.items(), reverse=True) if key == id_]


def _newest(desk: Visit) -> dict[str, Any]:
    return {id_: one for (id_, _), one in sorted(drafting.published_notices(desk.context).notices.items())}


def _drafts(desk: Visit) -> dict[str, NoticeVersion]:
    return {one.key: NoticeVersion.of_json(one.body) for one in drafting.notice_drafts(desk.context)}


def _base(desk: Visit, id_: str) -> NoticeVersion:
    """What the next version is written from: its draft, else the newest. Raises: NotFound."""
    draft, newest = _drafts(desk).get(id_), _newest(desk).get(id_)
    if draft is not None:
        return draft
    if newest is None:
        raise NotFound
    found: NoticeVersion = newest.notice
    return found


def _purpose_titles(desk: Visit) -> dict[str, str]:
    known = drafting.published_notices(desk.context).purposes
    return {key: one.current.titles.get("en") or next(iter(one.current.titles.values())) for key, one in known.items()}
