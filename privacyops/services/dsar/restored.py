"""After a restore: what was corrected since the backup is written again where the values still open and the copy holds
what was wrong; the rest, and what people did by hand, is a task for a person.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.datamap.build import DataMap
from privacyops.domain.dsar.erasing import ErasingState
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.run import Decision
from privacyops.domain.erasure.codec import PlanUnreadable, from_json
from privacyops.domain.erasure.deciding import Decided
from privacyops.domain.erasure.intent import Intent
from privacyops.domain.erasure.recorrecting import Emptied, corrected_again
from privacyops.domain.erasure.report import Standing
from privacyops.domain.record import Row
from privacyops.domain.task import OPEN_TASKS, Task, TaskKind
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import DsarId
from privacyops.ports.connector_host import Bounds, ConnectorHost
from privacyops.ports.keyring import SealBroken
from privacyops.services import sealing
from privacyops.services.context import Context
from privacyops.services.dsar.pending import STILL
from privacyops.services.erasure.planning import CALL_SECONDS, Planned, plan_intents
from privacyops.store import correction as corrections
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import store_erasure as erasures
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.correction import CorrectedStore
from privacyops.store.uow import Tx

_CALL: Final = 1000
DESTROYED, BY_HAND, UNREAD = "destroyed", "by_hand", "not_shown"
_CHANGING: Final = frozenset({str(RequestType.ERASURE), str(RequestType.RECTIFICATION)})
_LEFT: Final = frozenset({TaskKind.RESIDUAL, TaskKind.STORE_FAILED})


@dataclass(frozen=True, slots=True)
class LeftToPerson:
    """What a person does again in a restored store: `type` of the request, `collection` ("" unknown), why (a code)."""

    dsar_id: DsarId
    reference: str
    type: RequestType
    collection: str
    code: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What was corrected in a store since an instant: the values that still open, and what is left to people."""

    done: tuple[tuple[DsarId, tuple[Intent, ...]], ...]
    left: tuple[tuple[DsarId, str, str], ...]


def list_corrected(ctx: Context, tx: Tx, store: str, since: Instant) -> Listed:
    """What was corrected by plan, and what people did by hand for a correction or an erasure, since an instant."""
    done: list[tuple[DsarId, tuple[Intent, ...]]] = []
    left: list[tuple[DsarId, str, str]] = []
    for one in corrections.list_corrected(tx, store, since):
        intents = _opened(ctx, tx, one)
        if intents is None:
            left.extend((one.dsar_id, name, DESTROYED) for name in one.collections)
        else:
            done.append((one.dsar_id, intents))
    for task in tasks.list_done_in_store(tx, store, since):
        if task.dsar_id is not None:
            left.extend((task.dsar_id, name, BY_HAND) for name in _where_by_hand(tx, task, task.dsar_id))
    return Listed(tuple(done), tuple(dict.fromkeys(left)))


def _where_by_hand(tx: Tx, task: Task, dsar_id: DsarId) -> Sequence[str]:
    """The collections that somebody changed by hand; "": somewhere in the store, (): nowhere."""
    if task.kind is TaskKind.MANUAL_STORE and task.code in _CHANGING:
        groups = findings.count_findings(tx, dsar_id)
        held = {one.collection for one in groups if one.store == task.store and one.decision == Decision.INCLUDE}
        return sorted(held) or [""]
    erasure = next((one for one in erasures.list_erasures(tx, dsar_id) if one.store == task.store), None)
    if erasure is None or task.kind not in _LEFT or task.code == STILL:
        return ()
    if task.kind is TaskKind.STORE_FAILED and erasure.state is not ErasingState.HANDED_OVER:
        return ()  # it was searched by hand
    rows = {one["collection"] for one in erasure.report.get("rows", ()) if one["standing"] != Standing.SETTLED}
    return sorted(rows | {one["collection"] for one in erasure.report.get("gaps", ())}) or [""]


def _opened(ctx: Context, tx: Tx, one: CorrectedStore) -> tuple[Intent, ...] | None:
    """None: the values were destroyed, or do not open."""
    if one.sealed is None:
        return None
    try:
        key = sealing.key_of(ctx, tx, one.dsar_id)
        opened = key.open(one.sealed, sealing.place(ctx, "corrected_store", "sealed", one.id))
        found: tuple[Intent, ...] = from_json(json.loads(opened))
    except (sealing.RequestEmptied, SealBroken, PlanUnreadable):
        return None
    return found


def plan_again(
    host: ConnectorHost, drawn: DataMap, listed: Listed, emptied: Emptied, request: str
) -> tuple[Planned, tuple[tuple[DsarId, str, str], ...]]:
    """The dry run in the copy, and what is left to people: (request, collection, code). Raises: StoreProblem."""
    unread = [
        (who, one.ref.collection, UNREAD)
        for who, intents in listed.done
        for one in intents
        if one.ref.collection not in drawn.by_name
    ]
    shown = [(who, [one for one in intents if one.ref.collection in drawn.by_name]) for who, intents in listed.done]
    again = corrected_again(shown, _rows_now(host, drawn.store, shown, request), drawn, emptied)
    planned = plan_intents(host, drawn, Decided(again.intents), request)
    return planned, tuple(dict.fromkeys((*listed.left, *unread, *again.left)))


def _rows_now(
    host: ConnectorHost, store: str, shown: Sequence[tuple[DsarId, Sequence[Intent]]], request: str
) -> Mapping[str, Row]:
    refs = list({one.ref.id: one.ref for _, intents in shown for one in intents}.values())
    found: dict[str, Row] = {}
    for start in range(0, len(refs), _CALL):
        for row in host.fetch(store, refs[start : start + _CALL], (), Bounds(request, CALL_SECONDS)):
            found[row.ref.id] = row
    return found


def named(ctx: Context, left: Iterable[tuple[DsarId, str, str]]) -> tuple[LeftToPerson, ...]:
    """What is left to people, with the numbers of the requests, by number and collection."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        known = {dsar_id: dsars.load_dsar(tx, dsar_id) for dsar_id in {one[0] for one in left}}
    found = [
        LeftToPerson(dsar_id, known[dsar_id].reference, known[dsar_id].type, name, code) for dsar_id, name, code in left
    ]
    return tuple(sorted(found, key=lambda one: (one.reference, one.collection, one.code)))


def ask_people(tx: Tx, store: str, left: Sequence[LeftToPerson]) -> int:
    """A task for each request and collection, for the store's owner; how many are new. One who was asked is not asked
    again while that is open.
    """
    owner = next((one.owner_id for one in stores.list_stores(tx) if one.name == store), None)
    new = 0
    for dsar_id, name in sorted({(one.dsar_id, one.collection) for one in left}):
        dsar = dsars.load_dsar(tx, dsar_id, is_locked=True)  # of two commands at once the second sees the first
        code = f"restored_{dsar.type}:{name}".rstrip(":")[:64]
        known = tasks.list_tasks_of(tx, dsar_id)
        if any((one.store, one.code) == (store, code) and one.state in OPEN_TASKS for one in known):
            continue
        tasks.add_task(
            tx, TaskKind.RESIDUAL, tx.now.date(), owner_role="store_owner" if owner else "analyst", owner_id=owner,
            dsar_id=dsar_id, store=store, code=code,
        )  # fmt: skip
        new += 1
    return new
