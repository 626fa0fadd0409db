"""How soon a process answers after its start, and what it holds when idle.

Bytecode is kept in a folder of the run: the first start of all, which compiles every module, is told apart and belongs
to no median, for an installation compiles once (`make venv`, pip).
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from privacyops.bench.machine import cpu_seconds, free_port
from privacyops.bench.result import Row, host, spread

FIRST_ANSWER_S: Final = 2.0
READY_S: Final = 6.0
IDLE_MB: Final = 250.0
IDLE_CPU_PERCENT: Final = 2.0
_LONGEST_S: Final = 300.0
_SETTLED_S: Final = 3.0

_BARE: Final = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
app.get("/healthz")(lambda: {"status": "ok"})
app.get("/readyz")(lambda: {"ready": True})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", lifespan="off")
"""
"""The baseline: a FastAPI application that can do nothing at all."""


@dataclass(frozen=True, slots=True)
class Started:
    """One start: seconds to the first answer of each probe, and the processor time until the first, which a busy
    machine stretches less; memory and CPU of the idle process.
    """

    healthy_s: float
    healthy_cpu_s: float
    ready_s: float
    idle_mb: float
    idle_cpu_percent: float


def measure(rounds: int, *, is_quick: bool = False) -> tuple[Mapping[str, object], list[Row]]:
    """Start each variant `rounds` times in turn, each in an empty folder; the medians.

    `is_quick` leaves the demo without requests: filling it takes longer than everything else together.
    """
    own = [sys.executable, "-m", "privacyops"]
    demo, less = ("demo without requests, empty folder", ["--empty"]) if is_quick else ("demo, empty folder", [])
    serve, bare = "serve, empty folder", "baseline: bare FastAPI"
    variants: Mapping[str, Callable[[str, str], Sequence[str]]] = {
        serve: lambda port, _folder: [*own, "serve", "--port", port],
        demo: lambda port, folder: [*own, "demo", "--port", port, "--folder", folder, *less],
        bare: lambda port, _folder: [sys.executable, "-c", _BARE, port],
    }
    settled_s = _SETTLED_S / 3 if is_quick else _SETTLED_S
    taken: dict[str, list[Started]] = {name: [] for name in variants}
    with TemporaryDirectory(prefix="privacyops-bytecode-") as compiled:
        uncompiled = _once(variants[serve], compiled, 0.1)
        _once(variants[bare], compiled, 0.1)
        for _ in range(rounds):
            for name, command in variants.items():
                taken[name].append(_once(command, compiled, settled_s))
    rows = [Row(f"{serve}: first answer of all, nothing compiled", uncompiled.healthy_s, "s")]
    for name, starts in taken.items():
        first, ready, idle, busy = (None,) * 4 if name == bare else (FIRST_ANSWER_S, READY_S, IDLE_MB, IDLE_CPU_PERCENT)
        rows += [
            Row(f"{name}: first answer", _middle([one.healthy_s for one in starts]), "s", first),
            Row(f"{name}: CPU until then", _middle([one.healthy_cpu_s for one in starts]), "s"),
            Row(f"{name}: ready", _middle([one.ready_s for one in starts]), "s", ready),
            Row(f"{name}: memory when idle", _middle([one.idle_mb for one in starts]), "MB", idle),
            Row(f"{name}: CPU when idle", _middle([one.idle_cpu_percent for one in starts]), "% of a core", busy),
        ]
    return host(rounds, spread([one.healthy_s for one in taken[serve]])), rows


def _once(command: Callable[[str, str], Sequence[str]], compiled: str, settled_s: float) -> Started:
    """One start in a folder of its own."""
    with TemporaryDirectory(prefix="privacyops-boot-") as folder:
        port = free_port()
        return _start(command(str(port), f"{folder}/demo"), port, Path(folder), compiled, settled_s)


def _start(command: Sequence[str], port: int, folder: Path, compiled: str, settled_s: float) -> Started:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRIVACYOPS_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment |= {"PRIVACYOPS_ALLOW_ROOT": "true", "PYTHONPYCACHEPREFIX": compiled}
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        healthy = _answers(process, port, "/healthz") - began
        healthy_cpu = cpu_seconds(process.pid)
        ready = _answers(process, port, "/readyz") - began
        time.sleep(settled_s)
        before = cpu_seconds(process.pid)
        time.sleep(settled_s)
        busy = (cpu_seconds(process.pid) - before) / settled_s * 100
        return Started(healthy, healthy_cpu, ready, _resident_mb(process.pid), busy)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(process: "subprocess.Popen[bytes]", port: int, path: str) -> float:
    """When the probe first answered with 200. Raises: RuntimeError: the process ended, or never answered."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + _LONGEST_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode}")
        try:
            with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5):
                return time.monotonic()
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{path} did not answer")


def _resident_mb(pid: int) -> float:
    """What the process holds in memory, shared libraries included (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
