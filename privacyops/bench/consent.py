"""The consent check under load, beside what the same machine can do at all; and writing, stopping, cleaning lists.

Rounds interleave the variants, so that a machine that becomes busy disturbs all of them; the first is dropped. The
leading figure is processor time per request, which a shared machine stretches least.
"""

import contextlib
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from privacyops.bench import propagation, records, servers, writes
from privacyops.bench.load import Answered, drive
from privacyops.bench.propagation import Cluster
from privacyops.bench.result import Row, host, spread
from privacyops.bench.servers import Server
from privacyops.services.context import Context

CPU_GOAL_US: Final = 45.0
P99_GOAL_MS: Final = 10.0
NGINX_GOAL: Final = 0.5
GROWTH_GOAL: Final = 1.3
SCRUB_GOAL_S: Final = 3.0
CLIENT_GOAL_NS: Final = 1_000.0
CONNECTIONS: Final = (1, 16, 64)
_QUESTIONS: Final = 20_000
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class House:
    """A service's data with so many people in it, and a key that may check and write there."""

    people: int
    data: Path
    key: str


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure, and how often."""

    rounds: int
    seconds: float
    listed: int
    written: int
    withdrawn: int


QUICK: Final = Effort(rounds=1, seconds=1.0, listed=20_000, written=800, withdrawn=30)
FULL: Final = Effort(rounds=3, seconds=2.0, listed=100_000, written=6_000, withdrawn=200)


def measure(
    houses: Sequence[House], writers: Mapping[str, Context], cluster: Cluster | None, effort: Effort, tell: Tell
) -> tuple[Mapping[str, object], list[Row]]:
    """Every leg in turn; one whose part is not installed is skipped, and `tell` hears why.

    `writers` are services with empty databases, by engine; on `cluster` a withdrawal goes to a second host.
    """
    rows: list[Row] = []
    apart = 0.0
    with TemporaryDirectory(prefix="privacyops-bench-") as folder, contextlib.ExitStack() as stack:
        at_large = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        idle: list[float] = []
        found = _load(Path(folder), houses, effort, tell, idle)
        rows += _check_rows(found, houses)
        rows.append(
            Row("processor of the idle service, which the figures above contain", max(idle) * 100, "% of a core")
        )
        apart = spread([one.cpu_us for one in found["check, by address", houses[0].people, 16]])
        served = servers.serve_house(houses[0].data)
        stack.callback(served.stop)
        rows += propagation.here(served, houses[0].key, effort.withdrawn, tell)
        rows += propagation.to_client(served, houses[0].key, effort.withdrawn, tell)
        rows.append(_scrubbed(served, houses[0], effort.listed))
        if cluster is None:
            tell("no --server: no second host")
        else:
            rows += propagation.to_second_host(cluster, effort.withdrawn)
        if at_large:
            os.sched_setaffinity(0, at_large)
    for engine, writer in writers.items():
        rows += writes.measure(writer, effort.written, engine)
    rows += _client(tell)
    return host(effort.rounds, apart), rows


# --- the check ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    answered: Answered
    cpu_us: float
    peak_mb: float


_Table = dict[tuple[str, int, int], list[_Seen]]
"""By what was asked, how many people there are (0: does not matter), and how many connections."""


def _load(folder: Path, houses: Sequence[House], effort: Effort, tell: Tell, idle: list[float]) -> _Table:
    seen: _Table = defaultdict(list)
    variants: list[tuple[str, int, Server, Path]] = []
    with contextlib.ExitStack() as running:
        for house in houses:
            server = servers.serve_house(house.data)
            running.callback(server.stop)
            idle.append(server.settled_cpu())
            for name, texts in (("check, by address", _posts(house)), ("check, by id", _gets(house))):
                file = folder / f"{house.people}-{name[-2:].strip()}.txt"
                file.write_text("\n".join(texts))
                variants.append((name, house.people, server, file))
        bare, nginx = servers.serve_bare(folder), servers.serve_nginx(folder)
        running.callback(bare.stop)
        variants.append(("bare ASGI", 0, bare, variants[0][3]))
        if nginx is None:
            tell("nginx is not installed: no ratio to it")
        else:
            running.callback(nginx.stop)
            variants.append(("nginx", 0, nginx, variants[1][3]))  # asked by GET: it refuses to answer a POST so
        servers.pin_others()
        for number in range(effort.rounds + 1):
            for connections in CONNECTIONS:
                for name, people, server, file in variants:
                    before = server.cpu_s()
                    answered = drive(server.port, file, connections, effort.seconds)
                    cpu = (server.cpu_s() - before) / max(answered.requests, 1) * 1e6
                    if number > 0:
                        seen[name, people, connections].append(_Seen(answered, cpu, server.peak_mb()))
    return seen


def _posts(house: House) -> Iterator[str]:
    dice = random.Random(20261122)
    for _ in range(_QUESTIONS):
        body = json.dumps(
            {"identifier": {"type": "email", "value": records.address(dice.randrange(house.people))},
             "purpose": "newsletter", "channel": "email"}
        )  # fmt: skip
        yield (
            f"POST /v1/check HTTP/1.1\\r\\nHost: bench\\r\\nAuthorization: Bearer {house.key}\\r\\n"
            f"Content-Type: application/json\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}"
        )


def _gets(house: House) -> Iterator[str]:
    dice = random.Random(20261122)
    for _ in range(_QUESTIONS):
        person = records.subject_id(dice.randrange(house.people))
        yield (
            f"GET /v1/check?subject={person}&purpose=newsletter&channel=email HTTP/1.1\\r\\nHost: bench\\r\\n"
            f"Authorization: Bearer {house.key}\\r\\n\\r\\n"
        )


def _check_rows(seen: _Table, houses: Sequence[House]) -> list[Row]:
    rows = []
    for (name, people, connections), rounds in seen.items():
        about = f"{name}, {people:,} people, c={connections}" if people else f"baseline: {name}, c={connections}"
        is_ours = people > 0
        rate = _rate(rounds)
        rows.append(Row(f"{about}: CPU", _cpu(rounds), "us/request", CPU_GOAL_US if is_ours else None))
        rows.append(Row(f"{about}: answers", rate, "1/s"))
        if not is_ours:
            continue
        nginx = seen.get(("nginx", 0, connections))
        if nginx:
            rows.append(Row(f"{about}: share of nginx", rate / _rate(nginx), "", NGINX_GOAL, at_least=True))
        rows.append(Row(f"{about}: p50", statistics.median(one.answered.p50_ms for one in rounds), "ms"))
        goal = P99_GOAL_MS if connections == 16 else None
        rows.append(Row(f"{about}: p99", statistics.median(one.answered.p99_ms for one in rounds), "ms", goal))
        rows.append(Row(f"{about}: errors", sum(one.answered.errors for one in rounds), "", 0))
    least, most = houses[0].people, houses[-1].people
    if most > least:
        growth = _cpu(seen["check, by address", most, 16]) / _cpu(seen["check, by address", least, 16])
        rows.append(Row(f"CPU at {most:,} people, times that at {least:,}", growth, "x", GROWTH_GOAL))
    peak = max(one.peak_mb for one in seen["check, by address", most, 64])
    rows.append(Row(f"peak memory of the service, {most:,} people (mapped pages of the file included)", peak, "MB"))
    return rows


def _cpu(rounds: Sequence[_Seen]) -> float:
    return statistics.median(one.cpu_us for one in rounds)


def _rate(rounds: Sequence[_Seen]) -> float:
    return statistics.median(one.answered.requests / one.answered.seconds for one in rounds)


# --- the other legs -----------------------------------------------------------------------------------------------


def _scrubbed(server: Server, house: House, rows: int) -> Row:
    """Clean a list over HTTP; the time of 100,000 rows."""
    dice = random.Random(20261122)
    lines = [
        json.dumps({"row": str(number), "email": records.address(dice.randrange(house.people))})
        for number in range(rows)
    ]
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {"Authorization": f"Bearer {house.key}", "Content-Type": "application/x-ndjson"}
    began = time.perf_counter()
    line.request("POST", "/v1/scrub?purpose=newsletter&channel=email", "\n".join(lines), headers)
    answer = line.getresponse()
    last = answer.read().rstrip().rpartition(b"\n")[2]
    whole = time.perf_counter() - began
    line.close()
    if answer.status != 200 or json.loads(last)["summary"]["rows"] != rows:
        raise RuntimeError(f"the list was answered with {answer.status}")
    return Row("scrub of 100,000 rows over HTTP", whole * 100_000 / rows, "s", SCRUB_GOAL_S)


def _client(tell: Tell) -> list[Row]:
    """The client library's check in the caller's own process."""
    command = [sys.executable, "-m", "privacyops_client.bench", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if ended.returncode != 0:
        tell("privacyops-client is not installed: no leg of the client")
        return []
    found: dict[str, float] = json.loads(ended.stdout)
    return [
        Row("client: check in process, key's hash at hand", found["check_ns"], "ns", CLIENT_GOAL_NS),
        Row("client: check in process, with hashing", found["check_hashing_ns"], "ns", 2 * CLIENT_GOAL_NS),
        Row("baseline: plain dict", found["dict_ns"], "ns"),
        Row("client: one event of the feed", found["delta_ns"], "ns"),
    ]
