"""Whom the house gave a person's data, and who therefore has to hear of an erasure, a correction or a restriction.

The configuration file names the recipients. One that a machine reaches as a connected store was changed with the plan;
each other one becomes a task, once a request.

Source: GDPR Art. 19; CJEU C-154/21.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.recipient import TELLS, TOLD_OF, KnownRecipient, NoticeState, RecipientNotice, name_key
from privacyops.domain.task import TaskKind, TaskState
from privacyops.kernel.ids import DsarId, TaskId
from privacyops.services.context import Context, reading, record
from privacyops.services.dsar.erasure_receipt import UNSEARCHED
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import recipient as recipients
from privacyops.store import store_erasure as erasures
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

_CARRIED: frozenset[DsarState] = frozenset({DsarState.EXECUTING, DsarState.ANSWERING, DsarState.ANSWERED})


@dataclass(frozen=True, slots=True)
class Told:
    """The recipients as the letter names them: those who were told, and those whose turn comes."""

    done: tuple[str, ...]
    to_come: tuple[str, ...]


def open_notices(ctx: Context, tx: Tx, dsar: Dsar, *, by_hand: bool = False) -> int:
    """A task for each recipient that has to hear of what was carried out, and has none yet; how many.

    `by_hand`: a person just said that they changed a store. Nothing for a request that changed nothing so far.
    """
    if dsar.type not in TOLD_OF or dsar.state not in _CARRIED or not (by_hand or _changed_anything(tx, dsar)):
        return 0
    dsars.load_dsar(tx, dsar.id, is_locked=True)  # of two stores that end at once, the second sees the first's tasks
    reached = _reached(tx, dsar.id)
    there = {name_key(one.name) for one in recipients.list_notices(tx, dsar.id)}
    fresh: dict[str, KnownRecipient] = {}
    for one in ctx.controller.recipients:
        if one.key not in there and not _is_reached(one, reached):
            fresh.setdefault(one.key, one)
    for one in fresh.values():
        task = tasks.add_task(
            tx, TaskKind.NOTIFY_RECIPIENT, dsar.safe_due_on, owner_role=TELLS, owner_id=dsar.assignee_id,
            dsar_id=dsar.id, code=str(dsar.type),
        )  # fmt: skip
        recipients.add_notice(tx, dsar.id, task, one.name)
    if fresh:
        record(ctx, tx, "dsar.recipients", "dsar", dsar.id, recipients=len(fresh))
    return len(fresh)


@reading(Action.DSAR_OPEN)
def all_of(ctx: Context, tx: Tx, dsar_id: DsarId) -> tuple[RecipientNotice, ...]:
    """Who was, is or is not to be told of one request. Raises: NotFound."""
    dsars.load_dsar(tx, dsar_id)
    return tuple(recipients.list_notices(tx, dsar_id))


@reading(Action.TASK_LIST)
def names_of(ctx: Context, tx: Tx, ids: tuple[TaskId, ...]) -> Mapping[TaskId, str]:
    """The recipients that tasks are about."""
    return recipients.names_of_tasks(tx, ids)


def told_of(tx: Tx, dsar_id: DsarId) -> Told:
    """What the letter says of them."""
    every = recipients.list_notices(tx, dsar_id)
    waits = {NoticeState.OPEN, NoticeState.PROPOSED}
    return Told(
        tuple(one.name for one in every if one.was_told),
        tuple(one.name for one in every if one.state in waits and not one.was_told),
    )


def _changed_anything(tx: Tx, dsar: Dsar) -> bool:
    by_hand = any(
        (task.kind, task.code, task.state) == (TaskKind.MANUAL_STORE, str(dsar.type), TaskState.DONE)
        for task in tasks.list_tasks_of(tx, dsar.id)
    )
    return by_hand or any(_changed(one) for one in erasures.list_erasures(tx, dsar.id))


def _changed(one: StoreErasure) -> bool:
    """Whether something is gone, emptied or corrected in a store. One that stopped halfway counts: nobody knows."""
    if one.state is ErasingState.HANDED_OVER:
        return one.results_sealed is not None
    rows = one.report.get("rows", ())
    return any(each["standing"] == "settled" and (each["op"] != "keep" or each.get("columns")) for each in rows)


def _reached(tx: Tx, dsar_id: DsarId) -> set[str]:
    """Names and titles of the stores that were looked into for this request, as `name_key`."""
    looked = {run.store for run in findings.list_runs(tx, dsar_id) if run.state not in UNSEARCHED}
    looked |= {one.store for one in erasures.list_erasures(tx, dsar_id)}
    titles = {store.title for store in stores.list_stores(tx) if store.name in looked}
    return {name_key(name) for name in looked | titles}


def _is_reached(one: KnownRecipient, reached: set[str]) -> bool:
    return one.key in reached or bool(one.store and name_key(one.store) in reached)
