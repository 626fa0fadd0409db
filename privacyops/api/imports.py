"""Older lists over HTTP: try one, then take it over. Long lists go through the command."""

from typing import IO, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from privacyops.api.bulk import spooled
from privacyops.api.deps import Caller, action
from privacyops.api.schemas.bulk import ImportOut
from privacyops.domain.account.action import Action
from privacyops.services.consent import importing
from privacyops.services.consent.import_lines import Defaults
from privacyops.services.consent.importing import MOST_OVER_HTTP, ImportReport

router = APIRouter(prefix="/v1", tags=["consent"])
_LIST: dict[str, Any] = {"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}, "required": True}}
_Word = Annotated[str | None, Query(min_length=1, max_length=63)]
_File = Annotated[Any, Depends(spooled)]


def defaults(
    purpose: _Word = None,
    channel: _Word = None,
    brand: _Word = None,
    jurisdiction: Annotated[str | None, Query(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] = None,
    source: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
) -> Defaults:
    """What holds for lines that do not say it themselves."""
    return Defaults(purpose, channel, brand, jurisdiction, source)


def _action() -> dict[str, Any]:
    return {"openapi_extra": {**action(Action.CONSENT_IMPORT)["openapi_extra"], **_LIST}}


@router.post("/imports:dry-run", summary="Try an older list", **_action())
def dry_run(ctx: Caller, file: _File, told: Annotated[Defaults, Depends(defaults)]) -> ImportOut:
    """Counts by grade, by state and by what a check would answer; nothing else is stored. Keep the `digest`."""
    source: IO[bytes] = file
    return _out(importing.dry_run(ctx, source, told, most=MOST_OVER_HTTP))


@router.post("/imports", status_code=201, summary="Take over an older list", **_action())
def run(
    ctx: Caller,
    file: _File,
    told: Annotated[Defaults, Depends(defaults)],
    digest: Annotated[str, Query(pattern=r"^[0-9a-f]{64}$", description="the dry run's")],
) -> ImportOut:
    """The same file again: no line is stored twice, so a repeated call changes nothing and needs no key."""
    source: IO[bytes] = file
    return _out(importing.run(ctx, source, told, digest, most=MOST_OVER_HTTP))


@router.get("/imports/{import_id}", summary="See how an import stands", **action(Action.CONSENT_IMPORT))
def status(ctx: Caller, import_id: UUID) -> ImportOut:
    """`line` is the last one that is stored."""
    return _out(importing.status(ctx, import_id))


def _out(report: ImportReport) -> ImportOut:
    return ImportOut(id=str(report.id), digest=report.digest, state=report.state, line=report.line, counts=report.tally)
