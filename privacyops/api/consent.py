"""Consent for back ends: record a choice, withdraw it, read what stands and how it came about."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from privacyops.api.deps import Caller, IdempotencyKey, action
from privacyops.api.schemas.consent import (
    ActorOut,
    At,
    CircumstancesIn,
    ConsentIn,
    CurrentList,
    CurrentOut,
    EventOut,
    HistoryOut,
    HistoryPage,
    NoticeOut,
    SubjectIn,
    WithdrawIn,
    WrittenOut,
)
from privacyops.domain.account.action import Action
from privacyops.domain.notice import NoticeRef
from privacyops.kernel.clock import NaiveInstant, require_utc
from privacyops.kernel.errors import BadRequest
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent import answering, writing
from privacyops.services.consent.answering import CurrentChoice, HistoryItem
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.terms import Choice, Circumstances, Scope, Written
from privacyops.services.context import Context
from privacyops.services.idempotency import Call

router = APIRouter(prefix="/v1", tags=["consent"])
SubjectId = Annotated[str, Path(min_length=3, max_length=40)]


@router.post("/consents", status_code=201, summary="Record choices", **action(Action.CONSENT_WRITE))
def record(
    ctx: Caller, body: ConsentIn, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> WrittenOut:
    """Write down what a person chose, also a refusal.

    `Idempotency-Key` is required. A grant that arrives after a later stop is recorded with `applied: false`.
    """
    return written_out(recorded(ctx, body, idempotency_key), response)


@router.post("/consents:withdraw", summary="Withdraw, or stop everything", **action(Action.CONSENT_WRITE))
def withdraw(
    ctx: Caller, body: WithdrawIn, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> WrittenOut:
    """Stop a purpose, a channel or everything. Without a brand it stops for all brands."""
    return written_out(withdrawn(ctx, body, idempotency_key), response)


@router.get("/subjects/{subject_id}/consents", summary="Read a person's choices", **action(Action.CONSENT_READ))
def consents(ctx: Caller, subject_id: SubjectId, at: At = None) -> CurrentList:
    """Every choice and stop with what it answers, now or at a past moment."""
    try:
        moment = require_utc(at) if at is not None else None
    except NaiveInstant:
        raise BadRequest("`at` needs a time zone") from None
    found = answering.current(ctx, subject_id, moment)
    as_of = instant_text(moment or ctx.clock.now())
    return CurrentList(subject_id=subject_id, as_of=as_of, items=[_current(one) for one in found])


@router.get("/subjects/{subject_id}/history", summary="Read how it came about", **action(Action.CONSENT_READ))
def history(
    ctx: Caller,
    subject_id: SubjectId,
    before: Annotated[str | None, Query(description="the `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HistoryPage:
    """Every event of a person, newest first."""
    page = answering.history(ctx, subject_id, before, limit)
    return HistoryPage(items=[_history(item) for item in page.items], next=page.next)


def recorded(ctx: Context, body: ConsentIn, key: str | None) -> Written:
    """What the route and the gate before it (write_fast.py) do with a call."""
    call = call_of(key, body)
    notice = body.notice
    how = circumstances_of(body, NoticeRef(notice.id, notice.version, notice.locale, notice.sha256) if notice else None)
    choices = [Choice(choice.purpose, choice.channel, choice.choice) for choice in body.choices]
    return writing.record_choices(ctx, whom_of(ctx, body.subject), choices, how, call)


def withdrawn(ctx: Context, body: WithdrawIn, key: str | None) -> Written:
    """As `recorded`."""
    call = call_of(key, body)
    scope = Scope() if body.scope == "all" else Scope(body.scope.purpose, body.scope.channel)
    return writing.withdraw(ctx, whom_of(ctx, body.subject), scope, circumstances_of(body), call)


def notice_out(notice: NoticeRef | None) -> NoticeOut | None:
    """A notice as it goes over the wire."""
    if notice is None:
        return None
    return NoticeOut(id=notice.id, version=notice.version, locale=notice.locale, sha256=notice.sha256)


def call_of(key: str | None, body: BaseModel) -> Call:
    """One spelling of the body for comparing it with a repeated one; also where it holds what a leaf refuses."""
    return Call.of(key, json.dumps(body.model_dump(), default=str, sort_keys=True).encode())


def whom_of(ctx: Context, subject: SubjectIn) -> Whom:
    """Whom the caller names. Raises: IdentifierMalformed, SubjectNotNamed."""
    return Whom.of(ctx, subject.id, [(one.type, one.value) for one in subject.identifiers])


def circumstances_of(body: CircumstancesIn, notice: NoticeRef | None = None) -> Circumstances:
    """How a choice was expressed, as the caller says."""
    return Circumstances(
        method=body.method, brand=body.brand, jurisdiction=body.jurisdiction, indicated_by=body.indicated_by,
        occurred_at=require_utc(body.occurred_at) if body.occurred_at else None,
        client_event_id=body.client_event_id, notice=notice, evidence=body.evidence, age=body.age,
    )  # fmt: skip


def written_out(written: Written, response: Response) -> WrittenOut:
    """The answer to a write, as it goes over the wire."""
    if written.is_replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return wire_of(written)


def wire_of(written: Written) -> WrittenOut:
    """The body of that answer."""
    return WrittenOut(
        events=[EventOut.model_validate(event) for event in written.events],
        subject_id=written.subject_id,
        state_version=written.state_version,
        recorded_at=written.recorded_at,
        token=written.token or None,
        promise=written.promise,
    )


def _current(one: CurrentChoice) -> CurrentOut:
    row, decision = one.row, one.decision
    return CurrentOut(
        kind=row.kind, purpose=row.purpose, channel=row.channel, brand=row.brand, state=row.state,
        decision=decision.answer if decision else None, reason=decision.reason if decision else None,
        since=instant_text(row.since), expires_at=instant_text(row.valid_until) if row.valid_until else None,
        notice=notice_out(row.notice), purpose_version=row.purpose_version, event_id=str(row.event_id),
    )  # fmt: skip


def _history(item: HistoryItem) -> HistoryOut:
    event = item.event
    return HistoryOut(
        event_id=str(event.id), type=event.type, channel=event.channel, brand=event.brand, state=event.state,
        purpose=event.purpose.key if event.purpose else None,
        purpose_version=event.purpose.version if event.purpose else None,
        occurred_at=instant_text(event.occurred_at), recorded_at=instant_text(event.recorded_at),
        actor=ActorOut(kind=event.actor_kind), indicated_by=event.indicated_by, method=event.method,
        notice=notice_out(event.notice), applied=item.applied, state_version=item.state_version, seq=item.seq,
    )  # fmt: skip
