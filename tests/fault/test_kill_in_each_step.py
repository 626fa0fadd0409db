"""The service is killed in each step of a request's way and started again: the request ends right, once.

Each test begins where exactly one thing waits for a worker: the service is armed to end itself at one named point,
which must be reached, and is then started anew. What it leaves is compared with a way that nobody disturbed.
"""

import copy
import email
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller as SmtpController

from privacyops.domain.account.action import Role, Scope
from privacyops.domain.dsar.state import DsarState
from privacyops.services import apikey
from privacyops.services.dsar.package import ref_of
from privacyops.services.job import workers_alive
from privacyops.settings import Controller
from tests.servers import free_port
from tests.serving import ADDRESS, Served, Stage, start_service, until
from tests.world import clone

pytestmark = [pytest.mark.slow, pytest.mark.fault]
TAKEN_OVER_WITHIN = 20.0
STOPPED_WITHIN = 10.0

SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
  order_number TEXT, total NUMERIC, placed_at TEXT);
CREATE TABLE purchase_line (id INTEGER PRIMARY KEY, purchase_id INTEGER REFERENCES purchase(id),
  article TEXT, quantity INTEGER);
INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101'),
  (2, 'Mia Brandt', 'm.brandt@example.net', '+49 30 5550102');
INSERT INTO purchase VALUES (11, 1, 'LS-1001', 19.9, '2026-05-02'), (12, 1, 'LS-1002', 7.5, '2026-09-14'),
  (13, 2, 'LS-1003', 99, '2026-10-01');
INSERT INTO purchase_line VALUES (1, 11, 'Soap', 3), (2, 12, 'Brush', 1), (3, 13, 'Chair', 1);
"""


@dataclass
class Postbox:
    """A mail server that takes everything and counts what it took, by Message-ID."""

    taken: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        mail = email.message_from_bytes(envelope.content)
        self.taken.append((envelope.rcpt_tos[0].casefold(), mail["Message-ID"]))
        return "250 taken"


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box, port = Postbox(), free_port()
    server = SmtpController(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


@pytest.fixture(scope="session")
def stages(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    """One request on SQLite, kept as it stood before its search, its package, its announcement, and at the end."""
    folder = tmp_path_factory.mktemp("stages")
    shop = folder / "shop.db"
    with sqlite3.connect(shop) as file:
        file.executescript(SHOP)
    file.close()
    stage = Stage({"data": folder / "live", "controller": _controller(), "mail": {"transport": "folder"}})
    (folder / "live").mkdir()
    shutil.copyfile(migrated_sqlite, folder / "live" / "privacyops.db")
    kept: dict[str, Stage] = {}

    def keep(name: str) -> None:
        stage.close()
        shutil.copytree(folder / "live", folder / name)
        kept[name] = Stage({**stage.values, "data": folder / name}, stage.dsar_id, dict(stage.people))

    stage.connect(shop)
    stage.submit()
    stage.drive()
    stage.confirm()
    keep("search")
    stage.drive()
    stage.finish_review()
    keep("package")
    stage.drive()
    stage.release()
    keep("mail")
    stage.drive()
    keep("end")
    return kept


def _controller() -> Controller:
    return Controller(
        key="shop", name="Lindenhof Seifen", address="Am Brunnen 3\n10115 Berlin",
        contact_email="privacy@lindenhof.example", authority_name="Example Authority",
        authority_url="https://authority.example/",
    )  # fmt: skip


@pytest.fixture
def copied(stages: dict[str, Stage], tmp_path: Path) -> Iterator[Callable[[str], Stage]]:
    """A copy of a stage of the test's own."""
    made: list[Stage] = []

    def copy_of(name: str) -> Stage:
        kept = stages[name]
        target = tmp_path / "data"
        shutil.copytree(kept.values["data"], target)
        made.append(Stage({**kept.values, "data": target}, kept.dsar_id, copy.copy(kept.people)))
        return made[-1]

    yield copy_of
    for stage in made:
        stage.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts the service; whatever still runs at the end of the test is killed."""
    started: list[Served] = []

    def begin(stage: Stage, crash: str | None = None, role: str = "all") -> Served:
        stage.close()
        armed = None if crash is None else (crash, tmp_path / "killed-here")
        served = start_service(stage.values, free_port(), tmp_path / f"log-{len(started)}", role=role, crash=armed)
        started.append(served)
        return served

    yield begin
    for served in started:
        if served.process.poll() is None:
            os.kill(served.process.pid, signal.SIGCONT)
            served.kill()


def _killed_and_started_again(stage: Stage, point: str, serve: Callable[..., Served], tmp_path: Path) -> None:
    first = serve(stage, point)
    until(first.died_at_its_point)
    assert (tmp_path / "killed-here").exists()
    until(serve(stage, point).answers)


SEARCH_POINTS = (
    "relay.after_enqueue", "job.after_claim", "search.after_page", "search.after_findings_before_cursor",
    "search.before_end", "job.before_done",
)  # fmt: skip


@pytest.mark.parametrize("point", SEARCH_POINTS)
def test_a_search_that_is_killed_finds_what_an_undisturbed_one_finds_and_is_reviewed_once(
    stages: dict[str, Stage], copied: Callable[[str], Stage], serve: Callable[..., Served], tmp_path: Path, point: str
) -> None:
    stage = copied("search")
    _killed_and_started_again(stage, point, serve, tmp_path)
    until(lambda: stage.is_in(DsarState.IN_REVIEW)() and not stage.jobs())
    assert stage.found() == stages["end"].found()
    assert stage.tasks().count("review_findings") == 1
    until(stage.audit_holds)


@pytest.mark.parametrize(
    "point", ["job.after_claim", "vault.before_rename", "package.after_vault_before_register", "job.before_done"]
)
def test_a_package_whose_building_is_killed_is_registered_once_and_whole(
    copied: Callable[[str], Stage], serve: Callable[..., Served], tmp_path: Path, point: str
) -> None:
    stage = copied("package")
    _killed_and_started_again(stage, point, serve, tmp_path)
    until(lambda: not stage.jobs())
    assert [package.state for package in stage.packages()] == ["ready"]
    _assert_whole(stage)
    until(stage.audit_holds)


def _assert_whole(stage: Stage) -> None:
    package = stage.packages()[0]
    assert stage.dsar_id is not None
    stage.context.ports.vault.verify(ref_of(stage.context, stage.dsar_id, package.vault_ref))


@pytest.mark.parametrize(
    "point", ["relay.after_enqueue", "job.after_claim", "mail.after_send_before_mark", "job.before_done"]
)
def test_an_announcement_whose_sending_is_killed_is_one_mail_and_answers_the_request(
    copied: Callable[[str], Stage], serve: Callable[..., Served], tmp_path: Path, point: str,
    postbox: tuple[Postbox, int],
) -> None:  # fmt: skip
    box, port = postbox
    stage = copied("mail")
    smtp = {"transport": "smtp", "host": "127.0.0.1", "port": port, "tls": "none", "sender": "privacy@shop.example"}
    stage.values["mail"] = smtp
    _killed_and_started_again(stage, point, serve, tmp_path)
    until(lambda: stage.is_in(DsarState.ANSWERED)() and not stage.jobs())
    assert {to for to, _ in box.taken} == {ADDRESS}
    assert len({message_id for _, message_id in box.taken}) == 1
    assert Counter(box.taken).most_common(1)[0][1] <= 2
    until(stage.audit_holds)


def test_a_point_that_no_step_visits_is_noticed(
    copied: Callable[[str], Stage], serve: Callable[..., Served], tmp_path: Path
) -> None:
    """The tests above would fail if a crash point lost its name: the service lives on and no mark appears."""
    stage = copied("package")
    served = serve(stage, "there.is_no_such_point")
    until(lambda: not stage.jobs())
    assert not served.died_at_its_point()
    assert not (tmp_path / "killed-here").exists()


def test_production_refuses_to_start_while_a_crash_point_is_armed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PRIVACYOPS_TEST"}
    environment |= {"PRIVACYOPS_CRASH_AT": "job.after_claim", "PRIVACYOPS_ALLOW_ROOT": "true"}
    ended = subprocess.run(
        [sys.executable, "-m", "privacyops", "serve"], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "PRIVACYOPS_CRASH_AT" in ended.stderr


def test_sigterm_ends_the_service_in_order_and_in_time(
    copied: Callable[[str], Stage], serve: Callable[..., Served]
) -> None:
    stage = copied("end")
    served = serve(stage)
    until(served.answers)
    assert served.stop() < STOPPED_WITHIN
    assert served.process.returncode == 0


def test_a_full_disk_is_told_and_nothing_is_half_done_and_work_goes_on_when_space_returns(
    copied: Callable[[str], Stage], serve: Callable[..., Served]
) -> None:
    stage = copied("end")
    key = apikey.create(
        stage.as_staff("Olga", Role.ADMIN), "Shop", frozenset({Scope.DSAR_CREATE}), timedelta(days=9), is_live=True
    )
    served = serve(stage)
    until(served.answers)
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    refused = _ask(served, key)
    assert served.answers("/healthz")
    time.sleep(4)  # heartbeat, clock and relay meet the full disk too
    resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    accepted = _ask(served, key)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/database-full")
    assert accepted.status_code == 201
    until(lambda: not stage.jobs(), 90)  # its mail has left
    until(served.answers, 20)
    until(stage.audit_holds)


def _ask(served: Served, key: str) -> httpx.Response:
    body = {"type": "access", "requester": {"email": "neele@example.org"}}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one-and-the-same"}
    return httpx.post(f"{served.url}/v1/dsars", json=body, headers=headers, timeout=30)


# --- many processes on one PostgreSQL ------------------------------------------------------------------------


@pytest.fixture
def cluster(
    migrated_postgres: str, new_postgres_database: Callable[[], str], tmp_path: Path
) -> Iterator[Callable[[], Stage]]:
    """A request that waits for its search, on PostgreSQL, with an engine's database beside it."""
    made: list[Stage] = []

    def before_the_search() -> Stage:
        shop = tmp_path / "shop.db"
        with sqlite3.connect(shop) as file:
            file.executescript(SHOP)
        file.close()
        values = {
            "data": tmp_path / "data", "controller": _controller(), "mail": {"transport": "folder"},
            "database_url": clone(migrated_postgres, f"k{abs(hash(str(tmp_path))):x}"),
            "engine_url": new_postgres_database(),
        }  # fmt: skip
        stage = Stage(values)
        made.append(stage)
        stage.connect(shop)
        stage.submit()
        stage.drive()
        return stage

    yield before_the_search
    for stage in made:
        stage.close()


@pytest.mark.postgres
def test_when_one_of_two_workers_dies_in_mid_step_the_other_finishes_its_work_in_time(
    cluster: Callable[[], Stage], serve: Callable[..., Served], tmp_path: Path
) -> None:
    stage = cluster()
    doomed = serve(stage, "search.after_page", role="worker")
    until(lambda: _live(stage) == 1)
    other = serve(stage, role="worker")
    until(lambda: _live(stage) == 2)
    os.kill(other.process.pid, signal.SIGSTOP)  # so that the doomed one takes the job
    stage.confirm()
    until(doomed.died_at_its_point)
    os.kill(other.process.pid, signal.SIGCONT)
    took = until(lambda: stage.is_in(DsarState.IN_REVIEW)() and not stage.jobs())
    assert (tmp_path / "killed-here").exists()
    assert took <= TAKEN_OVER_WITHIN
    assert len(stage.found()) == 5
    assert stage.tasks().count("review_findings") == 1


def _live(stage: Stage) -> int:
    return workers_alive(stage.context)
