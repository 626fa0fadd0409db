"""The data map: scan a store, ask people about its links, tell what changed, write it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from privacyops.domain.account.action import Action
from privacyops.domain.datamap.build import DataMap
from privacyops.domain.datamap.codec import MapUnreadable
from privacyops.domain.datamap.deciding import Answer, by_link, decided, open_questions, require_answerable
from privacyops.domain.datamap.drift import Drift, drift
from privacyops.domain.datamap.export import MapFormat, written
from privacyops.domain.datamap.link import Link, Ownership
from privacyops.domain.job import Job
from privacyops.domain.task import TaskKind, TaskState, scan_code
from privacyops.kernel.clock import Instant
from privacyops.kernel.errors import NotFound
from privacyops.ports.connector_host import Bounds
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.finding.scan import draw_map
from privacyops.services.stores import config_of
from privacyops.store import datamap as maps
from privacyops.store import job as job_store
from privacyops.store import stores
from privacyops.store import task as tasks
from privacyops.store.datamap import ScannedMap
from privacyops.store.uow import Tx

SCAN_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """What a scan brought: its number, what is open, what changed since the scan before."""

    store: str
    scan: int
    collections: int
    questions: int
    drift: tuple[Drift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreMap:
    """A store's map with the answers that stand; None of it where it was never scanned."""

    store: str
    drawn: DataMap
    scan: int
    scanned_at: Instant
    drift: tuple[Drift, ...]
    questions: tuple[Link, ...]


def scan(ctx: Context, name: str) -> ScanReport:
    """Read a store's catalogue and samples, and keep the map. A change that concerns people's data opens a task.

    Nothing but names, types and counts is kept. Raises: NotFound; StoreProblem: it cannot be read; StaleState:
    another scan of it ended meanwhile.
    """
    _require(ctx, name)
    host = ctx.ports.connectors([config_of(ctx, name)])
    try:
        drawn = draw_map(host, name, Bounds(seconds=SCAN_SECONDS))
    finally:
        host.close()
    return _keep(ctx, drawn)


@reading(Action.DATAMAP_CHANGE)
def _require(ctx: Context, tx: Tx, name: str) -> None:
    stores.load_store(tx, name)


@use_case(Action.DATAMAP_CHANGE)
def _keep(ctx: Context, tx: Tx, drawn: DataMap) -> ScanReport:
    return _kept(ctx, tx, drawn)


@use_case(Action.JOB_RUN)
def keep(ctx: Context, tx: Tx, drawn: DataMap, job: Job) -> ScanReport:
    """As `scan` ends, for the worker that drew the map. Raises: NotFound, JobLost, StaleState."""
    job_store.assert_owned(tx, job)
    return _kept(ctx, tx, drawn)


def _kept(ctx: Context, tx: Tx, drawn: DataMap) -> ScanReport:
    store = stores.load_store(tx, drawn.store)
    before = _scanned(tx, drawn.store)
    changes = drift(before.drawn, drawn) if before is not None else ()
    number = maps.save_map(tx, drawn, before, changes)
    _end_failure(tx, store.name)
    told = decided(drawn, by_link(maps.list_decisions(tx, drawn.store)))
    record(
        ctx, tx, "store.scan", "store", store.id, scan=number, collections=len(drawn.collections), drift=len(changes)
    )
    if any(one.is_personal for one in changes) and tasks.find_open_task(tx, TaskKind.STORE_DRIFT, store.name) is None:
        role = "store_owner" if store.owner_id else "dpo"
        task = tasks.add_task(
            tx, TaskKind.STORE_DRIFT, tx.now.date(), owner_role=role, owner_id=store.owner_id, store=store.name,
            code=store.name,
        )  # fmt: skip
        record(ctx, tx, "task.open", "task", task, kind=str(TaskKind.STORE_DRIFT), code=store.name)
    return ScanReport(
        store=drawn.store, scan=number, collections=len(drawn.collections), questions=len(open_questions(told)),
        drift=changes,
    )  # fmt: skip


def _end_failure(tx: Tx, name: str) -> None:
    """The task that says that the store cannot be scanned ends with the scan that went well."""
    known = tasks.find_open_task(tx, TaskKind.JOB_DEAD, scan_code(name))
    if known is not None:
        tasks.move_task(tx, tasks.load_task(tx, known), TaskState.CANCELLED, None, end_reason="scanned")


@reading(Action.DATAMAP_SEE)
def read(ctx: Context, tx: Tx, name: str) -> StoreMap:
    """The map of one store with its open questions. Raises: NotFound: no such store, or it was never scanned."""
    stores.load_store(tx, name)
    found = _known(tx, name)
    if found is None:
        raise NotFound("this store was not scanned yet")
    return found


@reading(Action.DATAMAP_SEE)
def every(ctx: Context, tx: Tx) -> tuple[StoreMap, ...]:
    """The map of every store that was scanned, by name."""
    return tuple(found for one in stores.list_stores(tx) if (found := _known(tx, one.name)) is not None)


@use_case(Action.DATAMAP_CHANGE)
def answer(ctx: Context, tx: Tx, name: str, link: str, said: Answer, ownership: Ownership | None = None) -> None:
    """One person's answer about one link; it stands for later scans too. The same answer again changes nothing.

    Raises: NotFound: no such store or link. OwnershipUnknown: undecided is no answer.
    """
    require_answerable(ownership)
    store, scanned = stores.load_store(tx, name), _scanned(tx, name)
    if scanned is None or link not in scanned.drawn.by_link:
        raise NotFound("no such link in this store")
    known = by_link(maps.list_decisions(tx, name)).get(link)
    if known is not None and (known.answer, known.ownership) == (said, ownership):
        return
    maps.save_decision(tx, name, link, said, ownership, ctx.actor.id)
    detail = {"ownership": ownership.value} if ownership else {}
    record(ctx, tx, "store.link", "store", store.id, link=link, answer=said.value, **detail)


@reading(Action.DATAMAP_SEE)
def export(ctx: Context, tx: Tx, form: MapFormat, only: Sequence[str] = ()) -> str:
    """The maps as a text for others. Raises: NotFound: no such store."""
    names = list(only) or [one.name for one in stores.list_stores(tx)]
    for name in only:
        stores.load_store(tx, name)
    return written([found.drawn for name in names if (found := _known(tx, name)) is not None], form)


def answered(ctx: Context, drawn: DataMap) -> DataMap:
    """A map just drawn, with the answers people gave: for searches and erasures."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        return decided(drawn, by_link(maps.list_decisions(tx, drawn.store)))


def _scanned(tx: Tx, name: str) -> ScannedMap | None:
    try:
        return maps.find_map(tx, name)
    except MapUnreadable:
        return None  # an older release wrote it; the next scan begins anew


def _known(tx: Tx, name: str) -> StoreMap | None:
    scanned = _scanned(tx, name)
    if scanned is None:
        return None
    drawn = decided(scanned.drawn, by_link(maps.list_decisions(tx, name)))
    return StoreMap(
        store=name, drawn=drawn, scan=scanned.scan, scanned_at=scanned.scanned_at, drift=scanned.drift,
        questions=tuple(open_questions(drawn)),
    )  # fmt: skip
