"""A call whose head is the one before, to the byte, is answered without the parser; any other goes to the parser."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from privacyops.api.check_fast import Answer
from privacyops.cli.lane import LaneProtocol, new_lane

AUTH = b"Authorization: Bearer pk_test\r\n"
GET = b"GET /v1/check?subject=%s&purpose=news&channel=email HTTP/1.1\r\nHost: a\r\n" + AUTH + b"\r\n"
Call = tuple[str, bytes, bytes | None, bytes]


def post(body: bytes, length: bytes | None = None, more: bytes = b"") -> bytes:
    told = b"%d" % len(body) if length is None else length
    kind = b"Content-Type: application/json\r\n"
    return (
        b"POST /v1/check HTTP/1.1\r\nHost: a\r\n" + AUTH + kind + more + b"Content-Length: " + told + b"\r\n\r\n" + body
    )


class Door:
    """Answers with what it was asked, but for one question."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def at_once(self, method: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Answer | None:
        self.calls.append((method, query, dict(headers).get(b"authorization"), body))
        return None if b"unknown" in query + body else Answer(200, query + b"|" + body, b"1")


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Line:
    """One connection, and how often its parser was asked."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.door, self.transport, self.parsed, self.slow = Door(), Transport(), 0, 0
        lane = new_lane()
        lane.door = self.door  # type: ignore[assignment]  # all that the lane asks of it

        async def app(scope: Any, receive: Any, send: Any) -> None:
            self.slow += 1

        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", http=lane)
        config.load()
        config.loaded_app = app  # without what uvicorn would put around it
        self.protocol: LaneProtocol = lane(config=config, server_state=ServerState(), app_state={}, _loop=loop)
        self.protocol.connection_made(self.transport)
        parser = self.protocol.parser
        self.protocol.parser = self  # type: ignore[assignment]  # counts, and hands on
        self._parser = parser

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> None:
        self.parsed += 1
        self._parser.feed_data(data)

    def send(self, data: bytes) -> None:
        self.protocol.data_received(data)


@pytest.fixture
def line() -> Iterator[Line]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    made = Line(loop)
    yield made
    made.protocol._unset_keepalive_if_required()
    loop.run_until_complete(asyncio.sleep(0))
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.parametrize(
    ("first", "again"), [(GET % b"sub_1", GET % b"sub_22%2B"), (post(b'{"a":1}'), post(b'{"a":"longer than before"}'))]
)
def test_the_same_head_is_not_parsed_again_and_is_asked_alike(line: Line, first: bytes, again: bytes) -> None:
    for data in (first, again, first):
        line.send(data)
    assert (line.parsed, line.slow, len(line.transport.written)) == (1, 0, 3)
    assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in line.transport.written)
    assert {call[2] for call in line.door.calls} == {b"Bearer pk_test"}
    line.protocol._seen = None
    line.send(again)
    assert line.parsed == 2
    assert line.door.calls[-1] == line.door.calls[1], "the parser finds what was taken from the bytes"


OTHERS: dict[str, tuple[bytes, bytes]] = {
    "another key": (GET % b"sub_1", (GET % b"sub_1").replace(b"pk_test", b"pk_best")),
    "another path": (GET % b"sub_1", (GET % b"sub_1").replace(b"/v1/check", b"/v1/cheek")),
    "a header more": (GET % b"sub_1", (GET % b"sub_1").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
    "a second line in the query": (GET % b"sub_1", GET % b"x HTTP/1.1\r\nAuthorization: Bearer other\r\nX: "),
    "a blank in the query": (GET % b"sub_1", GET % b"x y"),
    "two calls in one": (GET % b"sub_1", GET % b"sub_2" + GET % b"sub_3"),
    "half a call": (GET % b"sub_1", (GET % b"sub_1")[:-2]),
    "a length with a nought in front": (post(b"{}"), post(b"{}", b"02")),
    "a length with a sign": (post(b"{}"), post(b"{}", b"+2")),
    "a body that is longer than it says": (post(b"{}"), post(b"{}GET", b"2")),
    "a body that is still coming": (post(b"{}"), post(b"{", b"2")),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_whatever_else_differs_is_the_parsers(line: Line, other: tuple[bytes, bytes]) -> None:
    first, second = other
    line.send(first)
    line.send(second)
    assert line.parsed == 2


@pytest.mark.parametrize(
    "head", [post(b"{}", more=b"Content-Length: 2\r\n"), post(b"{}", b"02"), GET % b"sub_1" + GET % b"sub_2"]
)
def test_an_unusual_head_is_not_kept(line: Line, head: bytes) -> None:
    line.send(head)
    assert line.protocol._seen is None


def test_a_call_without_an_answer_goes_the_servers_way_and_was_asked_once(line: Line) -> None:
    line.send(GET % b"sub_1")
    line.send(GET % b"unknown")
    line.protocol.loop.run_until_complete(asyncio.sleep(0))
    assert (len(line.door.calls), line.slow, line.parsed) == (2, 1, 2)


def test_the_time_of_a_silent_connection_begins_with_the_last_answer(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, waits = [100.0], list[float]()
    loop: Any = line.protocol.loop

    def call_later(seconds: float, work: Callable[[], None]) -> asyncio.TimerHandle:
        waits.append(seconds)
        return asyncio.TimerHandle(0, work, (), loop)

    monkeypatch.setattr(loop, "time", lambda: clock[0])
    monkeypatch.setattr(loop, "call_later", call_later)
    line.protocol.timeout_keep_alive = 5
    line.send(GET % b"sub_1")
    clock[0] += 3
    line.send(GET % b"sub_2")
    clock[0] += 2
    line.protocol.timeout_keep_alive_handler()
    assert (waits, line.transport.closed) == ([5, 3.0], False)
    clock[0] += 3
    line.protocol.timeout_keep_alive_handler()
    assert line.transport.closed
