"""Collection points: the forms, checkouts, tills and banners through which people choose; register, change, switch."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter, Response

from privacyops.console import shape
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Form, Refused
from privacyops.console.pages.act_page import blank_act, field_
from privacyops.console.pages.consent_tabs import CONSENT, NOTICES, POINTS, consent_page
from privacyops.domain.account.action import Action
from privacyops.domain.consent.collection import CollectionPoint, PointClock, PointKind, PointTerms
from privacyops.kernel.errors import NotFound, Problem
from privacyops.services import drafting
from privacyops.services.consent import collecting
from privacyops.services.consent.collecting import CollectionPointExists
from privacyops.services.consent.terms import NoticeMismatch, NoticeNotPublished, UnknownBrand, UnknownPurpose
from privacyops.services.idempotency import Call

router: Final = APIRouter()
_ONE: Final = f"{POINTS}/{{key}}"
KINDS: Final = {
    PointKind.FORM: "Form", PointKind.CHECKOUT: "Checkout", PointKind.TILL: "Till", PointKind.BANNER: "Banner",
}  # fmt: skip
CLOCKS: Final = {
    PointClock.CLIENT: "the visitor's: a late or wrong clock can only make the answer stricter",
    PointClock.TRUSTED: "kept right: for tills and servers",
    PointClock.OFFLINE: "of a device that hands its records over later, up to 30 days",
}
_FIELD: Final[Mapping[type[Problem], str]] = {
    UnknownBrand: "brand", UnknownPurpose: "purposes", NoticeNotPublished: "notice", NoticeMismatch: "notice",
    CollectionPointExists: "key",
}  # fmt: skip


@router.get(POINTS, **action(Action.COLLECTION_SEE))
def show(desk: Desk) -> Response:
    """Every point, also those switched off."""
    names = drafting.published_purposes(desk.context)
    rows = [_row(names, one) for one in collecting.registered(desk.context)]
    new = f"{POINTS}/new" if desk.may(Action.COLLECTION_MANAGE) else None
    return consent_page(desk, "consent_points", "points", rows=rows, new_url=new)


@router.get(f"{POINTS}/new", **action(Action.COLLECTION_MANAGE))
def ask(desk: Desk) -> Response:
    """What it is, and what may be written through it."""
    return _form_page(desk, None)


@router.post(f"{POINTS}/new", **action(Action.COLLECTION_MANAGE))
def register(desk: Desk) -> Response:
    """Register it. Sent twice, one is made."""
    key = desk.form.get("key")
    try:
        collecting.register(desk.context, key, _terms(desk.form), _call(desk, "new"))
    except Refused as refusal:
        return _form_page(desk, None, refusal, refusal.errors)
    except Problem as refusal:
        return _form_page(desk, None, refusal, _errors(refusal))
    return desk.go(f"{POINTS}/{key}", "point_registered")


@router.get(_ONE, **action(Action.COLLECTION_SEE))
def read(desk: Desk, key: str) -> Response:
    """One point, and how a page uses it."""
    one, names = _known(desk, key), drafting.published_purposes(desk.context)
    here, manages = f"{POINTS}/{key}", desk.may(Action.COLLECTION_MANAGE)
    others: list[dict[str, Any]] = []
    if manages:
        verb, url, tone = ("Switch off", "disable", "bad") if one.is_enabled else ("Switch on", "enable", "plain")
        others = [{"label": "Change", "url": f"{here}/change", "method": "get"},
                  {"label": verb, "url": f"{here}/{url}", "method": "post", "tone": tone}]  # fmt: skip
    view = _row(names, one) | {
        "crumbs_url": POINTS,
        "version": one.version,
        "since": one.created_at,
        "others": others,
        "clock": CLOCKS[one.terms.clock],
        "is_anonymous": one.terms.is_anonymous,
        "base_url": desk.context.controller.base_url,
        "example": _example(names, one),
        "notice_url": f"{NOTICES}/{one.terms.notice_id}" if desk.may(Action.NOTICE_SEE) else None,
    }
    return desk.page("consent_point", view, "consent")


@router.get(f"{_ONE}/change", **action(Action.COLLECTION_MANAGE))
def ask_change(desk: Desk, key: str) -> Response:
    """Its terms, to be changed."""
    return _form_page(desk, _known(desk, key))


@router.post(f"{_ONE}/change", **action(Action.COLLECTION_MANAGE))
def change(desk: Desk, key: str) -> Response:
    """Other terms in place of the old ones. Sent twice, it is changed once."""
    one = _known(desk, key)
    try:
        collecting.change(desk.context, key, _terms(desk.form), _call(desk, key))
    except Refused as refusal:
        return _form_page(desk, one, refusal, refusal.errors)
    except Problem as refusal:
        return _form_page(desk, one, refusal, _errors(refusal))
    return desk.go(f"{POINTS}/{key}", "point_changed")


@router.post(f"{_ONE}/disable", **action(Action.COLLECTION_MANAGE))
def disable(desk: Desk, key: str) -> Response:
    """No token opens it from the next call on. A second click finds it switched off."""
    collecting.switch(desk.context, key, is_enabled=False)
    return desk.go(f"{POINTS}/{key}", "point_off")


@router.post(f"{_ONE}/enable", **action(Action.COLLECTION_MANAGE))
def enable(desk: Desk, key: str) -> Response:
    """Pages fetch new tokens. A second click finds it switched on."""
    collecting.switch(desk.context, key, is_enabled=True)
    return desk.go(f"{POINTS}/{key}", "point_on")


def _row(names: Any, one: CollectionPoint) -> dict[str, Any]:
    terms = one.terms
    return {
        "key": one.key, "url": f"{POINTS}/{one.key}", "kind": str(terms.kind), "brand": terms.brand,
        "origins": list(terms.origins), "purposes": [_title(names, key) for key in terms.purposes],
        "notice": f"{terms.notice_id} v{terms.notice_version}", "is_on": one.is_enabled,
        "is_behind": terms.notice_version < _newest(names, terms.notice_id),
    }  # fmt: skip


def _form_page(
    desk: Visit, one: CollectionPoint | None, refusal: Problem | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> Response:  # fmt: skip
    names, form = drafting.published_purposes(desk.context), desk.form
    values, chosen = _values(one), set(one.terms.purposes if one else ())
    if refusal is not None:
        values, chosen = form.values(), set(form.all("purposes"))
    here = f"{POINTS}/{one.key}" if one else POINTS
    title = f"Change {one.key}" if one else "Register a collection point"
    notices = [] if names.notices else [
        {"tone": "warn", "title": "No notice is published yet",
         "text": "A point names the text that people read there. Publish one first."}]  # fmt: skip
    if one is not None:
        notices.append({"tone": "inf", "title": "Open pages fetch a new token",
                        "text": "Tokens that were made before the change have ended with it."})  # fmt: skip
    crumbs = [("Consent", CONSENT), ("Collection points", POINTS), *([(one.key, here)] if one else [])]
    view = blank_act(title, here, f"{here}/{'change' if one else 'new'}", crumbs) | {
        "notices": notices, "question": "What may be written there?", "values": values,
        "fields": _fields(names, chosen, is_new=one is None), "errors": errors or [],
        "hidden": {"once": form.get("once") or str(uuid4())},
        "submit": {"label": "Save" if one else "Register", "tone": "primary"},
    }  # fmt: skip
    return desk.page("act", view, "consent", refusal.status if refusal else 200)


def _fields(names: Any, chosen: set[str], *, is_new: bool) -> list[dict[str, Any]]:
    kind = field_("choices", "kind", "What it is")
    kind["options"] = [
        {"value": str(key), "label": label, "hint": _KIND_HINTS[key]} for key, label in KINDS.items()
    ]  # fmt: skip
    brand = field_("select", "brand", "Brand")
    brand["options"] = shape.options({key: one.title for key, one in sorted(names.brands.items())})
    purposes = field_("checks", "purposes", "Purposes")
    purposes["options"] = [
        {"value": key, "label": _title(names, key), "checked": key in chosen} for key in sorted(names.purposes)
    ]
    notice = field_("select", "notice", "Notice", "The published text that stands there, in its version.")
    order = sorted(names.notices, key=lambda known: (known[0], -known[1]))
    notice["options"] = [{"value": f"{id_}:{version}", "label": f"{id_}, version {version}"} for id_, version in order]
    clock = field_("select", "clock", "Whose clock counts")
    clock["options"] = shape.options({key: label[:1].upper() + label[1:] for key, label in CLOCKS.items()})
    hint = "Where its pages stand, one a line, such as https://shop.example. A till or a server has none."
    key = [field_("field", "key", "Key", "As pages name it: small letters, such as checkout-de.")] if is_new else []
    return [*key, kind, brand, field_("area", "origins", "Origins", hint, optional=True), purposes, notice, clock]


_KIND_HINTS: Final = {
    PointKind.FORM: "A sign-up form, an account page.",
    PointKind.CHECKOUT: "Boxes beside an order.",
    PointKind.TILL: "In person, over a device.",
    PointKind.BANNER: "Anonymous: a random id and the choices, nothing else of the visitor.",
}


def _terms(form: Form) -> PointTerms:
    """Raises: Refused; CollectionPointMalformed."""
    problems: list[tuple[str | None, str]] = []
    if form.get("kind") not in set(PointKind):
        problems.append(("kind", "Choose what it is"))
    if not form.all("purposes"):
        problems.append(("purposes", "Choose at least one purpose"))
    id_, _, version = form.get("notice").partition(":")
    if not version.isdecimal():
        problems.append(("notice", "Choose the text that stands there"))
    if form.get("clock") not in set(PointClock):
        problems.append(("clock", "Choose whose clock counts"))
    if problems:
        raise Refused(*problems)
    origins = tuple(line.strip().rstrip("/") for line in form.get("origins").splitlines() if line.strip())
    return PointTerms(
        PointKind(form.get("kind")), form.get("brand"), origins, tuple(form.all("purposes")), id_, int(version),
        PointClock(form.get("clock")),
    )  # fmt: skip


def _values(one: CollectionPoint | None) -> dict[str, str]:
    if one is None:
        return {"clock": str(PointClock.CLIENT)}
    terms = one.terms
    return {
        "kind": str(terms.kind), "brand": terms.brand, "origins": "\n".join(terms.origins), "clock": str(terms.clock),
        "notice": f"{terms.notice_id}:{terms.notice_version}",
    }  # fmt: skip


def _title(names: Any, key: str) -> str:
    known = names.purposes.get(key)
    return str(known.current.titles.get("en") or key) if known else key


def _example(names: Any, one: CollectionPoint) -> dict[str, str]:
    """A choice that this point may write, for the lines to copy."""
    key = one.terms.purposes[0]
    return {"purpose": key, "channel": min(names.purposes[key].current.channels)}


def _newest(names: Any, notice: str) -> int:
    return max((version for id_, version in names.notices if id_ == notice), default=0)


def _known(desk: Visit, key: str) -> CollectionPoint:
    found = next((one for one in collecting.registered(desk.context) if one.key == key), None)
    if found is None:
        raise NotFound
    return found


def _call(desk: Visit, about: str) -> Call:
    """The form that was drawn, as an idempotency key: sent twice, it counts once."""
    fields = sorted((name, value) for name, value in desk.form if name not in {"csrf", "once"})
    return Call.of(f"console:{desk.form.get('once') or uuid4()}"[:128], repr((about, fields)).encode())


def _errors(refusal: Problem) -> list[dict[str, Any]]:
    if refusal.status not in {404, 409, 422}:
        raise refusal
    text = refusal.detail or refusal.title
    field = next((name for kind, name in _FIELD.items() if isinstance(refusal, kind)), None)
    return [{"field": field, "text": text[:1].upper() + text[1:]}]
