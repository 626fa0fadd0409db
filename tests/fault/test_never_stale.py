"""A withdrawal that was acknowledged is never answered with allow afterwards, whoever answers and whoever dies.

One process over its own file. People's choices are written over HTTP while everybody asks at every door and in every
freshness mode; the process, worker and sequencer in it, is killed and started again in between. The recorded history
is judged by histories.py. test_never_stale_cluster.py does the same to several processes on PostgreSQL.
"""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from privacyops_client import Client

from privacyops.bootstrap import make_checker
from privacyops.domain.subject import IdentifierType
from privacyops.services.consent.checking import Ask, Checker
from privacyops.store.check_reader import Source, Wanted
from privacyops.store.check_rows import Raw
from tests.fault.histories import History, violations
from tests.fault.playing import BUSY, CLIENT_BEHIND_S, Door, Play, Stand, Told, address, embedded_doors, shop
from tests.fault.playing import staged as staged_play

pytestmark = pytest.mark.fault


@pytest.fixture
def play(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Play]:
    database = tmp_path / "privacyops.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    values: dict[str, Any] = {
        "data": tmp_path / "data", "database_url": f"sqlite:///{database}", "controller": shop(),
    }  # fmt: skip
    with staged_play(values) as made:
        stand = Stand(values, "all", tmp_path / "served.log")
        made.writers_use.append(stand)
        stand.start()
        stand.wait()
        made.meet_everybody()
        yield made


def acted(play: Play, operations: int, kills: int) -> History:
    """Everybody acts while the process dies so many times; what was recorded."""
    stand, deaths = play.writers_use[0], [0]
    with Client(stand.served.url, play.key, local=True, timeout=5, max_age=CLIENT_BEHIND_S) as client:  # type: ignore[union-attr]  # started

        def torment() -> None:
            for number in range(kills):
                while play.history.operations < operations * (number + 1) // (kills + 1):
                    if play.over.wait(0.05):
                        return
                stand.kill()
                stand.start()
                stand.wait()
                deaths[0] += 1

        tormentor = threading.Thread(target=play.guarded, args=(torment,))
        tormentor.start()
        try:
            play.run(
                embedded_doors(play, stand, client),
                lambda: deaths[0] == kills and play.history.operations >= operations, 3_000,
            )  # fmt: skip
        finally:
            play.over.set()
            tormentor.join(310)
    return play.history


def demand_never_stale(history: History, folder: Path) -> None:
    """What was recorded is written down, read again, and judged."""
    history.save(folder / "history.ndjson")
    recorded = History.load(folder / "history.ndjson")
    sys.stdout.write(f"{recorded.told()}\n")
    assert recorded == history
    assert violations(recorded.writes, recorded.checks) == []
    allowed = sum(check.allowed for check in recorded.checks)
    assert 0.1 < allowed / len(recorded.checks) < 0.9, "a history in which hardly anything changes proves nothing"


@pytest.mark.parametrize(("operations", "kills"), [(3_000, 2), pytest.param(100_000, 8, marks=pytest.mark.long)])
def test_an_acknowledged_withdrawal_is_never_answered_with_allow(
    play: Play, tmp_path: Path, operations: int, kills: int
) -> None:
    history = acted(play, operations, kills)
    demand_never_stale(history, tmp_path)
    assert {check.door for check in history.checks} == set(history.silences), "every door has answered"


class Remembering:
    """A mutant of a source: it answers the same question from memory for a while. It is here to be caught."""

    is_primary = True

    def __init__(self, source: Source, seconds: float) -> None:
        self._source, self._seconds = source, seconds
        self._known: dict[Any, tuple[float, Raw]] = {}

    def age_ms(self, raw: Raw) -> int:
        return 0

    def at_once(self, wanted: Wanted) -> Raw | None:
        return None

    def patiently(self, wanted: Wanted) -> Raw:
        at, rows = self._known.get(wanted.values, (0.0, None))
        if rows is None or time.monotonic() - at > self._seconds:
            rows = self._source.patiently(wanted)
            self._known[wanted.values] = (time.monotonic(), rows)
        return rows

    def warm_up(self) -> None:
        self._source.warm_up()

    def close(self) -> None:
        self._source.close()


def test_a_reader_that_remembers_for_a_moment_is_caught(play: Play) -> None:
    checker = make_checker(play.house)
    mutant = Checker(play.house.context, Remembering(checker._source, 0.2))
    header = b"Bearer " + play.key.encode()

    def answer(people: Sequence[int]) -> list[Told]:
        told = mutant.patiently(
            Ask(header, "newsletter", "email", identifier=(IdentifierType.EMAIL, address(people[0])))
        )
        return [Told(people[0], told.decision.is_allowed, told.state_version)]

    honest = Door("gate", 0.0, play.gate(play.writers_use[0], 0.0))
    play.run(
        [honest, Door("mutant", 0.0, answer, BUSY, pause_s=0.001)], lambda: len(play.history.checks) > 1_500, 60
    )  # fmt: skip
    checker.close()
    found = violations(play.history.writes, play.history.checks)
    assert any("allowed after an acknowledged withdrawal" in one for one in found)
    assert {one.partition(":")[0] for one in found} == {"mutant"}
