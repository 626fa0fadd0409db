"""The console on a free port of the loopback, and people who sign in to it with a browser."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Page, expect
from starlette.applications import Starlette

from privacyops.domain.account.action import Role
from tests.consoles import Browser, Office
from tests.house import PASSWORD


@contextmanager
def listening(app: Starlette) -> Iterator[str]:
    """Where the console listens."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def sign_in(page: Page, address: str, office: Office, name: str, *roles: Role) -> Browser:
    """Password and code; the page is Home afterwards."""
    person = office.enrolled(name, *roles)
    page.goto(f"{address}/console")
    page.get_by_label("E-mail address").fill(f"{name.lower()}@shop.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Six-digit code").fill(person.code())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Needs you today")
    page.wait_for_load_state()  # the heading is there before the deferred script that hears the keys
    return person
