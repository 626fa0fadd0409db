"""The dry run of an erasure or a correction: what would be done to every record, and what a second person agrees to."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.dsar.erasing import ErasingState, StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar, StoredFinding
from privacyops.domain.dsar.run import Decision, RunState
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.erasure.codec import to_json
from privacyops.domain.erasure.operation import Keep, act_name, touched
from privacyops.domain.job import Job
from privacyops.domain.task import TaskKind
from privacyops.kernel.errors import Conflict
from privacyops.kernel.ids import DsarId
from privacyops.ports.keyring import Place
from privacyops.services import job as jobs
from privacyops.services import sealing
from privacyops.services.context import Context, record, use_case
from privacyops.services.dsar.corrections import is_corrected_by_machine
from privacyops.services.erasure.planning import Planned
from privacyops.store import correction as corrections
from privacyops.store import dsar as dsars
from privacyops.store import finding as findings
from privacyops.store import job as job_store
from privacyops.store import store_erasure as erasures
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

JOB: Final = "erasure"
PLAN, ERASE, SWEEP, POLL = "plan", "erase", "sweep", "poll"


class ErasureNotPlanned(Conflict):
    """`stores` as a member: those without a dry run of the records as they are decided now."""

    type = "/problems/erasure-not-planned"
    title = "Make the plan first: a second person agrees to the plan, not to the list of records"


class ErasureUndecided(Conflict):
    """`rows` as a member."""

    type = "/problems/erasure-undecided"
    title = "Some records were found through a link that nobody confirmed; decide on them, then plan again"


class StoreChanged(Conflict):
    """`stores` as a member."""

    type = "/problems/store-changed"
    title = "A store has new columns or tables that hold people's data; answer its task first, then plan again"


class NothingToCorrect(Conflict):
    type = "/problems/nothing-to-correct"
    title = "No store holds a value that was written as wrong; write it as it stands there, or correct by hand"


@use_case(Action.DSAR_REVIEW)
def plan(ctx: Context, tx: Tx, dsar_id: DsarId) -> int:
    """Begin a dry run in each store that holds something; how many. A plan that is there is made anew.

    Raises: Conflict: the request is not in review, or asks for something else.
    """
    dsar = dsars.load_dsar(tx, dsar_id)
    if not is_planned_by_machine(tx, dsar) or dsar.state is not DsarState.IN_REVIEW:
        raise Conflict("only an erasure or a correction that is in review can be planned")
    withdraw(tx, dsar_id)
    known = {one.store: one for one in erasures.list_erasures(tx, dsar_id)}
    begun = 0
    for store in _planned_stores(tx, dsar_id):
        old = known.get(store)
        if old is None:
            erasure = erasures.add_erasure(tx, dsar_id, store, ErasingState.PLANNING)
        elif old.state is ErasingState.PLANNING:
            continue
        else:
            erasure = old.id
            erasures.move_erasure(
                tx,
                old,
                ErasingState.PLANNING,
                plan_hash=None,
                code=None,
                planned_at=None,
                sweeps=0,
                sweep_at=None,
                poll_at=None,
            )
        enqueue(tx, erasures.load_erasure(tx, erasure), PLAN)
        begun += 1
    record(ctx, tx, f"dsar.plan_{dsar.type}", "dsar", dsar_id, stores=begun)
    return begun


@use_case(Action.DSAR_RUN)
def save_plan(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, planned: Planned, decided: str) -> None:
    """The dry run of one store is there. `decided`: the decisions it was made from. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.state is not ErasingState.PLANNING:
        return
    key = sealing.key_of(ctx, tx, erasure.dsar_id)
    sealed = key.seal(json.dumps(_plan_json(planned)).encode(), place_of(ctx, erasure.id, "plan_sealed"))
    erasures.move_erasure(
        tx, erasure, ErasingState.PLANNED, plan=plan_told(planned), plan_sealed=sealed, plan_hash=plan_hash(planned),
        decided_hash=decided, planned_at=tx.now, results_sealed=None, report={},
    )  # fmt: skip
    step = f"{dsars.load_dsar(tx, erasure.dsar_id).type}.planned"
    record(ctx, tx, step, "dsar", erasure.dsar_id, store=erasure.store, operations=len(planned.ops))


@use_case(Action.DSAR_RUN)
def plan_failed(ctx: Context, tx: Tx, erasure_id: UUID, code: str) -> None:
    """The store cannot be planned: a person will do it there, and the request goes on."""
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.state is ErasingState.PLANNING:
        erasures.move_erasure(tx, erasure, ErasingState.BY_HAND, code=code[:64], planned_at=tx.now)
        step = f"{dsars.load_dsar(tx, erasure.dsar_id).type}.by_hand"
        record(ctx, tx, step, "dsar", erasure.dsar_id, store=erasure.store, code=code[:64])


def require_planned(tx: Tx, dsar: Dsar) -> None:
    """Before a second person is asked: every store has a fresh plan of what is decided now.

    Raises: ErasureNotPlanned, ErasureUndecided, StoreChanged, NothingToCorrect.
    """
    if not is_planned_by_machine(tx, dsar):
        return
    planned = _planned_stores(tx, dsar.id)
    changed = [store for store in planned if tasks.find_open_task(tx, TaskKind.STORE_DRIFT, store) is not None]
    if changed:
        raise StoreChanged(stores=changed)
    known = {one.store: one for one in erasures.list_erasures(tx, dsar.id)}
    missing = [store for store in planned if not _is_current(tx, known.get(store))]
    if missing:
        raise ErasureNotPlanned(stores=missing)
    waiting = sum(int(one.plan.get("waiting", 0)) for one in known.values() if one.state is ErasingState.PLANNED)
    if waiting:
        raise ErasureUndecided(rows=waiting)
    if dsar.type is RequestType.RECTIFICATION and not any(map(_changes_something, known.values())):
        raise NothingToCorrect


def is_planned_by_machine(tx: Tx, dsar: Dsar) -> bool:
    """Whether the stores are changed by a plan: an erasure, and a correction of which somebody wrote what it is."""
    return dsar.type is RequestType.ERASURE or is_corrected_by_machine(tx, dsar)


def _changes_something(one: StoreErasure) -> bool:
    return one.state is ErasingState.BY_HAND or bool(one.plan.get("operations") or one.plan.get("blockers"))


def withdraw(tx: Tx, dsar_id: DsarId) -> None:
    """Take back the plans of stores of which nothing is to be erased any more: a plan that nobody asked for again
    would erase what has been withheld since.
    """
    wanted = _planned_stores(tx, dsar_id)
    for one in erasures.list_erasures(tx, dsar_id):
        if one.store not in wanted and one.state in {ErasingState.PLANNED, ErasingState.BY_HAND}:
            erasures.drop_erasure(tx, one)


def _is_current(tx: Tx, one: StoreErasure | None) -> bool:
    """Whether there is a fresh plan of what is decided now, or word that a person does it."""
    if one is None or not one.is_fresh(tx.now):
        return False
    if one.state is ErasingState.PLANNED:
        return one.decided_hash == decided_hash(tx, one.dsar_id, one.store)
    return one.state is ErasingState.BY_HAND


def plan_lines(tx: Tx, dsar_id: DsarId) -> Sequence[str]:
    """What an approval binds to besides the decisions: each store's plan."""
    wanted = corrections.find_corrections(tx, dsar_id)
    lines = [f"{one.store}\t{one.plan_hash or one.state}" for one in erasures.list_erasures(tx, dsar_id)]
    return [*lines, f"corrections\t{wanted.id}"] if wanted else lines


def decided_hash(tx: Tx, dsar_id: DsarId, store: str) -> str:
    """SHA-256 over what is decided on the records of one store, and which corrections are wanted."""
    wanted = corrections.find_corrections(tx, dsar_id)
    digest = hashlib.sha256(f"{wanted.id}\n".encode() if wanted else b"")
    for one in every_finding(tx, dsar_id, store):
        digest.update(f"{one.id}\t{one.decision}\t{one.reason or ''}\t{one.decided_by or ''}\n".encode())
    return digest.hexdigest()


def every_finding(tx: Tx, dsar_id: DsarId, store: str) -> Sequence[StoredFinding]:
    """The records of one store, in the order of their pages."""
    found: list[StoredFinding] = []
    after = None
    while page := findings.page_of_all(tx, dsar_id, after, 1000):
        found.extend(one for one in page if one.store == store)
        after = (page[-1].store, page[-1].collection, page[-1].id)
    return found


def plan_hash(planned: Planned) -> str:
    """SHA-256 over the store's own hashes: rows, fields, acts, order, and what the rows looked like."""
    waiting = sorted(f"{one.ref.id}:{one.code}" for one in planned.undecided)
    return hashlib.sha256("\n".join([*(page.hash for page in planned.pages), *waiting]).encode()).hexdigest()


def plan_told(planned: Planned) -> dict[str, Any]:
    """The plan in counts and codes, for pages and letters; no value and no key."""
    counted: dict[tuple[str, str, str, str, bool], int] = {}
    for op in planned.ops:
        act = op.act
        until = act.until.isoformat() if isinstance(act, Keep) and act.until else ""
        code = act.code if isinstance(act, Keep) else op.why
        key = (op.ref.collection, act_name(act), code, until, bool(touched(act)))
        counted[key] = counted.get(key, 0) + 1
    columns: dict[tuple[str, str], set[str]] = {}
    for op in planned.ops:
        columns.setdefault((op.ref.collection, act_name(op.act)), set()).update(touched(op.act))
    return {
        "rows": [
            {"collection": name, "op": act, "why": code, "until": until, "rows": n,
             "columns": sorted(columns[name, act]) if some else []}
            for (name, act, code, until, some), n in counted.items()
        ],
        "operations": len(planned.ops),
        "irreversible": sum(1 for page in planned.pages for each in page.ops if each.irreversible),
        "cascades": [
            {"constraint": each.constraint, "from": each.source, "to": each.target, "rows": each.rows}
            for page in planned.pages for each in page.cascades
        ],
        "blockers": [
            {"collection": each.collection, "column": each.field or "", "code": each.code, "remedy": each.remedy}
            for each in planned.blockers
        ],
        "warnings": list(planned.warnings),
        "unretained": list(planned.unretained),
        "waiting": sum(1 for one in planned.undecided if one.tier.value != "candidate"),
        "issued": list(planned.issued),
        "corrected": [{"kind": kind, "cells": cells} for kind, cells in planned.corrected],
    }  # fmt: skip


def _planned_stores(tx: Tx, dsar_id: DsarId) -> list[str]:
    """The stores with records to erase; where a person searched, the plan will say that a person erases, too."""
    found = {RunState.SUCCEEDED, RunState.DONE_BY_HAND}
    searched = {run.store for run in findings.list_runs(tx, dsar_id) if run.state in found}
    groups = findings.count_findings(tx, dsar_id)
    held = {group.store for group in groups if group.decision == Decision.INCLUDE}
    return sorted(searched & held)


def enqueue(tx: Tx, erasure: StoreErasure, mode: str) -> None:
    name = f"erasure:{erasure.id}:{mode}:{erasure.version}"
    jobs.enqueue(tx, JOB, erasure.dsar_id, outbox_id=name, erasure=str(erasure.id), mode=mode)


def place_of(ctx: Context, erasure: UUID, column: str) -> Place:
    return sealing.place(ctx, "store_erasure", column, erasure)


def _plan_json(planned: Planned) -> dict[str, Any]:
    return {
        "intents": to_json(planned.intents),
        "pages": to_json(planned.pages),
        "open": to_json(planned.open),
        "undecided": to_json(planned.undecided),
    }
