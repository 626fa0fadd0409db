"""A job kind that writes down every page it begins and saves, and a worker process that runs it, for the tests of the
engine's contract: `python -m tests.durable_work DATABASE ENGINE FOLDER sole|one-of-many SECONDS`,
where the seconds are those after which a job without progress is handed over anew.

The service's own Worker does the work; only the kind and the pace (heartbeats of half a second instead of three) are
the tests'.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from privacyops.adapters.system_clock import SystemClock
from privacyops.adapters.telemetry import JsonTelemetry
from privacyops.domain.job import Again, Done, Job, Outcome
from privacyops.jobs.kind import JobKind, StepFailed
from privacyops.jobs.pace import Pace
from privacyops.jobs.worker import Worker
from privacyops.kernel.clock import Clock
from privacyops.kernel.ids import JobId
from privacyops.services import job as jobs
from privacyops.services.context import Context
from privacyops.store import job as job_store
from privacyops.store.engine import connect
from privacyops.store.uow import Database
from tests.small_service import small_service

FAST = Pace(
    beat_s=0.5, ttl=timedelta(seconds=3), tick_s=0.2, stuck_after=timedelta(minutes=15), poll_s=0.05
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One entry of the diary: page `page` of `job` was begun or saved under `epoch` by process `pid`."""

    what: str
    job: str
    page: int
    epoch: int
    pid: int


class Diary:
    """A file that several processes append to, a line a write."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "diary"

    def write(self, what: str, job: Job, page: int) -> None:
        with self._path.open("a") as file:
            file.write(f"{what} {job.id} {page} {job.epoch} {os.getpid()}\n")

    def lines(self, what: str | None = None) -> list[Line]:
        if not self._path.exists():
            return []
        rows = [line.split() for line in self._path.read_text().splitlines()]
        every = [Line(kind, job, int(page), int(epoch), int(pid)) for kind, job, page, epoch, pid in rows]
        return [line for line in every if what in {None, line.what}]

    def pages(self, what: str) -> list[tuple[int, int]]:
        """(page, epoch) of each entry."""
        return [(line.page, line.epoch) for line in self.lines(what)]


class Pages:
    """Saves `pages` pages, one a step. At page `at` it does what `what` says: `fail`, `bug`, `die`, or `hang` until
    the file `go` is there (in its first execution only).
    """

    name = "pages"
    queue = "connector"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.diary = Diary(folder)

    def step(self, ctx: Context, job: Job) -> Outcome:
        page = int((job.progress or {}).get("page", 0))
        self.diary.write("begun", job, page)
        if page == job.arguments.get("at", -1):
            self._misbehave(str(job.arguments["what"]), job)
        time.sleep(float(job.arguments.get("seconds", 0)))
        with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
            job_store.save_page(tx, job, None, {"page": page + 1})
        self.diary.write("saved", job, page)
        return Again() if page + 1 < int(job.arguments["pages"]) else Done()

    def _misbehave(self, what: str, job: Job) -> None:
        if what == "fail":
            raise StepFailed("store_unreachable")
        if what == "bug":
            raise RuntimeError("mia.canary@example.com")
        if what == "die":
            os._exit(9)
        while what == "hang" and job.epoch == 1 and not (self._folder / "go").exists():
            time.sleep(0.02)

    def given_up(self, ctx: Context, job: Job, code: str) -> None:
        self.diary.write("given_up", job, -1)


def service(database_url: str, clock: Clock | None = None) -> Context:
    """A small service over the database, whose log goes to standard error."""
    used = clock or SystemClock()
    return small_service(Database(connect(database_url)), used, telemetry=JsonTelemetry(used))


def promise(ctx: Context, pages: int, **arguments: object) -> JobId:
    """A job of that many pages, as a service would write it down."""
    return promise_of(ctx, "pages", pages=pages, **arguments)


def promise_of(ctx: Context, kind: str, **arguments: object) -> JobId:
    with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
        return jobs.enqueue(tx, kind, uuid4(), **arguments)


def job_of(ctx: Context, job: JobId) -> Job:
    """The job as it stands."""
    with ctx.database.reading(ctx.controller.key, ctx.clock.now()) as tx:
        found = job_store.load_job(tx, job)
    assert found is not None
    return found


def until(holds: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until something holds. Raises: AssertionError: it does not hold in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.02)


def worker(ctx: Context, engine_url: str, kinds: Sequence[JobKind], *, sole: bool, pace: Pace = FAST) -> Worker:
    """The service's worker with these kinds."""
    by_name = {kind.name: kind for kind in kinds}
    return Worker(ctx, engine_url, by_name, (), sole=sole, on_lost=_end_process, pace=pace)


def _end_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def main(database_url: str, engine_url: str, folder: str, which: str, stuck_after: str) -> None:
    """Work until SIGTERM."""
    pace = replace(FAST, stuck_after=timedelta(seconds=float(stuck_after)))
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    running = worker(service(database_url), engine_url, [Pages(Path(folder))], sole=which == "sole", pace=pace)
    running.start()
    sys.stdout.write("started\n")
    sys.stdout.flush()
    stopping.wait()
    os._exit(0 if running.stop() else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
