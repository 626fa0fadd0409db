"""Every template in a real browser, under the real policy: nothing for axe to find, no sideways scroll."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import ViewportSize

from tests.e2e.browser import NewPage, axe, overflow
from tests.e2e.sample_consent import ALIKE
from tests.e2e.sample_site import served
from tests.e2e.sample_views import PAGES

pytestmark = pytest.mark.browser

DESKTOP: ViewportSize = {"width": 1360, "height": 900}
PHONE: ViewportSize = {"width": 320, "height": 700}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.mark.parametrize("name", sorted(set(PAGES) - ALIKE))
def test_axe_finds_nothing_in_light_in_dark_and_on_a_phone(new_page: NewPage, site: str, name: str) -> None:
    page = new_page(color_scheme="light", viewport=DESKTOP)
    page.goto(f"{site}/{name}")
    assert axe(page) == []
    assert overflow(page) == 0
    page.emulate_media(color_scheme="dark")  # changes colours and nothing else
    assert axe(page, ["color-contrast"]) == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    assert axe(page) == []
    assert overflow(page) == 0
