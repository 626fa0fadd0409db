"""Servers to measure: each a process of its own, on a port of its own, pinned away from who asks where it can be."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from privacyops.bench.machine import cpu_seconds, free_port

_LONGEST_S: Final = 60.0
_SETTLES_S: Final = 10.0
_BUSY: Final = 0.2
_BARE: Final = """
import sys, uvicorn
HEAD = [(b"content-type", b"application/json"), (b"content-length", b"15")]
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": b'{"status":"ok"}'})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", access_log=False, lifespan="off")
"""
"""The least that an ASGI server can do: a constant answer, without a look at the question."""
_NGINX: Final = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{{"status":"ok"}}'; }} }} }}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    process: "subprocess.Popen[bytes]"
    port: int

    def cpu_s(self) -> float:
        """User and system time of the process and of those it has started, so far (Linux)."""
        return sum(cpu_seconds(pid) for pid in [self.process.pid, *_children(self.process.pid)])

    def settled_cpu(self) -> float:
        """The share of a core that the idle process takes, once what is loaded after the first answer is loaded."""
        share, end = 1.0, time.monotonic() + _SETTLES_S
        while share > _BUSY and time.monotonic() < end:
            before = self.cpu_s()
            time.sleep(1.0)
            share = self.cpu_s() - before
        return share

    def peak_mb(self) -> float:
        """The most memory the process has held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def migrate(variables: Mapping[str, str]) -> None:
    """`privacyops migrate`. Raises: RuntimeError: it failed, for instance over a database that is not empty."""
    command = [sys.executable, "-m", "privacyops", "migrate"]
    ended = subprocess.run(command, env=_environment(variables), capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise RuntimeError(f"the database could not be migrated: {ended.stderr[-500:]}")


def serve_house(data: Path, more: Mapping[str, str] = MappingProxyType({}), role: str = "all") -> Server:
    """`privacyops serve` over this data folder, as an operator runs it."""
    port = free_port()
    environment = {**more, "PRIVACYOPS_DATA": str(data), "PRIVACYOPS_WEB__PORT": str(port)}
    return _started(f"check {role}", _serve(role), port, data, environment, lambda: _is_up(port, "/readyz"))


def serve_replica(data: Path, more: Mapping[str, str], copy: Path) -> Server:
    """The process that keeps a host's copy; it listens nowhere, and is up once there is a copy."""
    return _started("replica", _serve("replica"), 0, data, {**more, "PRIVACYOPS_DATA": str(data)}, copy.exists)


def _serve(role: str) -> list[str]:
    return [sys.executable, "-m", "privacyops", "serve", "--role", role]


def serve_bare(folder: Path) -> Server:
    """A bare ASGI application on the same server."""
    port = free_port()
    return _started("bare ASGI", [sys.executable, "-c", _BARE, str(port)], port, folder, {}, lambda: _is_up(port, "/"))


def serve_nginx(folder: Path) -> Server | None:
    """nginx with one worker and a constant answer; None where it is not installed."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if nginx is None:
        return None
    port, settings = free_port(), folder / "nginx.conf"
    settings.write_text(_NGINX.format(folder=folder, port=port))
    command = [nginx, "-c", str(settings), "-p", str(folder)]
    return _started("nginx", command, port, folder, {}, lambda: _is_up(port, "/"))


def _started(
    name: str, command: list[str], port: int, folder: Path, variables: Mapping[str, str], is_up: Callable[[], bool]
) -> Server:
    with (folder / f"{name.replace(' ', '-')}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(variables), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    server = Server(name, process, port)
    end = time.monotonic() + _LONGEST_S
    while not is_up():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise RuntimeError(f"{name} did not start")
        time.sleep(0.05)
    _pin([process.pid, *_children(process.pid)], {0})
    return server


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's, without its own settings of the service."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PRIVACYOPS_")}
    return kept | {"PRIVACYOPS_ALLOW_ROOT": "true"} | dict(variables)


def _is_up(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _pin(pids: list[int], cores: set[int]) -> None:
    """One core for the server; whoever asks is put on the others by `pin_others`."""
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        for pid in pids:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)


def pin_others() -> None:
    """Keep this process, and what it starts from now on to ask, off the server's core."""
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)))


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
