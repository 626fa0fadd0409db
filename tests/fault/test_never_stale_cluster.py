"""A withdrawal that was acknowledged is never answered with allow afterwards: two hosts, PostgreSQL, and a copy.

The host that has a copy is cut off, held up, its copy's process frozen and killed; web processes and the one with
worker and sequencer are killed; and people go on choosing over whichever answers. Doors over the copy may show what
was true a second before the question, clients what was true within their bound, and nothing older; strict doors and
those that read the database nothing older than the question.
"""

import sys
import threading
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import pytest
from privacyops_client import Client

from tests.fault.cluster import Cluster, cluster, torments
from tests.fault.histories import History, violations
from tests.fault.playing import CALM, CLIENT_BEHIND_S, COPY_BEHIND_S, PEOPLE, Door

__all__ = ["cluster"]
pytestmark = [pytest.mark.fault, pytest.mark.postgres]


def doors_of(cluster: Cluster, near: Client, far: Client) -> list[Door]:
    """Every door and mode of both hosts, with how far each may be behind."""
    play, a, b = cluster.play, cluster.near, cluster.far
    return [
        Door("copy", COPY_BEHIND_S, play.gate(a, COPY_BEHIND_S)),
        Door("copy within 200 ms", 0.2, play.gate(a, 0.2, max_staleness_ms=200)),
        Door("copy at_least", COPY_BEHIND_S, play.gate(a, COPY_BEHIND_S, mode="at_least")),
        Door("copy by id", COPY_BEHIND_S, play.by_id(a)),
        Door("strict beside the copy", 0.0, play.gate(a, 0.0, mode="strict")),
        Door("documented route", 0.0, play.gate(a, 0.0, kind="application/vnd.shop+json")),
        Door("gate", 0.0, play.gate(b, 0.0)),
        Door("gate at_least", 0.0, play.gate(b, 0.0, mode="at_least")),
        Door("batch", 0.0, play.batch(b), at_once=6),
        Door("scrub", 0.0, play.scrub(a), at_once=len(PEOPLE), pause_s=0.3),
        Door("client of A", CLIENT_BEHIND_S, play.by_client(near), CALM, pause_s=0.02),
        Door("client of B", CLIENT_BEHIND_S, play.by_client(far), CALM, pause_s=0.02),
        Door("client at_least", CLIENT_BEHIND_S, play.by_client(far, with_token=True), CALM, pause_s=0.02),
    ]


def acted(cluster: Cluster, operations: int, faults: int) -> tuple[History, int]:
    """Everybody acts while the processes are tormented for as long as it lasts, at least so often."""
    play, done = cluster.play, [0]
    steps = torments(cluster)

    def torment() -> None:
        for step in cycle(steps):
            if play.over.wait(0.5):
                return
            step()
            done[0] += 1

    with ExitStack() as stack:
        near, far = (
            stack.enter_context(
                Client(f"http://127.0.0.1:{stand.port}", play.key, local=True, timeout=5, max_age=CLIENT_BEHIND_S)
            )
            for stand in (cluster.near, cluster.far)
        )
        tormentor = threading.Thread(target=play.guarded, args=(torment,))
        tormentor.start()
        try:
            play.run(
                doors_of(cluster, near, far),
                lambda: done[0] >= faults and play.history.operations >= operations, 3_000,
            )  # fmt: skip
        finally:
            play.over.set()
            tormentor.join(310)
    return play.history, done[0]


@pytest.mark.parametrize(("operations", "faults"), [(2_000, 5), pytest.param(100_000, 24, marks=pytest.mark.long)])
def test_an_acknowledged_withdrawal_is_never_answered_with_allow_in_a_cluster(
    cluster: Cluster, tmp_path: Path, operations: int, faults: int
) -> None:
    history, done = acted(cluster, operations, faults)
    history.save(tmp_path / "history.ndjson")
    recorded = History.load(tmp_path / "history.ndjson")
    sys.stdout.write(f"{recorded.told()}; {done} faults\n")
    assert violations(recorded.writes, recorded.checks) == []
    allowed = sum(check.allowed for check in recorded.checks)
    assert 0.1 < allowed / len(recorded.checks) < 0.9, "a history in which hardly anything changes proves nothing"
    assert {check.door for check in recorded.checks} == set(recorded.silences), "every door has answered"
    assert recorded.silences["copy"] > 0, "the host was cut off, and its copy too old"
