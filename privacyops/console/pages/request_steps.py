"""Where a request stands and what can be done next: the steps on top of its page, and its buttons."""

from collections.abc import Mapping
from typing import Any, Final

from privacyops.console.pages.third_party_words import WAITS
from privacyops.domain.dsar.kind import RequestClass, RequestType
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.ids import AccountId
from privacyops.services.dsar.opening import OpenedRequest

_S: Final = DsarState
_ORDER: Final = (
    ("Received", (_S.RECEIVED,)),
    ("Identity", (_S.AWAITING_IDENTITY,)),
    ("Search", (_S.SEARCHING,)),
    ("Review", (_S.IN_REVIEW,)),
    ("Approve", (_S.AWAITING_APPROVAL,)),
    ("Carry out", (_S.EXECUTING,)),
    ("Release", (_S.ANSWERING,)),
    ("Answered", (_S.ANSWERED,)),
    ("Closed", (_S.CLOSED,)),
)
_LETTER: Final = "Letter"
_ASKED: Final = {_S.AWAITING_CLARIFICATION: "waits for an answer", _S.AWAITING_FEE: "waits for the fee"}
_NOTES: Final = {"Approve": "by a second person", "Release": "by a second person"}


def steps_of(opened: OpenedRequest) -> list[dict[str, Any]]:
    """The way of this request; steps that its kind does not have are left out."""
    dsar, shown = opened.dsar, []
    asked = _ASKED.get(dsar.state)
    standing = dsar.state if asked is None else dsar.resume_to or _S.RECEIVED
    for label, states in _ORDER:
        here = standing in states
        if label == "Approve" and not (here or opened.needs_approval):
            continue
        if label == "Carry out" and not here:
            continue
        if label in {"Search", "Review"} and dsar.rule.kind is not RequestClass.FIND and not here:
            continue
        shown.append((_LETTER if label == "Release" and not dsar.rule.hands_over_data else label, here))
    now = next((at for at, (_, here) in enumerate(shown) if here), 0)
    return [
        {"label": label, "state": "now" if at == now else "past" if at < now else "next", "at": None,
         "note": (asked if at == now and asked else _NOTES.get(label)) if at >= now else None}
        for at, (label, _) in enumerate(shown)
    ]  # fmt: skip


def next_steps(
    opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The one main action, and the others, as far as role and state permit."""
    primary, others = _BY_STATE.get(opened.dsar.state, _nothing)(opened, me, can, url)
    if opened.erasures and opened.dsar.state is not _S.IN_REVIEW:
        others.append(_get(f"See the {deed_of(opened)}", f"{url}/plan", "checklist"))
    if opened.notices:
        others.append(_get("See the recipients", f"{url}/recipients", "users"))
    if opened.dsar.assignee_id is None and can["assign"] and opened.dsar.is_open:
        others.append(_post("Assign me", f"{url}/assign", key="a"))
    return primary, others


def deed_of(opened: OpenedRequest) -> str:
    """What a plan carries out, as a word."""
    return "correction" if opened.dsar.type is RequestType.RECTIFICATION else "erasure"


_Next = tuple[dict[str, Any] | None, list[dict[str, Any]]]


def _nothing(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    return None, []


def _received(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    fee = [_fee(url)] if can["fee"] and opened.may_cost and opened.dsar.is_proven else []
    if opened.dsar.rule.kind is not RequestClass.FIND or not can["identity"]:
        return None, [*fee, _dismiss(url)] if can["dismiss"] else fee
    others = [_dismiss(url)] if can["dismiss"] and not opened.proofs else []
    if opened.dsar.is_proven:
        if can["ask"]:
            others.insert(0, _clarify(url))
        return _post("Start search", f"{url}/search", "search", "mod+enter"), [*others, *fee]
    accept = _get("Accept identity…", f"{url}/identity", "shield-check")
    return _post("Ask for identity", f"{url}/ask-identity", "mail", "mod+enter"), [accept, *others]


def _awaiting_identity(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    if not can["identity"]:
        return None, []
    others = [_post("Mail a new code", f"{url}/new-code", "mail")]
    if can["dismiss"] and not opened.proofs:
        others.append(_dismiss(url))
    return _get("Accept identity…", f"{url}/identity", "shield-check", "mod+enter"), others


def _searching(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    return None, [_clarify(url), _post("Ask for identity", f"{url}/ask-identity", "mail")] if can["ask"] else []


def _awaiting_fee(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    return (_post("Fee settled or waived", f"{url}/fee-settled", "check") if can["ask"] else None), []


def _in_review(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    fee = [_fee(url)] if can["fee"] and opened.may_cost else []
    if not can["review"]:
        return None, fee
    seen = f"?seen={opened.dsar.version}"
    deed = deed_of(opened)
    plan = [_get(f"See the {deed} plan", f"{url}/plan", "checklist")] if opened.erasures else []
    if opened.corrections:
        plan.append(_get("Change what is corrected…", f"{url}/corrections", "pencil"))
    if opened.goes_by_plan and opened.groups and not opened.is_planned:
        primary = _get(f"Plan the {deed}…", f"{url}/plan", "checklist", "mod+enter")
        plan = plan[1:] if opened.erasures else plan
    elif opened.dsar.type is RequestType.RECTIFICATION and opened.groups and not opened.goes_by_plan:
        primary = _get("Say what is corrected…", f"{url}/corrections", "pencil", "mod+enter")
        plan = [_post("Finish: people correct it by hand", f"{url}/finish{seen}", "check")]
    elif opened.needs_approval:
        primary = _post("Send to second approver", f"{url}/submit{seen}", "users", "mod+enter")
    else:
        primary = _post("Finish review", f"{url}/finish{seen}", "check", "mod+enter")
    others = plan
    if opened.dsar.rule.hands_over_data and opened.sees_content:
        others = [*plan, _get("Other people…", f"{url}/texts", "users", "r")]
    if opened.undecided:
        primary["why_not"] = "Records are undecided."
    elif opened.others_wait is not None:
        primary["why_not"] = WAITS[opened.others_wait].why_not
    elif not opened.may_hand_over:
        primary["why_not"] = "The identity is not proven far enough."
    if not opened.may_hand_over and can["identity"]:
        others = [*others, _get("Accept identity…", f"{url}/identity", "shield-check"),
                  _post("Ask for identity", f"{url}/ask-identity", "mail")]  # fmt: skip
    if can["ask"]:
        others.append(_clarify(url))
    return primary, [*others, *fee]


def _awaiting_approval(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    if not can["approve"]:
        return None, []
    return _get("Look at the plan…", f"{url}/approve", "checklist", "mod+enter"), []


def _answering(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    if opened.package is None or opened.package.state == "destroyed":
        return _letter(opened, can, url)
    label = "Release…" if can["release"] and opened.package.state in {"building", "ready"} else "See the package"
    return _get(label, f"{url}/release", "inbox", "mod+enter"), []


def _letter(opened: OpenedRequest, can: Mapping[str, bool], url: str) -> _Next:
    """An answer without a package: the letter alone. A stop was confirmed by the machine already."""
    if opened.is_answer_on_its_way or opened.dsar.rule.kind is RequestClass.STOP:
        return None, []
    others = [_get("Send back…", f"{url}/return")] if can["return"] else []
    return (_get("Send the letter…", f"{url}/letter", "send", "mod+enter") if can["answer"] else None), others


def _answered(opened: OpenedRequest, me: AccountId, can: Mapping[str, bool], url: str) -> _Next:
    others = [_get("See the package", f"{url}/release", "inbox")] if opened.package else []
    return (_post("Close", f"{url}/close", "check", "mod+enter") if can["close"] else None), others


_BY_STATE: Final = {
    _S.RECEIVED: _received,
    _S.AWAITING_IDENTITY: _awaiting_identity,
    _S.AWAITING_FEE: _awaiting_fee,
    _S.SEARCHING: _searching,
    _S.IN_REVIEW: _in_review,
    _S.AWAITING_APPROVAL: _awaiting_approval,
    _S.ANSWERING: _answering,
    _S.ANSWERED: _answered,
}


def _post(label: str, url: str, icon: str | None = None, key: str | None = None) -> dict[str, Any]:
    return {"label": label, "url": url, "method": "post", "icon": icon, "key": key}


def _get(label: str, url: str, icon: str | None = None, key: str | None = None) -> dict[str, Any]:
    return {"label": label, "url": url, "method": "get", "icon": icon, "key": key}


def _clarify(url: str) -> dict[str, Any]:
    return _get("Ask what is meant…", f"{url}/clarify")


def _fee(url: str) -> dict[str, Any]:
    return _get("Demand a fee…", f"{url}/fee")


def _dismiss(url: str) -> dict[str, Any]:
    return {"label": "Dismiss…", "url": f"{url}/dismiss", "method": "get", "tone": "bad"}
