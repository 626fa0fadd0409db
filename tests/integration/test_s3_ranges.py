"""A service that does not know ranges sends whole objects: what was not asked for is neither read nor believed."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from connectors.formats.bucket import State
from connectors.s3.objects import S3Objects
from connectors.s3.settings import read_settings
from privacyops.connector_sdk import Terminal
from privacyops.connector_sdk.testing.bench import Spy

SIZE, PIECE = 256_000_000, 100_000


class Sent(ThreadingHTTPServer):
    """Answers every call with 200 and a whole object; `bytes` counts what left."""

    bytes = 0


class Deaf(BaseHTTPRequestHandler):
    server: Sent

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.send_header("ETag", '"one"')
        self.end_headers()
        try:
            while self.server.bytes < SIZE:
                self.server.bytes += self.wfile.write(b"x" * PIECE)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Keys:
    def get(self, field: str) -> SecretStr:
        return SecretStr(field)


@pytest.fixture
def server() -> Iterator[Sent]:
    made = Sent(("127.0.0.1", 0), Deaf)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join(5)


def test_of_an_answer_without_end_no_more_is_read_than_was_asked_for(server: Sent) -> None:
    address = f"http://127.0.0.1:{server.server_port}"
    objects = S3Objects(read_settings({"bucket": "shop", "endpoint": address}), Keys())
    objects.serve(Spy().call())
    with pytest.raises(Terminal, match="range_ignored"):
        objects.read(State("a.csv", SIZE, datetime(2026, 11, 22, tzinfo=UTC), '"one"'), 0, PIECE)
    objects.close()
    assert server.bytes < SIZE / 10
