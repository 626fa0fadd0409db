"""The consent check: may this be done to this person over this channel now, and why."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from privacyops.api.consent import notice_out
from privacyops.api.deps import Caller, action
from privacyops.api.schemas.consent import CheckIn, CheckOut, CheckQuery
from privacyops.domain.account.action import Action
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent import answering
from privacyops.services.consent.answering import CheckAnswer, Question
from privacyops.services.consent.freshness import Freshness, Mode, freshness_of
from privacyops.services.consent.subjects import Whom
from privacyops.services.context import Context

router = APIRouter(prefix="/v1", tags=["consent"])
TTL_S: Final = 5


@router.get("/check", summary="Check by person id", **action(Action.CONSENT_CHECK))
def check_by_id(ctx: Caller, asked: Annotated[CheckQuery, Query()]) -> CheckOut:
    """200 for a yes and a no alike; an unknown purpose, channel or brand is a 404 problem and never a yes.

    `subject` is the id from an earlier answer. An address or a number is refused here: it goes into a POST.
    """
    fresh = _freshness(ctx, asked.mode, asked.token, asked.max_staleness_ms)
    whom = Whom(asked.subject)
    question = Question(whom, asked.purpose, asked.channel, asked.brand, asked.jurisdiction, fresh)
    return _out(answering.check(ctx, question))


@router.post("/check", summary="Check by identifier", **action(Action.CONSENT_CHECK))
def check(ctx: Caller, body: CheckIn) -> CheckOut:
    """As the GET, for a caller who knows an address: it travels in the body, so that no log of URLs holds it."""
    named = [(body.identifier.type, body.identifier.value)] if body.identifier else []
    whom = Whom.of(ctx, body.subject, named)
    fresh = _freshness(ctx, body.mode, body.token, body.max_staleness_ms)
    return _out(answering.check(ctx, Question(whom, body.purpose, body.channel, body.brand, body.jurisdiction, fresh)))


def _freshness(ctx: Context, mode: Mode | None, token: str | None, bound_ms: int | None) -> Freshness:
    return freshness_of(ctx.ports.keyring, ctx.controller.key, mode, token, bound_ms)


def _out(answer: CheckAnswer) -> CheckOut:
    decision, asked = answer.decision, answer.asked
    choice = decision.choice
    return CheckOut(
        decision=decision.answer.value, reason=decision.reason, basis=asked.ground.basis, regime=asked.ground.regime,
        jurisdiction=answer.jurisdiction, purpose=asked.purpose.key, purpose_version=asked.purpose.version,
        channel=asked.channel, brand=asked.brand, state=decision.state,
        granted_at=instant_text(answer.granted_at) if answer.granted_at else None,
        expires_at=instant_text(choice.valid_until) if choice and choice.valid_until and decision.is_allowed else None,
        notice=notice_out(choice.notice if choice else None), event_id=str(choice.event_id) if choice else None,
        state_version=answer.state_version, as_of=instant_text(answer.as_of), age_ms=answer.age_ms, ttl_s=TTL_S,
        stale=answer.is_stale,
    )  # fmt: skip
