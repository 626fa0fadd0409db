"""The erasure of an approved request: a dry run in each store, four eyes, then store by store, read back, looked at
again after a day and after a week.

A store that fails never ends the request: its erasure is handed over as a task, and the others go on.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from privacyops.domain.account.action import Action
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.dsar.erasing import ENDED, RUNNING, SWEEPS, ErasingState, StoreErasure
from privacyops.domain.dsar.kind import RequestType
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.erasure.codec import from_json, to_json
from privacyops.domain.erasure.intent import Intent
from privacyops.domain.erasure.operation import (
    Act,
    Delete,
    Keep,
    Null,
    Op,
    OpResult,
    Outcome,
    RedactSpan,
    Set,
    StorePlan,
    act_name,
    touched,
)
from privacyops.domain.erasure.order import phase_of
from privacyops.domain.erasure.report import Gap, Standing, StoreReport, kept_items, tallied
from privacyops.domain.identity.email import normal_email
from privacyops.domain.job import Job
from privacyops.domain.record import RowRef, canonical
from privacyops.domain.task import OPEN_TASKS, TaskKind
from privacyops.kernel.crash_point import crash_point
from privacyops.kernel.ids import DsarId
from privacyops.ports.keyring import DataKey, MacLabel
from privacyops.services import sealing
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.dsar import execution
from privacyops.services.dsar.correcting import note_corrected
from privacyops.services.dsar.erasure_plan import ERASE, SWEEP, enqueue, place_of, withdraw
from privacyops.services.erasure.planning import Planned
from privacyops.store import dsar as dsars
from privacyops.store import job as job_store
from privacyops.store import store_erasure as erasures
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.uow import Tx

BEGUN: Final = frozenset({Outcome.DONE, Outcome.ALREADY, Outcome.KEPT, Outcome.PENDING, Outcome.REQUESTED})
"""What a store says of an operation that changed it, or will."""
_IN_TEXTS: Final = frozenset({"redact_span", "drop_path", "remove_element"})
SWEEP_AGAIN: Final = timedelta(hours=6)
"""When a sweep whose store did not answer is tried again."""


# --- carrying out -------------------------------------------------------------------------------------------------


def begin(ctx: Context, tx: Tx, dsar: Dsar) -> int:
    """The plan is approved: stores are erased phase by phase, those by hand become tasks; how many stores."""
    withdraw(tx, dsar.id)
    mine = erasures.list_erasures(tx, dsar.id)
    for one in mine:
        if one.state is ErasingState.PLANNED:
            erasures.move_erasure(tx, one, ErasingState.QUEUED)
        elif one.state is ErasingState.BY_HAND:
            execution.task_by_hand(tx, dsar, one.store)
    _start_next(tx, dsar.id)
    return len(mine)


def open_plan(ctx: Context, erasure: StoreErasure, drawn: DataMap) -> tuple[Planned, dict[str, OpResult]]:
    """What was approved, and what was done of it so far. Raises: RequestEmptied, PlanUnreadable."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        key = sealing.key_of(ctx, tx, erasure.dsar_id)
    assert erasure.plan_sealed is not None  # noqa: S101 - a planned erasure has its plan
    held = json.loads(key.open(erasure.plan_sealed, place_of(ctx, erasure.id, "plan_sealed")))
    results = results_of(ctx, key, erasure)
    intents: tuple[Intent, ...] = from_json(held["intents"])
    planned = Planned(
        erasure.store, drawn, intents, from_json(held["pages"]), from_json(held["open"]), from_json(held["undecided"])
    )  # fmt: skip
    return planned, results


@use_case(Action.DSAR_RUN)
def start(ctx: Context, tx: Tx, job: Job, erasure_id: UUID) -> StoreErasure:
    """The job has begun with the store. Repeating changes nothing. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.state is ErasingState.QUEUED:
        erasures.move_erasure(tx, erasure, ErasingState.ERASING)
    return erasures.load_erasure(tx, erasure_id)


@use_case(Action.DSAR_RUN)
def save_results(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, results: Mapping[str, OpResult]) -> None:
    """Commit what the store said so far, before the next transaction begins. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    erasures.save_erasure(tx, erasure, results_sealed=sealed_results(ctx, tx, erasure, results))


@use_case(Action.DSAR_RUN)
def end(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, report: StoreReport) -> str:
    """One store is done: noted in the ledger of what was erased, and looked at again later. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    close(ctx, tx, erasure, report)
    go_on(ctx, tx, erasure.dsar_id)
    return str(_state_after(report))


def close(ctx: Context, tx: Tx, erasure: StoreErasure, report: StoreReport) -> None:
    """What was done and read back in a store is written down; what is left becomes a task."""
    dsar = dsars.load_dsar(tx, erasure.dsar_id)
    erases = dsar.type is RequestType.ERASURE  # what was corrected is neither listed as gone nor looked for
    if erases:
        person = _person_mac(ctx, sealing.requester_of(ctx, tx, dsar).email)
        done = [(one.op, one.code) for one in report.ops if one.standing is not Standing.OPEN]
        erasures.add_erased(tx, erasure.id, erasure.store, _erased(ctx, done, person))
    else:
        note_corrected(ctx, tx, erasure, [one.op for one in report.ops if one.standing is not Standing.OPEN])
    state = _state_after(report)
    results = {one.op.id: one.result for one in report.ops}
    changed: dict[str, Any] = {
        "report": report_told(report), "ended_at": tx.now, "sweeps": 0,
        "sweep_at": tx.now + SWEEPS[0] if erases else None, "poll_at": None,
        "results_sealed": sealed_results(ctx, tx, erasure, results),
    }  # fmt: skip
    if state is erasure.state:
        erasures.save_erasure(tx, erasure, **changed)
    else:
        erasures.move_erasure(tx, erasure, state, **changed)
    crash_point("erasure.before_settling")
    if state is ErasingState.RESIDUAL:
        tell_owner(tx, dsar, erasure.store, TaskKind.RESIDUAL, f"left_after_{dsar.type}")
    counted = tallied(report.ops)
    record(
        ctx, tx, f"{dsar.type}.ended", "dsar", dsar.id, store=erasure.store, result=str(state),
        plan=erasure.plan_hash or "", settled=counted.get("settled", 0), operations=len(report.ops),
        residue=len(report.residue),
    )  # fmt: skip


def _state_after(report: StoreReport) -> ErasingState:
    return ErasingState.VERIFIED if report.is_whole else ErasingState.RESIDUAL


@use_case(Action.DSAR_RUN)
def failed(ctx: Context, tx: Tx, erasure_id: UUID, code: str) -> None:
    """The store is out of retries: what was done is noted, the rest is a person's task, and the others go on."""
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.state in RUNNING:
        hand_over(ctx, tx, erasure, code)


def hand_over(ctx: Context, tx: Tx, erasure: StoreErasure, code: str) -> None:
    """As `failed`, in a transaction that does more, of an erasure that runs. Raises: RequestEmptied, StaleState."""
    dsar = dsars.load_dsar(tx, erasure.dsar_id)
    if dsar.type is RequestType.ERASURE:
        erasures.add_erased(tx, erasure.id, erasure.store, _erased(ctx, *_done_so_far(ctx, tx, dsar, erasure)))
    else:
        note_corrected(ctx, tx, erasure, [op for op, _ in _done_so_far(ctx, tx, dsar, erasure)[0]])
    erasures.move_erasure(tx, erasure, ErasingState.HANDED_OVER, code=code[:64], ended_at=tx.now, poll_at=None)
    tell_owner(tx, dsar, erasure.store, TaskKind.STORE_FAILED, code[:64])
    record(ctx, tx, f"{dsar.type}.handed_over", "dsar", dsar.id, store=erasure.store, code=code[:64])
    go_on(ctx, tx, dsar.id)


def go_on(ctx: Context, tx: Tx, dsar_id: DsarId) -> None:
    """After one store: the next phase, or the end of the execution with its receipt."""
    dsars.load_dsar(tx, dsar_id, is_locked=True)  # two stores that end at once would each wait for the other
    if not _start_next(tx, dsar_id):
        execution.settle_if_done(ctx, tx, dsar_id)


def _start_next(tx: Tx, dsar_id: DsarId) -> bool:
    """Starts the earliest phase that waits, once the phases before it have ended; whether anything still runs."""
    mine = erasures.list_erasures(tx, dsar_id)
    queued = [one for one in mine if one.state is ErasingState.QUEUED]
    started = [one for one in queued if one.report.get("started")]
    if started or any(one.state is ErasingState.ERASING for one in mine):
        return True
    phases = {store.name: phase_of(store.connector) for store in stores.list_stores(tx)}
    first = min((phases.get(one.store, 0) for one in queued), default=None)
    for one in queued:
        if phases.get(one.store, 0) == first:
            erasures.save_erasure(tx, one, report={"started": 1})
            enqueue(tx, erasures.load_erasure(tx, one.id), ERASE)
    return bool(queued)


# --- looking again ------------------------------------------------------------------------------------------------


@use_case(Action.JOB_RUN)
def sweep_due(ctx: Context, tx: Tx) -> int:
    """Hand out the searches that are due again; how many."""
    due = erasures.list_due_sweeps(tx)
    for one in due:
        erasures.save_erasure(tx, one, sweep_at=tx.now + SWEEP_AGAIN)
        enqueue(tx, erasures.load_erasure(tx, one.id), SWEEP)
    return len(due)


@use_case(Action.DSAR_RUN)
def swept(ctx: Context, tx: Tx, job: Job, erasure_id: UUID, left: int, unread: Sequence[Gap] = ()) -> None:
    """A store was searched again: what came back (`left` rows) and what was `unread` is a task. Raises: JobLost."""
    job_store.assert_owned(tx, job)
    erasure = erasures.load_erasure(tx, erasure_id)
    if erasure.state not in ENDED:
        return
    dsar = dsars.load_dsar(tx, erasure.dsar_id)
    done = erasure.sweeps + 1
    due = erasure.ended_at + SWEEPS[done] if erasure.ended_at and done < len(SWEEPS) else None
    erasures.save_erasure(tx, erasure, sweeps=done, sweep_at=due)
    if left:
        tell_owner(tx, dsar, erasure.store, TaskKind.RESIDUAL, "came_back")
    if unread:
        tell_owner(tx, dsar, erasure.store, TaskKind.RESIDUAL, "not_all_read")
    record(ctx, tx, "erasure.swept", "dsar", dsar.id, store=erasure.store, turn=done, left=left, unread=len(unread))


def unswept(tx: Tx, dsar_id: DsarId) -> Sequence[str]:
    """The stores that have not been searched again as often as they have to be."""
    return [one.store for one in erasures.list_erasures(tx, dsar_id) if one.state in ENDED and one.sweep_at is not None]


@reading(Action.DSAR_LIST)
def all_of(ctx: Context, tx: Tx, dsar_id: DsarId) -> tuple[StoreErasure, ...]:
    """The erasures of one request, by store."""
    return tuple(erasures.list_erasures(tx, dsar_id))


# --- inside -------------------------------------------------------------------------------------------------------


def report_told(report: StoreReport) -> dict[str, Any]:
    """What became of it in counts and codes; goes into the receipt and the letter."""
    counted: dict[tuple[str, str, str, str, str, str, bool], int] = {}
    columns: dict[tuple[str, str], set[str]] = {}
    for one in report.ops:
        name, act, cells = one.op.ref.collection, act_name(one.op.act), touched(one.op.act)
        why, until = (one.op.act.code, one.op.act.until) if isinstance(one.op.act, Keep) else ("", None)
        key = (name, act, one.standing.value, one.code, why, until.isoformat() if until else "", bool(cells))
        counted[key] = counted.get(key, 0) + 1
        columns.setdefault((name, act), set()).update(cells)
    return {
        "connector": report.connector,
        "whole": 1 if report.is_whole else 0,
        "rows": [
            {"collection": name, "op": act, "standing": standing, "code": code, "why": why, "until": until, "rows": n,
             "columns": sorted(columns[name, act]) if some else []}
            for (name, act, standing, code, why, until, some), n in counted.items()
        ],
        "kept": [
            {"collection": one.collection, "code": one.code, "until": one.until.isoformat() if one.until else "",
             "rows": one.rows}
            for one in kept_items([report])
        ],
        "appeared": sum(1 for one in report.ops if one.appeared),
        "residue": len(report.residue),
        "waiting": sum(1 for one in report.undecided if one.tier.value != "candidate"),
        "gaps": [{"collection": gap.collection, "code": gap.code} for gap in report.gaps],
        "warnings": list(report.warnings),
    }  # fmt: skip


def sealed_results(ctx: Context, tx: Tx, erasure: StoreErasure, results: Mapping[str, OpResult]) -> bytes:
    """What a store said of each operation, for the column `results_sealed`. Raises: RequestEmptied."""
    body = json.dumps({name: to_json(one) for name, one in results.items()}).encode()
    return sealing.key_of(ctx, tx, erasure.dsar_id).seal(body, place_of(ctx, erasure.id, "results_sealed"))


def results_of(ctx: Context, key: DataKey, erasure: StoreErasure) -> dict[str, OpResult]:
    """What the store said so far, by operation."""
    if erasure.results_sealed is None:
        return {}
    opened = json.loads(key.open(erasure.results_sealed, place_of(ctx, erasure.id, "results_sealed")))
    return {name: from_json(one) for name, one in opened.items()}


def _done_so_far(
    ctx: Context, tx: Tx, dsar: Dsar, erasure: StoreErasure
) -> tuple[list[tuple[Op, str]], tuple[int, bytes]]:
    """The planned operations that a store did before it stopped, and whom they are about."""
    key = sealing.key_of(ctx, tx, dsar.id)
    assert erasure.plan_sealed is not None  # noqa: S101 - a planned erasure has its plan
    held = json.loads(key.open(erasure.plan_sealed, place_of(ctx, erasure.id, "plan_sealed")))
    pages: tuple[StorePlan, ...] = from_json(held["pages"])
    results = results_of(ctx, key, erasure)
    begun = {name: one for name, one in results.items() if one.outcome in BEGUN}
    done = [(each.op, "") for page in pages for each in page.ops if each.op.id in begun]
    for op, _ in done:
        begun.pop(op.id, None)
    # what the store refused when it was tried was made milder, and goes by another name than in the plan
    refs = {one.ref.id: one.ref for one in from_json(held["intents"])}
    late = [(refs[name.partition(":")[0]], one) for name, one in begun.items() if name.partition(":")[0] in refs]
    done += [(Op(one.op, ref, _act_of(one)), "") for ref, one in late]
    return done, _person_mac(ctx, sealing.requester_of(ctx, tx, dsar).email)


def _act_of(done: OpResult) -> Act:
    """The act behind a result, as far as the ledger tells: its word, and the cells it changed."""
    word = done.op.split(":")[1]
    if word == act_name(Delete()):
        return Delete()
    if word in _IN_TEXTS and done.fields:
        return RedactSpan(done.fields[0], ())
    return Set({path: Null() for path in done.fields})


def _erased(ctx: Context, done: Iterable[tuple[Op, str]], person: tuple[int, bytes]) -> list[dict[str, Any]]:
    """Entries of the ledger of erased records, one a record and act; several cells of a record stand in one."""
    version, digest = person
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for op, code in done:
        if isinstance(op.act, Keep) and not op.act.cut:
            continue
        act = act_name(op.act)
        known = found.setdefault(
            (op.ref.id, act),
            {"collection": op.ref.collection, "row_mac": row_mac(ctx, op.ref, version), "person_mac": digest,
             "key_version": version, "act": act, "columns": [], "policy": code or op.why},
        )  # fmt: skip
        known["columns"] = sorted({*known["columns"], *touched(op.act)})
    return list(found.values())


def row_mac(ctx: Context, ref: RowRef, version: int | None = None) -> bytes:
    """The keyed hash of a record's key in its store; nothing of the key can be read from it."""
    key = canonical(tuple(sorted(ref.key)))
    parts = [part.encode() for part in ("row", ref.store, ref.collection, key)]
    return ctx.ports.keyring.mac(MacLabel.ERASED, ctx.controller.key, *parts).digest


def _person_mac(ctx: Context, email: str) -> tuple[int, bytes]:
    normal = (normal_email(email) or email).encode()
    mac = ctx.ports.keyring.mac(MacLabel.ERASED, ctx.controller.key, b"person", normal)
    return mac.version, mac.digest


def tell_owner(tx: Tx, dsar: Dsar, store: str, kind: TaskKind, code: str) -> None:
    """A person has to see to the store; one who was asked the same is not asked again by each later look."""
    known = tasks.list_tasks_of(tx, dsar.id)
    if any((one.kind, one.store, one.code) == (kind, store, code) and one.state in OPEN_TASKS for one in known):
        return
    owner = next((one.owner_id for one in stores.list_stores(tx) if one.name == store), None)
    tasks.add_task(
        tx, kind, dsar.safe_due_on, owner_role="store_owner" if owner else "analyst", owner_id=owner, dsar_id=dsar.id,
        store=store, code=code,
    )  # fmt: skip


def key_of(ctx: Context, dsar_id: DsarId) -> DataKey:
    """The request's key, for a worker that reads its records. Raises: RequestEmptied."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return sealing.key_of(ctx, tx, dsar_id)
