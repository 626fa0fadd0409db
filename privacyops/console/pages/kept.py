"""Kept evidence: what rests of an erased person where the controller keeps proof, opened with a reason and a code."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from privacyops.console import words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.forms import Refused
from privacyops.console.pages.consent_tabs import RING, consent_page
from privacyops.console.pages.release import fresh_factor, needs_code
from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import StepUpNeeded
from privacyops.kernel.errors import NotFound, Problem, RateLimited
from privacyops.services.account import FactorWrong
from privacyops.services.consent import erasing
from privacyops.services.consent.erasing import AT_ONCE, KeptEvidence

router: Final = APIRouter()
_FACTS: Final = ("type", "occurred_at", "recorded_at", "channel", "brand", "jurisdiction", "method", "indicated_by")


@router.get(RING, **action(Action.RING_OPEN))
def show(desk: Desk) -> Response:
    """What is kept at all, and the question which event is meant."""
    return _page(desk)


@router.post(RING, **action(Action.RING_OPEN))
def open_(desk: Desk) -> Response:
    """Open the evidence of one event. It is in this answer alone; the reason goes to the audit log."""
    try:
        event = _asked(desk)
        fresh_factor(desk)
        kept = erasing.open_kept(desk.context, event, desk.form.get("reason"))
    except Refused as refusal:
        return _page(desk, refusal, refusal.errors)
    except NotFound as refusal:
        text = "Nothing is kept of this event: its term is over, its person was never erased, or it is another event"
        return _page(desk, refusal, [{"field": "event", "text": text}])
    except (FactorWrong, StepUpNeeded, RateLimited) as refusal:
        return _page(desk, refusal, _errors(refusal))
    return _page(desk, opened=kept)


def _asked(desk: Visit) -> UUID:
    """Which event, with a reason for it. Raises: Refused."""
    problems: list[tuple[str | None, str]] = []
    event = None
    try:
        event = UUID(desk.form.get("event"))
    except ValueError:
        problems.append(("event", "Enter the event's id, such as 019c3b2e-7d10-7c44-9a51-2f6f0c1d8e90"))
    if not desk.form.get("reason"):
        problems.append(("reason", "Say why you open it; it goes to the audit log"))
    if event is None or problems:
        raise Refused(*problems)
    return event


def _page(
    desk: Visit, refusal: Problem | None = None, errors: list[dict[str, Any]] | None = None,
    opened: KeptEvidence | None = None,
) -> Response:  # fmt: skip
    ring, policy = erasing.ring(desk.context), desk.context.controller.consent_proof
    view = {
        "url": RING, "needs_code": needs_code(desk), "events": ring.events, "people": ring.people,
        "next_end": ring.next_end, "policy": None if policy == AT_ONCE else words.period(policy),
        "opened": None if opened is None else {"facts": _facts(opened.leaf), "evidence": _pairs(opened.evidence)},
        "values": desk.form.values("code"), "errors": errors or [],
    }  # fmt: skip
    return consent_page(desk, "consent_kept", "kept", refusal.status if refusal else 200, **view)


def _facts(leaf: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the log says of the event: it named nobody before the erasure either."""
    told = {name: str(leaf[name]) for name in _FACTS if name in leaf}
    if "purpose" in leaf:
        told["purpose"] = f"{leaf['purpose']['key']} v{leaf['purpose']['v']}"
    if "notice" in leaf and "locale" in leaf["notice"]:
        shown = leaf["notice"]
        told["notice"] = f"{shown['id']} v{shown['v']} {shown['locale']}"
    return [{"label": words.code_text(name).capitalize(), "value": value} for name, value in told.items()]


def _pairs(evidence: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"label": words.code_text(name), "value": value if isinstance(value, str) else json.dumps(value)}
        for name, value in sorted(evidence.items())
    ]


def _errors(refusal: Problem) -> list[dict[str, str | None]]:
    if isinstance(refusal, (FactorWrong, StepUpNeeded)):
        text = "Enter the code of your authenticator" if isinstance(refusal, StepUpNeeded) else refusal.title
        return [{"field": "code", "text": text}]
    return [{"field": None, "text": refusal.title}]
