"""The console in a real browser, over a real socket, under its own policy: by pointer, by keys, without script."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Channel, RequestType
from privacyops.domain.dsar.record import Requester
from privacyops.domain.dsar.state import DsarState
from privacyops.services.dsar import identity, intake, listing
from tests.consoles import Office
from tests.e2e.browser import NewPage, axe, overflow
from tests.e2e.console_site import listening, sign_in
from tests.house import Walker

pytestmark = pytest.mark.browser
DESKTOP = {"width": 1360, "height": 900}
PHONE = {"width": 320, "height": 700}


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough for what a browser sees."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def office(walker: Walker, tmp_path: Path) -> Office:
    """A console with one request in review, and one that waits for the next step."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, total NUMERIC);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 19.9), (12, 1, 'LS-1002', 7.5);
            """
        )
    walker.connect("shop", path)
    ada = walker.as_staff("Ada", Role.ANALYST)
    for email in ("mia.brandt@example.com", "kim@example.org"):
        requester = Requester(email=email, name="Mia Brandt")
        submission = intake.Submission(type=RequestType.ACCESS, channel=Channel.LETTER, requester=requester)
        receipt = intake.submit(ada, submission)
        if email.startswith("mia"):
            identity.accept_identity(ada, receipt.id, "signed letter")
    walker.settle()
    return Office.open(walker)


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """Where the console listens: a free port of the loopback."""
    with listening(office.app) as url:
        yield url


def _in_review(office: Office) -> str:
    return next(
        one.reference
        for one in listing.list_view(office.walker.as_staff("Dora", Role.DPO)).items
        if one.state is DsarState.IN_REVIEW
    )


def _finish(page: Page, address: str, number: str) -> None:
    page.goto(f"{address}/console/requests/{number}")
    page.get_by_role("button", name="Finish review").click()
    expect(page.get_by_text("The review is finished")).to_be_visible()


def test_a_review_is_finished_by_one_and_released_by_another(new_page: NewPage, office: Office, address: str) -> None:
    number = _in_review(office)
    ada = new_page(viewport=DESKTOP)
    sign_in(ada, address, office, "Ada", Role.ANALYST)
    ada.get_by_role("link", name="Requests", exact=False).first.click()
    ada.get_by_role("link", name=number).click()
    ada.get_by_role("link", name="Preview customer").click()
    expect(ada.get_by_text("+49 30 5550101")).to_be_visible()
    ada.get_by_role("button", name="Leave out: all").click()
    expect(ada.get_by_text("left out; the answer says so")).to_be_visible()
    ada.get_by_role("button", name="Give all").click()
    _finish(ada, address, number)
    office.walker.settle()
    marta = new_page(viewport=DESKTOP)
    sign_in(marta, address, office, "Marta", Role.APPROVER)
    marta.goto(f"{address}/console/requests/{number}/release")
    expect(marta.get_by_text("Everything is decided")).to_be_visible()
    marta.get_by_label("Type the number of the request").fill(number.lower())
    if marta.get_by_label("Code from your authenticator").count():
        marta.get_by_label("Code from your authenticator").fill(office.enrolled("Marta").code())
    marta.get_by_role("button", name="Release package").click()
    expect(marta.get_by_text("Released. The customer is told by mail.")).to_be_visible()


def test_a_package_appears_by_itself_once_it_is_built(new_page: NewPage, office: Office, address: str) -> None:
    number = _in_review(office)
    page = new_page(viewport=DESKTOP)
    sign_in(page, address, office, "Ada", Role.ANALYST)
    _finish(page, address, number)
    page.goto(f"{address}/console/requests/{number}/release")
    expect(page.get_by_text("being built")).to_be_visible()
    office.walker.settle()
    expect(page.get_by_text("All files", exact=True)).to_be_visible()


def test_whoever_waits_for_a_package_releases_it_without_loading_the_page_anew(
    new_page: NewPage, office: Office, address: str
) -> None:
    number = _in_review(office)
    ada, marta = new_page(viewport=DESKTOP), new_page(viewport=DESKTOP)
    sign_in(ada, address, office, "Ada", Role.ANALYST)
    _finish(ada, address, number)
    sign_in(marta, address, office, "Marta", Role.APPROVER)
    marta.goto(f"{address}/console/requests/{number}/release")
    expect(marta.get_by_role("button", name="Release package")).to_be_disabled()
    office.walker.settle()
    marta.get_by_label("Type the number of the request").fill(number)
    marta.get_by_role("button", name="Release package").click()
    expect(marta.get_by_text("Released. The customer is told by mail.")).to_be_visible()


def test_every_step_works_without_script(new_page: NewPage, office: Office, address: str) -> None:
    number = _in_review(office)
    page = new_page(viewport=DESKTOP, java_script_enabled=False)
    sign_in(page, address, office, "Ada", Role.ANALYST)
    page.goto(f"{address}/console/requests/{number}")
    page.get_by_label("Message to the customer").fill("One question about your order")
    page.get_by_role("button", name="Send message").click()
    expect(page.get_by_text("One question about your order")).to_be_visible()
    _finish(page, address, number)


def test_the_queue_is_walked_by_keys_and_a_field_swallows_them(new_page: NewPage, office: Office, address: str) -> None:
    page = new_page(viewport=DESKTOP)
    sign_in(page, address, office, "Ada", Role.ANALYST)
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
    page.wait_for_load_state()
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") != first
    page.keyboard.press("/")
    page.keyboard.type("cjk")
    expect(page.get_by_role("searchbox")).to_have_value("cjk")
    page.get_by_role("searchbox").press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_have_text("New request")


def test_a_double_click_sends_a_form_once(new_page: NewPage, office: Office, address: str) -> None:
    page = new_page(viewport=DESKTOP)
    sign_in(page, address, office, "Ada", Role.ANALYST)
    page.goto(f"{address}/console/requests/{_in_review(office)}")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Assign me").dblclick()
    expect(page.get_by_text("Assigned.")).to_be_visible()
    assert len(sent) == 1


def test_a_refused_form_takes_the_reader_to_what_is_wrong(new_page: NewPage, office: Office, address: str) -> None:
    page = new_page(viewport=DESKTOP)
    sign_in(page, address, office, "Ada", Role.ANALYST)
    page.goto(f"{address}/console/requests/new")
    page.get_by_label("In the customer's own words").fill("Everything, please")
    page.get_by_role("button", name="File request").click()
    expect(page.locator("#errors")).to_be_focused()
    page.locator("#errors a").first.click()
    assert page.evaluate("document.activeElement.id") == "f-email"
    expect(page.get_by_label("In the customer's own words")).to_have_value("Everything, please")


def test_nothing_of_a_page_stays_in_the_browser(new_page: NewPage, office: Office, address: str) -> None:
    page = new_page(viewport=DESKTOP)
    sign_in(page, address, office, "Ada", Role.ANALYST)
    page.goto(f"{address}/console/requests/{_in_review(office)}")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE)])
def test_axe_finds_nothing_on_any_page(
    new_page: NewPage, office: Office, address: str, scheme: str, viewport: dict[str, int]
) -> None:
    number = _in_review(office)
    page = new_page(color_scheme=scheme, viewport=viewport)
    page.goto(f"{address}/console/sign-in")
    assert axe(page) == []
    sign_in(page, address, office, "Dora", Role.DPO, Role.ADMIN)
    url = f"/console/requests/{number}"
    preview = page.goto(f"{address}{url}")
    assert preview is not None
    group = re.search(r"\?open=g[0-9a-f]{12}", preview.text())
    assert group is not None
    paths = (
        "/console", "/console/requests", url, f"{url}{group[0]}", f"{url}/extend", f"{url}/identity",
        "/console/requests/new", "/console/tasks", "/console/audit", "/console/stores", "/console/settings",
        "/console/settings/accounts", "/console/settings/keys", "/console/settings/recovery-codes", "/console/nothing",
    )  # fmt: skip
    for path in paths:
        page.goto(f"{address}{path}")
        assert (path, axe(page), overflow(page)) == (path, [], 0)
