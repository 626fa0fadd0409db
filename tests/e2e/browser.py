"""A real browser for tests: the system's Chromium under Playwright, watched for what must never happen.

Use the fixture `page` (or `new_page` for sizes, themes and languages). A violated content security policy, an
uncaught exception of a page's script, or a request to a foreign host fails the test, whatever it was about.

Nothing is downloaded: without Chromium these tests are skipped with the command that installs it. The browser
lives as long as one test module, because Playwright's synchronous face keeps an event loop running on the main
thread, which other modules' tests must not find there.
"""

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

INSTALL_HINT: Final = "no Chromium found; on Debian: apt-get install chromium"
LAUNCH_ARGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
AXE_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
AXE_SOURCE: Final = Path(__file__).parent / "vendor" / "axe.min.js"
_OWN_HOSTS: Final = {"127.0.0.1", "localhost", "::1"}
PATIENCE_MS: Final = 20_000
"""How long a page may take to show what is expected: a busy machine is no bug."""
expect.set_options(timeout=PATIENCE_MS)
_REPORT_VIOLATIONS: Final = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))"""


def chromium_path() -> str | None:
    """Where the system keeps its Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


@cache
def _axe_source() -> str:
    return AXE_SOURCE.read_text(encoding="utf-8")


class Watch:
    """Collects what a page did that no page of ours may do."""

    def __init__(self, context: BrowserContext) -> None:
        self.faults: list[str] = []
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        text = message.text
        if text.startswith("policy:") or "Content Security Policy" in text or "Content-Security-Policy" in text:
            self.faults.append(text)

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in _OWN_HOSTS:
            self.faults.append(f"foreign request: {request.method} {address.scheme}://{address.netloc}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip(INSTALL_HINT)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=LAUNCH_ARGS)
        yield launched
        launched.close()


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Open a page in a context of its own: `new_page(viewport=..., color_scheme="dark", locale="de-DE")`.

    Keyword arguments are those of Playwright's `Browser.new_context`.
    """
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_page(**options: Any) -> Page:
        options.setdefault("viewport", {"width": 1360, "height": 900})
        context = browser.new_context(**options)
        context.set_default_timeout(10_000)
        opened.append((context, Watch(context)))
        return context.new_page()

    yield open_page
    faults = [fault for context, watch in opened for fault in watch.faults]
    for context, _ in opened:
        context.close()
    assert faults == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A desktop page, 1360 px wide, light."""
    return new_page(color_scheme="light")


def axe(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe-core finds on the page: one line a violation, `rule: node, node`; an empty list is the goal.

    `rules` narrows the run to some rules, where only those can differ from a run before.
    The source is evaluated through the debugger, which the page's policy does not touch.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_axe_source())
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": AXE_TAGS}
    found = page.evaluate("only => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only)
    return [_line(violation) for violation in found["violations"]]


def _line(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    where = ", ".join(str(node["target"][-1]) for node in nodes[:4])
    return f"{violation['id']}: {where} ({nodes[0].get('failureSummary', '')})"


def overflow(page: Page) -> int:
    """Pixels that the page can be scrolled sideways; 0 where everything fits."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
