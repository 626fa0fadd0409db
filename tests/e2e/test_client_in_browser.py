"""The TypeScript client's modules in a browser, as they are: no build, behind a shop's own route that adds the key."""

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MODULES = Path(__file__).parents[2] / "openapi/clients/typescript/src"
ASK = """async ({person, purpose}) => {
  const { Client, email } = await import("/index.js");
  const client = new Client("/shop", null);
  const whom = person.includes("@") ? email(person) : person;
  const answer = await client.check(whom, purpose, "web");
  return [await client.allowed(whom, purpose, "web"), answer.reason];
}"""
HASH = """async () => {
  const { keyed } = await import("/blake2b.js");
  const digest = keyed(new Uint8Array(32))(new TextEncoder().encode("s_KIM"));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}"""


class ShopRoute(SimpleHTTPRequestHandler):
    """A double of a shop: its files, and a route under which it would ask the service with its key."""

    seen: list[dict[str, str]] = []  # noqa: RUF012 - emptied by the fixture

    def do_GET(self) -> None:
        if self.path == "/":
            self._say("text/html", b"<!doctype html><title>shop</title>")
        else:
            super().do_GET()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        allowed = body["purpose"] == "personalisation"
        answer = {"decision": "allow" if allowed else "deny", "reason": "GRANTED" if allowed else "WITHDRAWN",
                  "purpose": body["purpose"], "channel": body["channel"], "state_version": 1}  # fmt: skip
        self._say("application/json", json.dumps(answer).encode())

    def _say(self, media: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", media)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name in the base class
        pass


@pytest.fixture
def shop(page: Page) -> Iterator[Page]:
    ShopRoute.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(ShopRoute, directory=str(MODULES)))
    runner = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    runner.start()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    yield page
    server.shutdown()
    server.server_close()
    runner.join()


def test_a_page_asks_through_the_shop_and_shows_no_key(shop: Page) -> None:
    assert shop.evaluate(ASK, {"person": "s_KIM", "purpose": "personalisation"}) == [True, "GRANTED"]
    assert shop.evaluate(ASK, {"person": "kim@example.com", "purpose": "analytics"}) == [False, "WITHDRAWN"]
    assert all("authorization" not in sent for sent in ShopRoute.seen)


def test_the_hash_is_that_of_every_other_client(shop: Page) -> None:
    assert shop.evaluate(HASH) == "bc62f2e88762978f"
