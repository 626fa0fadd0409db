"""Browsers for tests of the console: signed in with both factors, with forms that are filled in as they were drawn."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from privacyops.adapters.pages_jinja import JinjaPages
from privacyops.console.app import create_console
from privacyops.domain.account.action import Role
from privacyops.domain.totp import step_at, totp_code
from privacyops.services import sealing
from privacyops.store import account as accounts
from tests.house import PASSWORD, Walker

PAGES = JinjaPages()
ORIGIN = "http://127.0.0.1:8844"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class Browser:
    """One browser. `send` posts a form with the token of the page that was read last."""

    client: TestClient
    secret: bytes = b""
    token: str = ""
    page: str = ""
    path: str = ""
    clock: Any = None

    def read(self, path: str, status: int = 200, **headers: str) -> str:
        """GET, following redirects; the page."""
        answer = self.client.get(path, headers=headers)
        return self._keep(answer, status)

    def send(self, path: str, status: int = 200, /, **fields: Any) -> str:
        """POST with Origin and token, following redirects; the page that came of it."""
        answer = self.client.post(path, data={"csrf": self.token, **fields}, headers={"Origin": ORIGIN})
        return self._keep(answer, status)

    def post(self, path: str, fields: Mapping[str, Any], **headers: str) -> Any:
        """POST as it is, without following; the answer."""
        return self.client.post(path, data=dict(fields), headers=headers, follow_redirects=False)

    def hidden(self, name: str) -> str:
        """A hidden field of the page that was read last."""
        return next(unescape(value) for key, value in _HIDDEN.findall(self.page) if key == name)

    def code(self) -> str:
        """The next code of the authenticator; time passes where the last one was used already."""
        self.clock.advance(timedelta(seconds=30))
        return totp_code(self.secret, step_at(self.clock.now()))

    def _keep(self, answer: Any, status: int) -> str:
        assert answer.status_code == status, (answer.status_code, answer.url, words_of(answer.text)[:600])
        self.page, self.path = answer.text, answer.url.path
        self.token = next(iter(re.findall(r'name="csrf" value="([0-9a-f]+)"', self.page)), self.token)
        return self.page


@dataclass
class Office:
    """A console over a service, and the browsers of its people."""

    walker: Walker
    app: Starlette
    browsers: dict[str, Browser] = field(default_factory=dict)

    @classmethod
    def open(cls, walker: Walker) -> "Office":
        """Draw up the console."""
        return cls(walker, create_console(walker.context, PAGES, "test"))

    def stranger(self) -> Browser:
        """A browser without a session."""
        client = TestClient(self.app, base_url=ORIGIN, raise_server_exceptions=False, client=("203.0.113.7", 50000))
        return Browser(client, clock=self.walker.clock)

    def at_desk(self, name: str, *roles: Role) -> Browser:
        """A colleague's browser, signed in with password and authenticator."""
        if name in self.browsers:
            return self.browsers[name]
        browser = self.enrolled(name, *roles)
        browser.read("/console/sign-in")
        browser.send("/console/sign-in", mail=f"{name.lower()}@shop.example", password=PASSWORD)
        browser.send("/console/sign-in/code", code=browser.code())
        assert browser.path == "/console"
        self.browsers[name] = browser
        return browser

    def enrolled(self, name: str, *roles: Role) -> Browser:
        """A browser whose owner has an account and an authenticator, and has not signed in."""
        self.walker.as_staff(name, *roles)
        mine, browser = self.walker.staff_accounts[name], self.stranger()
        ctx = self.walker.context
        browser.secret = name.encode().ljust(20, b"-")
        sealed = ctx.ports.keyring.seal(browser.secret, sealing.place(ctx, "account", "totp_sealed", mine.id))
        with ctx.database.transaction(ctx.controller.key, self.walker.clock.now()) as tx:
            accounts.save_account(tx, mine.id, totp_sealed=sealed)
        return browser


def words_of(page: str) -> str:
    """What a page says, without its tags and navigation."""
    body = re.sub(r"<head>.*?</head>|<nav.*?</nav>", "", page, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))
