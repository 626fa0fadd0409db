"""A double of the service: it speaks the documented format of check, feed and snapshot, and does what a test tells it.

What the real service does is tested against the real service (test_client_on_a_real_house.py). This one can be made to
lie, stall, skip a number and die in ways in which the real one cannot.
"""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "po_test_key"
HASH_KEY = bytes(range(32))
NEWSLETTER = ("newsletter", "email", "shop")
SLOTS = [
    {"purpose": "newsletter", "channel": "email", "brand": "shop", "default": "deny", "necessary": False},
    {"purpose": "newsletter", "channel": "sms", "brand": "shop", "default": "deny", "necessary": False},
    {"purpose": "basket", "channel": "web", "brand": "shop", "default": "allow", "necessary": True},
]


def ref_of(subject: str) -> str:
    """As the wire format says, written here anew."""
    digest = blake2b(subject.encode(), digest_size=8, key=HASH_KEY).digest()
    return "r_" + base64.b32encode(digest).decode().rstrip("=").lower()


def stamp(seconds: float | None = None) -> str:
    moment = datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class DocumentedService:
    """Its state, which a test sets, and what was asked of it."""

    port: int = 0
    state: dict[tuple[str, str, str, str], tuple[str, str, str | None]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    slots: list[dict[str, Any]] = field(default_factory=lambda: list(SLOTS))
    pinned: set[str] = field(default_factory=set)
    lag_ms: int = 0
    holds_feed: bool = False
    cuts_snapshot: bool = False
    old_version: int | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def decide(
        self, subject: str, decision: str, reason: str = "GRANTED", *, slot: tuple[str, str, str] = NEWSLETTER,
        until: float | None = None, type_: str = "consent.given", tells: bool = True,
    ) -> None:  # fmt: skip
        """From now on this is the answer, and the feed tells that something changed."""
        with self.changed:
            self.state[(subject, *slot)] = (decision, reason, stamp(until) if until else None)
            self.versions[subject] = self.versions.get(subject, 0) + 1
            if tells:
                self.tell(type_, subject, slot)

    def tell(self, type_: str, subject: str | None = None, slot: tuple[str, str, str] | None = None) -> None:
        with self.changed:
            item: dict[str, Any] = {"seq": len(self.items) + 1, "type": type_}
            if subject is not None:
                item |= {"subject_ref": ref_of(subject), "state_version": self.versions.get(subject, 0)}
            if slot is not None:
                item |= dict(zip(("purpose", "channel", "brand"), slot, strict=True))
            self.items.append(item)
            self.changed.notify_all()

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    def checks(self) -> int:
        return self.paths().count("/v1/check")

    # --- answering ---------------------------------------------------------------------------------------------

    def check(self, body: dict[str, Any]) -> dict[str, Any]:
        subject, brand = body.get("subject", ""), body.get("brand") or "shop"
        slot = (subject, body["purpose"], body["channel"], brand)
        decision, reason, until = self.state.get(slot, ("deny", "NO_CONSENT", None))
        version = self.versions.get(subject, 0) if self.old_version is None else self.old_version
        return {
            "decision": decision, "reason": reason, "purpose": body["purpose"], "channel": body["channel"],
            "brand": brand, "state_version": version, "expires_at": until, "as_of": stamp(), "age_ms": 0,
        }  # fmt: skip

    def snapshot(self) -> bytes:
        with self.changed:
            head = {"controller": "shop", "high_water": len(self.items), "as_of": stamp(), "lag_ms": self.lag_ms,
                    "hash_key": base64.urlsafe_b64encode(HASH_KEY).decode().rstrip("="),
                    "slots": self.slots}  # fmt: skip
            rows: list[dict[str, Any]] = [{"snapshot": head}]
            for subject in sorted({one[0] for one in self.state}):
                if subject in self.pinned:
                    rows.append({"ref": ref_of(subject), "ask": True})
                    continue
                mask, ends = 0, []
                for bit, slot in enumerate(self.slots):
                    held = self.state.get((subject, slot["purpose"], slot["channel"], slot["brand"]))
                    if held and held[0] == "allow":
                        mask |= 1 << bit
                        ends += [held[2]] if held[2] else []
                rows.append({"ref": ref_of(subject), "allow": f"{mask:x}", "until": min(ends) if ends else None})
        if not self.cuts_snapshot:
            rows.append({"end": {"rows": len(rows) - 1}})
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    def page(self, after: int, limit: int, wait: float) -> dict[str, Any]:
        with self.changed:
            while self.holds_feed:
                self.changed.wait(0.05)
            self.changed.wait_for(lambda: len(self.items) > after, wait)
            items = self.items[after : after + limit]
            next_ = items[-1]["seq"] if items else after
            return {"items": items, "next": next_, "high_water": len(self.items), "as_of": stamp(),
                    "lag_ms": self.lag_ms}  # fmt: skip


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self._body())

    def _body(self) -> Any:
        if self.headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return [json.loads(line) for line in b"".join(parts).splitlines()]
        text = self.rfile.read(int(self.headers.get("content-length", "0")))
        return json.loads(text)

    def _answer(self, body: Any) -> None:
        service: DocumentedService = self.server.service  # type: ignore[attr-defined]  # set by `served_double`
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        service.asked.append((self.command, url.path, body if body is not None else query))
        kind = "application/json"
        status, headers, text = 200, {}, b""
        if self.headers.get("authorization") != f"Bearer {KEY}":
            status, text = 401, json.dumps({"type": "/problems/unauthenticated", "title": "Sign in"}).encode()
            kind = "application/problem+json"
        elif url.path in service.answers:
            status, headers, text = service.answers[url.path]
        elif url.path == "/v1/check":
            text = json.dumps(service.check(body)).encode()
        elif url.path == "/v1/changes/snapshot":
            text, kind = service.snapshot(), "application/x-ndjson"
        elif url.path == "/v1/changes":
            page = service.page(int(query["after"]), int(query["limit"]), float(query["wait"]))
            text = json.dumps(page).encode()
        else:
            status, text = 404, json.dumps({"type": "/problems/not-found", "title": "Unknown"}).encode()
            kind = "application/problem+json"
        try:
            self.send_response(status)
            for name, value in {"content-type": kind, **headers, "content-length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)
        except ConnectionError:
            self.close_connection = True  # the client went away, as a test wanted

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name in the base class
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, service: DocumentedService) -> None:
        super().__init__(("127.0.0.1", port), _Door)
        self.service = service
        self._open: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.append(request)
        super().process_request(request, client_address)

    def cut(self) -> None:
        """As a process that was killed: nothing listens, and every connection is gone."""
        self.shutdown()
        self.server_close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes its connection is what several tests are about."""


@contextmanager
def served_double(port: int = 0, service: DocumentedService | None = None) -> Iterator[DocumentedService]:
    """The double at a port of 127.0.0.1; with a port and a service it comes back as it was."""
    held = service or DocumentedService()
    server = _Server(port, held)
    held.port = server.server_address[1]
    runner = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    runner.start()
    try:
        yield held
    finally:
        held.holds_feed = False
        server.cut()
        runner.join()
