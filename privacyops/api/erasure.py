"""Where the erasure of a request stands, for back ends. Counts, codes and dates; never a value."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from privacyops.api.deps import Caller, action
from privacyops.api.schemas.erasure import (
    BecameOut,
    BlockedOut,
    ErasureOut,
    ErasureReceiptOut,
    HandedOverOut,
    PlannedOut,
    RecipientOut,
    StoreErasureOut,
)
from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import StoreErasure
from privacyops.domain.recipient import RecipientNotice
from privacyops.kernel.ids import DsarId
from privacyops.services.dsar import erasure_state, giving_up

router = APIRouter(prefix="/v1/dsars", tags=["requests"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]


@router.get("/{dsar_id}/erasure", summary="Plan and state of an erasure", **action(Action.DSAR_LIST))
def read_erasure(ctx: Caller, dsar_id: UUID) -> ErasureOut:
    """Each store's plan and what became of it. Empty while nothing is planned, and for requests that erase nothing."""
    found = erasure_state.state_of(ctx, DsarId(dsar_id))
    return ErasureOut(
        whole=found.is_whole, stores=[_store(one) for one in found.stores],
        receipts=[ErasureReceiptOut(sha256=sha256, made_at=made_at) for sha256, made_at in found.receipts],
        recipients=[recipient(one) for one in found.recipients],
    )  # fmt: skip


@router.post("/{dsar_id}/erasure/{store}:hand-over", summary="Stop waiting for a store", **action(Action.TASK_ANSWER))
def hand_over(ctx: Caller, dsar_id: UUID, store: Name) -> HandedOverOut:
    """Of a store that accepted an erasure or a correction and has not ended: it is not asked again, and its owner has a
    task. The store is not told. A second time answers alike and changes nothing.

    409 `nothing-pending`: the store has ended, or never worked on anything.
    """
    return HandedOverOut(store=store, changed=giving_up.give_up(ctx, DsarId(dsar_id), store))


def recipient(one: RecipientNotice) -> RecipientOut:
    """Whom was told, as a back end reads it."""
    return RecipientOut(
        name=one.name, state=one.state, told_on=one.told_on, confirmed_on=one.confirmed_on, excuse=one.excuse
    )


def _store(one: StoreErasure) -> StoreErasureOut:
    return StoreErasureOut(
        store=one.store, state=one.state, code=one.code, plan_hash=one.plan_hash, planned_at=one.planned_at,
        ended_at=one.ended_at, asked_next_at=one.poll_at, searched_again=one.sweeps, searched_next_at=one.sweep_at,
        operations=one.plan.get("operations", 0), irreversible=one.plan.get("irreversible", 0),
        waiting_for_a_decision=one.plan.get("waiting", 0),
        plan=[PlannedOut(**row) for row in one.plan.get("rows", ())],
        blockers=[BlockedOut(**row) for row in one.plan.get("blockers", ())],
        result=[BecameOut(**row) for row in one.report.get("rows", ())],
        residue=one.report.get("residue", 0),
    )  # fmt: skip
