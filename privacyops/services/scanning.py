"""Scans of the data map as durable work: asked for by a person or, once a day, by the clock; and how far each is.

A store that changes is noticed within a day: what a scan finds new opens a task (services/datamap.py).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from privacyops.domain.account.action import Action
from privacyops.domain.job import ENDED, Job, JobState
from privacyops.domain.task import TaskKind, scan_code
from privacyops.ports.connector_host import Bounds, StoreRefused
from privacyops.services import datamap, task
from privacyops.services import job as jobs
from privacyops.services import stores as connected
from privacyops.services.context import Context, reading, record, use_case
from privacyops.services.finding.scan import draw_map
from privacyops.store import job as job_store
from privacyops.store import stores
from privacyops.store.datamap import find_map
from privacyops.store.stores import ConnectedStore
from privacyops.store.uow import Tx

JOB: Final = "scan"
EVERY: Final = timedelta(days=1)
SECONDS: Final = 900.0
"""The longest a scan may take; nobody waits in front of it."""
_TELL_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Scanning:
    """The newest scan of a store: tables `read` so far of `total` (0: not counted yet). `code`: why it failed;
    `setting` and `allowed`, where a setting is to blame: which one, and what may stand there. `is_away`: the store did
    not answer so far, and is tried again by itself; `code` says why, as far as that is known.
    """

    state: JobState
    read: int = 0
    total: int = 0
    code: str = ""
    setting: str = ""
    allowed: str = ""
    is_away: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is still on its way."""
        return self.state not in ENDED


@use_case(Action.DATAMAP_CHANGE)
def begin(ctx: Context, tx: Tx, name: str) -> None:
    """Have a store scanned; a scan that is on its way already is the one that was asked for. Raises: NotFound."""
    store = stores.load_store(tx, name)
    if _newest_open(tx, store) is None:
        jobs.enqueue(tx, JOB, store.id, store=name)
        record(ctx, tx, "store.scan_begun", "store", store.id)


@use_case(Action.JOB_RUN)
def begin_due(ctx: Context, tx: Tx) -> int:
    """Have each store scanned whose map is a day old, or that has none; how many. One attempt a day."""
    begun = 0
    for store in stores.list_stores(tx):
        known = find_map(tx, store.name)
        due = known is None or tx.now - known.scanned_at >= EVERY
        if store.is_enabled and due and not job_store.has_begun(tx, JOB, str(store.id), tx.now - EVERY):
            jobs.enqueue(tx, JOB, store.id, store=store.name)
            begun += 1
    return begun


@reading(Action.DATAMAP_SEE)
def newest(ctx: Context, tx: Tx, name: str) -> Scanning | None:
    """How the newest scan of a store stands; None: none was asked for. Raises: NotFound."""
    store = stores.load_store(tx, name)
    job = next((one for one in job_store.list_jobs_of(tx, str(store.id)) if one.kind == JOB), None)
    if job is None:
        return None
    told = job.progress or {}
    code = (job.result or "") if job.state is JobState.DEAD else ""
    is_away = job.attempts > 0 and job.state not in ENDED
    if is_away and store.health == "down":
        code = store.health_code or ""
    is_setting = bool(code) and code == store.health_code
    setting, allowed = (store.health_setting, store.health_allowed) if is_setting else (None, None)
    return Scanning(
        job.state, int(told.get("read", 0)), int(told.get("total", 0)), code, setting or "", allowed or "",
        is_away,
    )  # fmt: skip


def carry_out(ctx: Context, job: Job) -> None:
    """Look at the store, read it, keep its map. Raises: StoreProblem, NotFound, JobLost, StaleState."""
    name = str(job.arguments["store"])
    health = connected.look(ctx, name)
    if health.state == "down":
        raise StoreRefused(name, health.code or "down")
    progress = _Progress(ctx, job)
    host = ctx.ports.connectors([connected.config_of(ctx, name)])
    try:
        drawn = draw_map(host, name, Bounds(seconds=SECONDS), progress.told)
    finally:
        host.close()
    datamap.keep(ctx, drawn, job)


def give_up(ctx: Context, job: Job) -> None:
    """A person hears that a store cannot be scanned; the clock tries again tomorrow."""
    task.open_about(ctx, TaskKind.JOB_DEAD, "dpo", scan_code(str(job.arguments["store"])))


def _newest_open(tx: Tx, store: ConnectedStore) -> Job | None:
    known = job_store.list_jobs_of(tx, str(store.id))
    return next((one for one in known if one.kind == JOB and one.state not in ENDED), None)


class _Progress:
    """Notes once a second how far the scan is; a worker that lost its job stops here."""

    def __init__(self, ctx: Context, job: Job) -> None:
        self._ctx, self._job = ctx, job
        self._noted_at = float("-inf")

    def told(self, read: int, total: int) -> None:
        """Raises: JobLost."""
        now = self._ctx.clock.boot_seconds()
        if now - self._noted_at >= _TELL_EVERY_S:
            self._noted_at = now
            _note(self._ctx, self._job, read, total)


@use_case(Action.JOB_RUN)
def _note(ctx: Context, tx: Tx, job: Job, read: int, total: int) -> None:
    job_store.save_progress(tx, job, {"read": read, "total": total})
