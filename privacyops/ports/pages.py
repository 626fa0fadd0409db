"""Pages of the two HTML doors, drawn from templates; and the static files that they name."""

from dataclasses import dataclass
from typing import Protocol

from privacyops.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class Scene:
    """For whom a page is drawn: everything that changes words, dates and the order of figures.

    `locale` is a BCP 47 tag such as `de` or `en-GB`; `zone` an IANA name; `now` is shown as "today".
    """

    now: Instant
    locale: str = "en"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file under `/static/`; its name carries the hash of its bytes, so it may be cached for ever."""

    name: str
    media_type: str
    body: bytes


class Words(Protocol):
    """Texts in one language; a text without a translation comes back in English."""

    def gettext(self, message: str) -> str: ...

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str: ...


class Pages(Protocol):
    """Draws pages. A template names a door and a file: `console/queue.html`."""

    def render(self, template: str, scene: Scene, /, **values: object) -> str:
        """The whole page. A value that the template names and the caller left out is an error."""
        ...

    def fragment(self, template: str, block: str, scene: Scene, /, **values: object) -> str:
        """One block of the same template, for an answer that replaces a part of the page."""
        ...

    def words(self, locale: str) -> Words:
        """The texts that a door says itself, in the language of `locale`."""
        ...

    def languages(self) -> list[str]:
        """The languages that pages can be drawn in, as BCP 47 tags."""
        ...

    def static(self, name: str) -> StaticFile | None:
        """The file that `asset()` named in a template, or None for any other name."""
        ...
