"""Getting in: two factors, cookies that only their browser holds, refusals that tell nothing, ways out that hold."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from privacyops.console.app import create_console
from privacyops.domain.account.action import Role
from privacyops.services import account, invitation
from tests.consoles import ORIGIN, PAGES, Browser, Office, words_of
from tests.house import PASSWORD, Walker

_DORA = {"mail": "dora@shop.example", "password": PASSWORD}


@pytest.fixture
def office(walker: Walker) -> Office:
    """A console without any account signed in."""
    return Office.open(walker)


def _first_factor(office: Office, name: str = "Dora") -> Browser:
    browser = office.enrolled(name, Role.DPO)
    browser.read("/console/sign-in")
    browser.send("/console/sign-in", mail=f"{name.lower()}@shop.example", password=PASSWORD)
    return browser


def test_password_and_authenticator_open_home(office: Office) -> None:
    browser = _first_factor(office)
    assert browser.path == "/console/sign-in/code"
    assert "Needs you today" in browser.send("/console/sign-in/code", code=browser.code())


def test_the_first_factor_alone_opens_nothing(office: Office) -> None:
    browser = _first_factor(office)
    for path in ("/console", "/console/requests", "/console/audit", "/console/settings"):
        browser.read(path)
        assert browser.path == "/console/sign-in/code"


def test_without_a_session_every_page_leads_to_sign_in_and_comes_back(office: Office) -> None:
    answer = office.stranger().client.get("/console/requests?view=soon", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in?next=/console/requests%3Fview%3Dsoon"


def test_unknown_address_wrong_password_and_blocked_account_read_the_same(office: Office) -> None:
    office.enrolled("Dora", Role.DPO)
    office.enrolled("Olaf", Role.ANALYST)
    olaf = office.walker.staff_accounts["Olaf"].id
    account.disable(office.walker.as_staff("Olga", Role.ADMIN), olaf)
    said = {
        _refusal(office, "nobody@shop.example", PASSWORD),
        _refusal(office, "dora@shop.example", "wrong-wrong-wrong"),
        _refusal(office, "olaf@shop.example", PASSWORD),
    }
    assert len(said) == 1


def test_a_refused_sign_in_keeps_the_address_and_not_the_password(office: Office) -> None:
    browser = office.stranger()
    browser.read("/console/sign-in")
    page = browser.send("/console/sign-in", 401, mail="kim@shop.example", password="wrong-wrong-wrong")
    assert 'value="kim@shop.example"' in page
    assert "wrong-wrong-wrong" not in page


def test_the_eleventh_try_waits_and_says_for_how_long(office: Office) -> None:
    browser = office.enrolled("Dora", Role.DPO)
    browser.read("/console/sign-in")
    for _ in range(10):
        browser.send("/console/sign-in", 401, mail="dora@shop.example", password="wrong-wrong-wrong")
    answer = browser.post("/console/sign-in", {"csrf": browser.token, **_DORA}, Origin=ORIGIN)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_trying_codes_is_limited_too(office: Office) -> None:
    browser = _first_factor(office)
    for _ in range(10):
        browser.send("/console/sign-in/code", 401, code="000000")
    browser.send("/console/sign-in/code", 429, code=browser.code())


def test_a_code_of_the_authenticator_works_once(office: Office) -> None:
    browser = _first_factor(office)
    code = browser.code()
    browser.send("/console/sign-in/code", code=code)
    again = office.stranger()
    again.read("/console/sign-in")
    again.send("/console/sign-in", **_DORA)
    assert "not valid" in again.send("/console/sign-in/code", 401, code=code)


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(office: Office) -> None:
    browser = office.enrolled("Dora", Role.DPO)
    browser.read("/console/sign-in")
    answer = browser.post("/console/sign-in", {"csrf": browser.token, **_DORA}, Origin=ORIGIN)
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("po_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_over_https_cookies_are_bound_to_the_host(walker: Walker) -> None:
    profile = replace(walker.context.controller, base_url="https://privacy.shop.example")
    console = create_console(replace(walker.context, controller=profile), PAGES)
    answer = TestClient(console, base_url="https://privacy.shop.example").get("/console/sign-in")
    assert answer.headers["set-cookie"].startswith("__Host-po_form=")
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_session_known_before_sign_in_is_worth_nothing_after_it(office: Office) -> None:
    browser = _first_factor(office)
    before = browser.client.cookies["po_session"]
    browser.send("/console/sign-in/code", code=browser.code())
    assert browser.client.cookies["po_session"] != before
    thief = office.stranger()
    thief.client.cookies.set("po_session", before)
    thief.read("/console")
    assert thief.path == "/console/sign-in"


def test_a_planted_session_cookie_is_not_adopted(office: Office) -> None:
    browser = office.enrolled("Dora", Role.DPO)
    browser.client.cookies.set("po_session", "A" * 43)
    browser.read("/console/sign-in")
    browser.send("/console/sign-in", **_DORA)
    assert "A" * 43 not in [cookie.value for cookie in browser.client.cookies.jar if cookie.domain]
    thief = office.stranger()
    thief.client.cookies.set("po_session", "A" * 43)
    thief.read("/console")
    assert thief.path == "/console/sign-in"


def test_sign_out_ends_the_session_on_the_server(office: Office) -> None:
    browser = office.at_desk("Dora", Role.DPO)
    kept = browser.client.cookies["po_session"]
    browser.send("/console/sign-out")
    assert browser.path == "/console/sign-in"
    thief = office.stranger()
    thief.client.cookies.set("po_session", kept)
    thief.read("/console")
    assert thief.path == "/console/sign-in"


def test_sign_out_everywhere_ends_the_other_browser_too(office: Office) -> None:
    first = office.at_desk("Dora", Role.DPO)
    second = _first_factor(office)
    second.send("/console/sign-in/code", code=second.code())
    assert second.path == "/console"
    second.send("/console/sign-out", everywhere="yes")
    first.read("/console")
    assert first.path == "/console/sign-in"


def test_half_an_hour_without_use_ends_a_session(office: Office) -> None:
    browser = office.at_desk("Dora", Role.DPO)
    office.walker.clock.advance(timedelta(minutes=31))
    browser.read("/console")
    assert browser.path == "/console/sign-in"


@pytest.mark.parametrize(
    "evil",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/console//evil.example"],
)
def test_no_foreign_address_is_the_next_page_of_a_sign_in(office: Office, evil: str) -> None:
    browser = office.enrolled("Dora", Role.DPO)
    page = browser.read(f"/console/sign-in?next={evil}")
    assert browser.hidden("next") == "/console"
    assert "evil" not in page
    browser.send("/console/sign-in", **_DORA, next=evil)
    answer = browser.post(
        "/console/sign-in/code", {"csrf": browser.token, "code": browser.code(), "next": evil}, Origin=ORIGIN
    )
    assert answer.headers["location"] == "/console"


def test_the_setup_link_leaves_the_address_bar_makes_one_account_and_dies(office: Office) -> None:
    link = account.setup_link(office.walker.context)
    assert link is not None
    browser = office.stranger()
    page = browser.read(link.removeprefix(ORIGIN))
    assert browser.path == "/setup"
    assert "poi_" not in page
    browser.send("/setup", 422, name="Olga", mail="not an address", password=PASSWORD)
    browser.send("/setup", name="Olga", mail="olga@shop.example", password=PASSWORD)
    assert browser.path == "/console/second-factor"
    other = office.stranger()
    other.read(link.removeprefix(ORIGIN), 410)


def test_a_weak_password_comes_back_to_its_field_and_is_not_shown(office: Office) -> None:
    link = account.setup_link(office.walker.context)
    assert link is not None
    browser = office.stranger()
    browser.read(link.removeprefix(ORIGIN))
    page = browser.send("/setup", 422, name="Olga", mail="olga@shop.example", password="passwordpassword")
    assert 'href="#f-password"' in page
    assert 'value="olga@shop.example"' in page
    assert "passwordpassword" not in page


def test_nothing_opens_before_the_authenticator_is_enrolled(office: Office) -> None:
    office.walker.as_staff("Nele", Role.ANALYST)
    browser = office.stranger()
    browser.read("/console/sign-in")
    browser.send("/console/sign-in", mail="nele@shop.example", password=PASSWORD)
    assert browser.path == "/console/second-factor"
    browser.read("/console/requests")
    assert browser.path == "/console/second-factor"
    browser.send("/console/second-factor", 401, code="000000")


def test_recovery_codes_are_shown_once_and_each_works_once(office: Office) -> None:
    office.walker.as_staff("Nele", Role.ANALYST)
    browser = office.stranger()
    browser.read("/console/sign-in")
    browser.send("/console/sign-in", mail="nele@shop.example", password=PASSWORD)
    browser.secret = _typed_secret(browser.page)
    page = browser.send("/console/second-factor", code=browser.code())
    codes = page.partition('class="secret pre">')[2].partition("<")[0].split()
    assert len(codes) == 10
    assert codes[0] not in browser.read("/console/settings")
    for status in (200, 401):
        again = office.stranger()
        again.read("/console/sign-in")
        again.send("/console/sign-in", mail="nele@shop.example", password=PASSWORD)
        again.send("/console/sign-in/code", status, code=codes[0])


def test_an_invited_colleague_sets_a_password_that_nobody_else_knows(office: Office) -> None:
    olga = office.at_desk("Olga", Role.ADMIN)
    olga.read("/console/settings/accounts")
    page = olga.send("/console/settings/accounts/invite", name="Nele", mail="nele@shop.example", role="analyst")
    link = page.partition('class="secret">')[2].partition("<")[0]
    nele = office.stranger()
    nele.read(link.removeprefix(ORIGIN))
    assert nele.path == "/setup/join"
    assert "nele@shop.example" in nele.page
    nele.send("/setup/join", password="seven-brooks-under-lanterns")
    assert nele.path == "/console/second-factor"
    office.stranger().read(link.removeprefix(ORIGIN), 410)


def test_an_invitation_lasts_a_day(office: Office) -> None:
    _, link = invitation.invite(
        office.walker.as_staff("Olga", Role.ADMIN), "Nele", "nele@shop.example", frozenset({Role.ANALYST})
    )
    office.walker.clock.advance(timedelta(hours=25))
    office.stranger().read(link.removeprefix(ORIGIN), 410)


def test_changed_roles_end_the_sessions_of_the_account(office: Office) -> None:
    ada, olga = office.at_desk("Ada", Role.ANALYST), office.at_desk("Olga", Role.ADMIN)
    key = office.walker.staff_accounts["Ada"].id
    olga.read(f"/console/settings/accounts/{key}")
    olga.send(f"/console/settings/accounts/{key}", roles=["auditor"])
    ada.read("/console")
    assert ada.path == "/console/sign-in"


def test_nobody_switches_users_outside_of_a_demo(office: Office) -> None:
    dora = office.at_desk("Dora", Role.DPO)
    dora.read("/console")
    dora.send("/console/demo/switch", 404, user=str(office.walker.staff_accounts["Dora"].id))


def _refusal(office: Office, mail: str, password: str) -> str:
    browser = office.stranger()
    browser.read("/console/sign-in")
    return words_of(browser.send("/console/sign-in", 401, mail=mail, password=password)).partition("Page id")[0]


def _typed_secret(page: str) -> bytes:
    text = page.partition('class="secret">')[2].partition("<")[0].replace(" ", "")
    return base64.b32decode(text + "=" * (-len(text) % 8))
