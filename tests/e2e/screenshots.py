"""Takes the README's pictures from a demo of its own: `make screenshots`."""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from privacyops.demo.smoke import running, until
from tests.e2e.browser import chromium_path

PICTURES = Path("docs/pictures")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


def main() -> None:
    """Start a demo, wait until it is filled, walk to each page and take its picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), with_requests=True) as base:
        until((Path(folder) / "seeded").exists, "the demo was not filled in time", 600)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            _console(page, base)
            _portal(page, base)
            browser.close()


def _console(page: Page, base: str) -> None:
    page.goto(f"{base}/console/demo")
    page.get_by_role("button", name=re.compile("Enter as Ada")).click()
    page.goto(f"{base}/console/requests")
    _take(page, "queue")
    page.get_by_role("link", name=re.compile(r"^PR-")).nth(2).click()
    page.wait_for_load_state()
    _take(page, "request")


def _portal(page: Page, base: str) -> None:
    page.goto(f"{base}/privacy")
    _take(page, "portal")


def _take(page: Page, name: str) -> None:
    page.screenshot(path=str(PICTURES / f"{name}.png"))
    sys.stdout.write(f"{PICTURES / name}.png\n")


if __name__ == "__main__":
    main()
