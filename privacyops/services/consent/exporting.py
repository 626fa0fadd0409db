"""Exports of the consent ledger: asked for, built by a worker into the vault, fetched, and gone after a week.

An export covers what one signed checkpoint covers, so that its reader can hold it against the log. Who is erased
is not in one: the events of the erased have no owner, and an export that may hold one of them ends with the erasure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.account.rule import require
from privacyops.domain.export import Export, ExportFilter, ExportFormat, ExportState, Identifiers
from privacyops.kernel.errors import Conflict, Gone, NotFound, Unprocessable
from privacyops.kernel.ids import DsarId, uuid7
from privacyops.ports.vault import VaultRef
from privacyops.services import job as jobs
from privacyops.services import purpose as published
from privacyops.services.consent.export_form import ENDING, MEDIA_TYPE
from privacyops.services.consent.terms import UnknownBrand, UnknownChannel, UnknownPurpose
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.idempotency import Call, begin_call, end_call
from privacyops.store import export as exports
from privacyops.store.uow import Tx

JOB: Final = "export"
LIFE: Final = timedelta(days=7)


class ExportUnknown(NotFound):
    type = "/problems/export-unknown"
    title = "No such export"


class ExportNotReady(Conflict):
    type = "/problems/export-not-ready"
    title = "The export is still being built"


class ExportGone(Gone):
    """`state` and `code` as members: expired, failed, or void because somebody in it was erased."""

    type = "/problems/export-gone"
    title = "There is nothing to fetch any more; ask for a new export"


class ExportNothing(Unprocessable):
    type = "/problems/export-nothing"
    title = "The export would end before it begins"


@dataclass(frozen=True, slots=True)
class ExportContent:
    """One fetch: its name, media type, size, and its bytes, each piece authenticated."""

    name: str
    media_type: str
    size: int
    sha256: str
    content: Iterator[bytes]


@use_case(Action.CONSENT_EXPORT)
def request(
    ctx: Context,
    tx: Tx,
    format_: ExportFormat,
    filter_: ExportFilter,
    identifiers: Identifiers = Identifiers.HASHED,
    reason: str = "",
    call: Call | None = None,
) -> Export:
    """Promise an export. With identifiers in clear it takes a right of its own and a reason, which is audited.

    Raises: Forbidden, StepUpNeeded, ReasonNeeded; UnknownPurpose, UnknownChannel, UnknownBrand, ExportNothing.
    """
    if identifiers is Identifiers.CLEAR:
        require(ctx.actor, Action.CONSENT_EXPORT_CLEAR, tx.now, reason=reason)
    before = begin_call(ctx, tx, call) if call is not None else None
    if before is not None:
        return _loaded(tx, UUID(before["id"]))
    _require_known(ctx, tx, filter_)
    export = uuid7(tx.now)
    exports.add_export(tx, export, format_, identifiers, filter_)
    jobs.enqueue(tx, JOB, export)
    told = {"reason": reason.strip()[:200]} if identifiers is Identifiers.CLEAR else {}
    record(
        ctx, tx, "consent.export_requested", "export", export, format=str(format_), identifiers=str(identifiers),
        **filter_.to_json(), **told,
    )  # fmt: skip
    if call is not None:
        end_call(ctx, tx, call, {"id": str(export)})
    return _loaded(tx, export)


@reading(Action.CONSENT_EXPORT)
def status(ctx: Context, tx: Tx, export: UUID) -> Export:
    """How an export stands. Raises: ExportUnknown."""
    return _loaded(tx, export)


def download(ctx: Context, export: UUID) -> ExportContent:
    """What was exported. Each fetch is audited; identifiers in clear take their own right again.

    The iterator raises where the export ends while it is read; what came until then is void.
    Raises: ExportUnknown, ExportNotReady, ExportGone, Forbidden, StepUpNeeded.
    """
    found, refs = _take(ctx, export)
    name = f"consents-{found.created_at:%Y-%m-%d}-{str(found.id)[-6:]}.{ENDING[found.format]}"
    pieces = (piece for ref in refs for piece in ctx.ports.vault.open(ref))
    return ExportContent(name, MEDIA_TYPE[found.format], found.size or 0, found.sha256 or "", pieces)


@use_case(Action.CONSENT_EXPORT)
def _take(ctx: Context, tx: Tx, export: UUID) -> tuple[Export, list[VaultRef]]:
    found = _loaded(tx, export)
    if found.identifiers is Identifiers.CLEAR:
        require(ctx.actor, Action.CONSENT_EXPORT_CLEAR, tx.now, reason="asked for when it was ordered")
    if found.state is ExportState.BUILDING:
        raise ExportNotReady
    if found.state is not ExportState.READY or found.expires_at is None or tx.now >= found.expires_at:
        raise ExportGone(state=str(found.state), code=found.code)
    record(
        ctx, tx, "consent.export_fetched", "export", export, identifiers=str(found.identifiers), rows=found.rows,
        sha256=found.sha256 or "",
    )  # fmt: skip
    return found, refs_of(ctx, tx, export)


def refs_of(ctx: Context, tx: Tx, export: UUID) -> list[VaultRef]:
    """Where the pieces lie, in their order."""
    return [
        VaultRef(ctx.controller.key, DsarId(export), part.blob, part.size, part.sha256)
        for part in exports.list_parts(tx, export)
    ]


def expire(ctx: Context) -> int:
    """End exports whose time is over, then destroy what lies in the vault of ended ones; how many were destroyed.

    The row ends first and the bytes go after its commit: a kill in between leaves an export that nobody can fetch.
    """
    _end_expired(ctx)
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        ended = exports.list_to_destroy(tx)
    for export in ended:
        ctx.ports.vault.destroy(DsarId(export))
        _destroyed(ctx, export)
    return len(ended)


@use_case(Action.JOB_RUN)
def _end_expired(ctx: Context, tx: Tx) -> None:
    for export in exports.list_expired(tx):
        exports.move_export(tx, export, ExportState.READY, ExportState.EXPIRED)


@use_case(Action.JOB_RUN)
def _destroyed(ctx: Context, tx: Tx, export: UUID) -> None:
    exports.forget_parts(tx, export)
    record(ctx, tx, "consent.export_destroyed", "export", export)


def _loaded(tx: Tx, export: UUID) -> Export:
    found = exports.find_export(tx, export)
    if found is None:
        raise ExportUnknown
    return found


def _require_known(ctx: Context, tx: Tx, wanted: ExportFilter) -> None:
    names = published.catalogue(ctx, tx)
    if wanted.purpose is not None and wanted.purpose not in names.purposes:
        raise UnknownPurpose
    if wanted.channel is not None and wanted.channel not in names.channels:
        raise UnknownChannel
    if wanted.brand is not None and wanted.brand not in names.brands:
        raise UnknownBrand
    if wanted.since is not None and wanted.until is not None and wanted.until <= wanted.since:
        raise ExportNothing
