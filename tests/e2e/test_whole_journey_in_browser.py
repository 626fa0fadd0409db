"""The whole way of one request in real browsers, over the service as it is run: from the customer's form to the file.

Nothing stands in for anything: `privacyops serve` runs as a process with its worker and its durable engine, the
stores are a SQLite shop and a folder of files, mail goes to the folder that the demo uses too. Everybody sits
before a browser of their own: the customer, the reviewer, whoever releases, and the officer who closes. axe looks
at every page.
"""

import re
import sqlite3
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from privacyops.adapters.package.verify import verify_package
from privacyops.adapters.signer_ed25519 import Ed25519Signer
from privacyops.adapters.system_clock import SystemClock
from privacyops.domain.account.action import Role
from privacyops.domain.dsar.kind import Outcome
from privacyops.domain.dsar.state import DsarState
from privacyops.domain.totp import WINDOW_STEPS, step_at, totp_code
from privacyops.ports.connector_host import StoreConfig
from privacyops.services import audit, sealing, stores
from privacyops.services.dsar import listing
from privacyops.settings import Controller
from privacyops.store import account as accounts
from tests.e2e.browser import NewPage, axe, overflow
from tests.house import PASSWORD
from tests.servers import free_port
from tests.serving import Served, Stage, start_service, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MIA = "mia.brandt@example.com"
CLOCK = SystemClock()
PATIENCE_MS = 60_000
LEFT_OUT, GIVEN, OF_ANOTHER = "LS-1001", "LS-1002", "LS-1003"
LETTER = "Dear team, my parcel of May came with a dent, and the green soap was missing. Mia Brandt"
SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, phone TEXT);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
  order_number TEXT, total NUMERIC, gift_note TEXT);
INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com', '+49 30 5550101'),
  (2, 'Jan Other', 'jan.other@example.net', '+49 30 5550102');
INSERT INTO purchase VALUES (11, 1, 'LS-1001', 19.9, 'For my aunt Roswitha Kern, Am Ring 1'),
  (12, 1, 'LS-1002', 7.5, NULL), (13, 2, 'LS-1003', 99, NULL);
"""


@dataclass
class Desk:
    """A colleague with an authenticator, before a browser of their own."""

    name: str
    secret: bytes
    page: Page
    last_step: int = 0

    def code(self) -> str:
        """A code that was not used yet; the authenticator's next one is accepted a little early."""
        step = max(step_at(CLOCK.now()), self.last_step + 1)
        while step > step_at(CLOCK.now()) + WINDOW_STEPS:
            time.sleep(0.5)
        self.last_step = step
        return totp_code(self.secret, step)


@dataclass
class Scene:
    """A served house with two stores and two colleagues, and what axe found on the pages that were looked at."""

    stage: Stage
    served: Served
    new_page: NewPage
    seen: dict[str, list[str]] = field(default_factory=dict)

    def look(self, page: Page, name: str) -> None:
        """axe over the page as it stands, and whether anything is cut off sideways."""
        sideways = overflow(page)
        self.seen[name] = axe(page) + ([f"{sideways} px too wide"] if sideways else [])

    def faults(self) -> dict[str, list[str]]:
        return {name: found for name, found in self.seen.items() if found}

    def newest_mail(self, subject_has: str, after: int) -> str:
        """The text of a mail to the customer that came after so many others."""
        inbox = self.stage.house.inbox
        assert inbox is not None
        found = ""

        def came() -> bool:
            nonlocal found
            mails = [one for one in inbox.newest(50) if one.to.casefold() == MIA]
            fresh = mails[: max(0, len(mails) - after)]
            found = next((one.text for one in fresh if re.search(subject_has, one.text)), "")
            return bool(found)

        until(came)
        return found

    def mails(self) -> int:
        """How many mails the customer has got."""
        inbox = self.stage.house.inbox
        assert inbox is not None
        return sum(one.to.casefold() == MIA for one in inbox.newest(50))

    def code_mailed_by(self, press: Callable[[], None]) -> str:
        """The six digits of the mail that pressing a button sends."""
        before = self.mails()
        press()
        found = re.search(r"\b(\d{6})\b", self.newest_mail(r"\b\d{6}\b", before))
        assert found is not None
        return found[1]

    def desk(self, name: str, *roles: Role) -> Desk:
        """A colleague's browser, signed in with password and authenticator."""
        desk = self._hired(name, *roles)
        page = desk.page
        page.goto(f"{self.served.url}/console")
        self.look(page, f"{name}: sign in")
        page.get_by_label("E-mail address").fill(f"{name.lower()}@shop.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Six-digit code").fill(desk.code())
        self.look(page, f"{name}: second factor")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Needs you today")
        self.look(page, f"{name}: home")
        return desk

    def _hired(self, name: str, *roles: Role) -> Desk:
        self.stage.as_staff(name, *roles)
        ctx, account = self.stage.context, self.stage.people[name]
        desk = Desk(name, name.encode().ljust(20, b"-"), self.new_page())
        sealed = ctx.ports.keyring.seal(desk.secret, sealing.place(ctx, "account", "totp_sealed", account.id))
        with ctx.database.transaction(ctx.controller.key, ctx.clock.now()) as tx:
            hashed = ctx.ports.passwords.hashed(PASSWORD)
            accounts.save_account(tx, account.id, totp_sealed=sealed, password_hash=hashed)
        return desk


@pytest.fixture
def scene(database_url: str, tmp_path: Path, new_page: NewPage, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The service, running: on SQLite and on PostgreSQL in turn."""
    values = {
        "data": tmp_path / "data", "database_url": database_url, "mail": {"transport": "folder"},
        "controller": Controller(
            key="shop", name="Lindenhof Seifen", address="Am Brunnen 3\n10115 Berlin",
            contact_email="privacy@lindenhof.example", authority_name="Example Authority",
            authority_url="https://authority.example/",
        ),
    }  # fmt: skip
    if database_url.startswith("postgresql"):
        values["engine_url"] = request.getfixturevalue("new_postgres_database")()
    stage = Stage(values)
    stage.connect(_shop(tmp_path / "shop.db"))
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "complaint.txt").write_text(f"From {MIA}\n\n{LETTER}\n")
    (folder / "other.txt").write_text("From jan.other@example.net\n\nWhere is my chair?\n")
    stores.connect(
        stage.as_staff("Olga", Role.ADMIN), "Letters", StoreConfig("letters", "files", {"folder": str(folder)})
    )
    served = start_service(values, free_port(), tmp_path / "log")
    until(lambda: served.answers("/healthz"))
    yield Scene(stage, served, new_page)
    served.stop()
    stage.close()


@pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.long])],
    indirect=True,
)
def test_a_request_goes_from_the_customers_form_through_two_colleagues_to_the_customers_file(scene: Scene) -> None:
    customer = scene.new_page()
    number = _asks_and_proves(scene, customer)
    _watches_the_search(scene, customer)
    _leaves_one_record_out(scene, number)
    before = scene.mails()
    _releases(scene, number)
    later = scene.new_page()
    archive = _fetches(scene, later, number, before)
    _holds_what_was_given_and_nothing_else(scene, archive)
    _closes(scene, later, number)
    assert scene.faults() == {}
    assert len(scene.seen) >= 20


def _asks_and_proves(scene: Scene, page: Page) -> str:
    page.goto(f"{scene.served.url}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your privacy")
    scene.look(page, "customer: form")
    time.sleep(2.1)  # the form is stamped: nobody fills it in within two seconds
    page.get_by_role("radio", name="Get a copy of my data").check()
    page.get_by_label("Your e-mail address").fill(MIA)
    page.get_by_label("A recent order number").fill(GIVEN)

    def send() -> None:
        page.get_by_role("button", name="Send request").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")

    code = scene.code_mailed_by(send)
    scene.look(page, "customer: check your mail")
    page.get_by_label("Six-digit code").fill(code)
    page.get_by_role("button", name="Continue").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("PR-")
    scene.look(page, "customer: status")
    number = heading.inner_text().split()[-1]
    scene.stage.dsar_id = listing.by_reference(scene.stage.as_staff("Dora", Role.DPO), number).id
    return number


def _watches_the_search(scene: Scene, page: Page) -> None:
    until(scene.stage.is_in(DsarState.IN_REVIEW))
    page.reload()
    expect(page.get_by_text("We are checking what we found")).to_be_visible()
    scene.look(page, "customer: in review")


def _leaves_one_record_out(scene: Scene, number: str) -> None:
    page = scene.desk("Ada", Role.ANALYST, Role.APPROVER).page
    page.get_by_role("link", name="Requests", exact=False).first.click()
    scene.look(page, "reviewer: queue")
    page.get_by_role("link", name=number).click()
    expect(page.get_by_text("Letters · Files")).to_be_visible()
    scene.look(page, "reviewer: request")
    page.get_by_role("link", name="Preview documents").click()
    expect(page.get_by_text("my parcel of May came with a dent")).to_be_visible()
    scene.look(page, "reviewer: letters")
    page.get_by_role("button", name="Give all").click()
    page.get_by_role("link", name="Preview purchase").click()
    aunt = page.get_by_role("article").filter(has_text=LEFT_OUT)
    expect(aunt.get_by_text("Roswitha Kern")).to_be_visible()
    aunt.locator("summary").filter(has_text="Leave out").click()
    aunt.get_by_label("Reason for leaving out").select_option(label="Rights of other people")
    scene.look(page, "reviewer: orders")
    aunt.get_by_role("button", name="Leave out").click()
    expect(page.get_by_text("1 record is left out; the answer says so and why.")).to_be_visible()
    page.get_by_role("link", name="Preview customer").click()
    expect(page.get_by_text("+49 30 5550101")).to_be_visible()
    scene.look(page, "reviewer: decided")
    _leaves_others_in(scene, page, number)
    page.goto(f"{scene.served.url}/console/requests/{number}")
    page.get_by_role("button", name="Finish review").click()
    expect(page.get_by_text("The review is finished")).to_be_visible()
    scene.look(page, "reviewer: finished")
    page.goto(f"{scene.served.url}/console/requests/{number}/release")
    expect(page.get_by_text("You reviewed this request; another person releases it.")).to_be_visible()
    scene.look(page, "reviewer: may not release")


def _leaves_others_in(scene: Scene, page: Page, number: str) -> None:
    """Whatever the models that are installed here suggest stays in: the letters are handed over whole."""
    until(scene.stage.is_read)
    page.goto(f"{scene.served.url}/console/requests/{number}/texts?only=open")
    scene.look(page, "reviewer: other people")
    waiting = page.get_by_role("button", name=re.compile("^(Leave in passage|I have read this text)"))
    while waiting.count():
        waiting.first.click()
        page.wait_for_load_state()


def _releases(scene: Scene, number: str) -> None:
    desk = scene.desk("Marta", Role.APPROVER)
    page = desk.page
    page.goto(f"{scene.served.url}/console/requests/{number}")
    scene.look(page, "releaser: request")
    page.goto(f"{scene.served.url}/console/requests/{number}/release")
    expect(page.get_by_text("All files", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Rights of other people")).to_be_visible()
    scene.look(page, "releaser: package")
    page.get_by_label("Type the number of the request").fill(number.lower())
    if page.get_by_label("Code from your authenticator").count():
        page.get_by_label("Code from your authenticator").fill(desk.code())
    page.get_by_role("button", name="Release package").click()
    expect(page.get_by_text("Released. The customer is told by mail.")).to_be_visible()
    scene.look(page, "releaser: released")


def _fetches(scene: Scene, page: Page, number: str, mails_before: int) -> Path:
    announced = scene.newest_mail("Your data is ready", mails_before)
    link = re.search(r"https?://\S+/privacy/\S+", announced)
    assert link is not None
    page.goto(link[0])
    _comes_back(scene, page, number)
    page.get_by_role("link", name="Download my data").click()
    scene.look(page, "customer: download")

    def send_code() -> None:
        page.get_by_role("button", name="Send code").click()
        expect(page.get_by_text("A code is on its way")).to_be_visible()

    code = scene.code_mailed_by(send_code)
    scene.look(page, "customer: code for the download")
    page.get_by_label("Six-digit code").fill(code)
    page.get_by_role("button", name="Continue").click()
    button = page.get_by_role("button", name="Download ZIP file")
    expect(button).to_be_visible()
    scene.look(page, "customer: one-time link")
    with page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == f"your-data-{number}.zip"
    return Path(download.value.path())


def _comes_back(scene: Scene, page: Page, number: str) -> None:
    """The link of the mail, in a browser that has no session: a number, an address and a code open the request."""
    expect(page.get_by_label("Number of your request")).to_be_visible()
    scene.look(page, "customer: way back")
    page.get_by_label("Number of your request").fill(number)
    page.get_by_label("Your e-mail address").fill(MIA)
    code = scene.code_mailed_by(page.get_by_role("button", name="Send me a new code").click)
    page.get_by_label("Six-digit code").fill(code)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("2 records given, 1 record left out")).to_be_visible()
    expect(page.get_by_text("given in part")).to_be_visible()
    scene.look(page, "customer: answered")


def _holds_what_was_given_and_nothing_else(scene: Scene, path: Path) -> None:
    signer = scene.stage.context.ports.signer
    assert isinstance(signer, Ed25519Signer)
    with path.open("rb") as file:
        verdict = verify_package(file, signer.public_key)
    assert verdict.faults == ()
    assert verdict.files > 5
    with zipfile.ZipFile(path) as archive:
        everything = {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
    data = "\n".join(text for name, text in everything.items() if not name.endswith(".pdf"))
    assert [it for it in (GIVEN, "+49 30 5550101", "the green soap was missing") if it not in data] == []
    others = (LEFT_OUT, "Roswitha Kern", OF_ANOTHER, "jan.other@example.net", "Where is my chair")
    assert [it for it in others if it in data] == []
    start = next(text for name, text in everything.items() if name.endswith("START-HERE.html"))
    assert re.search(r"1 record[^<]*Purchase|Purchase[^<]*1 record", start)


def _closes(scene: Scene, customer: Page, number: str) -> None:
    desk = scene.desk("Dora", Role.DPO)
    page = desk.page
    page.goto(f"{scene.served.url}/console/requests/{number}")
    page.get_by_role("button", name="Close", exact=True).first.click()
    expect(page.get_by_text("The request is closed.")).to_be_visible()
    scene.look(page, "team: closed")
    page.goto(f"{scene.served.url}/console/audit")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("The chain is whole")).to_be_visible()
    scene.look(page, "team: audit log")
    assert (scene.stage.dsar.state, scene.stage.dsar.outcome) == (DsarState.CLOSED, Outcome.FULFILLED_PARTIAL)
    assert audit.verify_log(scene.stage.as_staff("Dora", Role.DPO)).is_good
    customer.goto(f"{scene.served.url}/privacy/status")
    expect(customer.get_by_text("We have answered your request in part")).to_be_visible()
    scene.look(customer, "customer: closed")


def _shop(path: Path) -> Path:
    with sqlite3.connect(path) as database:
        database.executescript(SHOP)
    database.close()
    return path
