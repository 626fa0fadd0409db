"""The short way of a consent check through the web server: from the parser to the answer without a task and a scope.

A check that came whole in what the socket gave, on a connection that waits for nothing else, is answered where it was
parsed: no ASGI scope, no task, one write. Everything else goes the server's own way and meets the same gate there
(api/check_fast.py); a process without httptools has only that way.

Who keeps a connection sends the same head again and again. Where the bytes are those of the head before, but for the
query or the length of the body, the parser would find the same, and is not asked (`_Head`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from privacyops.cli.bounded import BoundedProtocol

if TYPE_CHECKING:  # loaded with the application, which comes after the process listens
    from privacyops.api.check_fast import Answer, CheckDoor

_PATH: Final = b"/v1/check"
_MAX_BODY: Final = 4096
_METHODS: Final = {b"GET": "GET", b"POST": "POST"}
_GET: Final = b"GET /v1/check?"
_VERSION: Final = b" HTTP/1.1\r\n"
_LENGTH: Final = b"\r\ncontent-length: "
_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~=&%+-"
"""What may differ between two queries without a question to the parser."""


@dataclass(slots=True)
class _Head:
    """A head that the parser has read: `before` and `after` what may differ, which is a query or a body's length.

    Lives and ends with its connection, as the headers do that the server keeps of the last call.
    """

    method: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    before: bytes
    after: bytes

    @classmethod
    def of(
        cls, method: str, url: bytes, headers: Sequence[tuple[bytes, bytes]], data: bytes, body: bytes
    ) -> "_Head | None":
        """The head of a call that came whole as `data`; None: one that says something unusual."""
        told = [(name, value) for name, value in headers if name in (b"authorization", b"content-type")]
        query = url[len(_PATH) + 1 :]
        if method == "GET":
            before, version, after = data.partition(_VERSION)
            if body or not version or before != _GET + query:
                return None
            return cls(method, query, told, _GET, version + after)
        names = [name for name, _ in headers]
        head = data[: len(data) - len(body)]
        at = head.lower().find(_LENGTH) + len(_LENGTH)
        length = b"%d" % len(body)
        is_usual = names.count(b"content-length") == 1 and b"transfer-encoding" not in names and at > len(_LENGTH)
        if not (is_usual and head.startswith(b"POST ") and head.startswith(length + b"\r\n", at)):
            return None
        return cls(method, query, told, head[:at], head[at + len(length) :])

    def call_in(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Query and body, where `data` is this head once more and a whole call; None: ask the parser."""
        if not data.startswith(self.before):
            return None
        start = len(self.before)
        if self.method == "GET":
            end = len(data) - len(self.after)
            query = data[start:end]
            is_same = end >= start and data.endswith(self.after) and not query.translate(None, _PLAIN)
            return (query, b"") if is_same else None
        end = data.find(b"\r\n", start, start + 6)
        length = data[start:end]
        if end < 0 or not length.isdigit() or length.startswith(b"0") or not data.startswith(self.after, end):
            return None
        body = data[end + len(self.after) :]
        return (self.query, body) if len(body) == int(length) <= _MAX_BODY else None


class LaneProtocol(BoundedProtocol):
    """uvicorn's protocol with a lane for the check. `door` is set once the application is loaded."""

    door: "CheckDoor | None" = None

    _body: bytes | None = None
    """The body so far of a call in the lane; None: the call goes the server's way."""

    _dated: tuple[Any, bytes] = (None, b"")

    _begun = 0
    """How many calls have begun in what came last."""
    _is_at_rest = True
    """Whether the parser has read the last call to its end."""
    _seen: _Head | None = None
    """The head of the last call that was answered in the lane."""
    _whole: bytes | None = None
    """The body of the call that was answered in the lane."""
    _is_asked = False
    """Whether the lane had no answer to the call that the parser reads now."""
    _spoke = 0.0

    def on_message_begin(self) -> None:
        self._begun += 1
        self._is_at_rest = False
        self.head_began()
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        self.head_ended()
        if self._may_enter():
            self._body = b""
        else:
            self._go_the_servers_way()

    def on_body(self, body: bytes) -> None:
        if self._body is None:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > _MAX_BODY:
            self._leave()

    def on_message_complete(self) -> None:
        self._is_at_rest = True
        if self._body is not None:
            body, answer = self._body, self._answered(self._body)
            if answer is not None:
                self._body = None
                self._whole = body
                self._write(answer)
                self.on_response_complete()
                return
            self._leave()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        if self._seen is not None and self._is_answered_again(self._seen, data):
            return
        was_at_rest, self._begun, self._whole = self._is_at_rest, 0, None
        super().data_received(data)
        self._is_asked = False
        if was_at_rest:
            self._keep_head(data)
        if self._body is None:
            return
        if self.transport.is_closing():
            self._body = None
        else:
            self._leave()  # the rest is still on its way, and only the server's way has a limit of time

    def _keep_head(self, data: bytes) -> None:
        """Keep the head of a call that was all of `data` and was answered in the lane."""
        if self._begun == 1 and self._is_at_rest and self._whole is not None:
            method = _METHODS[self.parser.get_method()]
            self._seen = _Head.of(method, self.url, self.headers, data, self._whole)

    def timeout_keep_alive_handler(self) -> None:
        """The time began with the last answer: to stop and start a clock for each would cost as much as to parse it."""
        rest = self._spoke + self.timeout_keep_alive - self.loop.time()
        if rest > 0:
            self.timeout_keep_alive_task = self.loop.call_later(rest, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _is_answered_again(self, head: _Head, data: bytes) -> bool:
        """Answer a call that differs from the one before in nothing that the parser would look at."""
        before: Any = self.cycle
        if (
            not self._is_at_rest
            or self.timeout_keep_alive_task is None  # something else is under way
            or (before is not None and not before.response_complete)
            or self.flow.write_paused
            or self.transport.is_closing()
            or self.door is None
        ):
            return False
        call = head.call_in(data)
        if call is None:
            return False
        answer = self.door.at_once(head.method, call[0], head.headers, call[1])
        if answer is None:
            self._is_asked = True
            return False
        self._write(answer)
        self.server_state.total_requests += 1
        self._spoke = self.loop.time()
        return True

    def _may_enter(self) -> bool:
        url = self.url
        before: Any = self.cycle  # None until a first call went the server's way
        return (
            self.door is not None
            and not self._is_asked
            and url.startswith(_PATH)
            and (len(url) == len(_PATH) or url[len(_PATH)] == 63)  # a question mark
            and (before is None or before.response_complete)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and self.parser.get_method() in _METHODS
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _go_the_servers_way(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # makes the scope, which the lane does without
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def _leave(self) -> None:
        body, self._body = self._body, None
        self._go_the_servers_way()
        if body:
            super().on_body(body)

    def _answered(self, body: bytes) -> "Answer | None":
        assert self.door is not None  # noqa: S101 - `_may_enter` asked
        query = self.url[len(_PATH) + 1 :]
        if b"#" in query:
            return None
        return self.door.at_once(_METHODS[self.parser.get_method()], query, self.headers, body)

    def _write(self, answer: "Answer") -> None:
        dated, head = self._dated
        if dated is not self.server_state.default_headers:  # the server makes a new list each second, with the date
            dated = self.server_state.default_headers
            head = STATUS_LINE[200] + b"".join(b"%s: %s\r\n" % pair for pair in (*dated, *answer.every))
            self._dated = (dated, head)
        self.transport.write(
            b"%scontent-length: %d\r\ncontent-type: %s\r\nx-request-id: %s\r\n\r\n%s"
            % (head, len(answer.body), answer.media_type, answer.request_id, answer.body)
        )


def new_lane() -> type[LaneProtocol]:
    """A protocol of its own for one server, whose `door` is still to be set."""
    return type("Lane", (LaneProtocol,), {})
