"""The consent check: may this be done to this person over this channel now, and why."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from privacyops.api.consent import notice_out
from privacyops.api.deps import Caller, action
from privacyops.api.schemas.consent import CheckIn, CheckOut
from privacyops.domain.account.action import Action
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent import answering
from privacyops.services.consent.answering import CheckAnswer, Question
from privacyops.services.consent.subjects import Whom

router = APIRouter(prefix="/v1", tags=["consent"])
TTL_S: Final = 5
_Word = Annotated[str, Query(min_length=1, max_length=63)]
_Maybe = Annotated[str | None, Query(min_length=1, max_length=63)]


@router.get("/check", summary="Check by person id", **action(Action.CONSENT_CHECK))
def check_by_id(
    ctx: Caller,
    subject: Annotated[str, Query(min_length=3, max_length=40)],
    purpose: _Word,
    channel: _Word,
    brand: _Maybe = None,
    jurisdiction: Annotated[str | None, Query(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None,
) -> CheckOut:
    """200 for a yes and a no alike; an unknown purpose, channel or brand is a 404 problem and never a yes."""
    return _out(answering.check(ctx, Question(Whom(subject), purpose, channel, brand, jurisdiction)))


@router.post("/check", summary="Check by identifier", **action(Action.CONSENT_CHECK))
def check(ctx: Caller, body: CheckIn) -> CheckOut:
    """As the GET, for a caller who knows an address: it travels in the body, so that no log of URLs holds it."""
    named = [(body.identifier.type, body.identifier.value)] if body.identifier else []
    whom = Whom.of(ctx, body.subject, named)
    return _out(answering.check(ctx, Question(whom, body.purpose, body.channel, body.brand, body.jurisdiction)))


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
        state_version=answer.state_version, as_of=instant_text(answer.as_of), age_ms=0, ttl_s=TTL_S,
    )  # fmt: skip
