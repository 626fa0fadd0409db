"""Every sample page: path -> (template, values). Templates are rendered, linted and looked at through these."""

from typing import Any, Final

from tests.e2e import sample_console, sample_portal
from tests.e2e.sample_base import GERMAN, SCENE

__all__ = ["GERMAN", "PAGES", "SCENE"]

PAGES: Final[dict[str, tuple[str, dict[str, Any]]]] = sample_console.PAGES | sample_portal.PAGES
