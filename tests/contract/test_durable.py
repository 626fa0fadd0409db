"""What any engine behind the Durable port must keep, on SQLite and on PostgreSQL, with processes that really die."""

import base64
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from privacyops.adapters.system_clock import SystemClock
from privacyops.domain.job import JobState
from privacyops.jobs.pace import Pace
from privacyops.jobs.scheduler import Scheduler, Tick
from privacyops.jobs.worker import Worker
from privacyops.kernel.clock import Instant
from privacyops.kernel.ids import JobId
from privacyops.services.context import Context
from privacyops.store import job as job_store
from privacyops.store.tables.base import table_of
from privacyops.store.tables.job import JobRow, OutboxRow
from tests.durable_work import Diary, Pages, job_of, promise, promise_of, service, until, worker

pytestmark = [pytest.mark.slow]
ROOT = Path(__file__).parents[2]
JOB, OUTBOX = table_of(JobRow), table_of(OutboxRow)


class HurriedClock:
    """The system's time, some way ahead: waits of minutes pass when the test says so."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)
        self._clock = SystemClock()

    def now(self) -> Instant:
        return self._clock.now() + self._ahead

    def boot_seconds(self) -> float:
        return self._clock.boot_seconds()

    def hurry_to(self, at: Instant) -> None:
        self._ahead += max(at - self.now(), timedelta(0))


@dataclass
class Floor:
    """A database, an engine's database, and everybody who works on them."""

    database_url: str
    engine_url: str
    folder: Path
    clock: HurriedClock
    ctx: Context

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def diary(self) -> Diary:
        return Diary(self.folder)

    def state(self, job: JobId) -> JobState:
        return job_of(self.ctx, job).state

    def column(self, job: JobId, name: str) -> Any:
        with self.ctx.database.reading(self.ctx.controller.key, self.clock.now()) as tx:
            return tx.run(JOB.select().where(JOB.c.id == job)).one()._mapping[name]

    def go(self) -> None:
        (self.folder / "go").touch()

    def hangs(self) -> Callable[[], bool]:
        """Whether page 2 has been begun: the page at which jobs of these tests hang."""
        return lambda: any(line.page == 2 for line in self.diary.lines("begun"))


@pytest.fixture
def floor(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Floor]:
    engine = f"sqlite:///{tmp_path / 'engine.db'}"
    if database_url.startswith("postgresql"):
        engine = request.getfixturevalue("new_postgres_database")()
    clock = HurriedClock()
    ctx = service(database_url, clock)
    yield Floor(database_url, engine, tmp_path, clock, ctx)
    ctx.database.engines.dispose()


@pytest.fixture
def here(floor: Floor) -> Iterator[Worker]:
    """A worker in this process."""
    running = worker(floor.ctx, floor.engine_url, [Pages(floor.folder)], sole=True)
    running.start()
    yield running
    floor.go()
    running.stop()


@pytest.fixture
def start(floor: Floor) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts worker processes; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(stuck_after: float = 900) -> "subprocess.Popen[str]":
        which = "sole" if floor.is_sqlite else "one-of-many"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.durable_work", floor.database_url, floor.engine_url, floor.folder, which,
             str(stuck_after)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_a_job_runs_page_by_page_to_its_end(floor: Floor, here: Worker) -> None:
    job = promise(floor.ctx, 3)
    until(lambda: floor.state(job) is JobState.DONE)
    assert floor.diary.pages("saved") == [(0, 1), (1, 1), (2, 1)]


def test_the_same_outbox_id_twice_is_one_drive(floor: Floor, here: Worker) -> None:
    job = promise(floor.ctx, 4, at=2, what="hang")
    until(floor.hangs())
    with floor.ctx.database.transaction(floor.ctx.controller.key, floor.clock.now()) as tx:
        tx.run(OUTBOX.update().values(sent_at=None))  # as after a crash between hand-over and mark
    until(lambda: not _waits(floor))
    floor.go()
    until(lambda: floor.state(job) is JobState.DONE)
    assert floor.diary.pages("begun") == [(0, 1), (1, 1), (2, 1), (3, 1)]


def _waits(floor: Floor) -> bool:
    with floor.ctx.database.reading(floor.ctx.controller.key, floor.clock.now()) as tx:
        return job_store.has_unsent(tx, ["pages"])


@pytest.mark.parametrize(("what", "code"), [("fail", "store_unreachable"), ("bug", "bug:RuntimeError")])
def test_a_step_that_fails_is_tried_again_with_growing_waits_and_given_up_after_five(
    floor: Floor, here: Worker, what: str, code: str
) -> None:
    job = promise(floor.ctx, 2, at=1, what=what)
    waits = []
    for tries in range(1, 5):
        until(lambda tries=tries: floor.column(job, "attempts") == tries and floor.state(job) is JobState.WAITING)  # type: ignore[misc]  # a defaulted argument
        wake_at = floor.column(job, "wake_at")
        waits.append(round((wake_at - floor.column(job, "progress_at")).total_seconds()))
        floor.clock.hurry_to(wake_at)
    until(lambda: floor.state(job) is JobState.DEAD)
    assert waits == sorted(waits)
    assert floor.column(job, "result") == code
    assert len(floor.diary.lines("given_up")) == 1
    assert [page for page, _ in floor.diary.pages("begun")] == [0, 1, 1, 1, 1, 1]


def test_a_kind_that_no_worker_knows_waits_and_holds_nobody_up(floor: Floor, here: Worker) -> None:
    strange = promise_of(floor.ctx, "from_next_release")
    known = promise(floor.ctx, 1)
    until(lambda: floor.state(known) is JobState.DONE)
    assert floor.state(strange) is JobState.QUEUED


def test_a_cancelled_job_begins_no_further_page_and_the_page_under_way_saves_nothing(
    floor: Floor, here: Worker
) -> None:
    job = promise(floor.ctx, 4, at=2, what="hang")
    until(floor.hangs())
    with floor.ctx.database.transaction(floor.ctx.controller.key, floor.clock.now()) as tx:
        assert job_store.cancel_jobs_of(tx, job_of(floor.ctx, job).object_id) == 1
    floor.go()
    after = promise(floor.ctx, 1)
    until(lambda: floor.state(after) is JobState.DONE)
    mine = [line for line in floor.diary.lines() if line.job == str(job)]
    assert [(line.what, line.page) for line in mine][-1] == ("begun", 2)
    assert floor.state(job) is JobState.CANCELLED


def test_an_orderly_stop_hands_work_back_and_the_next_worker_goes_on_at_once(floor: Floor) -> None:
    first = worker(floor.ctx, floor.engine_url, [Pages(floor.folder)], sole=floor.is_sqlite)
    first.start()
    job = promise(floor.ctx, 40, seconds=0.05)
    until(floor.hangs())
    assert first.stop()
    second = worker(floor.ctx, floor.engine_url, [Pages(floor.folder)], sole=floor.is_sqlite)
    second.start()
    until(lambda: floor.state(job) is JobState.DONE)
    second.stop()
    pages = floor.diary.pages("saved")
    assert [page for page, _ in pages] == list(range(40))
    assert {epoch for _, epoch in pages} == {1, 2}


def test_after_a_kill_finished_pages_are_not_repeated_and_the_interrupted_one_is(
    floor: Floor, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    first = start()
    job = promise(floor.ctx, 4, at=2, what="hang")
    until(floor.hangs())
    first.kill()
    first.wait(10)
    start()
    until(lambda: floor.state(job) is JobState.DONE)
    assert floor.diary.pages("begun") == [(0, 1), (1, 1), (2, 1), (2, 2), (3, 2)]
    assert floor.diary.pages("saved") == [(0, 1), (1, 1), (2, 2), (3, 2)]


def test_losing_the_engines_database_costs_no_work(
    floor: Floor, start: Callable[..., "subprocess.Popen[str]"], request: pytest.FixtureRequest
) -> None:
    first = start()
    job = promise(floor.ctx, 4, at=2, what="hang")
    until(floor.hangs())
    first.kill()
    first.wait(10)
    if floor.is_sqlite:
        for file in floor.folder.glob("engine.db*"):
            file.unlink()
    else:
        floor.engine_url = request.getfixturevalue("new_postgres_database")()
    start(stuck_after=2)
    until(lambda: floor.state(job) is JobState.DONE)
    assert [page for page, _ in floor.diary.pages("saved")] == [0, 1, 2, 3]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_frozen_beyond_its_lease_wakes_up_and_can_write_nothing(
    floor: Floor, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    """On PostgreSQL alone: on SQLite a lock file keeps a second process away."""
    frozen = start()
    job = promise(floor.ctx, 4, at=2, what="hang")
    until(floor.hangs())
    os.kill(frozen.pid, signal.SIGSTOP)
    other = start()
    until(lambda: floor.state(job) is JobState.DONE)
    floor.go()
    os.kill(frozen.pid, signal.SIGCONT)
    frozen.wait(20)
    assert floor.diary.pages("saved") == [(0, 1), (1, 1), (2, 2), (3, 2)]
    assert {line.pid for line in floor.diary.lines() if line.epoch == 2} == {other.pid}
    assert floor.column(job, "epoch") == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_that_kills_its_workers_is_given_up_and_others_go_on(
    floor: Floor, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    poison = promise(floor.ctx, 1, at=0, what="die")
    for _ in range(5):
        assert start().wait(30) == 9
    start()
    until(lambda: floor.state(poison) is JobState.DEAD)
    good = promise(floor.ctx, 1)
    until(lambda: floor.state(good) is JobState.DONE)
    assert floor.column(poison, "result") == "worker_died"
    assert len([line for line in floor.diary.lines("given_up") if line.job == str(poison)]) == 1


class _Forged:
    """Unpickling this makes a file: what an attacker who can write the engine's database would try."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


def test_a_forged_pickle_in_the_engines_database_runs_no_code(floor: Floor) -> None:
    mark = floor.folder / "code-was-run"
    first = worker(floor.ctx, floor.engine_url, [Pages(floor.folder)], sole=True)
    first.start()
    job = promise(floor.ctx, 1)
    until(lambda: floor.state(job) is JobState.DONE)
    first.stop()
    forged = base64.b64encode(pickle.dumps({"args": (_Forged(mark),), "kwargs": {}})).decode()
    _forge(
        floor, "UPDATE {0}workflow_status SET serialization = 'py_pickle', inputs = {1}, status = 'ENQUEUED'", forged
    )
    second = worker(floor.ctx, floor.engine_url, [Pages(floor.folder)], sole=True)
    second.start()
    after = promise(floor.ctx, 1)
    until(lambda: floor.state(after) is JobState.DONE)
    second.stop()
    assert not mark.exists()


def test_the_forged_row_would_run_code_in_the_engine_as_it_is_shipped(tmp_path: Path) -> None:
    """The attack of the test before is a real one: without the refusal it succeeds."""
    mark = tmp_path / "code-was-run"
    forged = base64.b64encode(pickle.dumps({"args": (_Forged(mark),), "kwargs": {}})).decode()
    program = f"from dbos._serialization import DefaultSerializer; DefaultSerializer().deserialize({forged!r})"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)
    assert mark.exists()


def _forge(floor: Floor, statement: str, value: str) -> None:
    if floor.is_sqlite:
        with sqlite3.connect(floor.folder / "engine.db") as file:
            assert file.execute(statement.format("", "?"), (value,)).rowcount >= 1
        file.close()
        return
    url = make_url(floor.engine_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as server:
        assert server.execute(statement.format("dbos.", "%s"), (value,)).rowcount >= 1  # type: ignore[arg-type]  # own text


def test_of_two_clocks_one_fires_and_the_other_takes_over_when_it_dies(floor: Floor) -> None:
    fired: list[str] = []
    pace = Pace(ttl=timedelta(seconds=2))

    def clock(name: str) -> Scheduler:
        return Scheduler(floor.ctx, name, [Tick("test", lambda _ctx: fired.append(name))], pace)

    first, second = clock("first"), clock("second")
    first.beat()
    second.beat()
    assert fired == ["first"]
    floor.clock.hurry_to(floor.clock.now() + timedelta(seconds=3))
    until(lambda: _fires(second, fired), 10)
    first.beat()
    assert fired == ["first", "second"]


def _fires(clock: Scheduler, fired: list[str]) -> bool:
    clock.beat()
    return len(fired) > 1
