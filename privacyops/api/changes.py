"""The feed that clients follow, and the snapshot it continues."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from privacyops.api.deps import Caller, action
from privacyops.api.schemas.bulk import ChangesOut
from privacyops.domain.account.action import Action
from privacyops.ledger.leaf import instant_text
from privacyops.services.consent import feeding

router = APIRouter(prefix="/v1", tags=["consent"])
MEDIA: Final = "application/x-ndjson"


@router.get("/changes", summary="Follow what changes", **action(Action.FEED_READ))
def changes(
    ctx: Caller,
    after: Annotated[int, Query(ge=0, description="the `next` of the page before, or the snapshot's `high_water`")],
    limit: Annotated[int, Query(ge=1, le=5_000)] = 1_000,
    wait: Annotated[float, Query(ge=0, le=feeding.LONGEST_WAIT_S, description="seconds to wait for the first")] = 0,
    key_id: Annotated[str | None, Query(max_length=32, description="the snapshot's `key_id`")] = None,
) -> ChangesOut:
    """Every number of the log, without a hole, also those that mean nothing to you (`void`). Kept for seven days.

    `subject_ref` is a hash of the person's id under a key of your own. 410: take a snapshot and go on from there.
    """
    page = feeding.changes_after(ctx, after, limit, wait, key_id)
    return ChangesOut(
        items=[dict(item) for item in page.items], next=page.next, high_water=page.high_water,
        as_of=instant_text(page.as_of), lag_ms=page.lag_ms,
    )  # fmt: skip


@router.get(
    "/changes/snapshot",
    summary="Take a copy of all answers",
    response_class=StreamingResponse,
    responses={200: {"description": "A head, a line for each person, an end", "content": {MEDIA: {}}}},
    **action(Action.FEED_READ),
)
def snapshot(ctx: Caller) -> StreamingResponse:
    """NDJSON. Bit i of `allow` answers for slot i of the head. Without the last line, `end`, use nothing of it."""
    rows = feeding.snapshot(ctx)
    head = next(iter(rows))  # what is refused is refused before the first byte
    return StreamingResponse(_lines(head, rows), media_type=MEDIA)


def _lines(head: Any, rows: Iterator[Any]) -> Iterator[bytes]:
    yield _line(head)
    for row in rows:
        yield _line(row)


def _line(row: Any) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"
