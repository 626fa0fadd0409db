"""The customer's way in a real browser, with script and without, and axe on each page of it."""

import socket
import threading
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from privacyops.adapters.pages_jinja import JinjaPages
from privacyops.domain.account.action import Role
from privacyops.main import create_app
from privacyops.services.dsar import listing
from privacyops.settings import Settings
from tests.e2e.browser import NewPage, axe, overflow
from tests.house import Walker
from tests.portal_client import MIA, little_shop, released

__all__ = ["little_shop"]

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what the browser shows does not depend on the database."""
    target = tmp_path / "privacyops.db"
    target.write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{target}"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A free port of the loopback, held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held


@pytest.fixture
def settings(settings: Settings, listener: socket.socket) -> Settings:
    """The shop's settings, at the address that the browser will use."""
    web = settings.web.model_copy(update={"port": listener.getsockname()[1]})
    return settings.model_copy(update={"web": web})


@pytest.fixture
def site(walker: Walker, listener: socket.socket, little_shop: Path) -> Iterator[str]:
    """The whole service, served."""
    app = create_app(walker.context, JinjaPages())
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield walker.house.settings.base_url
    server.should_exit = True
    thread.join(timeout=10)


def look(page: Page) -> None:
    """Nothing for axe, nothing cut off sideways."""
    assert axe(page) == []
    assert overflow(page) == 0


def walk(page: Page, site: str, walker: Walker, *, looks: bool) -> Path:
    """From the form to the file; each page looked at on the way."""
    check = look if looks else lambda _page: None
    page.goto(f"{site}/privacy")
    check(page)
    walker.clock.advance(timedelta(seconds=30))
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("alert")).to_contain_text("There are 2 problems")
    check(page)
    page.get_by_role("radio", name="Get a copy of my data").check()
    page.get_by_label("Your e-mail address").fill(MIA)
    page.get_by_label("A recent order number").fill("LS-1002")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    check(page)
    walker.settle()
    page.get_by_label("Six-digit code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("This code does not fit")
    check(page)
    page.get_by_label("Six-digit code").fill(walker.code_for(MIA))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("searching our systems")).to_be_visible()
    check(page)
    page.get_by_label("Write to us").fill("Please also look in your <old> shop.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Please also look in your <old> shop.")).to_be_visible()
    check(page)
    reference = (page.get_by_role("heading", level=1).inner_text()).split()[-1]
    released(walker, listing.by_reference(walker.as_staff("Dora", Role.DPO), reference).id)
    page.goto(f"{site}/privacy/return")
    check(page)
    page.get_by_label("Number of your request").fill(reference.lower())
    page.get_by_label("Your e-mail address").fill(MIA)
    page.get_by_role("button", name="Send me a new code").click()
    walker.settle()
    page.get_by_label("Six-digit code").fill(walker.code_for(MIA))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("3 records given")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Download my data").click()
    check(page)
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_text("A code is on its way")).to_be_visible()
    check(page)
    walker.settle()
    page.get_by_label("Six-digit code").fill(walker.code_for(MIA))
    page.get_by_role("button", name="Continue").click()
    check(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download ZIP file").click()
    return Path(download.value.path())


def test_a_customer_walks_from_the_form_to_the_file(new_page: NewPage, site: str, walker: Walker) -> None:
    page = new_page()
    with zipfile.ZipFile(walk(page, site, walker, looks=True)) as archive:
        assert any(name.endswith("START-HERE.html") for name in archive.namelist())
    stored = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert stored == [0, 0, ""]


def test_the_same_way_works_without_script_on_a_small_dark_phone(new_page: NewPage, site: str, walker: Walker) -> None:
    page = new_page(java_script_enabled=False, viewport={"width": 320, "height": 640}, color_scheme="dark")
    assert zipfile.is_zipfile(walk(page, site, walker, looks=False))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_a_small_german_phone_have_nothing_for_axe(
    new_page: NewPage, site: str, walker: Walker, scheme: str
) -> None:
    page = new_page(locale="de-DE", viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page.goto(f"{site}/privacy")
    walker.clock.advance(timedelta(seconds=30))
    look(page)
    page.get_by_role("radio", name="Keine Werbung mehr an mich").check()
    page.get_by_label("Ihre E-Mail-Adresse").fill(MIA)
    page.get_by_role("button", name="Anfrage senden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Das ist erledigt")
    look(page)
    page.goto(f"{site}/privacy/confirm/pom_{'a' * 43}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dieser Link ist abgelaufen")
    look(page)
    page.goto(f"{site}/privacy/nowhere")
    look(page)


def test_the_mailed_link_shows_a_button_and_the_button_opens_the_request(
    new_page: NewPage, site: str, walker: Walker
) -> None:
    page = new_page()
    page.goto(f"{site}/privacy")
    walker.clock.advance(timedelta(seconds=30))
    page.get_by_role("radio", name="Erase my data").check()
    page.get_by_label("Your e-mail address").fill(MIA)
    page.get_by_role("button", name="Send request").click()
    walker.settle()
    elsewhere = new_page()
    elsewhere.goto(f"{site}/privacy/confirm/{walker.link_for(MIA)}")
    look(elsewhere)
    expect(elsewhere.get_by_text("Erase my data")).to_be_visible()
    elsewhere.get_by_role("button", name="Confirm").click()
    expect(elsewhere.get_by_role("heading", level=1)).to_contain_text("Your request PR-")
    elsewhere.get_by_text("Withdraw this request").click()
    elsewhere.get_by_role("button", name="Withdraw request").click()
    expect(elsewhere.get_by_text("You have withdrawn this request")).to_be_visible()
    look(elsewhere)
