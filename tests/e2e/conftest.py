"""The browser for every test of this folder."""

from tests.e2e.browser import browser, new_page, page

__all__ = ["browser", "new_page", "page"]
