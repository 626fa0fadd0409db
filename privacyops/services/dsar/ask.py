"""Asking the customer: what is meant, or for a fee. The request waits; whether its clock does is the law's to say."""

from datetime import timedelta
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.account.four_eyes import Matter, second_person
from privacyops.domain.deadline.event import ClockEventKind
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.fee import fee_grounds
from privacyops.domain.letter import LetterKind
from privacyops.kernel.errors import Conflict, Unprocessable
from privacyops.kernel.ids import DsarId
from privacyops.services import mail, sealing
from privacyops.services.context import Context, use_case
from privacyops.services.dsar import clock
from privacyops.services.dsar.lifecycle import move
from privacyops.services.dsar.search import begin_search
from privacyops.services.dsar.wording import authority_of, letter, local_date, regime_of, url
from privacyops.store import audit
from privacyops.store import dsar as dsars
from privacyops.store.uow import Tx

ANSWER_WITHIN: Final = timedelta(days=14)


class IdentityFirst(Conflict):
    type = "/problems/identity-first"
    title = "Nothing about the matter is asked before it is known who asks"


class FeeNotAllowed(Unprocessable):
    type = "/problems/fee-not-allowed"
    title = "The law of this request permits no fee on this ground"


class FeeNotPrepared(Conflict):
    type = "/problems/fee-not-prepared"
    title = "A fee takes two people: assign the request to whoever prepares it, and let another one sign"


def fee_grounds_of(ctx: Context, dsar: Dsar) -> tuple[str, ...]:
    """On which grounds the law of this request permits a fee; empty: none."""
    return fee_grounds(dsar.regime, dsar.type, local_date(ctx, dsar.received_at))


@use_case(Action.DSAR_ASK)
def ask_clarification(ctx: Context, tx: Tx, dsar_id: DsarId, question: str) -> Dsar:
    """Ask what is meant. No answer leads to a full search. Raises: Unprocessable, IdentityFirst, TransitionRefused."""
    if not question.strip():
        raise Unprocessable("write the question as the customer will read it")
    dsar = dsars.load_dsar(tx, dsar_id)
    if not dsar.is_verified:
        raise IdentityFirst
    requester = sealing.requester_of(ctx, tx, dsar)
    after = move(ctx, tx, dsar, DsarEvent.ASK_CLARIFICATION, ClockEventKind.CLARIFICATION_ASKED)
    waits = clock.view_of(after, dsars.list_clock_events(tx, dsar_id), tx.now).paused_since is not None
    text = letter(
        ctx, LetterKind.CLARIFICATION_REQUEST, after, requester, tx.now, question=question.strip()[:2000],
        answer_url=url(ctx, "privacy/status"), clock_waits=waits,
        answer_until=local_date(ctx, tx.now + ANSWER_WITHIN),
    )  # fmt: skip
    _note(ctx, tx, dsar_id, "team", question)
    mail.promise(ctx, tx, requester.email, text, dsar_id)
    return after


def go_on(ctx: Context, tx: Tx, dsar: Dsar) -> Dsar:
    """After the customer's answer: what had not been searched yet is searched now."""
    return begin_search(ctx, tx, dsar) if dsar.state is DsarState.RECEIVED and dsar.is_proven else dsar


@use_case(Action.DSAR_COUNTERSIGN)
def demand_fee(
    ctx: Context, tx: Tx, dsar_id: DsarId, *, code: str, ground: str, amount: str, calculation: str,
    typed_reference: str,
) -> Dsar:  # fmt: skip
    """Ask for a fee on a ground that the law lists: `code`, and `ground` in words that the customer reads.

    It takes two: whoever the request is assigned to or has worked on its answer prepares it, another person signs.
    Raises: Unprocessable, FeeNotAllowed, FeeNotPrepared, SamePerson, NumberNotTyped, StepUpNeeded, TransitionRefused.
    """
    if not ground.strip() or not amount.strip() or not calculation.strip():
        raise Unprocessable("a fee needs its ground, its amount and how it was calculated")
    dsar = dsars.load_dsar(tx, dsar_id)
    if code not in fee_grounds_of(ctx, dsar):
        raise FeeNotAllowed
    hands = audit.list_hands(tx, dsar_id) | ({dsar.assignee_id} if dsar.assignee_id else set())
    if not hands and not ctx.controller.single_operator:
        raise FeeNotPrepared
    matter = Matter(dsar.reference, "fee", hands, dsar.recorded_at)
    second_person(ctx.actor, matter, "fee", typed_reference, tx.now, single_operator=ctx.controller.single_operator)
    requester = sealing.requester_of(ctx, tx, dsar)
    after = move(ctx, tx, dsar, DsarEvent.DEMAND_FEE, ClockEventKind.FEE_DEMANDED, audit={"ground": code})
    text = letter(
        ctx, LetterKind.FEE_NOTICE, after, requester, tx.now, authority=authority_of(ctx),
        regime=regime_of(dsar.regime), ground=ground.strip(), amount=amount.strip(), calculation=calculation.strip(),
        free_alternative="Narrow the request to what you need; that is free of charge.",
        reflect_until=local_date(ctx, tx.now + ANSWER_WITHIN),
    )  # fmt: skip
    mail.promise(ctx, tx, requester.email, text, dsar_id)
    return after


@use_case(Action.DSAR_ASK)
def settle_fee(ctx: Context, tx: Tx, dsar_id: DsarId) -> Dsar:
    """The fee was paid, or is waived; the request goes on."""
    after = move(ctx, tx, dsars.load_dsar(tx, dsar_id), DsarEvent.FEE_SETTLED, ClockEventKind.FEE_SETTLED)
    return go_on(ctx, tx, after)


def _note(ctx: Context, tx: Tx, dsar_id: DsarId, author: str, text: str) -> None:
    key = sealing.key_of(ctx, tx, dsar_id)
    sealed = key.seal(text.strip()[:10_000].encode(), sealing.place(ctx, "dsar_message", "sealed", dsar_id))
    dsars.add_message(tx, dsar_id, author, sealed)
