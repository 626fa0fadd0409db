"""P3c and P3e: what a second person sees before they agree to a plan, or let a package go."""

from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.act_page import act_page, field_
from privacyops.console.pages.erasure import plan_notices
from privacyops.console.pages.plan_view import lists_of, summary_of
from privacyops.console.pages.request import PAGE, face_of
from privacyops.console.pages.request_steps import deed_of
from privacyops.console.pages.third_party_view import about_others
from privacyops.domain.account.action import Action
from privacyops.domain.account.four_eyes import NumberNotTyped
from privacyops.domain.account.rule import STEP_UP_LIFE, StepUpNeeded
from privacyops.domain.dsar.run import Decision
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.package.release import Check
from privacyops.kernel.errors import Conflict, NotFound, Problem, RateLimited, Unprocessable
from privacyops.services import account
from privacyops.services.account import FactorWrong
from privacyops.services.dsar import answer, handling, listing, opening, review
from privacyops.services.dsar.opening import OpenedRequest

router: Final = APIRouter()
_OWN_PLAN: Final = (
    "You prepared this plan, decided on its records, or answered about a link that leads to them; another person "
    "approves it."
)
_OWN_PACKAGE: Final = "You reviewed this request; another person releases it."
_NOT_PERMITTED: Final = "Your role does not release answers."
_APPROVED: Final = frozenset({DsarState.EXECUTING, DsarState.ANSWERING, DsarState.ANSWERED, DsarState.CLOSED})


@router.get(f"{PAGE}/approve", **action(Action.DSAR_APPROVE))
def look(desk: Desk, reference: str) -> Response:
    """The plan as it was prepared."""
    return _plan_page(desk, reference)


@router.post(f"{PAGE}/approve", **action(Action.DSAR_APPROVE))
def approve(desk: Desk, reference: str) -> Response:
    """Agree to exactly the plan that was seen, with the number typed and a fresh second factor."""
    dsar, form = listing.by_reference(desk.context, reference), desk.form
    try:
        fresh_factor(desk)
        review.approve_answer(desk.context, dsar.id, seen_plan=form.get("plan"), typed_reference=form.get("reference"))
    except (NumberNotTyped, FactorWrong, StepUpNeeded, RateLimited) as refusal:
        return _plan_page(desk, reference, refusal)
    except (Conflict, NotFound):
        if listing.by_reference(desk.context, reference).state not in _APPROVED:
            raise
    return desk.go(shape.url_of(dsar), "approved_plan" if dsar.rule.changes_stores else "approved")


@router.get(f"{PAGE}/return", **action(Action.DSAR_RETURN))
def ask_return(desk: Desk, reference: str) -> Response:
    """What should be changed?"""
    return _return_page(desk, reference)


@router.post(f"{PAGE}/return", **action(Action.DSAR_RETURN))
def send_back(desk: Desk, reference: str) -> Response:
    """Back to review: a plan that waits for approval, or a package that waits for its release."""
    dsar, reason = listing.by_reference(desk.context, reference), desk.form.get("reason")
    try:
        if dsar.state is DsarState.ANSWERING:
            handling.recall(desk.context, dsar.id, reason)
        elif dsar.state is not DsarState.IN_REVIEW:
            review.send_back(desk.context, dsar.id, reason)
    except Unprocessable as refusal:
        return _return_page(desk, reference, refusal)
    return desk.go(shape.url_of(dsar), "returned")


@router.get(f"{PAGE}/release", **action(Action.DSAR_OPEN))
def see(desk: Desk, reference: str) -> Response:
    """The package: what is inside, what is not, the checks; while it is built the page asks again by itself."""
    return _release_page(desk, reference)


@router.post(f"{PAGE}/release", **action(Action.DSAR_RELEASE))
def release(desk: Desk, reference: str) -> Response:
    """Let exactly the package that was seen go."""
    dsar, form = listing.by_reference(desk.context, reference), desk.form
    try:
        fresh_factor(desk)
        answer.release(desk.context, dsar.id, seen_sha256=form.get("sha256"), typed_reference=form.get("reference"))
    except (NumberNotTyped, FactorWrong, StepUpNeeded, RateLimited) as refusal:
        return _release_page(desk, reference, refusal)
    except Conflict:
        package = opening.open_request(desk.context, reference, masks=True).package
        if package is None or package.state != "released":
            raise
    return desk.go(shape.url_of(dsar), "released")


def fresh_factor(desk: Visit) -> None:
    """Take the code that came with the form, where one is needed. Raises: FactorWrong, RateLimited."""
    if needs_code(desk) and desk.form.get("code"):
        desk.adopt(account.show_factor(desk.context, desk.me, desk.form.get("code")))


def needs_code(desk: Visit) -> bool:
    """Whether the last second factor is too old for what needs a fresh one."""
    at = desk.me.session.second_factor_at
    return at is None or desk.now - at > STEP_UP_LIFE


def form_errors(refusal: Problem | None) -> list[dict[str, str | None]]:
    """What a form that is signed says at its fields when it comes back."""
    if refusal is None:
        return []
    if isinstance(refusal, NumberNotTyped):
        return [{"field": "reference", "text": "This is not the number of the request"}]
    if isinstance(refusal, (FactorWrong, StepUpNeeded)):
        text = "Enter the code of your authenticator" if isinstance(refusal, StepUpNeeded) else refusal.title
        return [{"field": "code", "text": text}]
    return [{"field": None, "text": refusal.title}]


def _plan_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    dsar, url = opened.dsar, face_of(desk, opened).url
    if dsar.state is not DsarState.AWAITING_APPROVAL:
        return desk.go(url)
    team = account.names(desk.context)
    preparer = team.get(dsar.prepared_by) if dsar.prepared_by else None
    me = desk.me.account.id
    own = me in opened.deciders or me == dsar.prepared_by
    alone = desk.context.controller.single_operator
    fields = [field_("field", "reference", "Type the number of the request")]
    if needs_code(desk):
        fields.append(field_("code", "code", "Code from your authenticator"))
    why_not = _OWN_PLAN if own and not alone else None
    due = f"{words.day(dsar.due_on)}, {words.distance(dsar.due_on, shape.today_of(desk.now, _zone(desk)))}"
    return act_page(
        desk, opened, f"Approve the {deed_of(opened)}" if opened.erasures else "Approve", refusal, None,
        notices=_standing(opened, why_not), facts_title="The plan",
        facts=[{"label": "Prepared by", "value": preparer.name if preparer else "–"},
               {"label": "Request", "value": f"{words.TYPES[dsar.type]}, {words.law(dsar.regime)}"},
               {"label": "Due", "value": due}, *summary_of(opened),
               {"label": "Plan", "value": (dsar.plan_hash or "")[:16]}],
        lists=lists_of(opened), list_title="What the review decided", list=_decisions(opened),
        question="Do you agree to this plan?", fields=fields,
        hidden={"plan": dsar.plan_hash or ""}, submit={"label": "Approve", "tone": "primary"},
        why_not=why_not, errors=form_errors(refusal),
        others=[{"label": "Send back…", "url": f"{url}/return", "method": "get"}],
    )  # fmt: skip


def _zone(desk: Visit) -> str:
    return desk.context.controller.zone


def _standing(opened: OpenedRequest, why_not: str | None) -> list[dict[str, str]]:
    """What whoever looks at the plan should know before they read it."""
    if why_not is not None:
        return [{"tone": "inf", "title": "Another person approves this", "text": why_not}]
    if not opened.erasures:
        return []
    text = "What is deleted or emptied in the stores cannot be brought back from here."
    return [
        {"tone": "warn", "title": "After your approval the stores are changed", "text": text},
        *plan_notices(opened),
    ]


def _decisions(opened: OpenedRequest) -> list[dict[str, Any]]:
    """What was decided on the records; where a machine's plan says it already, nothing."""
    planned = {one.store for one in opened.erasures if one.plan.get("rows")}
    give, leave = (verb.lower() for verb in words.verbs(opened.dsar.type))
    lines: list[dict[str, Any]] = []
    for group in opened.groups:
        if group.store in planned:
            continue
        given, left = group.decisions.get(Decision.INCLUDE, 0), group.decisions.get(Decision.EXCLUDE, 0)
        reasons = ", ".join(words.reason(code) for code in group.reasons)
        store = opened.stores.get(group.store)
        tag = {"text": f"{give} {given}" if not left else f"{leave} {left} of {given + left}",
               "tone": "ok" if not left else "inf"}  # fmt: skip
        lines.append(
            {"text": f"{store.title if store else group.store}: {group.collection}", "note": reasons, "tag": tag}
        )
    for run in opened.runs:
        if run.state in {"handed_over", "answered_without"}:
            store = opened.stores.get(run.store)
            lines.append({"text": store.title if store else run.store, "note": "not searched; the letter says so",
                          "tag": {"text": "outstanding", "tone": "warn"}})  # fmt: skip
    return sorted(lines, key=lambda line: line["tag"]["tone"] == "ok")  # what is left out first: that is agreed to


def _return_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    if opened.dsar.state not in {DsarState.AWAITING_APPROVAL, DsarState.ANSWERING}:
        return desk.go(shape.url_of(opened.dsar))
    return act_page(
        desk, opened, "Send back to review", refusal, "reason", question="What should be changed?",
        fields=[field_("area", "reason", "Reason", "The preparer reads it.")],
        submit={"label": "Send back", "tone": "bad"},
    )  # fmt: skip


def _release_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    if opened.package is None:
        return desk.go(shape.url_of(opened.dsar))
    view = _release_view(desk, opened) | {"values": desk.form.values("code"), "errors": form_errors(refusal)}
    if desk.is_fragment and refusal is None:
        return desk.part("release", "package", view)
    return desk.page("release", view, "requests", 200 if refusal is None else refusal.status)


def _release_view(desk: Visit, opened: OpenedRequest) -> dict[str, Any]:
    package, dsar, face = opened.package, opened.dsar, face_of(desk, opened)
    assert package is not None  # noqa: S101 - the caller has looked
    team = account.names(desk.context)
    reviewer = team.get(dsar.prepared_by) if dsar.prepared_by else None
    waits = dsar.state is DsarState.ANSWERING and package.state in {"building", "ready"}
    return {
        "reference": dsar.reference, "url": face.url, "person": face.person(), "clock": face.clock_card(),
        "state": package.state, "built_at": package.created_at, "progress": None, "index_url": None, "letter": None,
        "size": package.size or 0, "sha256": package.sha256 or "",
        "files": [{"path": one["path"], "size": one["size"], "what": f"{one['rows']} rows" if one.get("rows") else ""}
                  for one in package.contents],
        "contents": [{"store": _title(opened, group.store), "collection": group.collection,
                      "records": group.decisions[Decision.INCLUDE]}
                     for group in opened.groups if group.decisions.get(Decision.INCLUDE)],
        "left_out": [{"what": f"{_title(opened, group.store)}: {group.collection}, {words.records(count)}",
                      "ground": words.reason(code)}
                     for group in opened.groups for code, count in group.reasons.items()],
        "checks": _checks(opened), "reviewer": reviewer.name if reviewer else "nobody yet",
        "release": {"url": f"{face.url}/release", "why_not": _why_not(desk, opened), "needs_code": needs_code(desk)},
        "send_back": {"url": f"{face.url}/return"} if waits and desk.may(Action.DSAR_RETURN) else None,
        "released_at": package.released_at, "expires_at": package.expires_at, "downloads_left": package.downloads_left,
    }  # fmt: skip


def _why_not(desk: Visit, opened: OpenedRequest) -> str | None:
    package, me = opened.package, desk.me.account.id
    if package is None or package.state in {"released", "destroyed"}:
        return "This package has left the house." if package and package.state == "released" else "It no longer exists."
    if not desk.may(Action.DSAR_RELEASE):
        return _NOT_PERMITTED
    own = me in opened.deciders or me == opened.dsar.prepared_by
    if own and not desk.context.controller.single_operator:
        return _OWN_PACKAGE
    if any(one["blocks"] for one in package.checks):
        return "A check failed. Send it back to review."
    return None


def _checks(opened: OpenedRequest) -> list[dict[str, str]]:
    package = opened.package
    assert package is not None  # noqa: S101 - the caller has looked
    failed: dict[str, list[str]] = {}
    for one in package.checks:
        failed.setdefault(one["check"], []).append(f"{one['file']}: {words.code_text(one['fault'])}")
    waiting = "waiting" if package.state == "building" else "ok"
    shown = []
    for key, label in words.CHECKS.items():
        state = "failed" if key in failed else waiting
        detail = "; ".join(failed.get(key, [])[:3])
        if key == Check.NO_THIRD_PARTY_OPEN and state == "ok":
            detail = about_others(opened)
        shown.append({"label": label, "state": state, "detail": detail})
    return shown


def _title(opened: OpenedRequest, store: str) -> str:
    known = opened.stores.get(store)
    return known.title if known else store
