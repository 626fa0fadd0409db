"""A writer killed at named points and random moments: no acknowledged event is lost, nothing is written twice."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from privacyops.adapters.system_clock import SystemClock
from privacyops.domain.log import Log
from privacyops.kernel.clock import ManualClock
from privacyops.kernel.crash_point import VARIABLE
from privacyops.services import ledger, purpose
from privacyops.services.consent import replaying
from privacyops.services.context import Context
from privacyops.store.tables.base import table_of
from privacyops.store.tables.consent import ConsentEventRow
from privacyops.store.tables.ledger import LedgerLeafRow
from privacyops.store.uow import Database
from tests.small_service import small_service

pytestmark = pytest.mark.fault
ROOT = Path(__file__).parents[2]
COUNT = 12
POINTS = [
    "ledger.after_event", "sequencer.after_leaf", "sequencer.after_commit_before_checkpoint", "checkpoint.after_sign",
]  # fmt: skip


@pytest.fixture
def service(database: Database, clock: ManualClock) -> Context:
    ctx = small_service(database, clock)
    purpose.install_shipped(ctx)
    return ctx


def start(url: str, first: int, point: str | None = None, threads: int = 1) -> "subprocess.Popen[str]":
    path = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    environment = os.environ | {"PYTHONPATH": path} | ({VARIABLE: point} if point else {})
    command = [sys.executable, str(ROOT / "tests/fault/ledger_child.py"), url, str(first), str(COUNT), str(threads)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def acknowledged(output: str) -> dict[int, str]:
    return {int(number): event for number, event in (line.split() for line in output.splitlines() if " " in line)}


def demand_whole(ctx: Context, known: dict[int, str], clock: ManualClock) -> None:
    """What must hold after any death: read by a successor that takes over once the lease has run out."""
    deadline = time.monotonic() + 30
    while True:
        clock.set(SystemClock().now())
        ledger.drain(ctx, "successor")
        report = ledger.verify(ctx, Log.CONSENT)
        if not report.waiting and report.trees and report.trees[-1].report.covered == report.trees[-1].report.size:
            break
        assert time.monotonic() < deadline, "nobody numbers the leaves"
        time.sleep(0.5)
    assert report.is_good, report
    with ctx.database.reading(ctx.controller.key, clock.now()) as tx:
        leaf = table_of(LedgerLeafRow)
        numbers = tx.run(select(leaf.c.seq).where(leaf.c.log == "consent").order_by(leaf.c.seq)).scalars().all()
        events = {str(one) for one in tx.run(select(table_of(ConsentEventRow).c.id)).scalars()}
    assert list(numbers) == list(range(1, len(events) + 1))
    assert set(known.values()) <= events
    assert replaying.replay(ctx).is_good


@pytest.mark.slow
@pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.long])],
    indirect=True,
)
@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_a_named_point_loses_nothing_and_repeats_nothing(
    service: Context, database_url: str, clock: ManualClock, point: str
) -> None:
    child = start(database_url, 0, f"{point}@2")
    output, _ = child.communicate(timeout=60)
    assert child.returncode == 9, "the point was never reached"
    known = acknowledged(output)
    demand_whole(service, known, clock)
    # The client repeats every call it has no answer to, and those it has, with the same keys.
    again = start(database_url, 0)
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    repeated = acknowledged(output)
    assert {number: repeated[number] for number in known} == known
    assert len(set(repeated.values())) == COUNT
    demand_whole(service, repeated, clock)


@pytest.mark.parametrize("deaths", [5, pytest.param(50, marks=pytest.mark.long)])
def test_random_deaths_lose_nothing(service: Context, database_url: str, clock: ManualClock, deaths: int) -> None:
    """Case 65: four threads that share commits are killed at any moment; what was acknowledged is there, once."""
    dice = random.Random(20261122)
    known: dict[int, str] = {}
    for turn in range(deaths):
        child = start(database_url, turn * COUNT, threads=4)
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(dice.random() * 0.1)
        child.kill()
        output, _ = child.communicate(timeout=60)
        known |= acknowledged(first + output)
    assert len(known) >= deaths
    demand_whole(service, known, clock)
