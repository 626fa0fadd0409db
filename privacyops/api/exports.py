"""Exports of the consent ledger over HTTP: ask for one, see how it stands, fetch it."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from privacyops.api.consent import call_of
from privacyops.api.deps import Caller, IdempotencyKey, action
from privacyops.api.schemas.export import ExportIn, ExportOut
from privacyops.domain.account.action import Action
from privacyops.domain.export import Export, ExportFilter, ExportState
from privacyops.kernel.clock import Instant
from privacyops.ledger.leaf import instant_text, to_milliseconds
from privacyops.services.consent import exporting

router = APIRouter(prefix="/v1", tags=["consent"])
ASK_AGAIN_S: Final = 2


@router.post("/exports", status_code=202, summary="Export the consent ledger", **action(Action.CONSENT_EXPORT))
def request(ctx: Caller, body: ExportIn, response: Response, idempotency_key: IdempotencyKey = None) -> ExportOut:
    """Everything that is recorded until now, page by page into an encrypted file that is kept for a week.

    `Location` says where to look. People appear as keyed hashes, another one in each export, unless `identifiers` is
    `clear`. Who was erased is in none; an export with somebody who is erased later ends as `void`.
    """
    call = call_of(idempotency_key, body)
    wanted = body.filter
    filter_ = ExportFilter(wanted.purpose, wanted.channel, wanted.brand, _instant(wanted.since), _instant(wanted.until))
    found = exporting.request(ctx, body.format, filter_, body.identifiers, body.reason, call)
    response.headers["Location"] = f"/v1/exports/{found.id}"
    return _out(found, response)


@router.get("/exports/{export_id}", summary="See how an export stands", **action(Action.CONSENT_EXPORT))
def status(ctx: Caller, export_id: UUID, response: Response) -> ExportOut:
    """`rows` grows while it is built."""
    return _out(exporting.status(ctx, export_id), response)


@router.get(
    "/exports/{export_id}/content", summary="Fetch an export", response_class=StreamingResponse,
    responses={200: {"description": "The export, in the media type of its format", "content": {"*/*": {}}}},
    **action(Action.CONSENT_EXPORT),
)  # fmt: skip
def content(ctx: Caller, export_id: UUID) -> StreamingResponse:
    """Compare length and `sha256`: an answer that was cut off is void. Every fetch is audited."""
    found = exporting.download(ctx, export_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "Content-Length": str(found.size),
        "ETag": f'"{found.sha256}"',
    }
    return StreamingResponse(found.content, media_type=found.media_type, headers=headers)


def _instant(at: datetime | None) -> Instant | None:
    """A time without a zone, and a day, are meant in UTC."""
    if at is None:
        return None
    return to_milliseconds(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))


def _out(found: Export, response: Response) -> ExportOut:
    if found.state is ExportState.BUILDING:
        response.headers["Retry-After"] = str(ASK_AGAIN_S)
    return ExportOut(
        id=str(found.id), state=found.state, format=found.format, identifiers=found.identifiers, rows=found.rows,
        size=found.size, sha256=found.sha256, checkpoint=found.checkpoint, created_at=instant_text(found.created_at),
        expires_at=instant_text(found.expires_at) if found.expires_at else None, code=found.code,
    )  # fmt: skip
