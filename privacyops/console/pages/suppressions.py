"""Suppressions: what stands against a contact, lifting it with a reason, and orders that two people lift."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages.act_page import blank_act, field_
from privacyops.console.pages.consent_tabs import (
    CONSENT,
    SUPPRESSIONS,
    consent_page,
    identifier_of,
    owes_reason,
    type_options,
)
from privacyops.console.pages.release import fresh_factor, needs_code
from privacyops.domain.account.action import Action
from privacyops.domain.account.four_eyes import SamePerson
from privacyops.domain.account.rule import ReasonNeeded, StepUpNeeded
from privacyops.domain.consent.suppression import NEEDS_TWO, NotAContact, SuppressionReason
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.kernel.errors import Conflict, NotFound, Problem, RateLimited
from privacyops.services import account
from privacyops.services.account import FactorWrong
from privacyops.services.consent import looking, suppressing
from privacyops.services.consent.suppressing import Entry, Reach

router: Final = APIRouter()
_DECIDE: Final = f"{SUPPRESSIONS}/{{lift_id}}/decide"
_OWN: Final = "You proposed it; another person decides."


@router.get(SUPPRESSIONS, **action(Action.CONSENT_READ))
def show(desk: Desk) -> Response:
    """The question, and what waits for a second person."""
    return _page(desk)


@router.post(SUPPRESSIONS, **action(Action.CONSENT_READ))
def look_up(desk: Desk) -> Response:
    """What stands against a contact. The contact travels in the form alone, never in an address."""
    try:
        contact = identifier_of(desk)
        found = looking.look_up_contact(desk.context, contact, desk.form.get("reason"))
    except Refused as refusal:
        return _page(desk, errors=refusal.errors)
    except (ReasonNeeded, NotAContact) as refusal:
        return _page(desk, errors=_errors(refusal))
    return _page(desk, contact=contact, found=list(found))


@router.post(f"{SUPPRESSIONS}/lift", **action(Action.SUPPRESSION_LIFT))
def lift(desk: Desk) -> Response:
    """Let the contact be written to again, or ask a second person. A second click finds nothing left to lift."""
    form, contact = desk.form, identifier_of(desk)
    reach = Reach(form.get("purpose") or None, form.get("brand") or None)
    try:
        reason = SuppressionReason(form.get("against"))
    except ValueError:
        raise NotFound from None
    if not form.get("why"):  # drawn again, so looked up again: recorded, and with the reason that is owed
        found = list(looking.look_up_contact(desk.context, contact, form.get("reason")))
        text = "Say in a sentence why this contact may be written to again"
        return _page(desk, contact=contact, found=found, errors=[{"field": _field(reason, reach), "text": text}])
    try:
        waits = suppressing.lift(desk.context, contact, reason, form.get("why"), reach)
    except (NotFound, Conflict):
        return desk.go(SUPPRESSIONS, "lifted_before")
    return desk.go(SUPPRESSIONS, "lift_proposed" if waits else "lifted")


@router.get(_DECIDE, **action(Action.SUPPRESSION_LIFT))
def look(desk: Desk, lift_id: UUID) -> Response:
    """What was proposed, by whom and why."""
    return _decide_page(desk, _waiting(desk, lift_id))


@router.post(_DECIDE, **action(Action.SUPPRESSION_LIFT))
def decide(desk: Desk, lift_id: UUID) -> Response:
    """Agree, or send it back. The contact is typed once more: the list holds keyed hashes alone."""
    known = next((one for one in suppressing.proposals(desk.context) if one.id == lift_id), None)
    if known is None:
        return desk.go(SUPPRESSIONS, "lifted_before")
    try:
        agrees = _agrees(desk)
        contact = _typed(desk, known)
        fresh_factor(desk)
        suppressing.decide_lift(desk.context, lift_id, contact, agrees=agrees)
    except Refused as refusal:
        return _decide_page(desk, known, refusal, refusal.errors)
    except NotFound as refusal:
        text = "Another contact is meant, or the entry is gone"
        return _decide_page(desk, known, refusal, [{"field": "value", "text": text}])
    except (FactorWrong, StepUpNeeded, RateLimited, SamePerson) as refusal:
        return _decide_page(desk, known, refusal, _errors(refusal))
    except Conflict:
        return desk.go(SUPPRESSIONS, "lifted_before")
    return desk.go(SUPPRESSIONS, "lifted" if agrees else "lift_returned")


def _agrees(desk: Visit) -> bool:
    outcome = desk.form.get("outcome")
    if outcome not in {"agree", "return"}:
        raise Refused(("outcome", "Choose whether you agree"))
    return outcome == "agree"


def _typed(desk: Visit, known: Any) -> SubjectIdentifier:
    try:
        return SubjectIdentifier.of(
            IdentifierType(known.family), desk.form.get("value"), desk.context.controller.phone_region
        )
    except Problem:
        raise Refused(("value", "Enter the contact as the order names it")) from None


def _waiting(desk: Visit, lift_id: UUID) -> Any:
    known = next((one for one in suppressing.proposals(desk.context) if one.id == lift_id), None)
    if known is None:
        raise NotFound
    return known


def _page(
    desk: Visit, contact: SubjectIdentifier | None = None, found: list[Entry] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> Response:  # fmt: skip
    may_lift = desk.may(Action.SUPPRESSION_LIFT)
    view = {
        "search": {"url": SUPPRESSIONS, "types": type_options(IdentifierType.CUSTOMER_ID), "reason": owes_reason(desk)},
        "asked": None if contact is None else {"type": str(contact.type), "value": desk.form.get("value"),
                                              "reason": desk.form.get("reason")},
        "entries": [_entry(one) for one in found or []],
        "lift_url": f"{SUPPRESSIONS}/lift" if may_lift else None,
        "waiting": _proposals(desk) if may_lift else [],
        "values": desk.form.values() or {"type": "email"}, "errors": errors or [],
    }  # fmt: skip
    return consent_page(desk, "consent_suppressions", "suppressions", 422 if errors else 200, **view)


def _entry(one: Entry) -> dict[str, Any]:
    title, text = words.SUPPRESSIONS[one.reason]
    return {
        "against": str(one.reason), "title": title, "text": text, "needs_two": one.reason in NEEDS_TWO,
        "purpose": one.reach.purpose or "", "brand": one.reach.brand or "", "field": _field(one.reason, one.reach),
        "reach": ", ".join(part for part in (one.reach.purpose, one.reach.brand) if part) or "all its reason covers",
    }  # fmt: skip


def _field(reason: SuppressionReason, reach: Reach) -> str:
    """What the field of an entry is called on the page, so that an error leads to it."""
    return "-".join(("why", reason, reach.purpose or "all", reach.brand or "all"))


def _proposals(desk: Visit) -> list[dict[str, Any]]:
    team = account.names(desk.context)
    rows = []
    for one in suppressing.proposals(desk.context):
        by = next((who.name for who in team.values() if who.id == one.proposed_by), "–")
        rows.append(
            {"by": by, "at": one.proposed_at, "why": one.why, "family": words.code_text(one.family),
             "title": words.SUPPRESSIONS[SuppressionReason(one.entry.reason)][0],
             "why_not": _OWN if one.proposed_by == desk.me.account.id else None,
             "url": f"{SUPPRESSIONS}/{one.id}/decide"}
        )  # fmt: skip
    return rows


def _decide_page(
    desk: Visit, known: Any, refusal: Problem | None = None, errors: list[dict[str, Any]] | None = None
) -> Response:
    here = f"{SUPPRESSIONS}/{known.id}/decide"
    team = account.names(desk.context)
    by = next((who.name for who in team.values() if who.id == known.proposed_by), "–")
    outcome = field_("choices", "outcome", "Do you agree?")
    outcome["options"] = [
        {"value": "agree", "label": "Agree", "hint": "The contact may be written to again."},
        {"value": "return", "label": "Send back", "hint": "The suppression stays."},
    ]
    fields = [
        outcome,
        field_("field", "value", "The contact", "The list holds none in clear; type it once more."),
    ]
    if needs_code(desk):
        fields.append(field_("code", "code", "Code from your authenticator"))
    crumbs = [("Consent", CONSENT), ("Suppressions", SUPPRESSIONS)]
    view = blank_act("Lift an order", SUPPRESSIONS, here, crumbs) | {
        "facts_title": "The proposal",
        "facts": [{"label": "Against", "value": words.SUPPRESSIONS[SuppressionReason(known.entry.reason)][0]},
                  {"label": "Kind of contact", "value": words.code_text(known.family)},
                  {"label": "Proposed by", "value": by}, {"label": "Reason", "value": known.why}],
        "question": "May this contact be written to again?", "fields": fields,
        "submit": {"label": "Decide", "tone": "primary"},
        "why_not": _OWN if known.proposed_by == desk.me.account.id else None,
        "values": desk.form.values("code"), "errors": errors or [],
    }  # fmt: skip
    return desk.page("act", view, "consent", refusal.status if refusal else 200)


def _errors(refusal: Problem) -> list[dict[str, str | None]]:
    if isinstance(refusal, ReasonNeeded):
        return [{"field": "reason", "text": "Say why you look; it goes to the audit log"}]
    if isinstance(refusal, NotAContact):
        return [{"field": "type", "text": refusal.title}]
    if isinstance(refusal, (FactorWrong, StepUpNeeded)):
        text = "Enter the code of your authenticator" if isinstance(refusal, StepUpNeeded) else refusal.title
        return [{"field": "code", "text": text}]
    return [{"field": None, "text": refusal.title}]
