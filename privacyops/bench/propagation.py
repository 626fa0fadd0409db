"""From the moment a withdrawal was acknowledged to the first answer that denies: here, in a client, on a second host.

The second host is a process of its own that reads a copy of its own; it stands on the same machine.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from privacyops.bench import servers
from privacyops.bench.result import Row
from privacyops.bench.servers import Server

GOAL_MS: Final = 250.0
_ABOUT: Final = {"purpose": "newsletter", "channel": "sms"}
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A service on PostgreSQL that is migrated: its settings as variables, and a key that may check and write."""

    data: Path
    variables: Mapping[str, str]
    copy: Path
    key: str


def here(server: Server, key: str, rounds: int, tell: Tell) -> list[Row]:
    """The process that took the withdrawal answers the check."""
    waits, late = _waits(server.port, server.port, key, rounds)
    if late:
        tell(f"{late} answers allowed after a withdrawal was acknowledged")
    return [Row("withdrawal acknowledged to answered with no, the worst", max(waits), "ms", GOAL_MS)]


def to_client(server: Server, key: str, rounds: int, tell: Tell) -> list[Row]:
    """A client of another process, whose copy follows the feed, denies by itself."""
    command = [sys.executable, "-m", "privacyops_client.bench", "--json", "--rounds", str(rounds)]
    command += ["--follow", f"http://127.0.0.1:{server.port}"]
    environment = os.environ | {"PRIVACYOPS_CLIENT_KEY": key}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    if ended.returncode != 0:
        tell("privacyops-client is not installed, or could not follow: no propagation to a client")
        return []
    found: dict[str, float] = json.loads(ended.stdout)
    return [
        Row("withdrawal acknowledged to a client's copy knows: p50", found["known_p50_ms"], "ms"),
        Row("withdrawal acknowledged to a client's copy knows: p99", found["known_p99_ms"], "ms", GOAL_MS),
    ]


def to_second_host(cluster: Cluster, rounds: int) -> list[Row]:
    """One process takes the withdrawal; another, which reads its host's copy, answers the check."""
    with ExitStack() as running:
        first = servers.serve_house(cluster.data, cluster.variables)
        running.callback(first.stop)
        copied = {**cluster.variables, "PRIVACYOPS_CHECK_REPLICA": str(cluster.copy)}
        running.callback(servers.serve_replica(cluster.data, copied, cluster.copy).stop)
        second = servers.serve_house(cluster.data, copied, role="web")
        running.callback(second.stop)
        waits, _ = _waits(first.port, second.port, cluster.key, rounds)
    return [
        Row("withdrawal acknowledged to a second host's copy says no: p50", _at(waits, 0.50), "ms"),
        Row("withdrawal acknowledged to a second host's copy says no: p99", _at(waits, 0.99), "ms", GOAL_MS),
    ]


def _waits(written: int, asked: int, key: str, rounds: int) -> tuple[list[float], int]:
    """How long each withdrawal took to be seen, in milliseconds, and how many answers allowed meanwhile."""
    waits, late = [], 0
    writer, reader = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) for port in (written, asked))
    for number in range(rounds):
        named = {"identifiers": [{"type": "email", "value": f"leaving{number}-{uuid4().hex[:8]}@example.com"}]}
        ask = {"identifier": named["identifiers"][0], **_ABOUT}
        granted = [_ABOUT | {"choice": "grant"}]
        _call(writer, key, "/v1/consents", {"subject": named, "method": "form", "choices": granted})
        while _call(reader, key, "/v1/check", ask)["decision"] != "allow":
            time.sleep(0.001)
        _call(writer, key, "/v1/consents:withdraw", {"subject": named, "method": "form", "scope": _ABOUT})
        began = time.perf_counter()
        while _call(reader, key, "/v1/check", ask)["decision"] != "deny":
            late += 1
        waits.append((time.perf_counter() - began) * 1000)
    writer.close()
    reader.close()
    return waits, late


def _at(waits: Sequence[float], share: float) -> float:
    return sorted(waits)[min(int(len(waits) * share), len(waits) - 1)]


def _call(line: http.client.HTTPConnection, key: str, path: str, body: Mapping[str, Any]) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
    line.request("POST", path, json.dumps(body), headers)
    answer = line.getresponse()
    told: dict[str, str] = json.loads(answer.read())
    if answer.status >= 300:
        raise RuntimeError(f"{path} answered {answer.status} {told.get('type')}")
    return told
