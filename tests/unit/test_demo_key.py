"""The demo's key opens what the documentation shows."""

from pathlib import Path

from privacyops.demo.seed import SCOPES
from privacyops.domain.account.action import Scope

ROOT = Path(__file__).parents[2]


def test_the_key_of_the_demo_has_every_scope_that_the_documentation_names() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    named = {scope for scope in Scope if f"`{scope}`" in text}
    assert len(named) > 5
    assert named <= SCOPES


def test_the_key_of_the_demo_reads_the_feed_that_the_client_libraries_follow() -> None:
    assert Scope.FEED_READ in SCOPES
