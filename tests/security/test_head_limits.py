"""What comes before a body is bounded in size and in time; calls of ordinary size are not."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from privacyops.cli import bounded
from privacyops.cli.lane import new_lane

ORDINARY = b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n"


async def greet(_scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads a body to its end and answers."""
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A web server as `privacyops serve` makes one, over a small application."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(greet, http=new_lane(), lifespan="off", ws="none", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        yield connection


def answered(connection: socket.socket) -> bytes:
    """Everything until the server closes or has answered once."""
    try:
        return connection.recv(65_536)
    except ConnectionError:
        return b""


def is_ended(connection: socket.socket) -> bool:
    """Whether the server ends the connection within the time of the socket."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("begin", [b"GET /" + b"a" * 100, b"GET / HTTP/1.1\r\nx-filler: "], ids=["line", "header"])
def test_a_head_without_end_is_cut_off(port: int, begin: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(begin)
        sent = 0
        try:
            while sent < 50_000_000:
                connection.sendall(b"a" * 65_536)
                sent += 65_536
        except OSError:
            pass
        assert sent < 20_000_000
        assert is_ended(connection)


def test_a_head_that_drips_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "HEAD_S", 0.3)
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx-slow: ")
        assert is_ended(connection)


def test_a_connection_on_which_nothing_comes_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "HEAD_S", 0.3)
    with connected(port) as connection:
        assert is_ended(connection)


def test_call_after_call_on_one_connection_is_answered(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "HEAD_S", 0.3)
    with connected(port) as connection:
        for _ in range(4):
            connection.sendall(ORDINARY)
            assert answered(connection).startswith(b"HTTP/1.1 200")
            time.sleep(0.15)


def test_a_large_body_is_no_head(port: int) -> None:
    body = b"b" * 1_000_000
    with connected(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: shop.example\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        assert answered(connection).startswith(b"HTTP/1.1 200")


def test_headers_of_an_ordinary_size_pass(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: shop.example\r\ncookie: " + b"c" * 16_000 + b"\r\n\r\n")
        assert answered(connection).startswith(b"HTTP/1.1 200")
