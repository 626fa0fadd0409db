"""P6, the consent explorer: a person's choices and what they answer now, how they came about, and "may I?"."""

import re
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Form, Refused
from privacyops.console.pages.consent_tabs import (
    CONSENT,
    SUPPRESSIONS,
    consent_page,
    identifier_of,
    owes_reason,
    type_options,
)
from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import ReasonNeeded
from privacyops.domain.consent.projection import LIFTED
from privacyops.domain.consent.state import RowKind
from privacyops.domain.subject import IdentityConflict, SubjectIdentifier
from privacyops.kernel.errors import BadRequest, NotFound, Problem, Unprocessable
from privacyops.kernel.pagination import Page
from privacyops.services import receipt
from privacyops.services.consent import answering, looking
from privacyops.services.consent.answering import CheckAnswer, CurrentChoice, HistoryItem, Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.receipt import ReceiptForm

router: Final = APIRouter()
_KINDS: Final = {
    RowKind.STOP_ALL: "Stopped everything", RowKind.OBJECTION: "Objected", RowKind.GPC: "Privacy signal",
    RowKind.SUPPRESSION: "Suppressed",
}  # fmt: skip


@router.get(CONSENT, **action(Action.CONSENT_READ))
def show(desk: Desk) -> Response:
    """The question whom to look for."""
    return _page(desk)


@router.post(CONSENT, **action(Action.CONSENT_READ))
def find(desk: Desk) -> Response:
    """The person behind an identifier, older events with `before`. Each look is recorded; no address names anybody."""
    try:
        identifier, found = _found(desk)
        history = answering.history(desk.context, found, desk.form.get("before") or None) if found else None
    except Refused as refusal:
        return _page(desk, errors=refusal.errors)
    except (ReasonNeeded, IdentityConflict, BadRequest) as refusal:
        return _page(desk, errors=_errors(refusal))
    return _page(desk, identifier, found, history)


@router.post(f"{CONSENT}/check", **action(Action.CONSENT_CHECK))
def check(desk: Desk) -> Response:
    """May this be done to this person now, and why: the same decision that the shop gets."""
    form = desk.form
    try:
        identifier, found = _found(desk)
    except Refused as refusal:
        return _page(desk, errors=refusal.errors)
    except (ReasonNeeded, IdentityConflict) as refusal:
        return _page(desk, errors=_errors(refusal))
    brand, place = form.get("brand") or None, form.get("jurisdiction").upper() or None
    question = Question(Whom(found, (identifier,)), form.get("purpose"), form.get("channel"), brand, place)
    try:
        answer = answering.check(desk.context, question)
    except (NotFound, Unprocessable) as refusal:
        return _page(desk, identifier, found, errors=[{"field": "purpose", "text": refusal.title}])
    history = answering.history(desk.context, found) if found else None
    return _page(desk, identifier, found, history, answer)


@router.get(f"{CONSENT}/receipts/{{event_id}}", **action(Action.CONSENT_PROOF))
def download(desk: Desk, event_id: UUID) -> Response:
    """The receipt of one event, with its proof, as a file. It names nobody."""
    made = receipt.receipt(desk.context, event_id, ReceiptForm.DPV)
    name = f'attachment; filename="receipt-{event_id}.json"'
    return Response(made.body, media_type=str(made.form), headers={"Content-Disposition": name})


def _found(desk: Visit) -> tuple[SubjectIdentifier, str | None]:
    identifier = identifier_of(desk)
    return identifier, looking.find_person(desk.context, Whom(None, (identifier,)), desk.form.get("reason"))


def _page(
    desk: Visit, identifier: SubjectIdentifier | None = None, found: str | None = None,
    history: Page[HistoryItem] | None = None, answer: CheckAnswer | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> Response:  # fmt: skip
    form, names = desk.form, looking.published_terms(desk.context)
    asked = None
    if identifier is not None:
        asked = {name: form.get(name) for name in ("type", "value", "reason")}
    view = {
        "search": {"url": CONSENT, "types": type_options(), "reason": owes_reason(desk)}, "asked": asked,
        "subject": found, "choices": [_choice(names, one) for one in _current(desk, found)],
        "history": [_event(names, one) for one in history.items] if history else [],
        "older": history.next if history else None,
        "check": {"url": f"{CONSENT}/check", "purposes": _titles(names), "channels": _same(names.channels),
                  "brands": shape.options({key: brand.title for key, brand in names.brands.items()})
                  if len(names.brands) > 1 else []},
        "answer": _answer(names, form, answer) if answer else None, "suppressions_url": SUPPRESSIONS,
        "values": form.values() or {"type": "email"}, "errors": errors or [],
    }  # fmt: skip
    return consent_page(desk, "consent_people", "people", 422 if errors else 200, **view)


def _current(desk: Visit, found: str | None) -> list[CurrentChoice]:
    rows = answering.current(desk.context, found) if found else []
    return [one for one in rows if one.row.state != LIFTED]


def _choice(names: Any, one: CurrentChoice) -> dict[str, Any]:
    row, decision = one.row, one.decision
    return {
        "purpose": _title(names, row.purpose) if row.purpose else "all purposes",
        "channel": row.channel or "all channels", "brand": row.brand, "since": row.since,
        "until": row.valid_until, "event": str(row.event_id),
        "state": _KINDS.get(row.kind) or spoken(row.state),
        "answer": None if decision is None else str(decision.answer), "tone": _tone(decision),
        "why": "" if decision is None else words.code_text(decision.reason).lower(),
    }  # fmt: skip


def _event(names: Any, one: HistoryItem) -> dict[str, Any]:
    event, shown = one.event, one.event.notice
    about = " · ".join(
        part for part in (_title(names, event.purpose.key) if event.purpose else "", event.channel or "") if part
    )
    return {
        "type": str(event.type), "said": words.CONSENT_EVENTS.get(event.type, words.code_text(event.type)),
        "about": about or "everything", "at": event.occurred_at, "how": words.code_text(event.method),
        "by": words.ACTORS.get(event.actor_kind, words.code_text(event.actor_kind)), "applied": one.applied,
        "notice": None if shown is None else {
            "label": f"{shown.id}, version {shown.version}",
            "url": f"/notices/{shown.id}/{shown.version}/{shown.locale}"},
        "seq": one.seq, "url": f"{CONSENT}/receipts/{event.id}",
    }  # fmt: skip


def _answer(names: Any, form: Form, answer: CheckAnswer) -> dict[str, Any]:
    decision = answer.decision
    return {
        "about": _title(names, form.get("purpose")), "channel": form.get("channel"),
        "allowed": decision.is_allowed, "reason": str(decision.reason), "state": spoken(decision.state),
        "why": words.code_text(decision.reason).lower(), "place": answer.jurisdiction or "unknown",
    }  # fmt: skip


def _tone(decision: Any) -> str:
    return "neutral" if decision is None else "ok" if decision.is_allowed else "bad"


def spoken(state: str) -> str:
    """`RenewedConsentGiven` as words: `renewed consent given`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(state)).lower().replace("_", " ")


def _titles(names: Any) -> list[dict[str, str]]:
    return shape.options({key: _title(names, key) for key in sorted(names.purposes)})


def _title(names: Any, key: str) -> str:
    known = names.purposes.get(key)
    return str(known.current.titles.get("en") or key) if known else key


def _same(keys: Any) -> list[dict[str, str]]:
    return shape.options({key: key for key in sorted(keys)})


def _errors(refusal: Problem) -> list[dict[str, str | None]]:
    if isinstance(refusal, ReasonNeeded):
        return [{"field": "reason", "text": "Say why you look; it goes to the audit log"}]
    return [{"field": None, "text": refusal.title}]
