"""Passages about other people for back ends: where they are and what was decided. Content is never given out here."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from privacyops.api.deps import Caller, action
from privacyops.api.schemas.third_parties import PassageDecisionIn, PassageIn, PassageOut, PassagePage, ReadingOut
from privacyops.domain.account.action import Action
from privacyops.domain.redaction.record import Reading
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.ids import DsarId, FindingId
from privacyops.services.dsar import third_parties
from privacyops.services.dsar.third_parties import Listed, Spot

router = APIRouter(prefix="/v1/dsars/{dsar_id}/passages", tags=["requests"])


@router.get("", summary="List passages about other people", **action(Action.DSAR_STATUS))
def list_(
    ctx: Caller,
    dsar_id: UUID,
    after: Annotated[str | None, Query(description="the `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PassagePage:
    """Places, reasons and decisions, in the order in which they were made; and how far the texts are read."""
    reading, given, page = third_parties.list_passages(ctx, DsarId(dsar_id), after, limit)
    return PassagePage(reading=_reading(reading, *given), items=[_out(one) for one in page.items], next=page.next)


@router.post("", status_code=201, summary="Take a passage out", **action(Action.DSAR_REDACT))
def mark(ctx: Caller, dsar_id: UUID, body: PassageIn) -> PassageOut:
    """Mark what nobody suggested. The same place again changes nothing; a suggestion that is the same is accepted."""
    spot = Spot(FindingId(body.finding), field=body.field, at=body.at, start=body.start, end=body.end)
    [made] = third_parties.mark(ctx, DsarId(dsar_id), spot, body.kind)
    return _out(third_parties.one_passage(ctx, DsarId(dsar_id), made.id))


@router.post("/{passage_id}:decide", summary="Decide on a passage", **action(Action.DSAR_REDACT))
def decide(ctx: Caller, dsar_id: UUID, passage_id: UUID, body: PassageDecisionIn) -> PassageOut | None:
    """Take it out, leave it in, or take the decision back; null: one marked by hand was taken back.

    The same decision again changes nothing.
    """
    made = third_parties.decide(ctx, DsarId(dsar_id), passage_id, Decision(body.decision), body.seen)
    return None if made is None else _out(third_parties.one_passage(ctx, DsarId(dsar_id), made.id))


def _reading(reading: Reading | None, waiting: int, unseen: int) -> ReadingOut:
    return ReadingOut(
        state=reading.state if reading else None, texts=reading.texts if reading else 0,
        files=reading.files if reading else 0, open=waiting, unseen=unseen,
        vouched_at=reading.vouched_at if reading else None, degraded=list(reading.notes) if reading else [],
    )  # fmt: skip


def _out(one: Listed) -> PassageOut:
    passage, text = one.passage, one.text
    return PassageOut(
        id=str(passage.id), finding=str(text.finding_id), store=one.store, collection=one.collection,
        field=text.field, at=text.at, start=passage.start, end=passage.end, type=passage.type, label=passage.label,
        why=passage.why, score=passage.score, doubts=list(passage.doubts), decision=passage.decision,
        is_by_hand=passage.is_by_hand, decided_at=passage.decided_at,
    )  # fmt: skip
