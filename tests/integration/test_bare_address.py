"""Where the bare address of the service leads: customers to their form, a demo's visitor to its start page."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from starlette.testclient import TestClient

from privacyops.adapters.pages_jinja import JinjaPages
from privacyops.demo.app import PREFIXES, create_demo
from privacyops.main import create_app
from tests.house import Walker

Answering: TypeAlias = Callable[[str], tuple[int, str]]
PAGES = JinjaPages()


@pytest.fixture(params=["shop", "demo"])
def answering(walker: Walker, request: pytest.FixtureRequest) -> Answering:
    """Status and where a path leads, of a service or of a demo."""
    assert walker.house.inbox is not None
    extra = [(PREFIXES, create_demo(walker.context, PAGES, walker.house.inbox))] if request.param == "demo" else []
    client = TestClient(create_app(walker.context, PAGES, extra=extra), base_url="http://127.0.0.1:8844")

    def ask(path: str) -> tuple[int, str]:
        answer = client.get(path, follow_redirects=False)
        return answer.status_code, answer.headers.get("location", "")

    return ask


@pytest.mark.parametrize("answering", ["shop"], indirect=True)
def test_the_bare_address_of_a_shop_leads_to_the_customers_form(answering: Answering) -> None:
    assert answering("/") == (303, "/privacy")


@pytest.mark.parametrize("answering", ["demo"], indirect=True)
def test_the_bare_address_of_a_demo_leads_to_its_start_page(answering: Answering) -> None:
    assert answering("/") == (303, "/console/demo")


def test_an_unknown_address_is_still_the_machines_404(answering: Answering) -> None:
    assert answering("/nothing-here") == (404, "")


@pytest.mark.parametrize("answering", ["demo"], indirect=True)
@pytest.mark.parametrize("path", ["/demo/nothing", "/demo/inbox/no-number"])
def test_an_unknown_address_of_the_demo_leads_to_its_mails(answering: Answering, path: str) -> None:
    assert answering(path) == (303, "/demo/inbox")


def test_a_browser_at_an_unknown_address_gets_a_page_that_leads_on(walker: Walker) -> None:
    client = TestClient(create_app(walker.context, PAGES), base_url="http://127.0.0.1:8844")
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "de"}
    for path in ("/nothing-here", "/docs", "/v2/dsars"):
        answer = client.get(path, headers=browser)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert 'href="/privacy"' in answer.text
        assert "Diese Seite gibt es nicht" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path, accept in (("/nothing-here", "*/*"), ("/nothing-here", "application/json"), ("/v1/nothing", "text/html")):
        answer = client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
