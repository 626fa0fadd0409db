"""What the kit does when it is used: keys, selection, menu, dialogs, print, and life without script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import NewPage, axe, overflow
from tests.e2e.sample_site import served
from tests.e2e.sample_views import PAGES

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 700}
_TOO_SMALL = """all => all
  .filter(it => it.matches(".check, .choice") || !it.closest(".check, .choice, .trap, po-copy"))
  .filter(it => it.getBoundingClientRect().height < 44)
  .map(it => it.outerHTML.slice(0, 80))"""
PORTAL = sorted(name for name, (template, _) in PAGES.items() if template.startswith("portal/"))


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def queue(page: Page, site: str) -> Page:
    page.goto(f"{site}/queue")
    return page


def test_j_and_k_walk_the_rows_and_o_opens_one(queue: Page) -> None:
    queue.keyboard.press("j")
    expect(queue.get_by_role("link", name="PR-7MK4Q2")).to_be_focused()
    queue.keyboard.press("j")
    expect(queue.get_by_role("link", name="PR-2XW9T7")).to_be_focused()
    queue.keyboard.press("k")
    queue.keyboard.press("o")
    expect(queue).to_have_url(re.compile(r"/console/requests/PR-7MK4Q2$"))


def test_the_bulk_bar_appears_with_the_first_row_and_counts(queue: Page) -> None:
    bar = queue.get_by_role("group", name="Selected requests")
    expect(bar).to_be_hidden()
    queue.keyboard.press("j")
    queue.keyboard.press("x")
    expect(bar).to_contain_text("Selected: 1")
    for _ in range(2):
        queue.keyboard.press("j")
    queue.keyboard.press("Shift+X")
    expect(bar).to_contain_text("Selected: 3")


def test_the_box_in_the_head_selects_every_row(queue: Page) -> None:
    queue.get_by_label("Select all rows").check()
    expect(queue.get_by_role("group", name="Selected requests")).to_contain_text("Selected: 8")
    queue.get_by_label("Select PR-Q83DFA").uncheck()
    expect(queue.get_by_role("group", name="Selected requests")).to_contain_text("Selected: 7")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tags_stay_readable_on_selected_rows(new_page: NewPage, site: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(f"{site}/queue")
    plain = _background(page)
    page.get_by_label("Select all rows").check()
    assert axe(page) == []
    assert _background(page) != plain


def _background(page: Page) -> str:
    found: str = page.locator("tbody .tag.bad").first.evaluate("it => getComputedStyle(it).backgroundColor")
    return found


def test_single_keys_are_dead_in_a_field(queue: Page) -> None:
    field = queue.get_by_role("searchbox")
    queue.keyboard.press("/")
    expect(field).to_be_focused()
    queue.keyboard.type("jx?c")
    expect(field).to_have_value("jx?c")
    expect(queue.get_by_role("dialog")).to_be_hidden()
    expect(queue).to_have_url(re.compile(r"/queue$"))


def test_single_keys_are_dead_where_the_account_switched_them_off(queue: Page) -> None:
    queue.evaluate("document.body.dataset.keys = 'off'")
    queue.keyboard.press("j")
    expect(queue.get_by_role("link", name="PR-7MK4Q2")).not_to_be_focused()
    queue.keyboard.press("?")
    expect(queue.get_by_role("dialog")).to_be_hidden()


def test_the_list_of_keys_opens_closes_and_gives_the_focus_back(queue: Page) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("?")
    expect(queue.get_by_role("dialog", name="Keys")).to_be_visible()
    assert axe(queue) == []
    queue.keyboard.press("Escape")
    expect(queue.get_by_role("dialog")).to_be_hidden()
    expect(queue.get_by_role("link", name="PR-7MK4Q2")).to_be_focused()


def test_g_and_a_letter_go_to_a_page(queue: Page) -> None:
    queue.keyboard.press("g")
    queue.keyboard.press("t")
    expect(queue).to_have_url(re.compile(r"/console/tasks$"))


def test_control_and_enter_press_the_primary_button_even_from_a_field(page: Page, site: str) -> None:
    page.goto(f"{site}/request")
    with page.expect_request("**/do") as sent:
        page.get_by_label("Message to the customer").focus()
        page.keyboard.press("Control+Enter")
    assert sent.value.method == "POST"
    assert "csrf=" in (sent.value.post_data or "")


def test_every_request_of_htmx_carries_the_token(page: Page, site: str) -> None:
    page.goto(f"{site}/release-building")
    with page.expect_request("**/release") as asked:
        page.get_by_role("heading", name="Package").wait_for()
    assert asked.value.headers["x-csrf-token"]
    assert asked.value.headers["hx-request"] == "true"


def test_a_failed_request_of_htmx_is_said_aloud(page: Page, site: str) -> None:
    page.goto(f"{site}/release-building")
    expect(page.locator("#toasts")).to_contain_text("That did not work")


def test_an_error_takes_the_focus_and_leads_to_its_field(page: Page, site: str) -> None:
    page.goto(f"{site}/privacy-refused")
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_role("link", name="Enter an e-mail address").click()
    expect(page.get_by_label("Your e-mail address")).to_be_focused()
    expect(page.get_by_label("Your e-mail address")).to_have_value("not an address")
    expect(page.get_by_label("Erase my data")).to_be_checked()


def test_a_phone_gets_a_menu_that_opens_and_closes(new_page: NewPage, site: str) -> None:
    page = new_page(viewport=PHONE)
    page.goto(f"{site}/queue")
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(menu).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.get_by_role("button", name="Menu")).to_be_focused()


def test_the_menu_of_a_phone_works_without_script(new_page: NewPage, site: str) -> None:
    page = new_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"{site}/queue")
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


@pytest.mark.parametrize("name", PORTAL)
def test_a_customer_page_shows_the_same_words_without_script(new_page: NewPage, site: str, name: str) -> None:
    words = []
    for script in (True, False):
        page = new_page(java_script_enabled=script)
        page.goto(f"{site}/{name}")
        text = page.locator("main").inner_text()
        words.append(re.sub(r"\s+|Copy", "", text))
    assert words[0] == words[1]


def test_a_refused_start_form_can_be_sent_without_script(new_page: NewPage, site: str) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{site}/privacy")
    page.get_by_label("Your e-mail address").fill("anna@example.pl")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Send request").click()
    body = sent.value.post_data or ""
    assert "type=access" in body
    assert "email=anna%40example.pl" in body
    assert "website=&" in body or body.endswith("website=")


@pytest.mark.parametrize("name", PORTAL)
def test_a_german_customer_page_has_nothing_for_axe(new_page: NewPage, site: str, name: str) -> None:
    page = new_page(viewport=PHONE, locale="de-DE")
    page.goto(f"{site}/{name}?lang=de")
    assert axe(page) == []
    assert overflow(page) == 0


@pytest.mark.parametrize("name", PORTAL)
def test_targets_of_customers_are_44_pixels_high(new_page: NewPage, site: str, name: str) -> None:
    page = new_page(viewport=PHONE)
    page.goto(f"{site}/{name}")
    targets = page.locator("main :is(.btn, input, select, textarea, .check, .choice, summary):visible")
    assert targets.evaluate_all(_TOO_SMALL) == []


@pytest.mark.parametrize("name", ["queue", "request", "release", "audit", "settings-keys", "status", "privacy"])
def test_a_page_works_at_200_percent_zoom(new_page: NewPage, site: str, name: str) -> None:
    page = new_page(viewport={"width": 680, "height": 450}, device_scale_factor=2)
    page.goto(f"{site}/{name}")
    assert axe(page) == []
    assert overflow(page) == 0


def test_paper_shows_no_navigation_and_keeps_what_counts(page: Page, site: str) -> None:
    page.goto(f"{site}/request")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("button", name="Finish review")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Page id")).to_be_visible()


def test_a_dialog_gives_the_focus_back_to_its_button(page: Page, site: str) -> None:
    page.goto(f"{site}/kit")
    opener = page.get_by_role("button", name="Open dialog")
    opener.click()
    expect(page.get_by_role("dialog", name="One field at most")).to_be_visible()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_copying_says_that_it_is_done(new_page: NewPage, site: str) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{site}/settings-keys")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "po_live_9xk2_Qm7vT4cR8sW1zB5nL3pH6dJ0"


def test_nothing_is_kept_in_the_browser(queue: Page) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("x")
    assert queue.evaluate("localStorage.length + sessionStorage.length") == 0
