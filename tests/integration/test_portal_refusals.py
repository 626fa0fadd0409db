"""What the portal must not do: tell who is known, confirm by a GET, open for another browser, give out a trace."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import event

from privacyops.domain.account.action import Role
from privacyops.domain.dsar.record import Dsar
from privacyops.domain.dsar.state import DsarState
from privacyops.services.dsar import listing
from privacyops.services.dsar.sweep import fire_deadlines
from tests.house import Walker
from tests.portal_client import MIA, Customer, customer, little_shop

__all__ = ["customer", "little_shop"]

STRANGER = "nobody.known@example.org"
SECRET = re.compile(r"(pow_|pot_)[A-Za-z0-9]{43}|Max-Age=\d+|\.\d{10};|\.[A-Za-z0-9_=-]+(?=\.)")
HIDDEN = re.compile(r'name="csrf" value="[^"]+"|<time[^>]*>[^<]*</time>|<code>[0-9a-f]{12}</code>')


def everything(walker: Walker, view: str = "all") -> list[Dsar]:
    """The requests of a view, as the team sees them."""
    return list(listing.list_view(walker.as_staff("Ada", Role.ANALYST), view).items)


def alike(sent: Response) -> tuple[int, dict[str, str]]:
    """Status and headers, without what is random in them."""
    return sent.status_code, {name: SECRET.sub("·", value) for name, value in sent.headers.items()}


@pytest.fixture
def inserts(walker: Walker) -> Iterator[list[str]]:
    """The tables that rows were inserted into, in order."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO"):
            seen.append(statement.split()[2].strip('"'))

    engine = walker.context.database.engines.writer
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("other", ["known", "suppressed"])
def test_known_and_unknown_addresses_get_the_same_answer(
    walker: Walker, little_shop: Path, inserts: list[str], other: str
) -> None:
    """D-13, A1: a customer of the shop, and one who has asked before and objected to advertising."""
    if other == "suppressed":
        Customer(walker, "192.0.2.1").ask(type_="objection_direct_marketing")
        walker.clock.advance(timedelta(hours=1))
    answers = []
    for address, visitor in ((MIA, "203.0.113.7"), (STRANGER, "198.51.100.7")):
        browser = Customer(walker, visitor)
        browser.open("/privacy")
        browser.fill()
        inserts.clear()
        sent = browser.press("/privacy", type="access", email=address, order="", details="")
        page = HIDDEN.sub("·", browser.page.text).replace("n••••@e", "m••••@e")
        answers.append((alike(sent), alike(browser.page), page, list(inserts)))
    assert answers[0] == answers[1]
    assert len(answers[0][3]) > 5


def test_the_same_request_again_gets_the_same_answer_and_no_second_mail(customer: Customer, walker: Walker) -> None:
    first = customer.ask()
    page = HIDDEN.sub("·", customer.page.text)
    again = Customer(walker, "198.51.100.7")
    assert alike(again.ask()) == alike(first)
    assert HIDDEN.sub("·", again.page.text) == page
    walker.settle()
    assert [mail.to for mail in walker.mails()] == [MIA]
    assert len(everything(walker, "unverified")) == 1


def test_only_the_typed_address_gets_mail(customer: Customer, walker: Walker, little_shop: Path) -> None:
    customer.ask(STRANGER)
    walker.settle()
    assert {mail.to for mail in walker.mails()} == {STRANGER}


def test_a_flood_for_one_address_from_many_networks_sends_five_mails_a_day(walker: Walker) -> None:
    """A7, in small: the answer stays the same and every request is kept, for the address may be the asker's own."""
    answers = set()
    for number in range(12):
        browser = Customer(walker, f"198.51.{number}.7")
        sent = browser.ask(type_=("access", "erasure", "portability")[number % 3])
        answers.add(str(alike(sent)))
        walker.clock.advance(timedelta(minutes=11))
    walker.settle()
    assert len(answers) == 1
    assert len(walker.mails()) == 5
    assert len(everything(walker, "unverified")) == 12


def test_a_second_right_within_ten_minutes_is_taken_without_a_mail(customer: Customer, walker: Walker) -> None:
    customer.ask(type_="access")
    customer.ask(type_="erasure")
    walker.settle()
    assert len(walker.mails()) == 1
    assert len(everything(walker, "unverified")) == 2


def test_one_network_is_slowed_down_with_a_page_that_says_how_long(walker: Walker) -> None:
    for number in range(20):
        browser = Customer(walker, f"203.0.113.{number}")
        browser.open("/privacy")
        browser.fill(2)
        assert browser.press("/privacy", type="access", email=f"c{number}@example.org").status_code == 303
    sent = Customer(walker, "203.0.113.99").ask("another@example.org")
    assert sent.status_code == 429
    assert int(sent.headers["retry-after"]) > 0
    assert re.search(r"Please try again in \d+ (minute|second)s?\.", sent.text)


def test_a_get_on_the_mailed_link_confirms_nothing_however_often(customer: Customer, walker: Walker) -> None:
    """D-14, A3: mail scanners follow links."""
    customer.ask()
    walker.settle()
    path = f"/privacy/confirm/{walker.link_for(MIA)}"
    scanner = Customer(walker, "192.0.2.9")
    for _ in range(3):
        assert scanner.open(path).status_code == 200
    assert [dsar.state for dsar in everything(walker, "unverified")] == [DsarState.AWAITING_IDENTITY]
    assert "po_portal" not in scanner.http.cookies


def test_the_mailed_link_works_once(customer: Customer, walker: Walker) -> None:
    """A4."""
    customer.ask()
    walker.settle()
    path = f"/privacy/confirm/{walker.link_for(MIA)}"
    customer.open(path)
    page = customer.page
    assert customer.press(path).status_code == 303
    customer.page = page
    assert customer.press(path).headers["location"] == "/privacy/status"
    elsewhere = Customer(walker, "192.0.2.9")
    elsewhere.page = page
    again = elsewhere.press(path)
    assert (again.status_code, "This link has ended" in again.text) == (410, True)


def test_the_mailed_link_ends_after_half_an_hour(customer: Customer, walker: Walker) -> None:
    """A4."""
    customer.ask()
    walker.settle()
    path = f"/privacy/confirm/{walker.link_for(MIA)}"
    walker.clock.advance(timedelta(minutes=31))
    assert customer.open(path).status_code == 410


def test_a_made_up_link_gets_the_same_page_as_a_spent_one(customer: Customer, walker: Walker) -> None:
    customer.ask()
    walker.settle()
    path = f"/privacy/confirm/{walker.link_for(MIA)}"
    customer.open(path)
    customer.press(path)
    spent, made_up = customer.open(path), customer.open(f"/privacy/confirm/pom_{'a' * 43}")
    assert spent.status_code == made_up.status_code
    assert HIDDEN.sub("·", spent.text) == HIDDEN.sub("·", made_up.text)


def test_five_wrong_codes_lock_the_code_and_not_the_request(customer: Customer, walker: Walker) -> None:
    """D-14, A8."""
    customer.ask()
    walker.settle()
    right = walker.code_for(MIA)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert customer.press("/privacy/check", code=wrong).status_code == 422
    assert customer.press("/privacy/check", code=right).status_code == 422
    customer.fill(601)
    customer.open("/privacy/check")
    customer.press("/privacy/check/resend")
    assert customer.prove().status_code == 303
    assert "Your request" in customer.page.text


def test_every_wrong_code_is_refused_in_the_same_words(customer: Customer, walker: Walker) -> None:
    """Wrong, malformed, out of tries, expired, and for a number that does not exist."""
    customer.ask()
    walker.settle()
    pages = {
        customer.press("/privacy/check", code=code).text for code in ("000000", "", "abc", "0" * 500, "１２３４５６")
    }
    pages |= {customer.press("/privacy/check", code="999999").text}
    nobody = Customer(walker, "198.51.100.3")
    nobody.open("/privacy/return")
    nobody.press("/privacy/return", reference="PR-222222", email=MIA)
    pages |= {nobody.press("/privacy/check", code="000000").text}
    assert len({HIDDEN.sub("·", page) for page in pages}) == 1


def test_a_code_of_another_request_opens_nothing(walker: Walker) -> None:
    """A8."""
    mine, other = Customer(walker, "203.0.113.7"), Customer(walker, "198.51.100.7")
    mine.ask(MIA)
    other.ask(STRANGER)
    walker.settle()
    assert other.press("/privacy/check", code=walker.code_for(MIA)).status_code == 422


def test_a_cookie_opens_its_own_request_alone(walker: Walker, little_shop: Path) -> None:
    mine, other = Customer(walker, "203.0.113.7"), Customer(walker, "198.51.100.7")
    mine.ask(MIA)
    mine.prove()
    other.ask(STRANGER)
    other.prove(STRANGER)
    assert mine.reference != other.reference
    assert mine.open("/privacy/status").text.count(other.reference) == 0


@pytest.mark.parametrize(
    "value",
    ["", "x", "pot_" + "a" * 43, "pow_" + "a" * 43, "pot_" + "a" * 400, "pow_x.é.1", "pow_.YQ.99999999999999999999"],
)
def test_a_foreign_cookie_leads_to_the_way_back(customer: Customer, value: str) -> None:
    sent = customer.http.get("/privacy/status", headers={"Cookie": f"po_portal={value}".encode()})
    assert (sent.status_code, sent.headers["location"]) == (303, "/privacy/return")


def test_a_cookie_ends_after_half_an_hour(customer: Customer, walker: Walker, little_shop: Path) -> None:
    customer.ask()
    customer.prove()
    page = customer.page
    walker.clock.advance(timedelta(minutes=31))
    assert customer.http.get("/privacy/status").headers["location"] == "/privacy/return"
    customer.page = page
    sent = customer.press("/privacy/status/message", message="Hello")
    assert (sent.status_code, "This page has closed" in sent.text) == (401, True)


def test_what_waits_for_its_code_cannot_read_write_or_withdraw(customer: Customer) -> None:
    customer.ask()
    page = customer.page
    for path in ("/privacy/status/message", "/privacy/status/withdraw", "/privacy/download", "/privacy/download/send"):
        customer.page = page
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token is not None
        sent = customer.http.post(path, data={"csrf": token[1]}, headers={"Sec-Fetch-Site": "same-origin"})
        assert sent.status_code == 401


def test_leaving_takes_the_cookie_from_the_browser(customer: Customer, little_shop: Path) -> None:
    customer.ask()
    customer.prove()
    customer.press("/privacy/leave")
    assert "po_portal" not in customer.http.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Origin": "https://evil.example"},
    ],
)
def test_a_form_from_another_site_changes_nothing(customer: Customer, walker: Walker, headers: dict[str, str]) -> None:
    customer.ask()
    customer.prove()
    token = re.search(r'name="csrf" value="([^"]+)"', customer.page.text)
    assert token is not None
    sent = customer.http.post("/privacy/status/withdraw", data={"csrf": token[1]}, headers=headers)
    assert sent.status_code == 403
    assert walker.dsar(customer.dsar_id).state is not DsarState.CLOSED


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 43])
def test_a_form_with_another_token_changes_nothing(customer: Customer, token: str) -> None:
    customer.ask()
    customer.prove()
    sent = customer.http.post(
        "/privacy/status/withdraw", data={"csrf": token}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert (sent.status_code, "Please open the page again" in sent.text) == (403, True)


def test_a_form_that_was_open_before_the_cookie_came_still_counts(customer: Customer) -> None:
    customer.open("/privacy")
    page = customer.page
    customer.ask(type_="access")
    customer.page = page
    assert customer.press("/privacy", type="erasure", email=MIA).status_code == 303


def test_a_form_sent_within_two_seconds_comes_back_filled_and_is_taken_the_second_time(customer: Customer) -> None:
    customer.open("/privacy")
    sent = customer.press("/privacy", type="access", email=MIA, details="Order 7")
    assert (sent.status_code, "Order 7" in sent.text) == (422, True)
    customer.fill(2)
    assert customer.press("/privacy", type="access", email=MIA).status_code == 303


@pytest.mark.parametrize("stamp", ["", "1.1.x", "1795341600000.1.AAAA", "é.1.1", "1" * 200, "-1.1.1"])
def test_a_made_up_stamp_is_refused_and_replaced(customer: Customer, stamp: str) -> None:
    customer.open("/privacy")
    customer.fill()
    sent = customer.press("/privacy", type="access", email=MIA, stamp=stamp)
    assert sent.status_code == 422
    customer.fill()
    assert customer.press("/privacy", type="access", email=MIA).status_code == 303


def test_a_filled_trap_is_refused_without_saying_why(customer: Customer, walker: Walker) -> None:
    customer.open("/privacy")
    customer.fill()
    sent = customer.press("/privacy", type="access", email=MIA, website="https://spam.example")
    assert (sent.status_code, "spam.example" in sent.text) == (422, False)
    assert everything(walker, "unverified") == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "a@",
        "@example.com",
        "a b@example.com",
        f"{'a' * 300}@example.com",
        "a@example.com\r\nBcc: b@example.org",
    ],
)
def test_what_is_no_address_comes_back_at_its_field(customer: Customer, address: str) -> None:
    sent = customer.ask(address)
    assert sent.status_code == 422
    assert "Enter an e-mail address such as name@example.com" in sent.text


@pytest.mark.parametrize("type_", ["", "nonsense", "appeal", "access\x00"])
def test_a_right_that_is_not_offered_comes_back_at_its_field(customer: Customer, type_: str) -> None:
    sent = customer.ask(type_=type_)
    assert sent.status_code in {303, 422}
    assert (sent.status_code == 303) == (type_ == "access\x00")


HOSTILE = "<script>alert(1)</script>{{7*7}}\u202eevil\u200b\"'><img src=x onerror=alert(1)>"


def test_hostile_words_are_shown_as_words(customer: Customer, little_shop: Path) -> None:
    """A33, A34."""
    customer.ask(details=HOSTILE)
    customer.prove()
    customer.press("/privacy/status/message", message=HOSTILE)
    text = customer.page.text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "{{7*7}}" in text
    assert "\u202e" not in text
    assert "U+202E" in text


def test_an_unverified_request_stands_in_its_own_view_alone_and_ends_without_a_mail(
    customer: Customer, walker: Walker
) -> None:
    """D-17."""
    customer.ask()
    walker.settle()
    for view in ("all", "soon", "identity", "approval", "failed", "closed"):
        assert everything(walker, view) == []
    assert len(everything(walker, "unverified")) == 1
    walker.clock.advance(timedelta(days=21, hours=1))
    fire_deadlines(walker.context)
    walker.settle()
    assert len(walker.mails()) == 1
    assert everything(walker, "unverified") == []


def test_a_second_click_on_withdraw_finds_it_withdrawn(customer: Customer) -> None:
    customer.ask()
    customer.prove()
    page = customer.page
    customer.press("/privacy/status/withdraw")
    customer.page = page
    assert customer.press("/privacy/status/withdraw").status_code == 303


def test_a_second_click_on_the_code_finds_the_request_open(customer: Customer, walker: Walker) -> None:
    customer.ask()
    page = customer.page
    customer.prove()
    customer.page = page
    token = re.search(r'name="csrf" value="([^"]+)"', customer.open("/privacy/status").text)
    assert token is not None
    sent = customer.http.post(
        "/privacy/check", data={"csrf": token[1], "code": "000000"}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert (sent.status_code, sent.headers["location"]) == (303, "/privacy/status")


def test_asking_for_a_new_mail_too_early_says_how_long_to_wait(customer: Customer) -> None:
    customer.ask()
    token = re.search(r'name="csrf" value="([^"]+)"', customer.page.text)
    assert token is not None
    sent = customer.http.post(
        "/privacy/check/resend", data={"csrf": token[1]}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert sent.status_code == 429
    assert "Please try again in 10 minutes." in sent.text


def test_coming_back_by_a_wrong_number_looks_like_coming_back_by_the_right_one(
    customer: Customer, walker: Walker, little_shop: Path
) -> None:
    customer.ask()
    customer.prove()
    reference = customer.reference
    walker.clock.advance(timedelta(hours=1))
    answers = []
    for number, visitor in ((reference, "198.51.100.1"), ("PR-222222", "198.51.100.2")):
        browser = Customer(walker, visitor)
        browser.open("/privacy/return")
        sent = browser.press("/privacy/return", reference=number, email=MIA)
        answers.append((alike(sent), alike(browser.page), HIDDEN.sub("·", browser.page.text)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/privacy/nowhere", 404),
        ("PUT", "/privacy", 405),
        ("POST", "/privacy/status/nowhere", 404),
        ("GET", "/privacy/confirm/../../etc/passwd", 404),
    ],
)
def test_every_error_is_a_page_with_the_headers_of_every_page(
    customer: Customer, method: str, path: str, status: int
) -> None:
    sent = customer.http.request(method, path)
    assert sent.status_code == status
    assert "Data protection officer" in sent.text
    assert sent.headers["content-security-policy"].startswith("default-src 'none'")
    assert (sent.headers["cache-control"], sent.headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_a_bug_is_a_page_without_a_trace(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError(MIA)

    monkeypatch.setattr("privacyops.portal.pages.start.draw", breaks)
    sent = customer.open("/privacy")
    assert sent.status_code == 500
    assert "Something went wrong on our side" in sent.text
    assert "Traceback" not in sent.text
    assert MIA not in sent.text
    assert sent.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 400),
        ("multipart/form-data; boundary=x", b"--x--", 400),
        ("application/x-www-form-urlencoded", b"\xff\xfe", 400),
        ("application/x-www-form-urlencoded", b"a=%ff", 400),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 300), 400),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 200_000, 413),
    ],
)
def test_a_body_that_is_no_form_is_refused_with_a_page(
    customer: Customer, content_type: str, body: bytes, status: int
) -> None:
    sent = customer.http.post("/privacy", content=body, headers={"Content-Type": content_type})
    assert sent.status_code == status
    assert "<h1>" in sent.text


def test_the_cookie_is_closed_to_scripts_and_other_sites(customer: Customer) -> None:
    cookie = customer.ask().headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie
