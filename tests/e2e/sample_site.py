"""Serves the sample views under the real policy on a free port of the loopback."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any, Final
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from privacyops.adapters.pages_jinja import STATIC_PREFIX, JinjaPages
from tests.e2e.sample_views import GERMAN, PAGES, SCENE

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Tests are silent."""


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class SampleSite:
    """A WSGI application: `/<name of a sample>?lang=de` and the static files."""

    def __init__(self) -> None:
        self.pages = JinjaPages()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        status, media, body = self._answer(environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"]))
        start(
            status,
            [
                ("Content-Type", media),
                ("Content-Length", str(len(body))),
                ("Content-Security-Policy", POLICY),
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
            ],
        )
        return [body]

    def _answer(self, path: str, query: dict[str, list[str]]) -> tuple[str, str, bytes]:
        if path.startswith(STATIC_PREFIX) and (file := self.pages.static(path.removeprefix(STATIC_PREFIX))):
            return "200 OK", file.media_type, file.body
        if (name := path.removeprefix("/")) in PAGES:
            template, values = PAGES[name]
            scene = GERMAN if query.get("lang") == ["de"] else SCENE
            drawn = self.pages.render(template, scene, **values)
            return "200 OK", "text/html; charset=utf-8", drawn.encode()
        return "404 Not Found", "text/plain", b"no such sample"


@contextmanager
def served() -> Iterator[str]:
    """The address of a running sample site."""
    server = make_server("127.0.0.1", 0, SampleSite(), server_class=_Threads, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
