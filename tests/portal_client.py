"""A customer in front of the portal: follows forms as a browser does, and waits as a person does."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from starlette.testclient import TestClient

from privacyops.adapters.pages_jinja import JinjaPages
from privacyops.domain.account.action import Role
from privacyops.kernel.ids import DsarId
from privacyops.portal.app import create_portal
from privacyops.services.dsar import answer, listing, review
from privacyops.store import package as packages
from tests.house import Walker

MIA = "mia.brandt@example.com"
PAGES = JinjaPages()


class Customer:
    """One browser. `visitor` is its network address."""

    def __init__(self, walker: Walker, visitor: str = "203.0.113.7", language: str = "en") -> None:
        self.walker = walker
        portal = create_portal(walker.context, PAGES, widget_origins=["https://shop.example"])
        self.http = TestClient(
            portal, base_url=walker.context.controller.base_url, client=(visitor, 50_000), follow_redirects=False,
            headers={"Accept-Language": language}, raise_server_exceptions=False,
        )  # fmt: skip
        self.page = Response(204)

    def open(self, path: str) -> Response:
        """Go to a page, over redirects."""
        self.page = self.http.get(path, follow_redirects=True)
        return self.page

    def press(self, action: str, **fields: str) -> Response:
        """Send the form of the open page whose action is this, with its hidden fields; the answer, over redirects."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', self.page.text, re.S)
        assert form is not None, f"no form for {action} on the page"
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
        sent = self.http.post(action, data={**hidden, **fields}, headers={"Sec-Fetch-Site": "same-origin"})
        self.page = self.http.get(sent.headers["location"], follow_redirects=True) if sent.is_redirect else sent
        return sent

    def fill(self, seconds: int = 30) -> None:
        """Take the time that a person needs for a form."""
        self.walker.clock.advance(timedelta(seconds=seconds))

    def ask(self, email: str = MIA, type_: str = "access", **fields: str) -> Response:
        """Fill and send the request form."""
        self.open("/privacy")
        self.fill()
        return self.press("/privacy", type=type_, email=email, **{"order": "", "details": "", **fields})

    def prove(self, email: str = MIA) -> Response:
        """Type the code of the newest mail."""
        self.walker.settle()
        return self.press("/privacy/check", code=self.walker.code_for(email))

    @property
    def reference(self) -> str:
        """The number on the open page."""
        found = re.search(r"\bPR-[0-9A-Z]{6}\b", self.page.text)
        assert found is not None
        return found[0]

    @property
    def dsar_id(self) -> DsarId:
        """The request whose page is open."""
        return listing.by_reference(self.walker.as_staff("Dora", Role.DPO), self.reference).id


@pytest.fixture
def customer(walker: Walker) -> Iterator[Customer]:
    """A customer with an empty browser."""
    return Customer(walker)


@pytest.fixture
def little_shop(walker: Walker, tmp_path: Path) -> Path:
    """A connected shop that holds Mia, two orders of hers, and somebody else."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE);
            CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer(id),
              order_number TEXT, total NUMERIC);
            INSERT INTO customer VALUES (1, 'Mia Brandt', 'mia.brandt@example.com'),
              (2, 'Jan Other', 'jan.other@example.net');
            INSERT INTO purchase VALUES (11, 1, 'LS-1001', 19.9), (12, 1, 'LS-1002', 7.5), (13, 2, 'LS-1003', 99);
            """
        )
    walker.connect("shop", path)
    return path


def released(walker: Walker, dsar_id: DsarId) -> None:
    """The team's part: reviewed by one, released by another, announced."""
    walker.settle()
    review.finish_review(walker.as_staff("Ada", Role.ANALYST), dsar_id)
    walker.settle()
    with walker.context.database.reading(walker.context.controller.key, walker.clock.now()) as tx:
        package = packages.newest_package(tx, dsar_id)
    assert package is not None
    answer.release(
        walker.as_staff("Marta", Role.APPROVER), dsar_id, seen_sha256=package.sha256 or "",
        typed_reference=walker.dsar(dsar_id).reference,
    )  # fmt: skip
    walker.settle()
