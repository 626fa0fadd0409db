"""What the customer is asked: for proof, for what is meant, for a fee. The request waits for the answer."""

from typing import Any, Final

from fastapi import APIRouter, Response

from privacyops.console import shape, words
from privacyops.console.deps import Desk, Visit, action
from privacyops.console.pages.act_page import act_page, field_, once
from privacyops.console.pages.release import form_errors, fresh_factor, needs_code
from privacyops.console.pages.request import PAGE
from privacyops.domain.account.action import Action
from privacyops.domain.account.four_eyes import NumberNotTyped
from privacyops.domain.account.rule import StepUpNeeded
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.kernel.errors import Problem, RateLimited, Unprocessable
from privacyops.kernel.ids import DsarId
from privacyops.services.account import FactorWrong
from privacyops.services.dsar import ask, identity, listing, opening
from privacyops.services.dsar.opening import OpenedRequest

router: Final = APIRouter()
_S: Final = DsarState
_OWN_WORK: Final = "You prepared this request; another person signs the fee."
_NOBODY: Final = "Assign the request to whoever prepares it first; a fee takes two people."


@router.post(f"{PAGE}/ask-identity", **action(Action.DSAR_ASK))
def ask_identity(desk: Desk, reference: str) -> Response:
    """Mail the customer a code; the request waits for it."""
    return once(desk, reference, "asked", identity.ask_identity, {_S.AWAITING_IDENTITY})


@router.post(f"{PAGE}/new-code", **action(Action.DSAR_IDENTITY))
def new_code(desk: Desk, reference: str) -> Response:
    """Mail a new code; the one before stops working."""
    dsar = listing.by_reference(desk.context, reference)
    identity.resend_code(desk.context, dsar.id)
    return desk.go(shape.url_of(dsar), "code_mailed")


@router.get(f"{PAGE}/clarify", **action(Action.DSAR_ASK))
def ask_question(desk: Desk, reference: str) -> Response:
    """What is to be asked?"""
    return _clarify_page(desk, reference)


@router.post(f"{PAGE}/clarify", **action(Action.DSAR_ASK))
def clarify(desk: Desk, reference: str) -> Response:
    """Ask the customer what is meant; the request waits."""

    def ask_(ctx: Any, dsar_id: DsarId) -> Dsar:
        return ask.ask_clarification(ctx, dsar_id, desk.form.get("question"))

    try:
        return once(desk, reference, "asked_what", ask_, {_S.AWAITING_CLARIFICATION})
    except Unprocessable as refusal:
        return _clarify_page(desk, reference, refusal)


@router.get(f"{PAGE}/fee", **action(Action.DSAR_COUNTERSIGN))
def ask_fee(desk: Desk, reference: str) -> Response:
    """On which ground, how much, and how it was calculated?"""
    return _fee_page(desk, reference)


@router.post(f"{PAGE}/fee", **action(Action.DSAR_COUNTERSIGN))
def demand_fee(desk: Desk, reference: str) -> Response:
    """Sign the demand, with the number typed and a fresh second factor; its letter leaves with it."""
    form = desk.form

    def demand(ctx: Any, dsar_id: DsarId) -> Dsar:
        return ask.demand_fee(
            ctx, dsar_id, code=form.get("code_of_ground"), ground=form.get("ground"), amount=form.get("amount"),
            calculation=form.get("calculation"), typed_reference=form.get("reference"),
        )  # fmt: skip

    try:
        fresh_factor(desk)
        return once(desk, reference, "fee_demanded", demand, {_S.AWAITING_FEE})
    except (Unprocessable, NumberNotTyped, FactorWrong, StepUpNeeded, RateLimited) as refusal:
        return _fee_page(desk, reference, refusal)


@router.post(f"{PAGE}/fee-settled", **action(Action.DSAR_ASK))
def fee_settled(desk: Desk, reference: str) -> Response:
    """The fee was paid, or is waived."""
    return once(desk, reference, "fee_settled", ask.settle_fee, {_S.RECEIVED, _S.SEARCHING, _S.IN_REVIEW})


def _clarify_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    text = "Whether the clock waits as well is the law's to say; the page of the request shows it."
    return act_page(
        desk, opened, "Ask what is meant", refusal, "question",
        notices=[{"tone": "inf", "title": "The request waits for the answer", "text": text}],
        question="What do you want to know?",
        fields=[field_("area", "question", "Question", "The customer reads exactly this.")],
        submit={"label": "Ask the customer", "tone": "primary"},
    )  # fmt: skip


def _fee_page(desk: Visit, reference: str, refusal: Problem | None = None) -> Response:
    opened = opening.open_request(desk.context, reference, masks=desk.masks)
    grounds = ask.fee_grounds_of(desk.context, opened.dsar)
    if not grounds and refusal is None:
        raise ask.FeeNotAllowed
    text = "It leaves at once. Until the customer agrees nothing is owed, and there is always a way without a fee."
    fields = [
        field_("select", "code_of_ground", "Ground", "What the law of this request permits.")
        | {"options": [{"value": one, "label": words.code_text(one).capitalize()} for one in grounds]},
        field_("area", "ground", "Why, in plain words", "The customer reads exactly this."),
        field_("field", "amount", "Amount", "With its currency, for example 12.50 EUR."),
        field_("area", "calculation", "How it is made up", "The customer reads exactly this."),
        field_("field", "reference", "Type the number of the request"),
    ]
    if needs_code(desk):
        fields.append(field_("code", "code", "Code from your authenticator"))
    blank = "ground" if refusal is not None and not desk.form.get("ground").strip() else "amount"
    errors = form_errors(refusal)
    if isinstance(refusal, Unprocessable) and not isinstance(refusal, NumberNotTyped):
        errors = [{"field": blank, "text": (refusal.detail or refusal.title).capitalize()}]
    return act_page(
        desk, opened, "Demand a fee", refusal, None,
        notices=[{"tone": "inf", "title": "The customer gets a letter with the ground, the sum and the calculation",
                  "text": text}],
        question="What is to be paid, and why?", fields=fields, errors=errors, why_not=_why_not_fee(desk, opened),
        submit={"label": "Sign and demand the fee", "tone": "primary"},
    )  # fmt: skip


def _why_not_fee(desk: Visit, opened: OpenedRequest) -> str | None:
    if desk.context.controller.single_operator:
        return None
    hands = opened.deciders | ({opened.dsar.assignee_id} if opened.dsar.assignee_id else set())
    if not hands:
        return _NOBODY
    return _OWN_WORK if desk.me.account.id in hands else None
