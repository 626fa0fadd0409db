"""Doubles of web services: they keep state in memory, judge credentials, and misbehave on command.

A double answers in the shape of the service it is named after. None was compared with the vendor's own server.
"""

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from connectors.rest.card import RestConnector
from connectors.rest.rates import Clocks
from privacyops.connector_sdk.testing.faults import HttpFault

Json = Any
DATE = "Sun, 22 Nov 2026 09:00:00 GMT"


@dataclass
class FakeClock:
    """A clock that moves when it is told to, and when somebody sleeps."""

    now: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        """Time passes."""
        self.seconds += seconds
        self.now += timedelta(seconds=seconds)

    def clocks(self) -> Clocks:
        """As the engine takes them."""
        return Clocks(lambda: self.now, lambda: self.seconds, self.sleep)


@dataclass(frozen=True)
class Asked:
    """One request as the double understood it. `args` are the parts of the path that the route names."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    headers: Mapping[str, str]
    args: tuple[str, ...] = ()


@dataclass
class Told:
    """An answer: a body for JSON or bytes as they are, and headers."""

    body: Json = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Asked], "Told | Json"]


def basic(user: str, password: str = "") -> str:
    """The value of the Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class FakeService:
    """Routes in, answers out. `faults` are played before (None: passes), the newest request is the last of `heard`."""

    credential: tuple[str, str] = ("authorization", "Bearer right")
    """A header and its only good value."""
    required: Mapping[str, str] = {}
    """Headers that every request must carry."""

    def __init__(self) -> None:
        self.routes: list[tuple[str, re.Pattern[str], Route]] = []
        self.heard: list[Asked] = []
        self.faults: deque[HttpFault | None] = deque()
        self.streams = 0
        self.refused_scopes: set[str] = set()
        self._lock = threading.RLock()
        self.set_up()

    def set_up(self) -> None:
        """Routes and state."""

    def on(self, method: str, pattern: str, route: Route) -> None:
        """`{}` in the pattern is one part of the path; a literal question mark needs no escape."""
        expression = re.escape(pattern).replace(r"\{\}", "([^/]+)")
        self.routes.append((method, re.compile(expression), route))

    # --- as a server ----------------------------------------------------------------------------------------

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One request from start to end, faults included."""
        with self._lock:
            fault = self.faults.popleft() if self.faults else None
            if fault is None:
                return self._plain(request)
            if fault.after_effect:
                self._plain(request)
            if fault.status == 0:
                raise httpx.ReadError("dropped", request=request)
            headers = {"Retry-After": fault.retry_after, "Date": DATE} if fault.retry_after else {}
            return httpx.Response(fault.status, headers=headers, content=fault.body, request=request)

    def _plain(self, request: httpx.Request) -> httpx.Response:
        parts = urlsplit(str(request.url))
        path = request.url.raw_path.decode().partition("?")[0]
        asked = Asked(
            request.method, path, dict(parse_qsl(parts.query, keep_blank_values=True)), self._body(request),
            {name.lower(): value for name, value in request.headers.items()},
        )  # fmt: skip
        self.heard.append(asked)
        told = self._told(asked)
        content = told.body if isinstance(told.body, bytes) else b"" if told.body is None else _encoded(told.body)
        return httpx.Response(told.status, headers={"Date": DATE, **told.headers}, content=content, request=request)

    def _told(self, asked: Asked) -> Told:
        name, value = self.credential
        if asked.headers.get(name) != value:
            return Told({"error": {"code": "unauthorized"}}, 401)
        for name, value in self.required.items():
            if asked.headers.get(name) != value:
                return Told({"error": {"code": "missing_header"}}, 400)
        for method, pattern, route in self.routes:
            match = pattern.fullmatch(asked.path)
            if match and method == asked.method:
                if pattern.pattern in self.refused_scopes:
                    return Told({"error": {"code": "forbidden"}}, 403)
                args = tuple(unquote(part) for part in match.groups())
                found = route(Asked(asked.method, asked.path, asked.query, asked.body, asked.headers, args))
                return found if isinstance(found, Told) else Told(found)
        return Told({"error": {"code": "no_such_route"}}, 404)

    def _body(self, request: httpx.Request) -> Json:
        content = request.read()
        if not content:
            return None
        if "form" in request.headers.get("content-type", ""):
            found: dict[str, Any] = {}
            for name, value in parse_qsl(content.decode(), keep_blank_values=True):
                found[name] = [*found.get(name, []), value] if name.endswith("[]") else value
            return found
        return json.loads(content)

    # --- for tests ------------------------------------------------------------------------------------------

    def connector(self, clock: FakeClock | None = None) -> RestConnector:
        """A connector that speaks to this double in process."""
        return RestConnector(lambda settings: Line(self), (clock or FakeClock()).clocks())

    def calls(self, method: str = "") -> list[str]:
        """`METHOD /path` of everything heard, in order."""
        return [f"{each.method} {each.path}" for each in self.heard if method in {"", each.method}]


class Line(httpx.BaseTransport):
    """A connection to a double, in process. Open streams are counted."""

    def __init__(self, service: FakeService) -> None:
        self._service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises: httpx.ReadError: a dropped connection."""
        response = self._service.answer(request)
        stream = _Counted(self._service, response.content)
        return httpx.Response(response.status_code, headers=response.headers, stream=stream, request=request)


class _Counted(httpx.SyncByteStream):
    def __init__(self, service: FakeService, content: bytes) -> None:
        self._service, self._content, self._is_open = service, content, True
        service.streams += 1

    def __iter__(self) -> Iterator[bytes]:
        yield self._content

    def close(self) -> None:
        self._service.streams -= self._is_open
        self._is_open = False


def _encoded(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


class Served:
    """A double behind a real socket of 127.0.0.1. `manner` says how bytes go out: whole, cut, drip."""

    def __init__(self, service: FakeService) -> None:
        self.manner = "whole"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                return

            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = httpx.Request(
                    self.command, f"http://double.example{self.path}", headers=dict(self.headers.items()),
                    content=self.rfile.read(length),
                )  # fmt: skip
                outer.send(self, service.answer(request))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815 - names of the base class

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def send(self, handler: BaseHTTPRequestHandler, response: httpx.Response) -> None:
        """Writes the answer in the manner of now."""
        content = response.content
        handler.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in {"content-length", "date"}:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if self.manner == "cut":
            handler.wfile.write(content[: len(content) // 2])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(2)
        elif self.manner == "drip":
            for byte in content:
                if self._stop.wait(0.05):
                    return
                try:
                    handler.wfile.write(bytes([byte]))
                    handler.wfile.flush()
                except OSError:  # the other side had enough
                    return
        else:
            handler.wfile.write(content)

    def close(self) -> None:
        """Stops listening."""
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
