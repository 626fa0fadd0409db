"""Carrying out what changes the stores. In this release a person does it, store by store, and says so with a note.

A request that corrects, restricts or erases becomes one task for each store that holds something; it is carried out
when every one of them is done. Doing it by machine, with read-back, is the work of the erasure plan.
"""

from privacyops.domain.dsar.kind import RequestClass
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.run import Decision
from privacyops.domain.dsar.state import DsarEvent, DsarState
from privacyops.domain.task import OPEN_TASKS, TaskKind
from privacyops.kernel.ids import DsarId
from privacyops.services import sealing
from privacyops.services.context import Context
from privacyops.services.dsar.confirming import confirm_stop
from privacyops.services.dsar.lifecycle import move
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx


def hand_out(tx: Tx, dsar: Dsar) -> int:
    """One task for each store with records that are concerned; how many."""
    concerned = {group.store for group in findings.count_findings(tx, dsar.id) if group.decision == Decision.INCLUDE}
    owners = {store.name: store.owner_id for store in stores.list_stores(tx)}
    for store in sorted(concerned):
        owner = owners.get(store)
        tasks.add_task(
            tx, TaskKind.MANUAL_STORE, dsar.safe_due_on, owner_role="store_owner" if owner else "analyst",
            owner_id=owner, dsar_id=dsar.id, store=store, code=str(dsar.type),
        )  # fmt: skip
    return len(concerned)


def settle_if_done(ctx: Context, tx: Tx, dsar_id: DsarId) -> None:
    """With the last store's task the request is carried out; a stop is confirmed to the customer at once."""
    dsar = dsars.load_dsar(tx, dsar_id)
    waiting = [
        task
        for task in tasks.list_tasks_of(tx, dsar_id)
        if task.kind is TaskKind.MANUAL_STORE and task.state in OPEN_TASKS
    ]
    if dsar.state is not DsarState.EXECUTING or waiting:
        return
    after = move(ctx, tx, dsar, DsarEvent.EXECUTION_SETTLED)
    if after.rule.kind is RequestClass.STOP:
        confirm_stop(ctx, tx, after, sealing.requester_of(ctx, tx, after))
