"""The service as processes: all in one on SQLite, and a web process with two workers on one PostgreSQL."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from privacyops.domain.dsar.state import DsarState
from privacyops.services.job import workers_alive
from privacyops.settings import Controller
from privacyops.store.tables.base import table_of
from privacyops.store.tables.job import LeaseRow
from tests.servers import free_port
from tests.serving import Served, Stage, start_service, until
from tests.world import clone

pytestmark = [pytest.mark.slow]
TOKEN = "a-token-for-the-scraper"
SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), order_number TEXT);
INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101');
INSERT INTO purchase VALUES (11, 1, 'LS-1001'), (12, 1, 'LS-1002');
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as file:
        file.executescript(SHOP)
    file.close()
    return path


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []
    stages: list[Stage] = []

    def begin(stage: Stage, role: str = "all") -> Served:
        stages.append(stage)
        started.append(start_service(stage.values, free_port(), tmp_path / f"log-{len(started)}", role=role))
        return started[-1]

    yield begin
    for stage in stages:
        stage.close()
    for served in started:
        if served.process.poll() is None:
            os.kill(served.process.pid, signal.SIGCONT)
            served.kill()


def _stage(folder: Path, **more: str) -> Stage:
    controller = Controller(key="shop", name="Lindenhof Seifen", contact_email="privacy@lindenhof.example")
    return Stage({"data": folder, "controller": controller, "mail": {"transport": "folder"},
                  "web": {"metrics_token": TOKEN}, **more})  # fmt: skip


def _walk(stage: Stage, shop: Path) -> None:
    """One request to its answer; everything between the legs is done by the processes."""
    stage.connect(shop)
    stage.submit()
    until(lambda: bool(stage.house.inbox and stage.house.inbox.newest(1)))
    stage.confirm()
    until(stage.is_in(DsarState.IN_REVIEW))
    stage.finish_review()
    until(lambda: [one.state for one in stage.packages()] == ["ready"])
    stage.release()
    until(stage.is_in(DsarState.ANSWERED))
    until(stage.audit_holds)


def test_one_process_answers_a_request_on_sqlite_and_counts_what_it_did(
    tmp_path: Path, shop: Path, serve: Callable[..., Served]
) -> None:
    stage = _stage(tmp_path / "data")
    served = serve(stage)
    until(served.answers)
    _walk(stage, shop)
    stage.close()
    asked = httpx.get(f"{served.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert 'privacyops_jobs_total{kind="package",outcome="ready"} 1.0' in asked.text
    assert 'privacyops_jobs_total{kind="search",outcome="succeeded"} 1.0' in asked.text
    assert 'privacyops_http_requests_total{action="/readyz",door="api",status="200"}' in asked.text
    assert httpx.get(f"{served.url}/metrics", timeout=10).status_code == 401


@pytest.mark.postgres
def test_a_web_process_and_two_workers_share_one_postgresql_and_any_worker_may_hold_the_clock(
    tmp_path: Path, shop: Path, serve: Callable[..., Served],
    migrated_postgres: str, new_postgres_database: Callable[[], str],
) -> None:  # fmt: skip
    stage = _stage(
        tmp_path / "data", database_url=clone(migrated_postgres, f"w{abs(hash(str(tmp_path))):x}"),
        engine_url=new_postgres_database(),
    )  # fmt: skip
    assert stage.context  # the keys are made before several processes look for them
    first = serve(stage, "worker")
    until(lambda: _holder(stage) is not None)
    web, second = serve(stage, "web"), serve(stage, "worker")
    until(web.answers)
    _walk(stage, shop)
    before = _holder(stage)
    until(lambda: _live(stage) == 2)
    first.kill()
    took = until(lambda: _holder(stage) not in {None, before})
    assert took < 20
    assert second.process.poll() is None


def _holder(stage: Stage) -> str | None:
    """Who holds the clock's lease."""
    lease = table_of(LeaseRow)
    with stage.context.database.reading("shop", stage.context.clock.now()) as tx:
        row = tx.run(lease.select().where(lease.c.name == "scheduler")).one_or_none()
    return None if row is None else str(row.owner)


def _live(stage: Stage) -> int:
    return workers_alive(stage.context)
