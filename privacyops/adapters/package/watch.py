"""A second pair of eyes on every file while it is written: it reads the finished text, not the values it came from.

So a fault of a writer is found by something that does not share it. Nothing is kept but the kinds of fault.
"""

import re
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from typing import Final

from privacyops.domain.package.hostile_text import secrets_in, starts_formula

_ROW_CELL: Final = re.compile(r'(\A|,|\r\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))')
_NEVER: Final = frozenset(
    {"script", "iframe", "frame", "object", "embed", "applet", "form", "input", "button", "base", "link", "img"}
    | {"audio", "video", "source", "track", "portal", "image", "use", "foreignobject", "template", "slot"}
)
_ADDRESSES: Final = frozenset(
    {"href", "src", "srcset", "action", "formaction", "data", "poster", "ping", "background", "xlink:href", "cite"}
)


class Watch:
    """Sees the text of one file. The plain one looks for secrets only."""

    def __init__(self) -> None:
        self.formulas: set[str] = set()
        self.active: set[str] = set()
        self.links: set[str] = set()
        self.secrets: set[str] = set()

    def see(self, text: str) -> None:
        """Look at the next piece, which ends at a place where a value may not go on."""
        self.secrets.update(secrets_in(text))

    def end(self) -> None:
        """Look at what was left over."""


class CsvWatch(Watch):
    """Sees whole rows of a CSV and says in which column a cell could be computed or hides a secret."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__()
        self._columns = columns

    def see(self, text: str) -> None:
        suspicious = bool(secrets_in(text))  # one pass over the whole piece; cells are looked at only if it hits
        place = 0
        for match in _ROW_CELL.finditer(text.removeprefix("\ufeff").removesuffix("\r\n")):
            place = place + 1 if match.group(1) == "," else 0
            quoted, plain = match.group(2), match.group(3)
            cell = quoted.replace('""', '"') if quoted is not None else plain
            if not cell:
                continue
            if starts_formula(cell):
                self.formulas.add(self._column(place))
            if suspicious:
                self.secrets.update(f"{self._column(place)}:{kind}" for kind in secrets_in(cell))

    def _column(self, place: int) -> str:
        return self._columns[place] if place < len(self._columns) else f"column {place + 1}"


class PageWatch(Watch):
    """Sees a page and says what in it would run, load or lead out of the package."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._reader = _PageReader(dirname(path), self)

    def see(self, text: str) -> None:
        self._reader.feed(text)

    def end(self) -> None:
        self._reader.close()


class _PageReader(HTMLParser):
    def __init__(self, folder: str, watch: Watch) -> None:
        super().__init__(convert_charrefs=True)
        self._folder, self._watch = folder, watch
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        if tag in _NEVER:
            self._watch.active.add(f"element_{tag}")
        values = dict(attrs)
        if tag == "meta" and (values.get("http-equiv") or "").lower() == "refresh":
            self._watch.active.add("refresh")
        for name, value in values.items():
            if name.startswith("on"):
                self._watch.active.add("event_handler")
            elif name == "style":
                self._watch.active.add("inline_style")
            elif name in _ADDRESSES:
                self._address(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            if re.search(r"url\s*\(|@import|expression\s*\(", data, re.IGNORECASE):
                self._watch.active.add("style_loads")
        else:
            self._watch.secrets.update(secrets_in(data))

    def _address(self, value: str) -> None:
        target = value.partition("#")[0]
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//|\\", target.strip()):
            if not target.startswith("mailto:"):
                self._watch.active.add("address_outside")
        elif target:
            self._watch.links.add(normpath(join(self._folder, target)))
