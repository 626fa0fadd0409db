"""Where the correction of a request stands, for back ends. Counts, codes and dates; never a value."""

from uuid import UUID

from fastapi import APIRouter

from privacyops.api.deps import Caller, action
from privacyops.api.erasure import recipient
from privacyops.api.schemas.erasure import BecameOut, BlockedOut, ErasureReceiptOut, PlannedOut
from privacyops.api.schemas.rectification import CorrectedOut, RectificationOut, StoreRectificationOut
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.kernel.ids import DsarId
from privacyops.services.dsar import erasure_state

router = APIRouter(prefix="/v1/dsars", tags=["requests"])


@router.get("/{dsar_id}/rectification", summary="Plan and state of a correction", **action(Action.DSAR_LIST))
def read_rectification(ctx: Caller, dsar_id: UUID) -> RectificationOut:
    """Each store's plan and what became of it. Empty while nothing is planned, and where people correct by hand."""
    found = erasure_state.state_of(ctx, DsarId(dsar_id), RequestType.RECTIFICATION)
    return RectificationOut(
        whole=found.is_whole, stores=[_store(one) for one in found.stores],
        receipts=[ErasureReceiptOut(sha256=sha256, made_at=made_at) for sha256, made_at in found.receipts],
        recipients=[recipient(one) for one in found.recipients],
    )  # fmt: skip


def _store(one: StoreErasure) -> StoreRectificationOut:
    return StoreRectificationOut(
        store=one.store, state=one.state, code=one.code, plan_hash=one.plan_hash, planned_at=one.planned_at,
        ended_at=one.ended_at, asked_next_at=one.poll_at,
        corrected=[CorrectedOut(**pair) for pair in one.plan.get("corrected", ())],
        operations=one.plan.get("operations", 0), plan=[PlannedOut(**row) for row in one.plan.get("rows", ())],
        blockers=[BlockedOut(**row) for row in one.plan.get("blockers", ())],
        result=[BecameOut(**row) for row in one.report.get("rows", ())], residue=one.report.get("residue", 0),
    )  # fmt: skip
