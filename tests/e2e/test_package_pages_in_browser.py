"""The package as a person opens it: from the disk, in a real browser, without a connection."""

import io
import zipfile
from pathlib import Path

import pytest

from privacyops.adapters.letters.writer import TemplateLetterWriter
from privacyops.adapters.package.build import ZipPackageBuilder
from privacyops.adapters.package.pdf import PdfNotDrawn
from privacyops.domain.letter import LetterKind
from tests.e2e.browser import NewPage, axe, overflow
from tests.made_up_answer import TestKey, contents, letter_values

pytestmark = pytest.mark.browser
PAGES = [
    "START-HERE.html",
    "letter.html",
    "consent/receipt.html",
    "html/shop/customers.html",
    "html/shop/b-order-items.html",
]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The package in English and German, unpacked; its letter as a page, so that the page is looked at too."""
    folders = {}
    for language in ("en", "de"):
        folder = tmp_path_factory.mktemp(language)
        letter = TemplateLetterWriter().write(
            LetterKind.ANSWER_PARTIAL, language, letter_values(LetterKind.ANSWER_PARTIAL)
        )
        out = io.BytesIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("privacyops.adapters.package.build.draw_pdf", _absent)
            ZipPackageBuilder(TestKey(), "t").build(contents(language=language), letter, out)
        zipfile.ZipFile(out).extractall(folder)
        folders[language] = next(folder.iterdir())
    return folders


def _absent(*_: object) -> bytes:
    raise PdfNotDrawn("left out by this test", missing=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_in_either_theme(
    unpacked: dict[str, Path], new_page: NewPage, path: str, scheme: str
) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900}, bypass_csp=False)
    page.goto((unpacked["en"] / path).as_uri())
    assert axe(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_german_page_fits_and_axe_finds_nothing(
    unpacked: dict[str, Path], new_page: NewPage, path: str
) -> None:
    page = new_page(viewport={"width": 320, "height": 700}, locale="de-DE")
    page.goto((unpacked["de"] / path).as_uri())
    assert overflow(page) == 0
    assert axe(page) == []


def test_the_index_leads_to_every_page_and_back_without_script(unpacked: dict[str, Path], new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto((unpacked["en"] / "START-HERE.html").as_uri())
    page.get_by_role("link", name="Your customer account: Read").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Your customer account"
    page.get_by_role("link", name="Your data").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Your data"


def test_planted_markup_neither_runs_nor_shows_as_markup(unpacked: dict[str, Path], new_page: NewPage) -> None:
    page = new_page()
    page.goto((unpacked["en"] / "html/shop/b-order-items.html").as_uri())
    assert page.locator("main img, main script, main b").count() == 0
    assert page.get_by_text("<script>alert(1)</script>", exact=True).is_visible()
    assert page.evaluate("getComputedStyle(document.body).display") == "block"


def test_the_style_is_allowed_by_the_policy_of_the_page(unpacked: dict[str, Path], new_page: NewPage) -> None:
    page = new_page(color_scheme="light")
    for path in PAGES:
        page.goto((unpacked["en"] / path).as_uri())
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 26, 34)"


def test_the_first_key_press_reaches_the_skip_link(unpacked: dict[str, Path], new_page: NewPage) -> None:
    page = new_page()
    page.goto((unpacked["en"] / "START-HERE.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Go to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
