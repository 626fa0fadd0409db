"""The receipt of an erasure or a correction: what was done in each store, who agreed, what is kept and why. Signed;
it holds no value.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.run import RunState
from privacyops.domain.task import ApprovalState
from privacyops.services.context import Context, record
from privacyops.store import finding as findings
from privacyops.store import store_erasure as erasures
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

UNTOLD: Final = frozenset({"started", "since", "over", "unanswered"})
"""Members of a report that only say how the work goes on."""
UNSEARCHED: Final = frozenset({RunState.HANDED_OVER, RunState.ANSWERED_WITHOUT})
"""Stores that nobody looked into, neither a machine nor a person."""


def write_receipt(ctx: Context, tx: Tx, dsar: Dsar, stores: Sequence[StoreErasure]) -> str:
    """Sign what was done and note its hash in the audit log, whose leaves nobody can change; the hash."""
    body = receipt_of(tx, dsar, stores)
    jws = ctx.ports.signer.jws(
        json.dumps(body, sort_keys=True, separators=(",", ":")).encode(), f"{dsar.type}-receipt+json"
    )
    sha256 = hashlib.sha256(jws.encode()).hexdigest()
    erasures.add_receipt(tx, dsar.id, sha256, jws)
    whole = 1 if body["whole"] else 0
    record(ctx, tx, f"{dsar.type}.receipt", "dsar", dsar.id, sha256=sha256, whole=whole, stores=len(stores))
    return sha256


def receipt_of(tx: Tx, dsar: Dsar, stores: Sequence[StoreErasure]) -> dict[str, Any]:
    """The receipt's content. `whole` only if every store was searched, and every one that held something was erased
    by machine, read back, and nothing is left.
    """
    unsearched = sorted(run.store for run in findings.list_runs(tx, dsar.id) if run.state in UNSEARCHED)
    given = [one for one in tasks.list_approvals(tx, dsar.id) if one.state is ApprovalState.GIVEN]
    by_hand = [one for one in stores if one.state is ErasingState.BY_HAND]
    return {
        "request": dsar.reference,
        "type": str(dsar.type),
        "made_at": tx.now.isoformat(),
        "plan": dsar.plan_hash or "",
        "prepared_by": str(dsar.prepared_by or ""),
        "approved_by": [str(one.decided_by) for one in given if one.plan_hash == dsar.plan_hash],
        "whole": not unsearched and all(one.state is ErasingState.VERIFIED for one in stores),
        "stores": [_store(one) for one in stores],
        "by_hand": [one.store for one in by_hand],
        "not_searched": unsearched,
    }


def _store(one: StoreErasure) -> dict[str, Any]:
    return {
        "store": one.store,
        "state": str(one.state),
        "plan": one.plan_hash or "",
        "code": one.code or "",
        "ended_at": one.ended_at.isoformat() if one.ended_at else "",
        **{name: value for name, value in one.report.items() if name not in UNTOLD},
    }
