"""The console's consent pages, walked in a real browser without script: from a draft to a point, a system and back."""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.notice import Part
from privacyops.services import purpose
from privacyops.services.dsar import intake
from tests.consoles import Office
from tests.e2e.browser import NewPage, overflow
from tests.house import PASSWORD, Walker

pytestmark = pytest.mark.browser
LAPTOP = {"width": 1280, "height": 800}
CONSENT = "/console/consent"
CUT = "[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth - one.clientWidth)"


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough for what a browser sees."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def office(walker: Walker) -> Office:
    """A console with the shipped purposes, and one request that waits."""
    purpose.install_shipped(walker.context)
    requester = Requester(email="a.rather.long.address@department.example.com", name="Mia Brandt")
    submission = intake.Submission(type=RequestType.ACCESS, channel=Channel.LETTER, requester=requester)
    intake.submit(walker.as_staff("Ada", Role.ANALYST), submission)
    return Office.open(walker)


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """Where the console listens: a free port of the loopback."""
    server = uvicorn.Server(uvicorn.Config(office.app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def sign_in(page: Page, address: str, office: Office) -> None:
    person = office.enrolled("Dora", Role.DPO, Role.ADMIN)
    page.goto(f"{address}/console")
    page.get_by_label("E-mail address").fill("dora@shop.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Six-digit code").fill(person.code())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Needs you today")


def test_a_notice_a_point_and_a_system_are_made_without_script(new_page: NewPage, office: Office, address: str) -> None:
    page = new_page(viewport=LAPTOP, java_script_enabled=False)
    sign_in(page, address, office)
    page.get_by_role("link", name="Consent", exact=True).click()
    page.get_by_role("link", name="Notices").click()
    page.get_by_role("link", name="Draft a notice").first.click()
    page.get_by_label("Name").fill("signup")
    page.get_by_label("Languages").fill("en, de")
    page.get_by_label("News and offers by e-mail and text message").first.check()
    page.get_by_role("button", name="Save draft").click()
    for locale in ("en", "de"):
        page.goto(f"{address}{CONSENT}/notices/signup/draft/{locale}")
        for part in Part:
            page.locator(f"#f-{part}").fill(f"Words about {part}")
        page.get_by_role("button", name="Save draft").click()
    page.get_by_role("link", name="Publish…").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("The text is readable for ever")).to_be_visible()
    page.goto(f"{address}{CONSENT}/points/new")
    page.get_by_role("textbox", name="Key").fill("footer")
    page.get_by_role("radio", name="Form").check()
    page.get_by_label("Origins").fill("https://shop.example")
    page.get_by_label("News and offers by e-mail and text message").check()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("Below stands how its pages use it")).to_be_visible()
    page.goto(f"{address}{CONSENT}/systems/new")
    page.get_by_label("Name").fill("mail-tool")
    page.get_by_label("Address").fill("https://mail.shop.example/hooks")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text(re.compile("whsec_"))).to_be_visible()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("A colleague switched it off")).to_be_visible()


def test_no_list_is_cut_at_the_width_of_a_laptop(new_page: NewPage, office: Office, address: str) -> None:
    page = new_page(viewport=LAPTOP)
    sign_in(page, address, office)
    tabs = ("", "/suppressions", "/purposes", "/purposes/newsletter", "/notices", "/points", "/systems", "/kept")
    for path in ("/console", "/console/requests", *(f"{CONSENT}{tab}" for tab in tabs)):
        page.goto(f"{address}{path}")
        assert (path, overflow(page), {*page.evaluate(CUT)} - {0}) == (path, 0, set())
