"""The page about other people in a real browser: without a script, by its labels, at two widths, under the policy."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from privacyops.domain.account.action import Role
from privacyops.domain.redaction.suggest import Decision
from privacyops.kernel.ids import DsarId
from tests.consoles import Office
from tests.e2e.browser import NewPage, axe, overflow
from tests.e2e.console_site import listening, sign_in
from tests.house import Walker
from tests.redacting import ANSWER, NOTE, KnownNames, detects, found, noted_shop, pieces_of

pytestmark = pytest.mark.browser
PHONE = {"width": 320, "height": 700}


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """One engine is enough for what a browser sees."""
    shutil.copyfile(migrated_sqlite, tmp_path / "privacyops.db")
    return f"sqlite:///{tmp_path / 'privacyops.db'}"


@pytest.fixture
def dsar_id(walker: Walker, tmp_path: Path) -> DsarId:
    detects(walker, KnownNames())
    return found(walker, noted_shop(tmp_path / "shop.db", NOTE, ANSWER))


@pytest.fixture
def address(walker: Walker, dsar_id: DsarId) -> Iterator[str]:
    with listening(Office.open(walker).app) as url:
        yield url


def test_passages_are_decided_without_a_script_and_at_any_width(
    new_page: NewPage, walker: Walker, dsar_id: DsarId, address: str
) -> None:
    office, url = Office.open(walker), f"{address}/console/requests/{walker.dsar(dsar_id).reference}"
    page = new_page(java_script_enabled=False, viewport=PHONE)
    sign_in(page, address, office, "Ada", Role.ANALYST)
    page.goto(url)
    page.get_by_role("link", name="Other people").click()
    expect(page.locator("mark").first).to_have_text("Peter Novak")
    page.get_by_role("button", name="Take out passage 1").first.click()
    expect(page.locator("del").first).to_have_text("Peter Novak")
    page.get_by_role("button", name="Undo the decision on passage 1").first.click()
    expect(page.locator("mark").first).to_have_text("Peter Novak")
    page.get_by_text("Mark something by hand").first.click()
    page.get_by_label("Words, as they stand in the text").first.fill("took the parcel in")
    page.get_by_role("button", name="Mark and take out").first.click()
    expect(page.get_by_text("1 passage marked")).to_be_visible()
    marked = [(piece, decision) for piece, _, decision in pieces_of(walker, dsar_id) if decision is not Decision.OPEN]
    assert marked == [("took the parcel in", Decision.ADDED)]
    seen = new_page(viewport=PHONE, storage_state=page.context.storage_state())
    seen.goto(f"{url}/texts")
    assert overflow(seen) == 0
    assert axe(seen) == []
