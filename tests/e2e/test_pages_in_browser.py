"""Every template in a real browser, under the real policy: nothing for axe to find, no sideways scroll."""

from collections.abc import Iterator

import pytest

from tests.e2e.browser import NewPage, axe, overflow
from tests.e2e.sample_site import served
from tests.e2e.sample_views import PAGES

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1360, "height": 900}
PHONE = {"width": 320, "height": 700}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.mark.parametrize("name", sorted(PAGES))
@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE)],
    ids=["light", "dark", "phone"],
)
def test_axe_finds_nothing(new_page: NewPage, site: str, name: str, scheme: str, viewport: dict[str, int]) -> None:
    page = new_page(color_scheme=scheme, viewport=viewport)
    page.goto(f"{site}/{name}")
    assert axe(page) == []
    assert overflow(page) == 0
