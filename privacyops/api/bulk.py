"""Many checks at once: a batch of questions, and lists that are cleaned while they stream through."""

import tempfile
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from privacyops.api.deps import Caller, action
from privacyops.api.schemas.bulk import (
    BatchIn,
    BatchItemIn,
    BatchItemOut,
    BatchOut,
    GroupOut,
    ProblemOut,
    StatisticsOut,
)
from privacyops.domain.account.action import Action
from privacyops.domain.decision import Decision
from privacyops.kernel.errors import MediaTypeRefused, Problem
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent import counting, judging, scrubbing
from privacyops.services.consent.judging import BatchTooLarge, Item
from privacyops.services.consent.scrubbing import Emit, Form, ScrubQuestion
from privacyops.services.consent.subjects import Whom
from privacyops.services.context import Context

router = APIRouter(prefix="/v1", tags=["consent"])
IN_MEMORY: Final = 1_000_000
_Word = Annotated[str, Query(min_length=1, max_length=63)]
_Maybe = Annotated[str | None, Query(min_length=1, max_length=63)]
_LIST: Final[dict[str, Any]] = {form.value: {"schema": {"type": "string"}} for form in Form}


@router.post(
    "/check:batch", summary="Check many at once", response_model_exclude_unset=True, **action(Action.CONSENT_CHECK)
)
def check_batch(ctx: Caller, body: BatchIn) -> BatchOut:
    """Up to 1,000 questions; each has its own answer or its own problem, in the order of the questions."""
    if len(body.items) > judging.MOST:
        raise BatchTooLarge
    as_of, judged = judging.check_many(ctx, [_item(ctx, item) for item in body.items])
    return BatchOut(as_of=instant_text(as_of), items=[_answer(one.ref, one.result) for one in judged])


async def spooled(request: Request) -> AsyncIterator[IO[bytes]]:
    """The body in a file without a name: its size is not known, and it must not stand in memory."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        async for part in request.stream():
            file.write(part)
        file.seek(0)
        yield file


@router.post(
    "/scrub",
    summary="Reduce a list to those who may be written to",
    response_class=StreamingResponse,
    responses={200: {"description": "Rows, then a summary", "content": _LIST}},
    openapi_extra={
        **action(Action.CONSENT_CHECK)["openapi_extra"],
        "requestBody": {"content": _LIST, "required": True},
    },
)
def scrub(
    ctx: Caller,
    request: Request,
    file: Annotated[Any, Depends(spooled)],
    purpose: _Word,
    channel: _Word,
    brand: _Maybe = None,
    jurisdiction: Annotated[str | None, Query(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None,
    emit: Emit = Emit.ALLOWED,
) -> StreamingResponse:
    """NDJSON or CSV, by media type, both ways. Name people by `subject` or an identifier, rows by `row`.

    The last line is a summary. Without it the answer was cut off: use nothing of it. Use nothing after `use_before`.
    A list whose beginning is no list is refused (400); a fault further down ends the answer with a line `error`, or
    `#error` in CSV, in place of the summary.
    """
    form = _form(request)
    rows = scrubbing.scrub(ctx, ScrubQuestion(purpose, channel, brand, jurisdiction, emit), file, form)
    return StreamingResponse(rows, media_type=form.value)


@router.get("/statistics/consent", summary="Count choices", **action(Action.CONSENT_READ))
def statistics(ctx: Caller) -> StatisticsOut:
    """People by purpose, channel, brand and state. Groups under 20 are withheld."""
    found = counting.statistics(ctx)
    groups = [
        GroupOut(
            purpose=one.purpose, channel=one.channel, brand=one.brand, kind=one.kind, state=one.state,
            people=one.people,
        )
        for one in found.groups
    ]  # fmt: skip
    return StatisticsOut(as_of=instant_text(found.as_of), groups=groups)


def _form(request: Request) -> Form:
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named in (Form.NDJSON.value, "application/ndjson", "application/jsonl"):
        return Form.NDJSON
    if named == Form.CSV.value:
        return Form.CSV
    raise MediaTypeRefused("send the list as application/x-ndjson or text/csv")


def _item(ctx: Context, item: BatchItemIn) -> Item:
    named = [(item.identifier.type, item.identifier.value)] if item.identifier else []
    whom: Whom | Problem
    try:
        whom = Whom.of(ctx, item.subject, named)
    except Problem as problem:
        whom = problem
    return Item(item.ref, whom, item.purpose, item.channel, item.brand, item.jurisdiction)


def _answer(ref: str, result: Decision | Problem) -> BatchItemOut:
    if isinstance(result, Decision):
        return BatchItemOut(ref=ref, decision=result.answer.value, reason=result.reason)
    return BatchItemOut(ref=ref, problem=ProblemOut(type=result.type, title=result.title, status=result.status))
