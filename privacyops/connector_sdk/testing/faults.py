"""Faults on the way to a store: a TCP proxy that refuses, delays, cuts or goes silent, and an HTTP transport
likewise.

The proxy stands in front of a real server, so what is tested is the driver's and the connector's real behaviour.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import httpx

PIECE: Final = 65_536
LOOK_EVERY: Final = 0.02


class Fault(StrEnum):
    """How the proxy behaves towards connections, old and new."""

    NONE = "none"
    REFUSE = "refuse"
    """New connections are reset at once, open ones live on."""
    CUT = "cut"
    """Open connections are closed, new ones too, as by a server that dies."""
    SILENT = "silent"
    """Half-open: bytes are taken and never passed on; nothing is closed."""
    SLOW = "slow"
    """Every piece towards the client waits `delay` seconds."""
    CUT_AFTER = "cut_after"
    """`after_bytes` towards the client pass, then the connection is cut: the effect happened, the answer is lost."""


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and passes everything to `host:port`, until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._fault = Fault.NONE
        self._delay = 0.0
        self._after_bytes = 0
        self._closed = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.passed = 0
        """Bytes passed towards the client since `behave` was called last."""
        self._thread = threading.Thread(target=self._accept, name="fault-proxy", daemon=True)
        self._thread.start()

    def behave(self, fault: Fault, *, delay: float = 0.0, after_bytes: int = 0) -> None:
        """From now on; open connections are affected as the fault says."""
        with self._lock:
            self._delay, self._after_bytes = delay, after_bytes
            self._fault, self.passed = fault, 0
            pairs = list(self._pairs)
        if fault is Fault.CUT:
            for pair in pairs:
                _hang_up(pair)

    def close(self) -> None:
        """Ends everything. May be called twice."""
        self._closed.set()
        self._thread.join(5)
        with contextlib.suppress(OSError):
            self._listener.close()
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            _hang_up(pair)

    def __enter__(self) -> "FaultProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections += 1
            if self._fault in {Fault.REFUSE, Fault.CUT}:
                _reset(client)
                continue
            try:
                server = socket.create_connection(self._target, 5)
            except OSError:
                _reset(client)
                continue
            with self._lock:
                self._pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while not self._closed.is_set():
                readable, _, _ = select.select([client, server], [], [], LOOK_EVERY)
                if self._fault is Fault.SILENT:
                    time.sleep(LOOK_EVERY)  # nothing is read, nothing is passed, nobody is told
                    continue
                for one in readable:
                    data = one.recv(PIECE)
                    if not data:
                        return
                    if one is server:
                        data = self._spoil(data)
                        self.passed += len(data)
                    (client if one is server else server).sendall(data)
                    if self._fault is Fault.CUT_AFTER and self.passed >= self._after_bytes:
                        return
        except (OSError, ValueError):
            return  # either side went away, or `behave` hung up
        finally:
            _hang_up((client, server))

    def _spoil(self, data: bytes) -> bytes:
        if self._fault is Fault.SLOW:
            self._closed.wait(self._delay)
        if self._fault is Fault.CUT_AFTER:
            return data[: max(0, self._after_bytes - self.passed)]
        return data


def _hang_up(pair: tuple[socket.socket, socket.socket]) -> None:
    for one in pair:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            one.close()


def _reset(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()


@dataclass(frozen=True)
class HttpFault:
    """One answer that is not the service's own. `after_effect`: the request goes through first, then this happens.

    `status` 0 drops the connection; `body` replaces the answer's; `retry_after` is sent as it is.
    """

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    after_effect: bool = False
    repeat: bool = False
    delay: float = 0.0


class FaultTransport(httpx.BaseTransport):
    """In front of another transport: plays the listed faults in turn (None passes), then passes everything."""

    def __init__(
        self,
        behind: httpx.BaseTransport,
        faults: Sequence[HttpFault | None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._behind = behind
        self._faults: Iterator[HttpFault | None] = iter(faults)
        self._sleep = sleep
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises: httpx.ReadError: a dropped connection, as the real transport would."""
        self.requests += 1
        fault = next(self._faults, None)
        if fault is None:
            return self._behind.handle_request(request)
        if fault.delay:
            self._sleep(fault.delay)
        if fault.after_effect or fault.repeat:
            self._behind.handle_request(request).close()
        if fault.repeat:
            return self._behind.handle_request(request)
        if fault.status == 0:
            raise httpx.ReadError("connection dropped", request=request)
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return httpx.Response(fault.status, headers=headers, content=fault.body, request=request)

    def close(self) -> None:
        self._behind.close()
