"""The web server's protocol with bounds on what comes before a body: how much of it, and for how long.

The parser keeps every header until the last one has come, and the server itself sets no limit to them: without these
bounds one connection without a key could fill the memory, or be held open for ever.
"""

from asyncio import TimerHandle, Transport
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 65_536
"""Bytes of request line and headers; what a browser sends has a few thousand."""
HEAD_S: Final = 10.0
"""Seconds for all of them."""
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol over httptools, with bounds on the head of a call."""

    _head: int | None = None
    """Bytes of the head that is coming; None: none has begun, or it is whole."""
    _waits: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as the server has it
        super().connection_made(transport)
        self._waits = self.loop.call_later(HEAD_S, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def head_began(self) -> None:
        """The first letter of a call has come."""
        self._head = 0

    def head_ended(self) -> None:
        """The headers are whole."""
        self._head = None
        if self._waits is not None:
            self._stop_waiting()

    def on_message_begin(self) -> None:
        self.head_began()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.head_ended()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is None or self.transport.is_closing():
            return
        if self._waits is None:
            self._waits = self.loop.call_later(HEAD_S, self._end)
        self._head += len(data)
        if self._head > MAX_HEAD:
            self.transport.write(_TOO_LARGE)
            self._end()

    def _stop_waiting(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _end(self) -> None:
        self._stop_waiting()
        self.transport.close()
