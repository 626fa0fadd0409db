"""The watch over the browser is itself tried: each fault that it must see is made once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import Watch, axe
from tests.e2e.sample_site import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def watched(browser: Browser, site: str) -> Iterator[tuple[Page, Watch]]:
    context = browser.new_context()
    watch = Watch(context)
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    yield page, watch
    context.close()


def test_a_page_of_ours_leaves_no_fault(watched: tuple[Page, Watch]) -> None:
    assert watched[1].faults == []


def test_a_violated_policy_is_seen(watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.wait_for_timeout(100)
    assert any("style-src" in fault for fault in watch.faults)


def test_an_uncaught_exception_is_seen(watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    page.evaluate("setTimeout(() => { throw new Error('broken on purpose') })")
    page.wait_for_timeout(100)
    assert any("broken on purpose" in fault for fault in watch.faults)


def test_a_request_to_a_foreign_host_is_seen_and_stopped_by_the_policy(watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    page.evaluate("fetch('https://tracker.example/x').catch(() => {})")
    page.wait_for_timeout(100)
    assert any("connect-src" in fault or "foreign request" in fault for fault in watch.faults)


def test_axe_sees_a_field_without_a_label(watched: tuple[Page, Watch]) -> None:
    page, _ = watched
    page.evaluate("document.querySelector('label').remove()")
    assert any(line.startswith("label:") for line in axe(page))
