"""The short way of a consent check through the web server: from the parser to the answer without a task and a scope.

A check that came whole in what the socket gave, on a connection that waits for nothing else, is answered where it was
parsed: no ASGI scope, no task, one write. Everything else goes the server's own way and meets the same gate there
(api/check_fast.py); a process without httptools has only that way.
"""

from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from privacyops.cli.bounded import BoundedProtocol

if TYPE_CHECKING:  # loaded with the application, which comes after the process listens
    from privacyops.api.check_fast import Answer, CheckDoor

_PATH: Final = b"/v1/check"
_MAX_BODY: Final = 4096
_METHODS: Final = {b"GET": "GET", b"POST": "POST"}


class LaneProtocol(BoundedProtocol):
    """uvicorn's protocol with a lane for the check. `door` is set once the application is loaded."""

    door: "CheckDoor | None" = None

    _body: bytes | None = None
    """The body so far of a call in the lane; None: the call goes the server's way."""

    _dated: tuple[Any, bytes] = (None, b"")

    def on_message_begin(self) -> None:
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
        if self._body is not None:
            answer = self._answered(self._body)
            if answer is not None:
                self._body = None
                self._write(answer)
                return
            self._leave()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._body is None:
            return
        if self.transport.is_closing():
            self._body = None
        else:
            self._leave()  # the rest is still on its way, and only the server's way has a limit of time

    def _may_enter(self) -> bool:
        url = self.url
        before: Any = self.cycle  # None until a first call went the server's way
        return (
            self.door is not None
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
        self.on_response_complete()


def new_lane() -> type[LaneProtocol]:
    """A protocol of its own for one server, whose `door` is still to be set."""
    return type("Lane", (LaneProtocol,), {})
