"""The element for shops' pages, on a page of another origin under a strict policy of its own."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from privacyops.adapters.pages_jinja import JinjaPages
from privacyops.domain.account.action import Role, Scope
from privacyops.domain.account.actor import NOBODY, api_key
from privacyops.domain.consent.collection import PointKind, PointTerms
from privacyops.domain.decision import Reason
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.domain.subject import IdentifierType
from privacyops.kernel.ids import ApiKeyId
from privacyops.main import create_app
from privacyops.services import purpose
from privacyops.services.consent import answering, collecting
from privacyops.services.consent.answering import Question
from privacyops.services.consent.subjects import Whom
from privacyops.services.context import Context
from privacyops.services.idempotency import Call
from tests.e2e.browser import axe, overflow
from tests.house import Walker
from tests.tampering import spoilt

pytestmark = pytest.mark.browser
TEXTS = {part: f"Words about {part}" for part in Part}
NOTICE = NoticeVersion("signup", 1, {"en": TEXTS, "de": TEXTS}, ("newsletter", "analytics"))
HEARD = """() => { window.heard = [];
  for (const name of ["privacy:consent-loaded", "privacy:consent-changed", "privacy:error"])
    document.addEventListener(name, (event) => window.heard.push([name, event.detail])); }"""


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough for what a browser sees."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def service(walker: Walker) -> Iterator[str]:
    """The whole service on a free port of the loopback."""
    purpose.install_shipped(walker.context)
    purpose.publish_notice(walker.context, NOTICE)
    app = create_app(walker.context, JinjaPages())
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


class Shop(BaseHTTPRequestHandler):
    """A double of a shop: one page with the element, and a policy that lets nothing in but the service."""

    service = token = ""

    def do_GET(self) -> None:
        page = f"""<!doctype html><html lang="de"><head><title>Shop</title>
<script type="module" src="{self.service}/widget/v1/privacy.js"></script></head><body><main><h1>Shop</h1>
<consent-preferences collection-token="{self.token}"><a href="{self.service}/privacy">Ihre Auswahl</a>
</consent-preferences></main></body></html>""".encode()
        self.send_response(200)
        policy = f"default-src 'none'; script-src {self.service}; connect-src {self.service}; style-src 'none'"
        for name, value in (("content-type", "text/html"), ("content-security-policy", policy)):
            self.send_header(name, value)
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name in the base class
        pass


@pytest.fixture
def shop(service: str) -> Iterator[str]:
    """The shop's origin."""
    Shop.service = service
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    runner = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    runner.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    runner.join()


def point(walker: Walker, shop: str, kind: PointKind, about: str) -> None:
    """Register the shop's page, and put a token into it."""
    ctx: Context = walker.context
    terms = PointTerms(kind, "shop", (shop,), (about,), NOTICE.id, 1)
    collecting.register(walker.as_staff("Dora", Role.DPO), "page", terms, Call.of("1", b"page"))
    back_end = ctx.acting_as(api_key(ApiKeyId(NOBODY), ctx.controller.key, Scope.CONSENT_WRITE))
    Shop.token = collecting.mint(back_end, "page", shop).token


def reason(walker: Walker, type_: IdentifierType, value: str, about: str, channel: str) -> Reason:
    whom = Whom.of(walker.context, None, [(type_, value)])
    return answering.check(walker.context, Question(whom, about, channel)).decision.reason


def test_a_person_chooses_on_a_shops_own_page(walker: Walker, shop: str, page: Page) -> None:
    point(walker, shop, PointKind.FORM, "newsletter")
    page.goto(shop)
    page.evaluate(HEARD)
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(2)
    assert [box.is_checked() for box in boxes.all()] == [False, False]
    assert axe(page) == []
    page.get_by_role("button", name="Auswahl speichern").click()
    expect(page.get_by_role("status")).to_contain_text("Geben Sie eine E-Mail-Adresse ein")
    page.get_by_label("E-Mail-Adresse").fill("kim@example.com")
    page.get_by_label("per E-Mail").check()
    page.get_by_role("button", name="Auswahl speichern").click()
    expect(page.get_by_role("status")).to_have_text("Gespeichert.")
    assert reason(walker, IdentifierType.EMAIL, "kim@example.com", "newsletter", "email") is Reason.GRANTED
    assert reason(walker, IdentifierType.EMAIL, "kim@example.com", "newsletter", "sms") is Reason.REFUSED
    heard = page.evaluate("window.heard")
    assert ["privacy:consent-changed", {"purpose": "newsletter", "channel": "email", "value": "grant",
                                        "eventId": None}] in heard  # fmt: skip
    assert "kim@example.com" not in json.dumps(heard)
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    page.get_by_role("button", name="Alles ablehnen").click()
    expect(page.get_by_label("per E-Mail")).not_to_be_checked()
    page.set_viewport_size({"width": 320, "height": 700})
    assert (axe(page), overflow(page)) == ([], 0)


def test_a_banner_learns_nothing_but_a_random_id(walker: Walker, shop: str, page: Page) -> None:
    point(walker, shop, PointKind.BANNER, "analytics")
    page.goto(shop)
    expect(page.get_by_role("checkbox")).to_have_count(1)
    expect(page.get_by_role("textbox")).to_have_count(0)
    page.get_by_role("button", name="Alles annehmen").click()
    expect(page.get_by_role("status")).to_have_text("Gespeichert.")
    visitor = page.locator("consent-preferences").get_attribute("anonymous-id") or ""
    assert reason(walker, IdentifierType.DEVICE_ID, visitor, "analytics", "web") is Reason.GRANTED


def test_a_token_that_has_ended_says_so_and_keeps_the_link(walker: Walker, shop: str, page: Page) -> None:
    point(walker, shop, PointKind.FORM, "newsletter")
    Shop.token = spoilt(Shop.token)
    page.goto(shop)
    expect(page.get_by_role("link", name="Ihre Auswahl")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
