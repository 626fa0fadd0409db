"""Carrying out what changes the stores.

An erasure goes by its plan (services/dsar/erasing). A request that corrects or restricts, and a store that no machine
can change, becomes a task for each store that holds something; the request is carried out when every one is done.
"""

from privacyops.domain.dsar.erasing import RUNNING
from privacyops.domain.dsar.kind import RequestClass
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.run import Decision
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.task import OPEN_TASKS, TaskKind
from privacyops.kernel.ids import DsarId
from privacyops.services import sealing
from privacyops.services.context import Context
from privacyops.services.dsar.confirming import confirm_stop
from privacyops.services.dsar.erasure_receipt import write_receipt
from privacyops.services.dsar.lifecycle import move
from privacyops.services.dsar.recipients import open_notices
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import store_erasure as erasures
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx


def hand_out(tx: Tx, dsar: Dsar) -> int:
    """One task for each store with records that are concerned; how many."""
    concerned = {group.store for group in findings.count_findings(tx, dsar.id) if group.decision == Decision.INCLUDE}
    for store in sorted(concerned):
        task_by_hand(tx, dsar, store)
    return len(concerned)


def task_by_hand(tx: Tx, dsar: Dsar, store: str) -> None:
    """One store's part of the request as a task for its owner."""
    owner = next((one.owner_id for one in stores.list_stores(tx) if one.name == store), None)
    tasks.add_task(
        tx, TaskKind.MANUAL_STORE, dsar.safe_due_on, owner_role="store_owner" if owner else "analyst",
        owner_id=owner, dsar_id=dsar.id, store=store, code=str(dsar.type),
    )  # fmt: skip


def settle_if_done(ctx: Context, tx: Tx, dsar_id: DsarId) -> None:
    """With the last store the request is carried out: an erasure gets its receipt, recipients become
    tasks, a stop is confirmed at once.
    """
    dsar = dsars.load_dsar(tx, dsar_id, is_locked=True)  # of two that end at once, the second sees the first
    waiting = [
        task
        for task in tasks.list_tasks_of(tx, dsar_id)
        if task.kind is TaskKind.MANUAL_STORE and task.state in OPEN_TASKS
    ]
    erased = erasures.list_erasures(tx, dsar_id)
    if dsar.state is not DsarState.EXECUTING or waiting or any(one.state in RUNNING for one in erased):
        return
    if erased:
        write_receipt(ctx, tx, dsar, erased)
    open_notices(ctx, tx, dsar)
    after = move(ctx, tx, dsar, DsarEvent.EXECUTION_SETTLED)
    if after.rule.kind is RequestClass.STOP:
        confirm_stop(ctx, tx, after, sealing.requester_of(ctx, tx, after))
